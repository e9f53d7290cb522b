// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/store"
)

// ErrNoChannel is returned for a channel that somebody can't see: it is not
// there, or it is private and they are not in it. Nothing tells which.
var ErrNoChannel = errors.New("there is no such channel in the room")

// Place is a channel as people see it in the list.
type Place struct {
	Name string
	// Title is what people read; the name where there is none.
	Title string
	// Kept channels are those that Belfry made, for incidents.
	Kept, Private, Archived bool
}

// Head is what stands above a channel.
type Head struct {
	Place
	Topic, Purpose string
	Links          []chat.Link
	// Pins are the messages that are kept at hand.
	Pins []Pin
	// Members are the names of those who were brought in.
	Members []string
}

// Pin is a message that is kept at hand.
type Pin struct {
	ID, Card alert.ID
	Channel  string
	// Title and State are the message's, as plain text.
	Title, State string
}

// Path leads to the pinned message's card.
func (p Pin) Path() string {
	return PathOf(p.Channel) + "&card=" + formatID(p.Card) + "#card-" + formatID(p.Card)
}

// Channels returns the channels that somebody can see, by name: those that are
// configured, that have messages, and that Belfry made.
func (r *Room) Channels(ctx context.Context, actor chat.Actor) ([]Place, error) {
	kept, err := r.storage.RoomChannelsOf(ctx, personID(actor))
	if err != nil {
		return nil, read("list the channels of", err)
	}
	names, err := r.storage.RoomChannels(ctx)
	if err != nil {
		return nil, read("list the channels of", err)
	}
	var out []Place
	for _, c := range kept {
		out = append(out, placeOf(c))
	}
	for _, name := range append(slices.Clone(names), *r.channels.Load()...) {
		if !ValidChannel(name) || slices.ContainsFunc(out, func(p Place) bool { return p.Name == name }) {
			continue
		}
		hidden, err := r.storage.RoomHides(ctx, name, personID(actor))
		if err != nil {
			return nil, read("list the channels of", err)
		}
		if !hidden {
			out = append(out, Place{Name: name, Title: name})
		}
	}
	slices.SortFunc(out, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func placeOf(c store.RoomChannel) Place {
	return Place{Name: c.Name, Title: chat.CleanLine(c.Title), Kept: true, Private: c.Private, Archived: !c.ArchivedAt.IsZero()}
}

// Head returns what stands above a channel that somebody can see, or
// ErrNoChannel. A channel that Belfry did not make has a name and nothing else.
func (r *Room) Head(ctx context.Context, actor chat.Actor, name string) (Head, error) {
	if err := r.check(ctx, actor, name); err != nil {
		return Head{}, err
	}
	c, err := r.storage.RoomChannel(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return Head{Place: Place{Name: name, Title: name}}, nil
	}
	if err != nil {
		return Head{}, read("read a channel of", err)
	}
	h := Head{Place: placeOf(c), Topic: c.Topic, Purpose: c.Purpose}
	if len(c.Links) > 0 {
		_ = json.Unmarshal(c.Links, &h.Links) // those of a later Belfry, perhaps: shown without
	}
	pins, err := r.storage.RoomPins(ctx, name)
	if err != nil {
		return Head{}, read("read the pins of", err)
	}
	for _, m := range pins {
		body := decode(m)
		p := Pin{ID: m.ID, Card: m.ID, Channel: name, State: chat.CleanLine(body.State), Title: chat.CleanLine(body.Title)}
		if m.Thread != 0 {
			p.Card = m.Thread
		}
		if p.Title == "" && len(body.Lines) > 0 {
			p.Title = short(chat.CleanLine(body.Lines[0].Plain()), maxWord)
		}
		h.Pins = append(h.Pins, p)
	}
	members, err := r.storage.RoomMembers(ctx, name)
	if err != nil {
		return Head{}, read("read who is in a channel of", err)
	}
	for _, p := range members {
		h.Members = append(h.Members, p.Name)
	}
	return h, nil
}

// WriteHead writes what stands above a channel as a piece of HTML: one <header>
// with the id "head". Every text in it is shown literally.
func WriteHead(w io.Writer, h Head) error { return write(w, "head", h) }

// check returns ErrNoChannel for a channel that somebody can't see.
func (r *Room) check(ctx context.Context, actor chat.Actor, channel string) error {
	if !ValidChannel(channel) {
		return ErrNoChannel
	}
	hidden, err := r.storage.RoomHides(ctx, channel, personID(actor))
	if err != nil {
		return read("look at a channel of", err)
	}
	if hidden {
		return ErrNoChannel
	}
	return nil
}

// Sees says whether somebody can see a channel. A name that nobody uses yet is
// no secret.
func (r *Room) Sees(ctx context.Context, actor chat.Actor, channel string) (bool, error) {
	err := r.check(ctx, actor, channel)
	if errors.Is(err, ErrNoChannel) {
		return false, nil
	}
	return err == nil, err
}

// knows says whether a channel is in somebody's list.
func (r *Room) knows(ctx context.Context, actor chat.Actor, channel string) (bool, error) {
	all, err := r.Channels(ctx, actor)
	return slices.ContainsFunc(all, func(p Place) bool { return p.Name == channel }), err
}

// archived says whether a channel takes nothing any more.
func (r *Room) archived(ctx context.Context, channel string) (bool, error) {
	c, err := r.storage.RoomChannel(ctx, channel)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && !c.ArchivedAt.IsZero(), err
}

// personID is the person behind an actor; 0: nobody, who is in no channel.
func personID(actor chat.Actor) alert.ID {
	id, err := strconv.ParseInt(actor.ID, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return alert.ID(id)
}
