// SPDX-License-Identifier: Apache-2.0

// Package courier carries duties out: it brings cards up to date, says notes and
// does the steps with incidents' channels on a chat platform, and carries
// write-backs to a monitoring system.
//
// The delivery engine decides when; the courier decides what. It loads the
// alert, or the incident, as it is at that moment, has package message say it, and hands it to
// the platform. After an attempt of unknown outcome it asks the platform, or
// the monitoring system, before it repeats anything.
package courier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/delivery"
	"belfry/fault"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

// Store is what the courier reads.
type Store interface {
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
	EventsByID(ctx context.Context, keys []store.EventKey) (map[store.EventKey]alert.Event, error)
	Cards(ctx context.Context, alertID alert.ID) ([]store.Duty, error)
	Duties(ctx context.Context, id alert.ID) ([]store.Duty, error)
	IncidentByID(ctx context.Context, id alert.ID) (*incident.Incident, error)
	IncidentEntry(ctx context.Context, id, entry alert.ID) (incident.Entry, error)
	Step(ctx context.Context, id alert.ID, destination string, kind incident.StepKind) (store.Duty, error)
}

// Say returns how to say an alert on the card that d is.
type Say func(a *alert.Alert, d store.Duty) message.Options

// Chat carries cards and notes to one chat connection.
type Chat struct {
	platform chat.Platform
	store    Store
	say      Say
	// plain is how to say what has no buttons.
	plain func() message.Options
	rooms Rooms
}

var _ delivery.Sender = (*Chat)(nil)

// NewChat returns the sender of one chat connection. say is for alerts, plain
// for incidents, rooms for their channels.
func NewChat(p chat.Platform, s Store, say Say, plain func() message.Options, rooms Rooms) *Chat {
	return &Chat{platform: p, store: s, say: say, plain: plain, rooms: rooms}
}

// Send implements delivery.Sender.
func (c *Chat) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	a, err := c.store.Alert(ctx, e.AlertID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c.incident(ctx, e)
	case err != nil:
		return c.unread(e, err)
	}
	if e.Kind != store.DutyNote {
		return c.card(ctx, e, message.Card(a, c.say(a, e.Duty)), a.Revision)
	}
	event, err := eventOf(ctx, c.store, e)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return delivery.Outcome{}
	case err != nil:
		return c.unread(e, err)
	}
	return c.note(ctx, e, message.Note(a, event, c.say(a, e.Duty)))
}

// incident sends what is about an incident; about an alert that is no longer
// kept there is nothing left to say.
func (c *Chat) incident(ctx context.Context, e delivery.Errand) delivery.Outcome {
	i, err := c.store.IncidentByID(ctx, e.AlertID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return delivery.Outcome{}
	case err != nil:
		return c.unread(e, err)
	}
	if e.Kind == store.DutyStep {
		return c.step(ctx, e, i)
	}
	own, ofOwn := ownPlace(i, e.Destination)
	if ofOwn && own.Archived {
		// Nobody reads there, and nothing can be said. A card is brought up to
		// date when the channel is opened again.
		return delivery.Outcome{Reached: e.Wanted}
	}
	hidden := i.Private && (!ofOwn || own.Public)
	switch {
	case e.Kind == store.DutyNote && hidden:
		return delivery.Outcome{} // it became private: nothing more is told here
	case hidden:
		return c.card(ctx, e, message.IncidentHidden(i), i.Revision)
	case e.Kind != store.DutyNote:
		return c.card(ctx, e, message.Incident(i, c.plain()), i.Revision)
	}
	entry, err := c.store.IncidentEntry(ctx, i.ID, e.EventID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return delivery.Outcome{}
	case err != nil:
		return c.unread(e, err)
	}
	return c.note(ctx, e, message.IncidentNote(i, entry, c.plain()))
}

// ownPlace returns the incident's own channel that a destination is.
func ownPlace(i *incident.Incident, destination string) (incident.Channel, bool) {
	at := slices.IndexFunc(i.Channels, func(c incident.Channel) bool { return c.Connection+"/"+c.ID == destination })
	if at < 0 {
		return incident.Channel{}, false
	}
	return i.Channels[at], true
}

// unread is the outcome when our own database can't be read: nothing was sent,
// and what was unknown stays unknown.
func (c *Chat) unread(e delivery.Errand, err error) delivery.Outcome {
	return delivery.Outcome{Err: fault.NewRetry(fmt.Errorf("can't read what to send: %w", err)),
		Unknown: !e.UnknownSince.IsZero()}
}

// card brings a card up to date: m shows the revision.
func (c *Chat) card(ctx context.Context, e delivery.Errand, m chat.Message, revision int64) delivery.Outcome {
	ref, posted := chat.ParseReceipt(e.Receipt)
	if !posted {
		var out delivery.Outcome
		ref, posted, out = c.earlier(ctx, e, nil)
		if out.Err != nil {
			return out
		}
	}
	if posted {
		return c.edit(ctx, ref, e, m, revision)
	}
	ref, err := c.platform.Post(ctx, chat.Post{Channel: channelOf(e.Destination), Key: e.Key, Message: m})
	switch {
	case err != nil:
		return c.notPosted(e, err)
	case !e.UnknownSince.IsZero():
		// The platform may have recognised the key and given back what the
		// earlier attempt put up, as the alert was then: it is edited next.
		return delivery.Outcome{Receipt: ref.Receipt()}
	}
	return delivery.Outcome{Reached: revision, Receipt: ref.Receipt()}
}

