// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// readyWithin bounds the look at the database.
const readyWithin = 2 * time.Second

// live answers as long as the process serves requests at all.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, "ok\n")
}

// ready answers 200 when hand-overs can be stored, else 503. The reason stays
// in the log: this page needs no sign-in.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if err := s.opt.Ready(ctx); err != nil {
		s.opt.Log.Error("not ready", "err", err)
		say(w, http.StatusServiceUnavailable, "not ready, see the log\n")
		return
	}
	say(w, http.StatusOK, "ready\n")
}

// metrics answers a scrape that shows the token. It says whether there is one
// to be shown: that is no secret, and what to do about it helps.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if s.opt.MetricsToken == "" {
		say(w, http.StatusNotFound, "metrics are not served here: set server.metrics in the configuration\n")
		return
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !sameToken(token, s.opt.MetricsToken.Reveal()) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Belfry's metrics"`)
		say(w, http.StatusUnauthorized, "show the metrics' token as \"Authorization: Bearer …\"\n")
		return
	}
	s.opt.Metrics.ServeHTTP(w, r)
}

func say(w http.ResponseWriter, status int, text string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that went away misses nothing
}
