// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/people"
	"belfry/store"
)

// Accounts is the way by which accounts of chat platforms become people's.
// *people.People is one.
type Accounts interface {
	Providers() []people.Provider
	Begin(ctx context.Context, connection, purpose, next string) (to, cookie string, err error)
	Invited(token string) (chat.Actor, error)
	BeginInvited(ctx context.Context, token string) (to, cookie string, err error)
	Finish(ctx context.Context, connection, cookie, state, code string) (people.Found, error)
	Pending(cookie string) (account chat.Actor, open bool, err error)
	Confirm(ctx context.Context, cookie string, person alert.ID) (chat.Actor, error)
	ConfirmNew(ctx context.Context, cookie string) (store.Person, error)
	Admit(ctx context.Context, account chat.Actor) (store.Person, error)
	Installs(connection string) bool
	BeginInstall(ctx context.Context, connection string) (to, cookie string, err error)
	FinishInstall(ctx context.Context, connection, cookie, state, code string) (text string, err error)
}

// providers are the connections by which people can sign in.
func (w *Web) providers() []people.Provider {
	if w.o.Accounts == nil {
		return nil
	}
	return w.o.Accounts.Providers()
}

// flowCookie is the name of the cookie that ties an answer of a platform to the
// browser that asked. The prefix keeps other hosts of the domain from setting
// it, where browsers know it.
func (w *Web) flowCookie() string {
	if w.secure {
		return "__Host-belfry_oauth"
	}
	return "belfry_oauth"
}