// lateWait is how long a platform may take to carry out an edit that nobody waits
// for any more.
const lateWait = 5 * time.Second

// edit brings a card that stands there up to date.
func (c *Chat) edit(ctx context.Context, ref chat.Ref, e delivery.Errand, m chat.Message, revision int64) delivery.Outcome {
	err := c.platform.Update(ctx, ref, e.Key, m)
	switch decision, _ := fault.Of(err); decision {
	case fault.None:
		out := delivery.Outcome{Reached: revision, Receipt: ref.Receipt()}
		if !e.UnknownSince.IsZero() {
			// An earlier edit, whose caller was killed or hung up, may still be
			// carried out, and would show how things were: once more, behind it.
			out.Again = lateWait
		}
		return out
	case fault.Gone:
		return delivery.Outcome{Err: err} // its place leads nowhere any more
	}
	return delivery.Outcome{Err: err, Receipt: ref.Receipt()}
}

// notPosted is the outcome of a post that failed. An earlier attempt that was
// not found may still be on its way (Mattermost can be writing it), so it stays
// unknown and is asked for once more, whatever became of this one.
func (c *Chat) notPosted(e delivery.Errand, err error) delivery.Outcome {
	return delivery.Outcome{Err: err, Unknown: !e.UnknownSince.IsZero()}
}

// note says m in its card's thread, once.
func (c *Chat) note(ctx context.Context, e delivery.Errand, m chat.Message) delivery.Outcome {
	thread, err := c.thread(ctx, e)
	if err != nil {
		return c.unread(e, err)
	}
	ref, posted, out := c.earlier(ctx, e, &thread)
	if out.Err != nil {
		return out
	}
	if posted {
		return delivery.Outcome{Reached: 1, Receipt: ref.Receipt()}
	}
	ref, err = c.platform.Post(ctx, chat.Post{Channel: channelOf(e.Destination), Thread: &thread, Key: e.Key, Message: m})
	if decision, _ := fault.Of(err); decision == fault.Gone {
		// Somebody deleted the card and its thread with it: nobody is left to tell.
		return delivery.Outcome{Reached: 1}
	}
	if err != nil {
		return c.notPosted(e, err)
	}
	return delivery.Outcome{Reached: 1, Receipt: ref.Receipt()}
}

// earlier asks the platform for what an earlier attempt may have posted; thread
// is that of a note.
func (c *Chat) earlier(ctx context.Context, e delivery.Errand, thread *chat.Ref) (chat.Ref, bool, delivery.Outcome) {
	if e.UnknownSince.IsZero() {
		return chat.Ref{}, false, delivery.Outcome{}
	}
	if f, ok := c.platform.(chat.ThreadFinder); ok && thread != nil {
		ref, ok, err := f.FindReply(ctx, *thread, e.Key, e.UnknownSince.Add(-chat.FindMargin))
		return ref, ok, delivery.Outcome{Err: err, Unknown: err != nil}
	}
	return c.earlierIn(ctx, channelOf(e.Destination), e)
}

// earlierIn asks for what an earlier attempt may have posted into a channel.
func (c *Chat) earlierIn(ctx context.Context, channel string, e delivery.Errand) (chat.Ref, bool, delivery.Outcome) {
	if e.UnknownSince.IsZero() {
		return chat.Ref{}, false, delivery.Outcome{}
	}
	ref, ok, err := c.platform.Find(ctx, channel, e.Key, e.UnknownSince.Add(-chat.FindMargin))
	return ref, ok, delivery.Outcome{Err: err, Unknown: err != nil}
}

// thread returns the message that a note answers.
func (c *Chat) thread(ctx context.Context, e delivery.Errand) (chat.Ref, error) {
	if ref, ok := chat.ParseReceipt(e.CardReceipt); ok {
		return ref, nil
	}
	cards, err := c.store.Cards(ctx, e.AlertID)
	if err != nil {
		return chat.Ref{}, err
	}
	for _, d := range cards {
		if ref, ok := chat.ParseReceipt(d.Receipt); ok && d.Destination == e.Destination {
			return ref, nil
		}
	}
	return chat.Ref{}, errors.New("the note's card is not posted yet")
}

// eventOf returns the event that an errand is about, or store.ErrNotFound.
func eventOf(ctx context.Context, s Store, e delivery.Errand) (alert.Event, error) {
	key := store.EventKey{Alert: e.AlertID, Event: e.EventID}
	found, err := s.EventsByID(ctx, []store.EventKey{key})
	if err != nil {
		return alert.Event{}, err
	}
	event, ok := found[key]
	if !ok {
		return alert.Event{}, store.ErrNotFound
	}
	return event, nil
}

func channelOf(destination string) string {
	_, channel, _ := strings.Cut(destination, "/")
	return channel
}
