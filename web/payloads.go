// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"belfry/alert"
	"belfry/store"
)

// Payloads are what tools sent and nothing understood. *store.Store is one.
type Payloads interface {
	// Payloads returns the newest limit without their bodies.
	Payloads(ctx context.Context, limit int) ([]store.Payload, error)
	// Payload and DropPayload return store.ErrNotFound for one that is gone.
	Payload(ctx context.Context, id alert.ID) (store.Payload, error)
	DropPayload(ctx context.Context, id alert.ID) error
}

// Replay decodes a kept payload again. It returns one line for people: what
// became of it, or as an error why nothing did. failed is true when it is our
// own fault and worth another try.
type Replay func(ctx context.Context, id alert.ID) (said string, failed bool, err error)

// payloadsShown is how many are listed.
const payloadsShown = 200

type payloadPage struct {
	store.Payload
	// Text is the body; Binary is true when it is no text.
	Text   string
	Binary bool
}

// listPayloads shows what was not understood, the newest first.
func (w *Web) listPayloads(rw http.ResponseWriter, r *http.Request) {
	list, err := w.o.Payloads.Payloads(r.Context(), payloadsShown)
	if err != nil {
		w.broken(rw, r, "can't list payloads", err)
		return
	}
	w.show(rw, r, http.StatusOK, "payloads", "Payloads", list)
}

// showPayload shows one with all that was sent, literally.
func (w *Web) showPayload(rw http.ResponseWriter, r *http.Request) {
	id, ok := payloadID(r.PathValue("id"))
	if !ok {
		w.notFound(rw, r)
		return
	}
	p, err := w.o.Payloads.Payload(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		w.fail(rw, r, http.StatusNotFound, "This payload is no longer kept: it was replayed or removed.")
		return
	}
	if err != nil {
		w.broken(rw, r, "can't read a payload", err)
		return
	}
	page := payloadPage{Payload: p, Text: string(p.Body), Binary: !utf8.Valid(p.Body)}
	if page.Binary {
		page.Text = strings.ToValidUTF8(page.Text, "\ufffd")
	}
	w.show(rw, r, http.StatusOK, "payload", "Payload", page)
}

// replayPayload decodes one again, after a program or rule was mended.
func (w *Web) replayPayload(rw http.ResponseWriter, r *http.Request) {
	id, ok := payloadID(r.PostFormValue("id"))
	if !ok {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand which payload is meant. Go back, reload the page and try again.")
		return
	}
	said, failed, err := w.o.Replay(r.Context(), id)
	if failed {
		w.broken(rw, r, "can't replay a payload", err)
		return
	}
	if err != nil {
		said = err.Error()
	}
	w.log.InfoContext(r.Context(), "a payload was replayed", "by", person(r.Context()).Name, "payload", id, "err", err)
	w.sessions.Put(r.Context(), keyToast, said)
	http.Redirect(rw, r, "/payloads", http.StatusSeeOther)
}

// removePayload forgets one.
func (w *Web) removePayload(rw http.ResponseWriter, r *http.Request) {
	id, ok := payloadID(r.PostFormValue("id"))
	if !ok {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand which payload is meant. Go back, reload the page and try again.")
		return
	}
	if err := w.o.Payloads.DropPayload(r.Context(), id); err != nil && !errors.Is(err, store.ErrNotFound) {
		w.broken(rw, r, "can't remove a payload", err)
		return
	}
	w.log.InfoContext(r.Context(), "a payload was removed", "by", person(r.Context()).Name, "payload", id)
	w.sessions.Put(r.Context(), keyToast, "It is removed.")
	http.Redirect(rw, r, "/payloads", http.StatusSeeOther)
}

func payloadID(text string) (alert.ID, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return alert.ID(id), err == nil && id > 0
}

// bytesOf is a size for people.
func bytesOf(n int) string {
	if n < 10_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d kB", n/1000)
}
