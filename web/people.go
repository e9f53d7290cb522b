// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"belfry/alert"
	"belfry/config"
	"belfry/store"
)

type peoplePage struct {
	Name, Role, Wrong string
	Min               int
	Roles             []string
	People            []knownPerson
}

type knownPerson struct {
	store.Person
	Accounts []store.Identity
}

// showPeople lists everybody, and is the form by which an administrator lets
// somebody in.
func (w *Web) showPeople(rw http.ResponseWriter, r *http.Request) {
	w.peopleForm(rw, r, http.StatusOK, peoplePage{Role: store.RoleMember})
}

func (w *Web) peopleForm(rw http.ResponseWriter, r *http.Request, status int, p peoplePage) {
	all, err := w.o.Store.People(r.Context())
	if err != nil {
		w.broken(rw, r, "can't list the people", err)
		return
	}
	accounts, err := w.o.Store.Identities(r.Context(), 0)
	if err != nil {
		w.broken(rw, r, "can't list the linked accounts", err)
		return
	}
	for _, one := range all {
		p.People = append(p.People, knownPerson{one, slices.DeleteFunc(slices.Clone(accounts),
			func(i store.Identity) bool { return i.Person != one.ID })})
	}
	p.Min, p.Roles = minPassword, config.Roles()
	w.show(rw, r, status, "people", "People", p)
}

// addPerson makes somebody who can sign in.
func (w *Web) addPerson(rw http.ResponseWriter, r *http.Request) {
	p := peoplePage{Name: r.PostFormValue("name"), Role: r.PostFormValue("role")}
	if p.Role == "" {
		p.Role = store.RoleMember
	}
	password := r.PostFormValue("password")
	if p.Wrong = firstOf(wrongName(p.Name), wrongRole(p.Role), wrongPassword(password), differs(password, r.PostFormValue("again"))); p.Wrong != "" {
		w.peopleForm(rw, r, http.StatusUnprocessableEntity, p)
		return
	}
	hash, err := w.passwords.hash(r.Context(), password)
	if err != nil {
		p.Wrong = sayBusy
		w.peopleForm(rw, r, http.StatusServiceUnavailable, p)
		return
	}
	made, err := w.o.Store.CreatePerson(r.Context(), store.Person{Name: p.Name, Role: p.Role, PasswordHash: hash})
	switch {
	case errors.Is(err, store.ErrExists):
		p.Wrong = "There is somebody of that name already."
		w.peopleForm(rw, r, http.StatusConflict, p)
	case err != nil:
		w.broken(rw, r, "can't make a person", err)
	default:
		w.log.InfoContext(r.Context(), "a person was let in", "name", made.Name, "role", made.Role, "by", person(r.Context()).Name)
		w.toPeople(rw, r, made.Name+" can sign in now.")
	}
}

func wrongRole(role string) string {
	if !slices.Contains(config.Roles(), role) {
		return "There is no such role."
	}
	return ""
}

func (w *Web) toPeople(rw http.ResponseWriter, r *http.Request, toast string) {
	w.sessions.Put(r.Context(), keyToast, toast)
	http.Redirect(rw, r, "/people", http.StatusSeeOther)
}

// named returns the person whom the path names; ok is false when the answer
// was given.
func (w *Web) named(rw http.ResponseWriter, r *http.Request) (p store.Person, ok bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		w.notFound(rw, r)
		return p, false
	}
	if p, err = w.o.Store.PersonByID(r.Context(), alert.ID(id)); err != nil {
		w.refusePerson(rw, r, err)
		return p, false
	}
	return p, true
}

// setRole gives somebody another role, from their next act on.
func (w *Web) setRole(rw http.ResponseWriter, r *http.Request) {
	p, ok := w.named(rw, r)
	if !ok {
		return
	}
	role := r.PostFormValue("role")
	if text := wrongRole(role); text != "" {
		w.fail(rw, r, http.StatusUnprocessableEntity, text)
		return
	}
	if err := w.o.Store.SetRole(r.Context(), p.ID, role); err != nil {
		w.refusePerson(rw, r, err)
		return
	}
	w.log.InfoContext(r.Context(), "a role was changed", "person", p.Name, "from", p.Role, "to", role, "by", person(r.Context()).Name)
	if p.ID == person(r.Context()).ID && role != store.RoleAdmin {
		http.Redirect(rw, r, "/profile", http.StatusSeeOther) // the list is not for them any more
		return
	}
	w.toPeople(rw, r, p.Name+" has the role "+role+" now.")
}

// resetPassword gives somebody a new password and signs them out everywhere.
func (w *Web) resetPassword(rw http.ResponseWriter, r *http.Request) {
	p, ok := w.named(rw, r)
	if !ok || !w.setPassword(rw, r, p, func(status int, text string) { w.fail(rw, r, status, text) }) {
		return
	}
	if p.ID == person(r.Context()).ID {
		w.stay(rw, r, p, "Your password is changed. You are signed out everywhere else.", "/people")
		return
	}
	w.toPeople(rw, r, p.Name+" has a new password, and is signed out everywhere.")
}

// unlink takes an account from somebody.
func (w *Web) unlink(rw http.ResponseWriter, r *http.Request) {
	p, ok := w.named(rw, r)
	if !ok {
		return
	}
	if err := w.o.Store.Unlink(r.Context(), p.ID, r.PostFormValue("connection"), r.PostFormValue("user")); err != nil {
		w.refusePerson(rw, r, err)
		return
	}
	w.log.InfoContext(r.Context(), "an account was unlinked", "person", p.Name, "by", person(r.Context()).Name, "connection", r.PostFormValue("connection"))
	if p.ID == person(r.Context()).ID {
		w.stay(rw, r, p, "The account is not linked any more. You are signed out everywhere else.", "/people")
		return
	}
	w.toPeople(rw, r, "The account is not "+p.Name+"'s any more, who is signed out everywhere.")
}

// removePerson takes somebody out for good. What they did stays under their name.
func (w *Web) removePerson(rw http.ResponseWriter, r *http.Request) {
	p, ok := w.named(rw, r)
	if !ok {
		return
	}
	if err := w.o.Store.RemovePerson(r.Context(), p.ID); err != nil {
		w.refusePerson(rw, r, err)
		return
	}
	w.log.InfoContext(r.Context(), "a person was removed", "name", p.Name, "by", person(r.Context()).Name)
	w.toPeople(rw, r, p.Name+" is not in Belfry any more.")
}
