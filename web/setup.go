// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"belfry/store"
)

// settingSetup holds the hash of the token of the link that holds now;
// settingLink and that hash is the name of a setting that is taken when the
// link is used.
const (
	settingSetup = "setup"
	settingLink  = "setup/"
)

// Settings are small values that the store keeps by name.
type Settings interface {
	// Setting returns a value; ok is false when there is none.
	Setting(ctx context.Context, name string) (value string, ok bool, err error)
	SetSetting(ctx context.Context, name, value string) error
	// TakeSetting removes a setting and returns it; of several callers at once
	// one gets it.
	TakeSetting(ctx context.Context, name string) (value string, ok bool, err error)
}

// PrepareSetup makes the one-time link by which the first administrator comes
// in: a path with a random token, of which only the hash is stored. needed is
// false, and there is no link, once there are people. The link holds until it
// is used or PrepareSetup is called again.
func PrepareSetup(ctx context.Context, s interface {
	Settings
	CountPeople(ctx context.Context) (int, error)
}) (link string, needed bool, err error) {
	n, err := s.CountPeople(ctx)
	if err != nil {
		return "", false, err
	}
	old, ok, err := s.Setting(ctx, settingSetup)
	if err != nil {
		return "", false, err
	}
	if ok {
		if _, _, err := s.TakeSetting(ctx, settingLink+old); err != nil {
			return "", false, err
		}
	}
	if n > 0 {
		return "", false, nil
	}
	token := rand.Text()
	if err := s.SetSetting(ctx, settingLink+hashToken(token), "1"); err != nil {
		return "", false, err
	}
	if err := s.SetSetting(ctx, settingSetup, hashToken(token)); err != nil {
		return "", false, err
	}
	return "/setup?token=" + token, true, nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte("belfry setup " + token))
	return hex.EncodeToString(sum[:])
}

type setupPage struct {
	Token, Name, Wrong string
	Min                int
}

const sayDeadLink = "This link does not hold (any more): it works once, and each start of Belfry prints a new one until somebody has used it. If you are set up already, sign in."

// showSetup shows the form behind a link that holds.
func (w *Web) showSetup(rw http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	_, ok, err := w.o.Store.Setting(r.Context(), settingLink+hashToken(token))
	if err != nil {
		w.broken(rw, r, "can't read the setup link's hash", err)
		return
	}
	if !ok {
		w.fail(rw, r, http.StatusForbidden, sayDeadLink)
		return
	}
	w.show(rw, r, http.StatusOK, "setup", "Welcome", setupPage{Token: token, Min: minPassword})
}

// setUp makes the first administrator and signs them in.
func (w *Web) setUp(rw http.ResponseWriter, r *http.Request) {
	page := setupPage{Token: r.PostFormValue("token"), Name: r.PostFormValue("name"), Min: minPassword}
	password := r.PostFormValue("password")
	if !w.attempts.allow(address(r, w.o.TrustedProxies)) {
		w.fail(rw, r, http.StatusTooManyRequests, sayTooMany)
		return
	}
	if page.Wrong = firstOf(wrongName(page.Name), wrongPassword(password), differs(password, r.PostFormValue("again"))); page.Wrong != "" {
		w.show(rw, r, http.StatusUnprocessableEntity, "setup", "Welcome", page)
		return
	}
	p, err := w.firstPerson(r.Context(), page, password)
	switch {
	case errors.Is(err, errDeadLink):
		w.fail(rw, r, http.StatusForbidden, sayDeadLink)
	case errors.Is(err, errBusy):
		w.fail(rw, r, http.StatusServiceUnavailable, sayBusy)
	case err != nil:
		w.broken(rw, r, "can't make the first administrator", err)
	default:
		w.log.InfoContext(r.Context(), "the first administrator was made", "name", p.Name)
		w.enter(rw, r, p, "/")
	}
}

var errDeadLink = errors.New("the setup link does not hold")

// firstPerson uses the link up and makes the person. If that fails the link
// holds again.
func (w *Web) firstPerson(ctx context.Context, page setupPage, password string) (store.Person, error) {
	hash, err := w.passwords.hash(ctx, password)
	if err != nil {
		return store.Person{}, err
	}
	link := settingLink + hashToken(page.Token)
	_, taken, err := w.o.Store.TakeSetting(ctx, link)
	if err != nil {
		return store.Person{}, err
	}
	if !taken {
		return store.Person{}, errDeadLink
	}
	if n, err := w.o.Store.CountPeople(ctx); err == nil && n > 0 {
		return store.Person{}, errDeadLink
	}
	p, err := w.o.Store.CreatePerson(ctx, store.Person{Name: page.Name, Role: store.RoleAdmin, PasswordHash: hash})
	if err != nil {
		return p, errors.Join(err, w.o.Store.SetSetting(context.WithoutCancel(ctx), link, "1"))
	}
	return p, nil
}

func differs(password, again string) string {
	if password != again {
		return "The two passwords differ."
	}
	return ""
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
