// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"

	"belfry/people"
	"belfry/store"
)

const (
	sayTooMany = "Too many attempts came from your address. Please wait a minute and try again."
	sayBusy    = "Too many people are signing in at this moment. Please try again in a few seconds."
	sayWrong   = "The name or the password is wrong."
)

type signinPage struct {
	Name, Next, Wrong string
	Providers         []people.Provider
}

func (w *Web) showSignin(rw http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if person(r.Context()).ID != 0 {
		http.Redirect(rw, r, next, http.StatusSeeOther) //nolint:gosec // localPath lets only our own paths through
		return
	}
	w.signinForm(rw, r, http.StatusOK, signinPage{Next: next})
}

func (w *Web) signinForm(rw http.ResponseWriter, r *http.Request, status int, p signinPage) {
	p.Providers = w.providers()
	w.leave(rw)
	w.show(rw, r, status, "signin", "Sign in", p)
}

// signIn checks a name and a password. The answer does not tell which of the
// two was wrong, neither by its words nor by its time.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request) {
	page := signinPage{Name: r.PostFormValue("name"), Next: localPath(r.PostFormValue("next"))}
	if !w.attempts.allow(address(r, w.o.TrustedProxies)) {
		page.Wrong = sayTooMany
		rw.Header().Set("Retry-After", "60")
		w.signinForm(rw, r, http.StatusTooManyRequests, page)
		return
	}
	p, err := w.o.Store.PersonByName(r.Context(), page.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.broken(rw, r, "can't look up who signs in", err)
		return
	}
	ok, err := w.passwords.check(r.Context(), p.PasswordHash, r.PostFormValue("password"))
	switch {
	case err != nil:
		page.Wrong = sayBusy
		w.signinForm(rw, r, http.StatusServiceUnavailable, page)
	case !ok || p.ID == 0:
		w.log.InfoContext(r.Context(), "a sign-in was refused", "address", address(r, w.o.TrustedProxies).String())
		page.Wrong = sayWrong
		w.signinForm(rw, r, http.StatusUnauthorized, page)
	default:
		w.enter(rw, r, p, page.Next)
	}
}

// enter makes p the person of a fresh session: the old token, which somebody
// may have planted, is worth nothing.
func (w *Web) enter(rw http.ResponseWriter, r *http.Request, p store.Person, next string) {
	if err := w.sessions.RenewToken(r.Context()); err != nil {
		w.broken(rw, r, "can't renew a session", err)
		return
	}
	w.sessions.Put(r.Context(), keyPerson, int64(p.ID))
	w.sessions.Put(r.Context(), keyEpoch, p.Epoch)
	http.Redirect(rw, r, next, http.StatusSeeOther)
}

// signOut ends the session.
func (w *Web) signOut(rw http.ResponseWriter, r *http.Request) {
	if err := w.sessions.Destroy(r.Context()); err != nil {
		w.broken(rw, r, "can't end a session", err)
		return
	}
	http.Redirect(rw, r, "/signin", http.StatusSeeOther)
}
