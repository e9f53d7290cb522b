// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/monitor"
	"belfry/store"
)

// mended is a hook whose understanding can be mended.
type mended struct{ parrot }

func (mended) Answer(o monitor.Outcome) monitor.Answer {
	return monitor.Answer{Status: 299, ContentType: "text/x-parrot", Body: fmt.Sprintf("%d %v %v", o.Accepted, o.Fault, o.Kept)}
}

// picky understands nothing.
type picky struct{ mended }

func (picky) Decode(string, []byte) (monitor.Decoded, error) {
	return monitor.Decoded{}, errors.New("too much")
}

// shelf keeps payloads in memory.
type shelf struct {
	list map[alert.ID]store.Payload
	full bool
}

func (s *shelf) KeepPayload(_ context.Context, p store.Payload) (store.Payload, int, error) {
	if s.full {
		return p, 0, errors.New("the disk is full")
	}
	p.ID, p.ReceivedAt = alert.ID(len(s.list)+1), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p.Body = bytes.Clone(p.Body)
	s.list[p.ID] = p
	return p, 1, nil
}

func (s *shelf) Payload(_ context.Context, id alert.ID) (store.Payload, error) {
	p, ok := s.list[id]
	if !ok {
		return p, store.ErrNotFound
	}
	return p, nil
}

func (s *shelf) BlamePayload(_ context.Context, id alert.ID, fault string) error {
	p := s.list[id]
	p.Fault = fault
	s.list[id] = p
	return nil
}

func (s *shelf) DropPayload(_ context.Context, id alert.ID) error {
	delete(s.list, id)
	return nil
}

