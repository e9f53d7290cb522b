// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat/console"
	"belfry/store"
)

// policy is the content security policy of every page: own files only, no
// inline scripts or styles, no frames.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types belfry"

// maxBody bounds the body of every request to a page but one.
const maxBody = 64 << 10

// maxRetrospectiveBody is enough for incident.MaxRetrospective characters of
// four bytes, each of which a form sends as three.
const maxRetrospectiveBody = 4 << 20

// bodyLimit is how many bytes a request's body may have.
func bodyLimit(r *http.Request) int64 {
	if strings.HasPrefix(r.URL.Path, "/incidents/") && strings.HasSuffix(r.URL.Path, "/retrospective") {
		return maxRetrospectiveBody
	}
	return maxBody
}

// guard puts the headers on every answer and refuses what other sites' pages
// send in people's names.
func (w *Web) guard(next http.Handler) http.Handler {
	w.origin.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.fail(rw, r, http.StatusForbidden, "This request came from another site's page, so nothing was done. If you did want it, do it on Belfry's own page.")
	}))
	protected := w.origin.Handler(next)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if w.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(rw, r.Body, bodyLimit(r))
		protected.ServeHTTP(rw, r)
	})
}

type personKey struct{}

// person returns who is signed in; the zero Person when nobody is.
func person(ctx context.Context) store.Person {
	p, _ := ctx.Value(personKey{}).(store.Person)
	return p
}

// The keys of what a session holds.
const (
	keyPerson = "person"
	keyEpoch  = "epoch"
	keyToast  = "toast"
)

// anybody lets everyone in, with the person of the session if there is one.
func (w *Web) anybody(action http.HandlerFunc) http.Handler {
	return w.sessions.LoadAndSave(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "no-store")
		id := w.sessions.GetInt64(r.Context(), keyPerson)
		if id == 0 {
			action(rw, r)
			return
		}
		p, err := w.o.Store.PersonByID(r.Context(), alert.ID(id))
		switch {
		case errors.Is(err, store.ErrNotFound):
			action(rw, r)
		case err != nil:
			w.broken(rw, r, "can't read who is signed in", err)
		case p.Epoch != w.sessions.GetInt64(r.Context(), keyEpoch):
			action(rw, r) // this session was ended
		default:
			ctx := context.WithValue(r.Context(), personKey{}, p)
			ctx = console.WithActor(ctx, strconv.FormatInt(int64(p.ID), 10), p.Name)
			action(rw, r.WithContext(ctx))
		}
	}))
}

// member lets in those who are signed in and leads others to the sign-in page;
// scripts get a 401.
func (w *Web) member(action http.HandlerFunc) http.Handler {
	return w.anybody(func(rw http.ResponseWriter, r *http.Request) {
		if person(r.Context()).ID != 0 {
			action(rw, r)
			return
		}
		if wantsData(r) {
			w.fail(rw, r, http.StatusUnauthorized, "You are not signed in any more. Reload the page and sign in.")
			return
		}
		to := "/signin"
		if r.Method == http.MethodGet && r.URL.Path != "/" {
			to += "?next=" + url.QueryEscape(r.URL.RequestURI())
		}
		http.Redirect(rw, r, to, http.StatusSeeOther)
	})
}

// admin lets in administrators only.
func (w *Web) admin(action http.HandlerFunc) http.Handler {
	return w.member(func(rw http.ResponseWriter, r *http.Request) {
		if person(r.Context()).Role != store.RoleAdmin {
			w.fail(rw, r, http.StatusForbidden, "This page is for administrators. Ask one of them if you need it.")
			return
		}
		action(rw, r)
	})
}

// wantsData tells a request of a page's script from one that opens a page.
func wantsData(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.HasPrefix(accept, "application/json") || strings.HasPrefix(accept, "text/event-stream")
}

// localPath returns next if it is a path on this server, else "/": a sign-in
// must not lead away.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}
