// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"belfry/fault"
	"belfry/monitor"
)

const (
	// maxIntake bounds a hand-over's body; what a kind of source takes may be less.
	maxIntake = 10 << 20
	// maxKept bounds the buffers that are kept for the next body.
	maxKept = 256 << 10
)

// What became of a hand-over, for the Counter.
const (
	// taken: its reports are stored for good.
	taken = "taken"
	// refused: it can never be taken, and the sender was told so.
	refused = "refused"
	// kept: no program understood it, and it is kept for people to look at.
	kept = "kept"
	// failed: it could not be read or stored; the sender was asked to repeat it.
	failed = "failed"
	// Unauthorized: no source's token was shown; the source is empty then.
	Unauthorized = "unauthorized"
)

// Outcomes are the words for what becomes of a hand-over from a known source.
func Outcomes() []string { return []string{taken, refused, kept, failed} }

// intakeAnswer is what a hand-over gets back.
type intakeAnswer struct {
	// Accepted counts the reports that are stored for good.
	Accepted int `json:"accepted"`
	// Warnings say what was not understood or not taken as it was.
	Warnings []string `json:"warnings,omitempty"`
	// Error says what is wrong and what is right.
	Error string `json:"error,omitempty"`
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// intake returns the handler of hand-overs. Its answers decide what the sender
// does: 4xx means that this body can never be taken, 5xx that it should come
// again.
func (s *Server) intake(trusted bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		src, refusal := s.sourceOf(r, trusted)
		if src == nil {
			status := http.StatusUnauthorized
			if trusted {
				status = http.StatusNotFound
			}
			s.opt.Counter.TookIn("", Unauthorized, 0)
			reply(w, status, intakeAnswer{Error: refusal})
			return
		}
		hook, _ := src.Monitor.(monitor.Hook)
		s.receive(w, r, src, hook)
	}
}

// receive reads a body and takes it in. hook is nil for a source that is none.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, src *Source, hook monitor.Hook) {
	body := bodies.Get().(*bytes.Buffer) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer func() {
		if body.Cap() <= maxKept {
			bodies.Put(body)
		}
	}()
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxIntake)); err != nil {
		s.unreadable(w, src, err)
		return
	}
	s.take(w, r, src, hook, body.Bytes())
}

func (s *Server) unreadable(w http.ResponseWriter, src *Source, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		s.opt.Counter.TookIn(src.Name, refused, 0)
		s.opt.Log.Warn("hand-over refused: too large", "source", src.Name, "limit", tooLarge.Limit)
		reply(w, http.StatusRequestEntityTooLarge, intakeAnswer{Error: "the body has more than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"})
		return
	}
	s.opt.Counter.TookIn(src.Name, failed, 0)
	// Not the body's fault: the sender must repeat it, which 400 would forbid.
	reply(w, http.StatusRequestTimeout, intakeAnswer{Error: "the body broke off; please repeat it"})
}

func (s *Server) take(w http.ResponseWriter, r *http.Request, src *Source, hook monitor.Hook, body []byte) {
	decoded, err := src.Monitor.Decode(r.Header.Get("Content-Type"), body)
	if err != nil && hook != nil {
		s.notUnderstood(w, r, src, hook, body, err)
		return
	}
	if err != nil {
		s.opt.Counter.TookIn(src.Name, refused, 0)
		s.opt.Log.Warn("hand-over refused: not understood", "source", src.Name, "err", err)
		reply(w, http.StatusBadRequest, intakeAnswer{Error: err.Error()})
		return
	}
	warnings, err := s.opt.Desk.Ingest(r.Context(), src.Name, decoded.Reports)
	if err != nil {
		s.notStored(w, src, err)
		return
	}
	s.opt.Counter.TookIn(src.Name, taken, len(decoded.Reports))
	warnings = append(decoded.Warnings, warnings...)
	if len(warnings) > 0 {
		s.opt.Log.Warn("hand-over taken with warnings", "source", src.Name, "warnings", warnings)
	}
	if hook != nil {
		answer(w, hook.Answer(monitor.Outcome{Accepted: len(decoded.Reports), Warnings: warnings}))
		return
	}
	reply(w, http.StatusOK, intakeAnswer{Accepted: len(decoded.Reports), Warnings: warnings})
}

func (s *Server) notStored(w http.ResponseWriter, src *Source, err error) {
	if decision, _ := fault.Of(err); decision == fault.Permanent {
		s.opt.Counter.TookIn(src.Name, refused, 0)
		s.opt.Log.Error("hand-over refused: part of it can never be taken", "source", src.Name, "err", err)
		reply(w, http.StatusUnprocessableEntity, intakeAnswer{Error: "part of it can never be taken; the server's log says why"})
		return
	}
	s.opt.Counter.TookIn(src.Name, failed, 0)
	s.opt.Log.Error("hand-over not stored; the sender was asked to repeat it", "source", src.Name, "err", err)
	w.Header().Set("Retry-After", "1")
	reply(w, http.StatusServiceUnavailable, intakeAnswer{Error: "could not be stored; please repeat it"})
}

func reply(w http.ResponseWriter, status int, a intakeAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if len(a.Warnings) == 0 && a.Error == "" { // nearly always, and nothing to escape
		_, _ = w.Write(append(strconv.AppendInt([]byte(`{"accepted":`), int64(a.Accepted), 10), "}\n"...)) // see below
		return
	}
	if err := json.NewEncoder(w).Encode(a); err != nil {
		return // the sender went away; it will repeat what it got no answer for
	}
}
