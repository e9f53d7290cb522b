// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"strconv"

	"belfry/alert"
	"belfry/people"
	"belfry/store"
)

func idText(id alert.ID) string { return strconv.FormatInt(int64(id), 10) }

type profilePage struct {
	Me        store.Person
	Accounts  []store.Identity
	Providers []people.Provider
	Wrong     string
	Min       int
}

// showProfile is everybody's own page.
func (w *Web) showProfile(rw http.ResponseWriter, r *http.Request) {
	w.profile(rw, r, http.StatusOK, "")
}

func (w *Web) profile(rw http.ResponseWriter, r *http.Request, status int, wrong string) {
	p := profilePage{Me: person(r.Context()), Providers: w.providers(), Wrong: wrong, Min: minPassword}
	var err error
	if p.Accounts, err = w.o.Store.Identities(r.Context(), p.Me.ID); err != nil {
		w.broken(rw, r, "can't read somebody's accounts", err)
		return
	}
	w.leave(rw)
	w.show(rw, r, status, "profile", "You", p)
}

// changePassword takes the old password, if there is one, and ends all other
// sessions.
func (w *Web) changePassword(rw http.ResponseWriter, r *http.Request) {
	me := person(r.Context())
	if !w.attempts.allow(address(r, w.o.TrustedProxies)) {
		w.profile(rw, r, http.StatusTooManyRequests, sayTooMany)
		return
	}
	if me.PasswordHash != "" {
		ok, err := w.passwords.check(r.Context(), me.PasswordHash, r.PostFormValue("current"))
		switch {
		case err != nil:
			w.profile(rw, r, http.StatusServiceUnavailable, sayBusy)
			return
		case !ok:
			w.profile(rw, r, http.StatusUnauthorized, "The current password is wrong.")
			return
		}
	}
	if !w.setPassword(rw, r, me, func(status int, wrong string) { w.profile(rw, r, status, wrong) }) {
		return
	}
	w.stay(rw, r, me, "Your password is changed. You are signed out everywhere else.", "/profile")
}

// setPassword gives somebody the password of the form, or says what is wrong.
func (w *Web) setPassword(rw http.ResponseWriter, r *http.Request, p store.Person, wrong func(status int, text string)) bool {
	password := r.PostFormValue("password")
	if text := firstOf(wrongPassword(password), differs(password, r.PostFormValue("again"))); text != "" {
		wrong(http.StatusUnprocessableEntity, text)
		return false
	}
	hash, err := w.passwords.hash(r.Context(), password)
	if err != nil {
		wrong(http.StatusServiceUnavailable, sayBusy)
		return false
	}
	if err := w.o.Store.SetPassword(r.Context(), p.ID, hash); err != nil {
		w.refusePerson(rw, r, err)
		return false
	}
	w.log.InfoContext(r.Context(), "a password was changed", "person", p.Name, "by", person(r.Context()).Name)
	return true
}

// stay keeps this session while all others of the person end.
func (w *Web) stay(rw http.ResponseWriter, r *http.Request, me store.Person, toast, next string) {
	now, err := w.o.Store.PersonByID(r.Context(), me.ID)
	if err != nil {
		w.refusePerson(rw, r, err)
		return
	}
	w.sessions.Put(r.Context(), keyToast, toast)
	w.enter(rw, r, now, next)
}

// unlinkOwn takes an account from who is signed in, unless nothing would be
// left to sign in with.
func (w *Web) unlinkOwn(rw http.ResponseWriter, r *http.Request) {
	me := person(r.Context())
	if me.PasswordHash == "" {
		w.profile(rw, r, http.StatusConflict, "You have no password, and could not sign in without this account. Choose a password first.")
		return
	}
	if err := w.o.Store.Unlink(r.Context(), me.ID, r.PostFormValue("connection"), r.PostFormValue("user")); err != nil {
		w.refusePerson(rw, r, err)
		return
	}
	w.log.InfoContext(r.Context(), "an account was unlinked", "person", me.Name, "by", me.Name, "connection", r.PostFormValue("connection"))
	w.stay(rw, r, me, "The account is not linked any more. You are signed out everywhere else.", "/profile")
}

// refusePerson says why nothing was changed about a person.
func (w *Web) refusePerson(rw http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.fail(rw, r, http.StatusNotFound, "That person or account is not there any more, so nothing was done.")
	case errors.Is(err, store.ErrLastAdmin):
		w.fail(rw, r, http.StatusConflict, "This is the last administrator, without whom nobody could let people in. Make somebody else administrator first.")
	default:
		w.broken(rw, r, "can't change a person", err)
	}
}
