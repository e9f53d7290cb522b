// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"belfry/chat"
	"belfry/fault"
	"belfry/store"
)

var _ chat.Directory = (*Room)(nil)

// Why somebody is not found, to follow the name.
const (
	whyNotKnown = "is nobody who can sign in to this Belfry"
	whyNoMail   = "can't be looked up by mail address: the room knows none; write the handle, like @anna"
)

// everyone is the group of all who can sign in.
const everyone = "everyone"

// roles are the groups that the room has beside it.
var roles = map[string]string{"admins": store.RoleAdmin, "responders": store.RoleResponder, "members": store.RoleMember}

// FindPeople implements chat.Directory: the room's people are those who can
// sign in.
func (r *Room) FindPeople(ctx context.Context, names []string) ([]chat.Found, error) {
	if len(names) > chat.MaxFind {
		return nil, fault.NewPermanent(fmt.Errorf("can't look %d people up at once; ask for %d at most", len(names), chat.MaxFind))
	}
	all, err := r.people(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]chat.Found, len(names))
	for i, name := range names {
		out[i] = chat.Found{Asked: name, Why: whyNotKnown}
		asked := strings.TrimPrefix(name, "@")
		if strings.Contains(asked, "@") {
			out[i].Why = whyNoMail
		}
		at := slices.IndexFunc(all, func(who chat.Actor) bool { return who.ID == asked })
		if at < 0 { // nobody is taken for another by a name that looks like an id
			at = slices.IndexFunc(all, func(who chat.Actor) bool { return strings.EqualFold(who.Name, asked) })
		}
		if at >= 0 {
			out[i].Actor, out[i].Why = all[at], ""
		}
	}
	return out, nil
}

// FindGroup implements chat.Directory.
func (r *Room) FindGroup(ctx context.Context, name string) ([]chat.Actor, error) {
	if strings.HasPrefix(name, "~") || strings.HasPrefix(name, "#") {
		return r.peopleIn(ctx, name[1:])
	}
	word := strings.ToLower(strings.TrimPrefix(name, "@"))
	role := roles[word]
	if word != everyone && role == "" {
		return nil, fault.NewPermanent(fmt.Errorf("%.80q is no group of the room %s: there are %s, admins, responders and members, and channels like ~ops", chat.CleanLine(name), r.name, everyone))
	}
	return r.group(ctx, name, func(p store.Person) bool { return role == "" || p.Role == role })
}

// peopleIn are those who were brought into a channel that Belfry made; any
// other is everybody's.
func (r *Room) peopleIn(ctx context.Context, channel string) ([]chat.Actor, error) {
	if err := r.checkChannel(ctx, channel); err != nil {
		return nil, err
	}
	_, err := r.storage.RoomChannel(ctx, channel)
	if errors.Is(err, store.ErrNotFound) {
		return r.group(ctx, "~"+channel, func(store.Person) bool { return true })
	}
	if err != nil {
		return nil, read("look for a channel of", err)
	}
	in, err := r.storage.RoomMembers(ctx, channel)
	if err != nil {
		return nil, read("read who is in a channel of", err)
	}
	return r.actorsOf(in, "~"+channel)
}

// group are the people for whom in holds.
func (r *Room) group(ctx context.Context, name string, in func(store.Person) bool) ([]chat.Actor, error) {
	all, err := r.storage.People(ctx)
	if err != nil {
		return nil, read("read the people of", err)
	}
	return r.actorsOf(slices.DeleteFunc(all, func(p store.Person) bool { return !in(p) }), name)
}

func (r *Room) actorsOf(all []store.Person, group string) ([]chat.Actor, error) {
	if len(all) > chat.MaxGroup {
		return nil, fault.NewPermanent(fmt.Errorf("%.80q has more than %d people; name smaller groups", chat.CleanLine(group), chat.MaxGroup))
	}
	return r.actors(all), nil
}

func (r *Room) people(ctx context.Context) ([]chat.Actor, error) {
	all, err := r.storage.People(ctx)
	if err != nil {
		return nil, read("read the people of", err)
	}
	return r.actors(all), nil
}

func (r *Room) actors(all []store.Person) []chat.Actor {
	out := make([]chat.Actor, len(all))
	for i, p := range all {
		out[i] = chat.Actor{Connection: r.name, ID: formatID(p.ID), Name: p.Name}
	}
	return out
}