func hooked(t *testing.T) (*Server, *desk, *shelf, *bytes.Buffer) {
	t.Helper()
	d, kept, logged := &desk{}, &shelf{list: map[alert.ID]store.Payload{}}, &bytes.Buffer{}
	s := New(Options{Desk: d, Log: slog.New(slog.NewTextHandler(logged, nil)), Ready: func(context.Context) error { return nil }, Payloads: kept, BaseURL: "https://belfry.example",
		Pages: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the pages saw %s", r.URL.Path) })})
	s.Apply(Setup{Sources: []Source{{Name: "kuma", Token: token, Monitor: mended{}}, {Name: "nagios", Token: other, Monitor: parrot{}}, {Name: "bare", Monitor: mended{}}}})
	return s, d, kept, logged
}

func TestAHooksTokenStandsInItsAddress(t *testing.T) {
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/hooks/kuma/" + token, 299},
		{"/hooks/kuma/" + other, 401},
		{"/hooks/kuma/" + token[:10], 401},
		{"/hooks/nagios/" + other, 401}, // takes a header only
		{"/hooks/nosuch/" + token, 401},
		{"/hooks/bare/x", 401},
		{"/hooks/kuma/", 404},
		{"/hooks/kuma/" + token + "/more", 404},
	} {
		s, d, _, logged := hooked(t)
		w := post(s.Handler(), c.path, "", "x")
		if w.Code != c.status || (len(d.got) == 1) != (c.status == 299) {
			t.Errorf("%s: %d, took %v", c.path, w.Code, d.got)
		}
		if said := w.Body.String() + logged.String(); strings.Contains(said, token) || strings.Contains(said, other) {
			t.Errorf("%s: an address is shown: %s", c.path, said)
		}
	}
	s, d, _, _ := hooked(t)
	if w := post(s.Handler(), "/intake/kuma", "Bearer "+token, "x"); w.Code != 299 || w.Body.String() != "1 <nil> false" || w.Header().Get("Content-Type") != "text/x-parrot" || len(d.got) != 1 {
		t.Errorf("by header: %d %q", w.Code, w.Body)
	}
	get := httptest.NewRecorder()
	s.Handler().ServeHTTP(get, httptest.NewRequest(http.MethodGet, "/hooks/kuma/"+token, nil))
	if get.Code != http.StatusMethodNotAllowed || len(d.got) != 1 {
		t.Errorf("taken by GET: %d", get.Code)
	}
}

func TestWhatIsNotUnderstoodIsKeptAndReplayed(t *testing.T) {
	s, d, kept, logged := hooked(t)
	w := post(s.Handler(), "/hooks/kuma/"+token, "", "bad")
	if w.Code != 299 || !strings.HasPrefix(w.Body.String(), "0 state is missing") || !strings.HasSuffix(w.Body.String(), " true") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if p := kept.list[1]; string(p.Body) != "bad" || p.Source != "kuma" || !strings.Contains(p.Fault, "state is missing") {
		t.Fatalf("kept %+v", kept.list)
	}
	if !strings.Contains(logged.String(), "/payloads") || !strings.Contains(logged.String(), "dropped=1") {
		t.Errorf("logged %s", logged)
	}
	if strings.Join(d.got, ",") != "kuma:" || d.last.Kind != alert.ReportCustom || d.last.Object.Rule != "Payloads of kuma" || d.last.Labels[noticeLabel] != noticePayload ||
		d.last.Link != "https://belfry.example/payloads" || strings.Contains(d.last.Comment+d.last.Output, "state is missing") {
		t.Errorf("told: %v, %+v", d.got, d.last)
	}
	d.got = nil
	// Still not understood.
	if r, err := s.Replay(t.Context(), 1); err != nil || !strings.Contains(r.Fault, "state is missing") || len(kept.list) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	// Mended; the database is away, then back.
	p := kept.list[1]
	p.Body = []byte("good")
	kept.list[1] = p
	d.err = errors.New("away")
	if _, err := s.Replay(t.Context(), 1); err == nil || len(kept.list) != 1 {
		t.Errorf("lost: %v", err)
	}
	d.err = nil
	r, err := s.Replay(t.Context(), 1)
	if err != nil || r.Accepted != 1 || len(kept.list) != 0 || len(d.got) != 1 || d.got[0] != "kuma:good" {
		t.Errorf("%+v, %v, %v", r, err, d.got)
	}
	if last := d.last; last.Intake != "payload-1-0" || !last.Repeated || !last.At.Equal(p.ReceivedAt) {
		t.Errorf("it could count twice: %+v", last)
	}
	if _, err := s.Replay(t.Context(), 1); !errors.Is(err, ErrNoPayload) {
		t.Errorf("said %v", err)
	}
	kept.list[2] = store.Payload{ID: 2, Source: "gone"}
	if _, err := s.Replay(t.Context(), 2); !errors.Is(err, ErrNoSource) {
		t.Errorf("said %v", err)
	}
}

func TestWhatCanNotBeKeptIsSaidSo(t *testing.T) {
	s, _, kept, _ := hooked(t)
	kept.full = true
	if w := post(s.Handler(), "/hooks/kuma/"+token, "", "bad"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("not kept: %d %s", w.Code, w.Body)
	}
	s, _, kept, _ = hooked(t)
	s.setup.Load().byName["kuma"].Monitor = picky{}
	w := post(s.Handler(), "/hooks/kuma/"+token, "", strings.Repeat("bad", store.MaxPayload))
	if w.Code != 299 || !strings.HasSuffix(w.Body.String(), "too much false") || len(kept.list) != 0 {
		t.Errorf("too large: %d, kept %d", w.Code, len(kept.list))
	}
	if w := post(s.Handler(), "/intake/nagios", "Bearer "+other, "bad"); w.Code != 400 || len(kept.list) != 0 {
		t.Errorf("a source that is no hook: %d, kept %d", w.Code, len(kept.list))
	}
}

func TestPayloadsAreToldOnceAnHourOfEachSource(t *testing.T) {
	s, d, _, logged := hooked(t)
	now := clock.NewManual(time.Date(2026, 3, 14, 9, 59, 0, 0, time.UTC))
	s.opt.Clock = now
	s.Apply(Setup{Sources: []Source{{Name: "kuma", Token: token, Monitor: picky{}}, {Name: "oven", Token: other, Monitor: picky{}}}})
	told := func(want string) {
		t.Helper()
		if got := strings.Join(d.got, " "); got != want {
			t.Errorf("told: %q, want %q", got, want)
		}
		d.got = nil
	}
	for range 3 {
		post(s.Handler(), "/hooks/kuma/"+token, "", "x")
	}
	post(s.Handler(), "/hooks/oven/"+other, "", "x")
	told("kuma: oven:")
	first := d.last.Intake
	if first == "" || !d.last.Repeated {
		t.Errorf("another process, or this one after a restart, would tell it again: %+v", d.last)
	}
	now.Advance(time.Minute)
	d.err = errors.New("the disk is full")
	if w := post(s.Handler(), "/hooks/oven/"+other, "", "x"); w.Code != 299 || !strings.HasSuffix(w.Body.String(), "true") {
		t.Errorf("it is kept and was not taken: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(logged.String(), "can't tell a channel") {
		t.Errorf("logged %s", logged)
	}
	d.err = nil
	post(s.Handler(), "/hooks/oven/"+other, "", "x")
	told("oven:")
	if d.last.Intake == first {
		t.Error("the next hour is taken for the last")
	}
}
