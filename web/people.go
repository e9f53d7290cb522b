// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"

	"belfry/store"
)

type peoplePage struct {
	Name, Wrong string
	Admin       bool
	Min, Count  int
}

// showPeople is the form by which an administrator lets somebody in.
func (w *Web) showPeople(rw http.ResponseWriter, r *http.Request) {
	w.peopleForm(rw, r, http.StatusOK, peoplePage{})
}

func (w *Web) peopleForm(rw http.ResponseWriter, r *http.Request, status int, p peoplePage) {
	var err error
	if p.Count, err = w.o.Store.CountPeople(r.Context()); err != nil {
		w.broken(rw, r, "can't count the people", err)
		return
	}
	p.Min = minPassword
	w.show(rw, r, status, "people", "People", p)
}

// addPerson makes somebody who can sign in.
func (w *Web) addPerson(rw http.ResponseWriter, r *http.Request) {
	p := peoplePage{Name: r.PostFormValue("name"), Admin: r.PostFormValue("admin") != ""}
	password := r.PostFormValue("password")
	if p.Wrong = firstOf(wrongName(p.Name), wrongPassword(password), differs(password, r.PostFormValue("again"))); p.Wrong != "" {
		w.peopleForm(rw, r, http.StatusUnprocessableEntity, p)
		return
	}
	hash, err := w.passwords.hash(r.Context(), password)
	if err != nil {
		p.Wrong = sayBusy
		w.peopleForm(rw, r, http.StatusServiceUnavailable, p)
		return
	}
	role := store.RoleMember
	if p.Admin {
		role = store.RoleAdmin
	}
	made, err := w.o.Store.CreatePerson(r.Context(), store.Person{Name: p.Name, Role: role, PasswordHash: hash})
	switch {
	case errors.Is(err, store.ErrExists):
		p.Wrong = "There is somebody of that name already."
		w.peopleForm(rw, r, http.StatusConflict, p)
	case err != nil:
		w.broken(rw, r, "can't make a person", err)
	default:
		w.log.InfoContext(r.Context(), "a person was let in", "name", made.Name, "role", made.Role, "by", person(r.Context()).Name)
		w.sessions.Put(r.Context(), keyToast, made.Name+" can sign in now.")
		http.Redirect(rw, r, "/people", http.StatusSeeOther)
	}
}
