// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"belfry/config"
	"belfry/fault"
)

// tally notes what is counted.
type tally []string

func (c *tally) TookIn(source, outcome string, reports int) {
	*c = append(*c, fmt.Sprintf("%s %s %d", source, outcome, reports))
}

func TestWhoMayReadMetrics(t *testing.T) {
	told := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "belfry_x 1\n") })
	for _, c := range []struct {
		name, token, bearer string
		socket              bool
		want                int
	}{
		{"with the token", token, "Bearer " + token, false, 200},
		{"without", token, "", false, 401},
		{"with another", token, "Bearer " + other, false, 401},
		{"with part of it", token, "Bearer " + token[:8], false, 401},
		{"with the name alone", token, "Bearer ", false, 401},
		{"where they are not served", "", "", false, 404},
		{"where they are not served, with nothing", "", "Bearer ", false, 404},
		{"on the socket", "", "", true, 200},
		{"on the socket, where a token is set", token, "", true, 200},
	} {
		s := New(Options{Log: slog.New(slog.DiscardHandler), Metrics: told, MetricsToken: config.Secret(c.token)})
		h := s.Handler()
		if c.socket {
			h = s.SocketHandler()
		}
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", c.bearer)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || (w.Code == 200) != strings.Contains(w.Body.String(), "belfry_x") || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") ||
			strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestHandOversAreCounted(t *testing.T) {
	s, d, _ := newServer(t)
	count := &tally{}
	s.opt.Counter = count
	h := s.Handler()
	post(h, "/intake", "Bearer "+token, "x")
	post(h, "/intake/web", "Bearer "+token, "bad")
	post(h, "/intake", "Bearer wrong", "x")
	post(h, "/hooks/web/wrong", "", "x")
	post(h, "/intake", "Bearer "+token, strings.Repeat("x", maxIntake+1))
	d.err = errors.New("disk full")
	post(h, "/intake", "Bearer "+token, "x")
	d.err = fault.NewPermanent(errors.New("no"))
	post(h, "/intake", "Bearer "+token, "x")
	d.err = nil
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/intake", io.MultiReader(strings.NewReader("x"), broken{}))
	r.Header.Set("Authorization", "Bearer "+token)
	h.ServeHTTP(httptest.NewRecorder(), r)
	want := "web taken 1, web refused 0,  unauthorized 0,  unauthorized 0, web refused 0, web failed 0, web refused 0, web failed 0"
	if got := strings.Join(*count, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
