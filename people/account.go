// SPDX-License-Identifier: Apache-2.0

package people

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"belfry/chat"
	"belfry/store"
)

// Accounts returns all accounts of the person whose account this is, who among
// them and first: one for each link, and the room's. Somebody who is nobody in
// Belfry has this one alone. Accounts on connections that are not configured
// any more are left out.
func (p *People) Accounts(ctx context.Context, who chat.Actor) ([]chat.Actor, error) {
	c, ok := p.connection(who.Connection)
	if !ok || who.ID == "" {
		return []chat.Actor{who}, nil
	}
	person, err := p.who(ctx, c, who)
	if errors.Is(err, store.ErrNotFound) {
		return []chat.Actor{who}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("can't look up the accounts of %s: %w", who.Name, err)
	}
	all, err := p.accountsOf(ctx, person)
	if err != nil {
		return nil, err
	}
	out := []chat.Actor{who}
	for _, a := range all {
		if a.Connection != who.Connection || a.ID != who.ID {
			out = append(out, a)
		}
	}
	return out, nil
}

// On returns the account on a connection of the person whose account this is;
// ok is false when they have none there, or nobody knows. Of several, the
// first by name.
func (p *People) On(ctx context.Context, who chat.Actor, connection string) (account chat.Actor, ok bool, err error) {
	all, err := p.Accounts(ctx, who)
	if err != nil {
		return chat.Actor{}, false, err
	}
	for _, a := range all {
		if a.Connection == connection {
			return a, true, nil
		}
	}
	return chat.Actor{}, false, nil
}

// Named returns the account of the person who is called so in Belfry: the one
// on this connection, or else any other; ok is false when there is no such person.
func (p *People) Named(ctx context.Context, name, connection string) (account chat.Actor, ok bool, err error) {
	person, err := p.store.PersonByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return chat.Actor{}, false, nil
	}
	if err != nil {
		return chat.Actor{}, false, fmt.Errorf("can't look up %s: %w", name, err)
	}
	all, err := p.accountsOf(ctx, person)
	if err != nil {
		return chat.Actor{}, false, err
	}
	for _, a := range all {
		if a.Connection == connection {
			return a, true, nil
		}
	}
	if len(all) == 0 {
		return chat.Actor{}, false, nil
	}
	return all[0], true, nil
}

// accountsOf are a person's accounts on configured connections: those that are
// linked, by connection and name, and then the room's.
func (p *People) accountsOf(ctx context.Context, person store.Person) ([]chat.Actor, error) {
	linked, err := p.store.Identities(ctx, person.ID)
	if err != nil {
		return nil, fmt.Errorf("can't read the accounts of %s: %w", person.Name, err)
	}
	var out []chat.Actor
	for _, i := range linked {
		if c, ok := p.connection(i.Connection); ok && !c.Room {
			out = append(out, chat.Actor{Connection: i.Connection, ID: i.UserID, Name: i.Name})
		}
	}
	for _, c := range *p.connections.Load() {
		if c.Room {
			out = append(out, chat.Actor{Connection: c.Name, ID: strconv.FormatInt(int64(person.ID), 10), Name: person.Name})
		}
	}
	return out, nil
}
