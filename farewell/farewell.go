// SPDX-License-Identifier: Apache-2.0

// Package farewell takes what Belfry keeps alive in a chat workspace out of it,
// before the workspace is disconnected.
//
// The flow: nobody posts to the connection any more (its senders are gone, that
// is the caller's part). Plan counts what is there; nothing is changed. Run first
// waits for attempts that are still under way, and then says goodbye: every card
// that could come to be wrong says that nobody keeps it any more, and has no
// buttons; pins and links in the incidents' channels go, and the channels that
// Belfry made are archived, or left to people, as was chosen. Last all duties of
// the connection end, with the reason. Alerts, incidents and their history stay
// as they are in Belfry.
//
// Every step may be repeated, and what is done is noted where it counts: a card
// that is done has ended in the store. So a Run that broke off, or a process that
// was killed, goes on by another Run.
package farewell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/fault"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

// Store is what is needed of the store.
type Store interface {
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
	IncidentByID(ctx context.Context, id alert.ID) (*incident.Incident, error)
	IncidentsOn(ctx context.Context, connection string) ([]*incident.Incident, error)
	Cards(ctx context.Context, id alert.ID) ([]store.Duty, error)
	LivingCards(ctx context.Context, connection string, after alert.ID, limit int) ([]store.Duty, error)
	UnderWay(ctx context.Context, connection string) (int, error)
	WaitingOn(ctx context.Context, connection string) (int, error)
	OpeningSteps(ctx context.Context, connection string) ([]store.Duty, error)
	EndDuty(ctx context.Context, id alert.ID, why string) error
	EndDuties(ctx context.Context, destination, why string) (int, error)
}

// Record is told of a channel that was archived.
type Record interface {
	ChannelKept(ctx context.Context, number int64, c incident.Channel) error
}

// Options are what a Farewell works with. All must be set but Archive.
type Options struct {
	// Connection is the one that is left, Platform how to talk to it.
	Connection string
	Platform   chat.Platform
	Store      Store
	Record     Record
	Clock      clock.Clock
	// Say is how things are said.
	Say func() message.Options
	// Why is what ended duties say: "chat was disconnected by anna".
	Why string
	// Archive has the channels archived that Belfry made.
	Archive bool
}

// Farewell is one connection that is left.
type Farewell struct{ Options }

// New returns a Farewell.
func New(o Options) *Farewell { return &Farewell{o} }

const (
	// batch is how many cards are read at a time.
	batch = 50
	// waitWithin bounds the wait for attempts that are under way; a lease lasts
	// 30 s. lookEvery is how often they are looked at.
	waitWithin = time.Minute
	lookEvery  = 200 * time.Millisecond
	// tries is how often one step is tried before the Run breaks off.
	tries = 6
)

// Run says goodbye and tells what it did; wrong is empty for what was done. left
// counts what the platform refuses for good, such as a card in a channel that the
// bot was taken out of: it stays there. An error is trouble with the platform, or
// with the store, that ended it half-way.
func (f *Farewell) Run(ctx context.Context, tell func(what, wrong string)) (left int, err error) {
	if err := f.settle(ctx); err != nil {
		return 0, err
	}
	waited, err := f.Store.WaitingOn(ctx, f.Connection)
	if err != nil {
		return 0, err
	}
	left, err = f.cards(ctx, tell)
	if err != nil {
		return left, err
	}
	if err := f.found(ctx, tell); err != nil {
		return left, err
	}
	channels, err := f.channels(ctx)
	if err != nil {
		return left, err
	}
	for _, c := range channels {
		refused, err := f.leave(ctx, c)
		if err != nil {
			return left, fmt.Errorf("can't go on at %s: %s", f.what(c), c.discreet(err.Error()))
		}
		if refused != "" {
			left++
		}
		tell(f.what(c), c.discreet(refused))
	}
	_, err = f.Store.EndDuties(ctx, f.Connection, f.Why)
	if err == nil && waited > 0 {
		tell(count(waited, "delivery that waited, or could not be made, has", "deliveries that waited, or could not be made, have")+" ended", "")
	}
	return left, err
}

// settle waits until nobody is carrying anything out there any more.
func (f *Farewell) settle(ctx context.Context) error {
	for until := f.Clock.Now().Add(waitWithin); ; {
		n, err := f.Store.UnderWay(ctx, f.Connection)
		if err != nil || n == 0 {
			return err
		}
		if f.Clock.Now().After(until) {
			return fmt.Errorf("%s still under way to %s", count(n, "delivery is", "deliveries are"), f.Connection)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.Clock.After(lookEvery):
		}
	}
}

// cards marks every card that could come to be wrong.
func (f *Farewell) cards(ctx context.Context, tell func(what, wrong string)) (left int, err error) {
	for {
		list, err := f.Store.LivingCards(ctx, f.Connection, 0, batch)
		if err != nil || len(list) == 0 {
			return left, err
		}
		marked := 0
		for _, d := range list {
			done, refused, err := f.mark(ctx, d)
			if err != nil {
				return left, fmt.Errorf("can't go on at a card in %s: %w", d.Destination, err)
			}
			if refused != "" {
				left++
				tell("a card in "+d.Destination, refused)
			} else if done {
				marked++
			}
			if err := f.Store.EndDuty(ctx, d.ID, f.Why); err != nil {
				return left, err
			}
		}
		if marked > 0 {
			tell(count(marked, "card is", "cards are")+" marked as no longer kept", "")
		}
	}
}

