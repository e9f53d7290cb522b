// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"belfry/alert"
	"belfry/monitor"
	"belfry/store"
)

// Payloads keeps what was not understood. *store.Store is one.
type Payloads interface {
	KeepPayload(ctx context.Context, p store.Payload) (kept store.Payload, dropped int, err error)
	Payload(ctx context.Context, id alert.ID) (store.Payload, error)
	BlamePayload(ctx context.Context, id alert.ID, fault string) error
	DropPayload(ctx context.Context, id alert.ID) error
}

// hook takes what tools send that can set no header: the token stands in the
// path, which therefore is never logged or shown.
func (s *Server) hook(w http.ResponseWriter, r *http.Request) {
	src := s.setup.Load().byName[r.PathValue("source")]
	var hook monitor.Hook
	ok := false
	if src != nil {
		hook, ok = src.Monitor.(monitor.Hook)
	}
	if !ok || src.Token == "" || !sameToken(r.PathValue("token"), src.Token.Reveal()) {
		s.opt.Counter.TookIn("", Unauthorized, 0)
		reply(w, http.StatusUnauthorized, intakeAnswer{Error: "no source of this name takes this token in its address"})
		return
	}
	s.receive(w, r, src, hook)
}

// noHook answers what is almost a hook's address here, and not on the pages: it
// may hold a token, and pages log addresses.
func (s *Server) noHook(w http.ResponseWriter, r *http.Request) {
	status := http.StatusNotFound
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		status = http.StatusMethodNotAllowed
	}
	reply(w, status, intakeAnswer{Error: "tools post here: POST /hooks/SOURCE/TOKEN"})
}

// sameToken takes the same time wherever two tokens differ.
func sameToken(shown, right string) bool {
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// notUnderstood keeps a body that can't be decoded. The sender is only asked to
// repeat it when it could not be kept.
func (s *Server) notUnderstood(w http.ResponseWriter, r *http.Request, src *Source, hook monitor.Hook, body []byte, fault error) {
	stored := false
	if s.opt.Payloads != nil && len(body) <= store.MaxPayload {
		p, dropped, err := s.opt.Payloads.KeepPayload(r.Context(), store.Payload{Source: src.Name, ContentType: r.Header.Get("Content-Type"), Fault: fault.Error(), Body: body})
		if err != nil {
			s.notStored(w, src, err)
			return
		}
		stored = true
		s.opt.Counter.TookIn(src.Name, kept, 0)
		s.opt.Log.Warn("hand-over not understood; it is kept on the page /payloads and can be replayed", "source", src.Name, "payload", p.ID, "err", fault)
		s.tellPayload(r.Context(), src)
		if dropped > 0 {
			s.opt.Log.Warn("older payloads that were not understood are gone: only the newest are kept", "source", src.Name, "dropped", dropped, "kept", store.MaxPayloads)
		}
	} else {
		s.opt.Counter.TookIn(src.Name, refused, 0)
		s.opt.Log.Warn("hand-over refused: not understood, and too large to be kept", "source", src.Name, "bytes", len(body), "err", fault)
	}
	answer(w, hook.Answer(monitor.Outcome{Fault: fault, Kept: stored}))
}

func answer(w http.ResponseWriter, a monitor.Answer) {
	w.Header().Set("Content-Type", a.ContentType)
	say(w, a.Status, a.Body)
}

// Replayed is what became of a payload that was decoded again.
type Replayed struct {
	// Accepted counts the reports that are stored for good.
	Accepted int
	Warnings []string
	// Fault says why it is still not understood; then it stays.
	Fault string
}

// Errors of Replay, for people.
var (
	ErrNoPayload = errors.New("this payload is no longer kept: it was replayed or removed already")
	ErrNoSource  = errors.New("its source is not configured any more")
)

// Replay decodes a kept payload as if it arrived now, and forgets it when its
// reports are stored. Each report carries the payload's number, so that one
// that is replayed twice, or by two people at once, counts once.
func (s *Server) Replay(ctx context.Context, id alert.ID) (Replayed, error) {
	p, err := s.opt.Payloads.Payload(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Replayed{}, ErrNoPayload
	}
	if err != nil {
		return Replayed{}, err
	}
	src := s.setup.Load().byName[p.Source]
	if src == nil {
		return Replayed{}, ErrNoSource
	}
	decoded, err := src.Monitor.Decode(p.ContentType, p.Body)
	if err != nil {
		if blamed := s.opt.Payloads.BlamePayload(ctx, id, err.Error()); blamed != nil && !errors.Is(blamed, store.ErrNotFound) {
			return Replayed{}, blamed
		}
		return Replayed{Fault: err.Error()}, nil
	}
	for i := range decoded.Reports {
		report := &decoded.Reports[i]
		report.Intake, report.Repeated = fmt.Sprintf("payload-%d-%d", p.ID, i), true
		if report.At.IsZero() {
			report.At = p.ReceivedAt
		}
	}
	warnings, err := s.opt.Desk.Ingest(ctx, src.Name, decoded.Reports)
	if err != nil {
		return Replayed{}, err
	}
	if err := s.opt.Payloads.DropPayload(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return Replayed{}, err
	}
	s.opt.Log.Info("a kept payload was replayed", "source", src.Name, "payload", id, "reports", len(decoded.Reports))
	return Replayed{Accepted: len(decoded.Reports), Warnings: append(decoded.Warnings, warnings...)}, nil
}
