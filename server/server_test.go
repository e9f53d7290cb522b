// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/config"
	"belfry/fault"
	"belfry/monitor"
)

const (
	token = "0123456789abcdef-web"
	other = "fedcba9876543210-db"
)

// parrot decodes "bad" to an error and everything else to one report.
type parrot struct{}

func (parrot) Decode(_ string, body []byte) (monitor.Decoded, error) {
	if string(body) == "bad" {
		return monitor.Decoded{}, errors.New("state is missing; give one of OK, WARNING")
	}
	return monitor.Decoded{Reports: []alert.Report{{Output: string(body)}}, Warnings: []string{"unknown key x"}}, nil
}

type desk struct {
	got  []string
	last alert.Report
	err  error
}

func (d *desk) Ingest(_ context.Context, source string, reports []alert.Report) ([]string, error) {
	if d.err != nil {
		return nil, d.err
	}
	for _, r := range reports {
		d.got, d.last = append(d.got, source+":"+r.Output), r
	}
	return []string{"output was long"}, nil
}

func newServer(t *testing.T) (*Server, *desk, *bytes.Buffer) {
	t.Helper()
	d, logged := &desk{}, &bytes.Buffer{}
	s := New(Options{Desk: d, Log: slog.New(slog.NewTextHandler(logged, nil)), Ready: func(context.Context) error { return nil }})
	s.Apply(Setup{
		Sources: []Source{{Name: "web", Token: token, Monitor: parrot{}}, {Name: "db", Token: config.Secret(other), Monitor: parrot{}}, {Name: "local", Monitor: parrot{}}},
		Chats: map[string]http.Handler{"chat": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.Path)
		})},
	})
	return s, d, logged
}

func post(h http.Handler, path, bearer, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if bearer != "" {
		r.Header.Set("Authorization", bearer)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhoMayHandOver(t *testing.T) {
	for _, c := range []struct {
		name, path, bearer string
		socket             bool
		status             int
		source             string
	}{
		{name: "token and source", path: "/intake/web", bearer: "Bearer " + token, status: 200, source: "web"},
		{name: "token alone names the source", path: "/intake", bearer: "Bearer " + other, status: 200, source: "db"},
		{name: "another source's token", path: "/intake/web", bearer: "Bearer " + other, status: 401},
		{name: "no token", path: "/intake/web", status: 401},
		{name: "empty token", path: "/intake/local", bearer: "Bearer ", status: 401},
		{name: "basic", path: "/intake/web", bearer: "Basic " + token, status: 401},
		{name: "part of the token", path: "/intake/web", bearer: "Bearer " + token[:10], status: 401},
		{name: "unknown source looks like a wrong token", path: "/intake/nosuch", bearer: "Bearer " + token, status: 401},
		{name: "socket needs no token", path: "/intake/local", socket: true, status: 200, source: "local"},
		{name: "socket, unknown source", path: "/intake/nosuch", socket: true, status: 404},
		{name: "socket, several sources and no name", path: "/intake", socket: true, status: 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, d, logged := newServer(t)
			h := s.Handler()
			if c.socket {
				h = s.SocketHandler()
			}
			w := post(h, c.path, c.bearer, "x")
			if w.Code != c.status {
				t.Fatalf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			if took := strings.Join(d.got, " "); (c.source == "") != (took == "") || c.source != "" && took != c.source+":x" {
				t.Errorf("took %q", took)
			}
			if strings.Contains(w.Body.String()+logged.String(), token) || strings.Contains(w.Body.String()+logged.String(), other) {
				t.Errorf("a token is shown: %s %s", w.Body, logged)
			}
		})
	}
}

func TestAnswersTellTheSenderWhatToDo(t *testing.T) {
	s, d, _ := newServer(t)
	read := func(w *httptest.ResponseRecorder) intakeAnswer {
		t.Helper()
		var a intakeAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("%q: %v", w.Body, err)
		}
		return a
	}
	w := post(s.Handler(), "/intake/web", "Bearer "+token, "x")
	if a := read(w); a.Accepted != 1 || len(a.Warnings) != 2 {
		t.Errorf("taken: %+v", a)
	}
	w = post(s.Handler(), "/intake/web", "Bearer "+token, "bad")
	if a := read(w); w.Code != 400 || !strings.Contains(a.Error, "state is missing") {
		t.Errorf("not understood: %d %+v", w.Code, a)
	}
	w = post(s.Handler(), "/intake/web", "Bearer "+token, strings.Repeat("x", maxIntake+1))
	if a := read(w); w.Code != 413 || a.Error == "" {
		t.Errorf("too large: %d %+v", w.Code, a)
	}
	r := httptest.NewRequest(http.MethodPost, "/intake/web", io.MultiReader(strings.NewReader("x"), broken{}))
	r.Header.Set("Authorization", "Bearer "+token)
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusRequestTimeout || len(d.got) != 1 {
		t.Errorf("broken off: %d %s, took %v", w.Code, w.Body, d.got)
	}
	d.err = errors.New("the database's disk is full")
	w = post(s.Handler(), "/intake/web", "Bearer "+token, "x")
	if a := read(w); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(a.Error, "disk") {
		t.Errorf("not stored: %d %+v", w.Code, a)
	}
	d.err = fault.NewPermanent(errors.New("index out of range"))
	w = post(s.Handler(), "/intake/web", "Bearer "+token, "x")
	if a := read(w); w.Code != 422 || strings.Contains(a.Error, "index") {
		t.Errorf("never to be taken: %d %+v", w.Code, a)
	}
}

// broken is a body whose sender goes away.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestCallbacksGoToTheirConnection(t *testing.T) {
	s, _, _ := newServer(t)
	if w := post(s.Handler(), "/chat/chat/action", "", "{}"); w.Code != 200 || w.Body.String() != "/action" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if w := post(s.Handler(), "/chat/nosuch/action", "", "{}"); w.Code != 404 {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if w := post(s.SocketHandler(), "/chat/chat/action", "", "{}"); w.Code != 404 {
		t.Errorf("the socket took a callback: %d", w.Code)
	}
}

func TestHealthSaysNothingToStrangers(t *testing.T) {
	s, _, logged := newServer(t)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if w := get("/livez"); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
	if w := get("/readyz"); w.Code != 200 {
		t.Errorf("readyz: %d", w.Code)
	}
	s.opt.Ready = func(context.Context) error { return errors.New("can't reach 10.0.0.5") }
	if w := get("/readyz"); w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.5") {
		t.Errorf("readyz: %d %q", w.Code, w.Body)
	}
	if !strings.Contains(logged.String(), "10.0.0.5") {
		t.Error("the log does not say why")
	}
}
