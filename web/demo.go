// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"

	"belfry/store"
)

// enterDemo signs in whoever brings the key that belfry demo printed. The
// person has no password: only the key leads in.
func (w *Web) enterDemo(rw http.ResponseWriter, r *http.Request) {
	got, want := sha256.Sum256([]byte(r.URL.Query().Get("key"))), sha256.Sum256([]byte(w.o.DemoKey))
	if w.o.DemoKey == "" {
		w.notFound(rw, r)
		return
	}
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		w.fail(rw, r, http.StatusForbidden, "This is not the link that belfry demo printed when it started. Copy it from there.")
		return
	}
	name := cmp.Or(w.o.DemoName, "demo")
	p, err := w.o.Store.PersonByName(r.Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		p, err = w.o.Store.CreatePerson(r.Context(), store.Person{Name: name, Role: store.RoleAdmin})
	}
	if err != nil {
		w.broken(rw, r, "can't make the person of the demo", err)
		return
	}
	w.enter(rw, r, p, "/")
}
