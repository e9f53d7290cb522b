// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/incident"
)

// known is somebody who can be named on an incident's page.
type known struct {
	incident.Person
	// Label is what is typed: the name, with the connection where two have it.
	Label string
}

// acquaintances are those who can be named on an incident's page: who takes part
// in it, and who has an account in Belfry. Who has a linked account of a chat
// platform is meant by that, because it is known there and here.
func (w *Web) acquaintances(r *http.Request, i *incident.Incident) ([]known, error) {
	var list []known
	add := func(p incident.Person) {
		if p.Name != "" && !slices.ContainsFunc(list, func(k known) bool { return k.Person == p }) {
			list = append(list, known{Person: p})
		}
	}
	for _, p := range i.People {
		if p.ID != "" { // a name alone is looked up like any other
			add(p)
		}
	}
	accounts, err := w.o.Store.Identities(r.Context(), 0)
	if err != nil {
		return nil, err
	}
	people, err := w.o.Store.People(r.Context())
	if err != nil {
		return nil, err
	}
	room := w.me(r).Connection
	for _, p := range people {
		linked := false
		for _, a := range accounts {
			if a.Person == p.ID {
				add(incident.Person{Connection: a.Connection, ID: a.UserID, Name: a.Name})
				linked = true
			}
		}
		if !linked {
			add(incident.Person{Connection: room, ID: strconv.FormatInt(int64(p.ID), 10), Name: p.Name})
		}
	}
	for n := range list {
		list[n].Label = list[n].Name
		for o := range list {
			if o != n && strings.EqualFold(list[o].Name, list[n].Name) {
				list[n].Label = list[n].Name + " (" + list[n].Connection + ")"
			}
		}
	}
	slices.SortStableFunc(list, func(a, b known) int { return strings.Compare(a.Label, b.Label) })
	return list, nil
}

// somebody is the person whom a name means: one who takes part, or has an
// account. "me" is whoever writes it. A name that two have is not guessed.
func (d *doing) somebody(typed string) (incident.Person, error) {
	name := strings.TrimPrefix(strings.TrimSpace(typed), "@")
	if name == "" {
		return incident.Person{}, refuse("say whom, by their name")
	}
	list, err := d.acquaintances(d.r, d.i)
	if err != nil {
		return incident.Person{}, err
	}
	if strings.EqualFold(name, "me") {
		return d.me, nil
	}
	var found []known
	for _, k := range list {
		if strings.EqualFold(k.Label, name) {
			return k.Person, nil
		}
		if strings.EqualFold(k.Name, name) {
			found = append(found, k)
		}
	}
	if len(found) == 0 && d.o.FindPeople != nil {
		if found, err = d.lookUp(name); err != nil {
			return incident.Person{}, err
		}
	}
	switch len(found) {
	case 0:
		return incident.Person{}, refuse("nobody is known here as %q: name somebody who takes part, who has an account in Belfry, or their handle in chat", said(name))
	case 1:
		return found[0].Person, nil
	}
	var labels []string
	for _, k := range found {
		labels = append(labels, k.Label)
	}
	return incident.Person{}, refuse("there are several %q; write one of %s", said(name), strings.Join(labels, ", "))
}

// lookWithin bounds how long chat platforms are asked who somebody is.
const lookWithin = 3 * time.Second

// FindPeople asks the connections to chat who has a name; connection, when not
// empty, is the only one that is asked. An error is for people: why it could not
// be asked.
type FindPeople func(ctx context.Context, connection, name string) ([]incident.Person, error)

// lookUp asks the chat platforms: "anna", or "anna (chat)" where several have one.
func (d *doing) lookUp(name string) (found []known, err error) {
	ctx, cancel := context.WithTimeout(d, lookWithin)
	defer cancel()
	connection := ""
	if before, rest, ok := strings.Cut(name, " ("); ok && strings.HasSuffix(rest, ")") {
		name, connection = before, strings.TrimSuffix(rest, ")")
	}
	list, err := d.o.FindPeople(ctx, connection, name)
	if len(list) == 0 && err != nil {
		return nil, refuse("%q can't be looked up in chat now: %w", said(name), err)
	}
	for _, p := range list {
		found = append(found, known{p, p.Name + " (" + p.Connection + ")"})
	}
	return found, nil
}