func (w *Web) setFlow(rw http.ResponseWriter, value string) {
	//nolint:gosec // Secure wherever people reach us by HTTPS; on plain loopback a browser would drop it
	c := &http.Cookie{Name: w.flowCookie(), Value: value, Path: "/", HttpOnly: true, Secure: w.secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(people.FlowLife / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(rw, c)
}

func (w *Web) flow(r *http.Request) string {
	c, err := r.Cookie(w.flowCookie())
	if err != nil {
		return ""
	}
	return c.Value
}

// leave lets the forms of a page lead to the platforms: browsers hold the
// redirect after a form to the same policy as the form.
func (w *Web) leave(rw http.ResponseWriter) {
	var sites strings.Builder
	for _, p := range w.providers() {
		sites.WriteString(" " + p.Site)
	}
	rw.Header().Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self'"+sites.String(), 1))
}

// away sends the browser to the platform.
func (w *Web) away(rw http.ResponseWriter, r *http.Request, to, cookie string, err error) {
	if err != nil {
		w.refuse(rw, r, "can't begin with a platform", err)
		return
	}
	w.setFlow(rw, cookie)
	http.Redirect(rw, r, to, http.StatusSeeOther) //nolint:gosec // the address of a configured platform
}

// refuse shows a Refusal, or says that something of ours is broken.
func (w *Web) refuse(rw http.ResponseWriter, r *http.Request, what string, err error) {
	no, ok := errors.AsType[people.Refusal](err)
	if !ok {
		w.broken(rw, r, what, err)
		return
	}
	w.log.InfoContext(r.Context(), "an account was not taken", "why", no.Error(), "address", address(r, w.o.TrustedProxies).String())
	w.fail(rw, r, http.StatusForbidden, no.Error())
}

// signInBy begins a sign-in with an account of a connection.
func (w *Web) signInBy(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	to, cookie, err := w.o.Accounts.Begin(r.Context(), r.PathValue("connection"), people.SignIn, localPath(r.PostFormValue("next")))
	w.away(rw, r, to, cookie, err)
}

// connectBy begins to link an account of a connection to who is signed in.
func (w *Web) connectBy(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	to, cookie, err := w.o.Accounts.Begin(r.Context(), r.PathValue("connection"), people.Connect, "")
	w.away(rw, r, to, cookie, err)
}

type invitedPage struct {
	Token   string
	Account chat.Actor
}

// showInvited is where a link from chat leads. Only its button uses it up:
// programs that look at links first must not.
func (w *Web) showInvited(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	account, err := w.o.Accounts.Invited(r.PathValue("token"))
	if err != nil {
		w.refuse(rw, r, "can't read a link from chat", err)
		return
	}
	w.leave(rw)
	w.show(rw, r, http.StatusOK, "connect", "Connect", invitedPage{Token: r.PathValue("token"), Account: account})
}

func (w *Web) invited(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	to, cookie, err := w.o.Accounts.BeginInvited(r.Context(), r.PathValue("token"))
	w.away(rw, r, to, cookie, err)
}

// comeBack is the personal callback URL. What it learns stands in no address
// afterwards: every good answer leads on.
func (w *Web) comeBack(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case w.o.Accounts == nil:
		w.notFound(rw, r)
		return
	case q.Get("code") == "":
		// A refusal comes without the state, so that anybody can make a browser
		// bring one: it is told and changes nothing.
		w.fail(rw, r, http.StatusForbidden, string(people.Denied(q.Get("error"))))
		return
	case !w.attempts.allow(address(r, w.o.TrustedProxies)):
		w.fail(rw, r, http.StatusTooManyRequests, sayTooMany)
		return
	}
	found, err := w.o.Accounts.Finish(r.Context(), r.PathValue("connection"), w.flow(r), q.Get("state"), q.Get("code"))
	if err != nil {
		w.refuse(rw, r, "can't take a platform's answer", err)
		return
	}
	if found.Purpose == people.Connect {
		w.setFlow(rw, found.Cookie)
		http.Redirect(rw, r, "/oauth/confirm", http.StatusSeeOther)
		return
	}
	w.setFlow(rw, "")
	if found.Person.ID == 0 {
		if found.Person, err = w.o.Accounts.Admit(r.Context(), found.Account); err != nil {
			w.refuse(rw, r, "can't let somebody in", err)
			return
		}
		w.log.InfoContext(r.Context(), "a person came in by an account", "name", found.Person.Name, "connection", found.Account.Connection)
	}
	w.enter(rw, r, found.Person, localPath(found.Next))
}

type confirmPage struct {
	Account chat.Actor
	Open    bool
	Me      store.Person
}

// showConfirm asks whether the account is to be linked, and to whom.
func (w *Web) showConfirm(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	account, open, err := w.o.Accounts.Pending(w.flow(r))
	if err != nil {
		w.refuse(rw, r, "can't read what is to be confirmed", err)
		return
	}
	w.show(rw, r, http.StatusOK, "confirm", "Connect", confirmPage{Account: account, Open: open, Me: person(r.Context())})
}

// confirm links the account to the person whom the page named, or makes one.
func (w *Web) confirm(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	me := person(r.Context())
	if r.PostFormValue("person") != idText(me.ID) {
		w.fail(rw, r, http.StatusConflict, "Somebody else is signed in now than when this page was shown, so nothing was done. Look at the page again.")
		return
	}
	if me.ID == 0 {
		made, err := w.o.Accounts.ConfirmNew(r.Context(), w.flow(r))
		if err != nil {
			w.refuse(rw, r, "can't make a person of an account", err)
			return
		}
		w.setFlow(rw, "")
		w.log.InfoContext(r.Context(), "a person came in by an account", "name", made.Name)
		w.enter(rw, r, made, "/profile")
		return
	}
	account, err := w.o.Accounts.Confirm(r.Context(), w.flow(r), me.ID)
	if err != nil {
		w.refuse(rw, r, "can't link an account", err)
		return
	}
	w.setFlow(rw, "")
	w.log.InfoContext(r.Context(), "an account was linked", "person", me.Name, "account", account.Name, "connection", account.Connection)
	w.sessions.Put(r.Context(), keyToast, "@"+account.Name+" is linked with you now.")
	http.Redirect(rw, r, "/profile", http.StatusSeeOther)
}