// mark marks one card; done is false where there is none, or nobody can change it
// any more. refused says why it stays as it is.
func (f *Farewell) mark(ctx context.Context, d store.Duty) (done bool, refused string, err error) {
	ref, stands := chat.ParseReceipt(d.Receipt)
	if !stands && !d.UnknownSince.IsZero() {
		refused, err = f.patiently(ctx, func() (err error) {
			ref, stands, err = f.Platform.Find(ctx, channelOf(d.Destination), d.Key, d.UnknownSince.Add(-chat.FindMargin))
			return err
		})
		if err != nil || refused != "" {
			return false, refused, err
		}
	}
	if !stands {
		return false, "", nil
	}
	m, ok, err := f.said(ctx, d)
	if err != nil || !ok {
		return false, "", err
	}
	refused, err = f.patiently(ctx, func() error {
		err := f.Platform.Update(ctx, ref, d.Key, m)
		done = err == nil
		return err
	})
	return done, refused, err
}

// said is what a card says at the end; ok is false when nothing is kept any more
// of what it is about.
func (f *Farewell) said(ctx context.Context, d store.Duty) (m chat.Message, ok bool, err error) {
	o := f.Say()
	a, err := f.Store.Alert(ctx, d.AlertID)
	if err == nil {
		return message.Farewell(message.Card(a, o), o), true, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return m, false, err
	}
	i, err := f.Store.IncidentByID(ctx, d.AlertID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return m, false, nil
	case err != nil:
		return m, false, err
	}
	own := slices.ContainsFunc(i.Channels, func(c incident.Channel) bool { return c.Connection+"/"+c.ID == d.Destination && i.Shows(c) })
	if i.Private && !own {
		return message.Farewell(message.IncidentHidden(i), o), true, nil
	}
	return message.Farewell(message.Incident(i, o), o), true, nil
}

// found archives the channels that an attempt may have made whose answer was
// lost: nobody knows of them. Asking for one by its key and the name that it was
// asked for by finds it, or makes it, to be archived at once; both leave nothing
// that is open.
func (f *Farewell) found(ctx context.Context, tell func(what, wrong string)) error {
	keeper, ok := f.Platform.(chat.ChannelKeeper)
	if !ok {
		return nil
	}
	steps, err := f.Store.OpeningSteps(ctx, f.Connection)
	if err != nil {
		return err
	}
	for _, d := range steps {
		if d.UnknownSince.IsZero() {
			continue
		}
		var c chat.Channel
		name := cmp.Or(d.Receipt, "belfry-"+strings.ToLower(d.Key[:8])) // orders of earlier versions have none
		refused, err := f.patiently(ctx, func() (err error) {
			c, err = keeper.OpenChannel(ctx, chat.NewChannel{Key: d.Key, Name: name, Title: "Made by mistake", Private: true})
			return err
		})
		if err == nil && refused == "" {
			refused, err = f.patiently(ctx, func() error { return keeper.Archive(ctx, c.ID) })
		}
		if err != nil {
			return fmt.Errorf("can't go on at a channel that may have been made: %w", err)
		}
		tell("a channel that may have been made is archived", refused)
		if err := f.Store.EndDuty(ctx, d.ID, f.Why); err != nil {
			return err
		}
	}
	return nil
}

// leave takes what Belfry put around a channel away. refused says what could not
// be taken.
func (f *Farewell) leave(ctx context.Context, c kept) (refused string, err error) {
	keeper, ok := f.Platform.(chat.ChannelKeeper)
	if !ok {
		return "", nil
	}
	var wrong []string
	try := func(do func() error) {
		if err != nil {
			return
		}
		var no string
		if no, err = f.patiently(ctx, do); no != "" {
			wrong = append(wrong, no)
		}
	}
	cards, err := f.Store.Cards(ctx, c.of.ID)
	if err != nil {
		return "", err
	}
	for _, d := range cards {
		if ref, stands := chat.ParseReceipt(d.Receipt); stands && d.Destination == f.Connection+"/"+c.ID {
			try(func() error { return keeper.Unpin(ctx, ref) })
		}
	}
	try(func() error { return keeper.Bookmark(ctx, c.ID, nil) })
	if c.Ours {
		try(func() error {
			return keeper.Describe(ctx, c.ID, chat.Description{Topic: c.of.Ref() + ": Belfry keeps this channel no longer"})
		})
		if f.Archive {
			try(func() error { return keeper.Archive(ctx, c.ID) })
			if err == nil && len(wrong) == 0 {
				c.Archived = true
				err = f.Record.ChannelKept(ctx, c.of.Number, c.Channel)
			}
		}
	}
	return strings.Join(wrong, "; "), err
}

// patiently does something until it is done, for as long as trouble may pass.
// What is gone is done; refused says why the platform won't have it.
func (f *Farewell) patiently(ctx context.Context, do func() error) (refused string, err error) {
	wait := time.Second
	for range tries {
		if err = do(); err == nil {
			return "", nil
		}
		decision, after := fault.Of(err)
		switch decision {
		case fault.Gone:
			return "", nil
		case fault.Permanent:
			if errors.Is(err, chat.ErrArchived) {
				return "", nil // by somebody: it is over there, and nobody can change it
			}
			return err.Error(), nil
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), err)
		case <-f.Clock.After(max(wait, after)):
		}
		wait *= 2
	}
	return "", err
}

func channelOf(destination string) string {
	_, channel, _ := strings.Cut(destination, "/")
	return channel
}
