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
	"sync"
	"time"

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

// MaxArchived is how many archived channels are listed, those that were
// archived last; the others are found by their incidents.
const MaxArchived = 50

// Channels returns the channels that somebody can see: those that are
// configured, that have messages, and that Belfry made, by name; and of
// archived ones the newest, the last first.
func (r *Room) Channels(ctx context.Context, actor chat.Actor) ([]Place, error) {
	kept, err := r.storage.RoomChannelsOf(ctx, personID(actor), MaxArchived)
	if err != nil {
		return nil, read("list the channels of", err)
	}
	names, err := r.plainNames(ctx)
	if err != nil {
		return nil, err
	}
	var open, archived []Place
	for _, name := range names {
		open = append(open, Place{Name: name, Title: name})
	}
	for _, c := range kept {
		if p := placeOf(c); p.Archived {
			archived = append(archived, p)
		} else {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
	return append(open, archived...), nil
}

// plain are the names of channels that Belfry did not make. Reading them looks
// through all messages, so they are believed for a while.
type plain struct {
	mu    sync.Mutex
	names []string
	read  time.Time
	// kept are channels that were posted to and that Belfry made: they never
	// become plain ones. doubted were posted to since the names were read.
	kept    map[string]bool
	doubted []string
}

// plainKept is how long: what is posted here is known at once, by another node
// of the same database after this time.
const plainKept = 30 * time.Second

// maxKeptNames bounds what is remembered of kept channels.
const maxKeptNames = 10_000

// plainNames are the channels that are configured or have messages, and that
// Belfry did not make.
func (r *Room) plainNames(ctx context.Context) ([]string, error) {
	p := &r.plain
	p.mu.Lock()
	defer p.mu.Unlock()
	now := r.clock.Now()
	if p.read.IsZero() || now.Sub(p.read) >= plainKept {
		names, err := r.storage.RoomChannels(ctx)
		if err != nil {
			return nil, read("list the channels of", err)
		}
		p.names, p.read = slices.DeleteFunc(names, func(n string) bool { return !ValidChannel(n) }), now
		if p.kept == nil || len(p.kept) > maxKeptNames {
			p.kept = map[string]bool{}
		}
		for _, name := range p.doubted {
			if !slices.Contains(p.names, name) {
				p.kept[name] = true
			}
		}
		p.doubted = nil
	}
	names := append(slices.Clone(p.names), *r.channels.Load()...)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// posted notes that something stands in a channel.
func (r *Room) posted(channel string) {
	p := &r.plain
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.kept[channel] && !slices.Contains(p.names, channel) && !slices.Contains(p.doubted, channel) {
		p.read, p.doubted = time.Time{}, append(p.doubted, channel)
	}
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

// Knows says whether a channel is there for somebody: they can see it, and it
// is configured, has messages, or was made by Belfry.
func (r *Room) Knows(ctx context.Context, actor chat.Actor, channel string) (bool, error) {
	if sees, err := r.Sees(ctx, actor, channel); err != nil || !sees {
		return false, err
	}
	_, err := r.storage.RoomChannel(ctx, channel)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	names, err := r.plainNames(ctx)
	return slices.Contains(names, channel), err
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
