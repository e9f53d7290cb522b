// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/trial"
)

// tester is a test that ends as told.
type tester struct {
	err error
	got string
}

func (s *tester) Test(_ context.Context, channel, by string, wait time.Duration, tell func(trial.Event)) error {
	s.got = fmt.Sprintf("%s %s %v", channel, by, wait)
	tell(trial.Event{Stage: trial.Posted, Took: 5 * time.Millisecond})
	return s.err
}

func TestOrdersComeOverTheSocketOnly(t *testing.T) {
	s, _, _ := newServer(t)
	s.opt.Tester, s.opt.Reread = &tester{}, func() error { return nil }
	for _, path := range []string{"/test", "/reload"} {
		if w := post(s.Handler(), path, "Bearer "+token, `{"channel":"chat/ops","wait_ns":1000000000}`); w.Code != 404 {
			t.Errorf("%s over TCP: %d", path, w.Code)
		}
		if w := post(s.SocketHandler(), path, "", `{"channel":"chat/ops","wait_ns":1000000000}`); w.Code != 200 {
			t.Errorf("%s over the socket: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestATestIsToldLineByLine(t *testing.T) {
	const good = `{"channel":"chat/ops","by":"root","wait_ns":2000000000}`
	for _, c := range []struct {
		name, order string
		err         error
		status      int
		body        string
	}{
		{"passed", good, nil, 200, `{"stage":"posted","took_ns":5000000}` + "\n"},
		{"nobody", good, trial.ErrNobody, 200, `"nobody":true`},
		{"failed", good, errors.New("no such channel"), 200, `{"error":"no such channel"}`},
		{"no order", "?", nil, 400, `"done":false`},
		{"too long a wait", `{"channel":"a/b","wait_ns":9000000000000000}`, nil, 400, "between 1s and 1h"},
		{"too long an order", `{"channel":"` + strings.Repeat("x", maxOrder) + `"}`, nil, 400, `"done":false`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, _ := newServer(t)
			at := &tester{err: c.err}
			s.opt.Tester = at
			w := post(s.SocketHandler(), "/test", "", c.order)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if c.status == 200 && at.got != "chat/ops root 2s" {
				t.Errorf("the order arrived as %q", at.got)
			}
		})
	}
}

func TestAConfigurationWithFaultsIsTold(t *testing.T) {
	s, _, logged := newServer(t)
	s.opt.Reread = func() error { return errors.New("belfry.yaml:3: unknown key") }
	w := post(s.SocketHandler(), "/reload", "", "{}")
	if w.Code != 409 || !strings.Contains(w.Body.String(), "belfry.yaml:3") || !strings.Contains(logged.String(), "stays as it was") {
		t.Errorf("%d %s %s", w.Code, w.Body, logged)
	}
}
