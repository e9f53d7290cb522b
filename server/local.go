// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"belfry/trial"
)

// This file is what the unix socket answers beside hand-overs. Whoever may
// open the socket may hand over alerts already, so that a test card or another
// look at the configuration file gives them nothing that they did not have.

// Tester posts a test card to connection/channel and waits for its press.
type Tester interface {
	Test(ctx context.Context, channel, by string, wait time.Duration, tell func(trial.Event)) error
}

// maxOrder bounds the body of an order over the socket.
const maxOrder = 4 << 10

// TestOrder is the body of POST /test.
type TestOrder struct {
	// Channel is connection/channel, as in routes.
	Channel string `json:"channel"`
	// By is who wants it, as the card says.
	By string `json:"by"`
	// Wait is how long to wait for the press, in ns.
	Wait time.Duration `json:"wait_ns"`
}

// TestLine is one line of the answer to POST /test: an event, or how it ended.
type TestLine struct {
	*trial.Event
	// Error says why the test failed; Nobody that it is for want of a press.
	Error  string `json:"error,omitempty"`
	Nobody bool   `json:"nobody,omitempty"`
}

// test answers POST /test with one line of JSON for every stage, at the moment
// it is reached.
func (s *Server) test(w http.ResponseWriter, r *http.Request) {
	var o TestOrder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		obey(w, http.StatusBadRequest, "the order can't be read; see belfry test --help")
		return
	}
	if o.Wait < trial.MinWait || o.Wait > trial.MaxWait {
		obey(w, http.StatusBadRequest, "a test waits between "+trial.MinWait.String()+" and "+trial.MaxWait.String())
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	flush := http.NewResponseController(w)
	say := func(l TestLine) {
		if json.NewEncoder(w).Encode(l) == nil {
			_ = flush.Flush() // whoever asked is gone: the context tells
		}
	}
	err := s.opt.Tester.Test(r.Context(), strings.TrimSpace(o.Channel), o.By, o.Wait, func(e trial.Event) { say(TestLine{Event: &e}) })
	if err != nil {
		s.opt.Log.Warn("a test failed", "channel", o.Channel, "err", err)
		say(TestLine{Error: err.Error(), Nobody: trial.IsNobody(err)})
		return
	}
	s.opt.Log.Info("a test passed", "channel", o.Channel)
}

// reread answers POST /reload: the configuration is read again, as at SIGHUP.
func (s *Server) reread(w http.ResponseWriter, _ *http.Request) {
	if err := s.opt.Reread(); err != nil {
		s.opt.Log.Error("the configuration stays as it was", "err", err)
		obey(w, http.StatusConflict, err.Error())
		return
	}
	s.opt.Log.Info("the configuration was read again")
	obey(w, http.StatusOK, "")
}

// obey answers an order; why is empty when it was carried out.
func obey(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Done  bool   `json:"done"`
		Error string `json:"error,omitempty"`
	}{why == "", why}) // who gave the order may be gone
}
