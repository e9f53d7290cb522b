// SPDX-License-Identifier: Apache-2.0

package courier

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/delivery"
	"belfry/fault"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

// Record is what is told of the channels that were made for incidents. All of
// it may be told twice. The errors are the storage's, or that of a record that
// takes no more.
type Record interface {
	ChannelOpened(ctx context.Context, number int64, c incident.Channel, revision int64) error
	ChannelKept(ctx context.Context, number int64, c incident.Channel) error
	ChannelTrouble(ctx context.Context, number int64, key, text string) error
	ChannelSummarised(ctx context.Context, number int64, connection string) error
}

// Rooms is what it takes to make and keep channels for incidents.
type Rooms struct {
	// Rules are those of the moment.
	Rules  func() incident.ChannelRules
	Record Record
	Clock  clock.Clock
	// On returns the account that the person whose account this is has on a
	// connection; ok is false when none is known. Nil: nobody knows.
	On func(ctx context.Context, who chat.Actor, connection string) (account chat.Actor, ok bool, err error)
}

// step does one step with an incident's channel. Each may be repeated, so one
// of unknown outcome is simply done again. What it led to is told to the record
// before the step counts as done: whoever dies in between repeats both.
func (c *Chat) step(ctx context.Context, e delivery.Errand, i *incident.Incident) delivery.Outcome {
	connection, _, _ := strings.Cut(e.Destination, "/")
	keeper, ok := c.platform.(chat.ChannelKeeper)
	if !ok {
		return c.gaveUp(ctx, e, i, fault.NewPermanent(fmt.Errorf("connection %s makes no channels", connection)))
	}
	s := stepping{Chat: c, keeper: keeper, errand: e, i: i, rules: c.rooms.Rules(), connection: connection}
	var out delivery.Outcome
	if own, there := i.Own(connection); there {
		s.own = own
		out = s.keep(ctx)
	} else if e.Step == incident.StepOpen {
		out = s.open(ctx)
	}
	if decision, _ := fault.Of(out.Err); decision == fault.Permanent || decision == fault.Gone {
		gave := c.gaveUp(ctx, e, i, out.Err)
		gave.Receipt = out.Receipt // what was done before it failed is done
		return gave
	}
	if out.Err == nil {
		out.Reached = e.Wanted
	} else if !e.UnknownSince.IsZero() {
		// This attempt did nothing for certain, but an earlier one may have.
		out.Unknown = true
	}
	return out
}

// gaveUp is the outcome of a step that nobody repeats by themselves: people are
// told, once.
func (c *Chat) gaveUp(ctx context.Context, e delivery.Errand, i *incident.Incident, why error) delivery.Outcome {
	connection, _, _ := strings.Cut(e.Destination, "/")
	if err := c.rooms.Record.ChannelTrouble(ctx, i.Number, fmt.Sprintf("%d", e.ID), fmt.Sprintf("on %s: %v", connection, why)); err != nil {
		return c.unread(e, err)
	}
	return delivery.Outcome{Err: why}
}

// stepping is one step on its way.
type stepping struct {
	*Chat
	keeper     chat.ChannelKeeper
	errand     delivery.Errand
	i          *incident.Incident
	rules      incident.ChannelRules
	connection string
	// own is the channel that was made; none while it is to be opened.
	own incident.Channel
}

// hidden says whether everybody can read what is to be known by a few.
func (s *stepping) hidden() bool { return !s.i.Shows(s.own) }

// told is the outcome when something was done and the record was told.
func (s *stepping) told(err error, out delivery.Outcome) delivery.Outcome {
	if err != nil {
		return delivery.Outcome{Err: fault.NewRetry(fmt.Errorf("can't note what was done: %w", err)), Unknown: true}
	}
	return out
}

// open makes the channel. An incident that is over meanwhile needs none, unless
// an earlier attempt may have made it.
func (s *stepping) open(ctx context.Context) delivery.Outcome {
	if !s.i.Status.Open() && s.errand.UnknownSince.IsZero() {
		return delivery.Outcome{}
	}
	now, title := s.rules.Called(s.i, false)
	name := cmp.Or(s.errand.Receipt, now)
	made, err := s.keeper.OpenChannel(ctx, chat.NewChannel{Key: s.errand.Key, Name: name, Title: title, Purpose: s.purpose(), Private: s.rules.Secluded(s.i)})
	if err != nil {
		return delivery.Outcome{Err: err}
	}
	// It is called as it was ordered, or an earlier attempt may have made it, before
	// the incident was private or called otherwise: what was made counts, and
	// nobody knows by which revision.
	revision := s.i.Revision
	if !s.errand.UnknownSince.IsZero() || name != now {
		revision = 0
	}
	c := incident.Channel{Connection: s.connection, ID: made.ID, Name: made.Name, URL: made.URL, Ours: true, Public: !made.Private}
	if err := s.rooms.Record.ChannelOpened(ctx, s.i.Number, c, revision); err != nil {
		return s.told(err, delivery.Outcome{})
	}
	if made.Name != name && strings.HasPrefix(made.Name, name) {
		err = s.rooms.Record.ChannelTrouble(ctx, s.i.Number, fmt.Sprintf("%d name", s.errand.ID),
			fmt.Sprintf("the channel on %s is called %s, because there is another one called %s", s.connection, made.Name, name))
	}
	return s.told(err, delivery.Outcome{})
}

func (s *stepping) purpose() string { return "Made by Belfry for incident " + s.i.Ref() }

// keep does a step with a channel that is there.
func (s *stepping) keep(ctx context.Context) delivery.Outcome {
	if s.own.Archived && s.errand.Step != incident.StepArchive {
		return delivery.Outcome{} // it is ordered anew when the channel is opened again
	}
	switch s.errand.Step {
	case incident.StepInvite:
		return s.invite(ctx)
	case incident.StepDescribe:
		return delivery.Outcome{Err: s.keeper.Describe(ctx, s.own.ID, chat.Description{Topic: s.rules.TopicOf(s.i, s.hidden()), Purpose: s.purpose()})}
	case incident.StepLinks:
		return delivery.Outcome{Err: s.keeper.Bookmark(ctx, s.own.ID, message.IncidentLinks(s.i, s.rules.Links, s.plain()))}
	case incident.StepPin:
		return s.pin(ctx)
	case incident.StepRename:
		return s.rename(ctx)
	case incident.StepSummary:
		return s.summary(ctx)
	case incident.StepArchive:
		return s.archive(ctx)
	case incident.StepOpen:
		// Known already: an earlier attempt told the record and not the engine.
		return delivery.Outcome{}
	}
	return delivery.Outcome{Err: fault.NewPermanent(fmt.Errorf("step %q is not known; a newer Belfry may have ordered it", s.errand.Step))}
}

// pin pins the card. It is due when the card is posted, and again whenever it
// was posted anew.
func (s *stepping) pin(ctx context.Context) delivery.Outcome {
	cards, err := s.store.Cards(ctx, s.i.ID)
	if err != nil {
		return s.unread(s.errand, err)
	}
	for _, d := range cards {
		if ref, ok := chat.ParseReceipt(d.Receipt); ok && d.Destination == s.connection+"/"+s.own.ID {
			err := s.keeper.Pin(ctx, ref)
			if decision, _ := fault.Of(err); decision == fault.Gone {
				return delivery.Outcome{} // somebody deleted it: nothing is left to pin
			}
			return delivery.Outcome{Err: err, Receipt: d.Receipt}
		}
	}
	return delivery.Outcome{} // the card was deleted, or is not posted yet: this is due again with it
}

func (s *stepping) rename(ctx context.Context) delivery.Outcome {
	name, title := s.rules.Called(s.i, s.hidden())
	got, err := s.keeper.Rename(ctx, s.own.ID, chat.NewChannel{Name: name, Title: title, Purpose: s.purpose(), Private: !s.own.Public})
	if err != nil {
		return delivery.Outcome{Err: err}
	}
	c := s.own
	if c.Name = got.Name; got.URL != "" {
		c.URL = got.URL
	}
	return s.told(s.rooms.Record.ChannelKept(ctx, s.i.Number, c), delivery.Outcome{})
}

// summary posts what became of it, once, and has the channel archived after
// that. One that was reopened meanwhile has none.
func (s *stepping) summary(ctx context.Context) delivery.Outcome {
	if !s.i.Status.Over() {
		return delivery.Outcome{}
	}
	newest, err := s.store.Step(ctx, s.i.ID, s.errand.Destination, incident.StepSummary)
	switch {
	case err != nil:
		return s.unread(s.errand, err)
	case newest.ID != s.errand.ID:
		return delivery.Outcome{} // it was reopened and has ended again, and that one has its own
	}
	if s.errand.Receipt == "" && !s.hidden() {
		ref, posted, out := s.earlierIn(ctx, s.own.ID, s.errand)
		if out.Err != nil {
			return out
		}
		if !posted {
			var err error
			ref, err = s.platform.Post(ctx, chat.Post{Channel: s.own.ID, Key: s.errand.Key, Message: message.IncidentClosing(s.i, s.plain())})
			if err != nil {
				return s.notPosted(s.errand, err)
			}
		}
		return s.told(s.rooms.Record.ChannelSummarised(ctx, s.i.Number, s.connection), delivery.Outcome{Receipt: ref.Receipt()})
	}
	return s.told(s.rooms.Record.ChannelSummarised(ctx, s.i.Number, s.connection), delivery.Outcome{})
}

// close archives the channel. It is noted before: from then on nothing is sent
// there that the platform would refuse.
func (s *stepping) close(ctx context.Context) delivery.Outcome {
	c := s.own
	c.Archived = true
	if err := s.rooms.Record.ChannelKept(ctx, s.i.Number, c); err != nil {
		return s.told(err, delivery.Outcome{})
	}
	err := s.keeper.Archive(ctx, c.ID)
	if decision, _ := fault.Of(err); decision == fault.Permanent || decision == fault.Gone {
		c.Archived = false
		if err := s.rooms.Record.ChannelKept(ctx, s.i.Number, c); err != nil {
			return s.told(err, delivery.Outcome{})
		}
	}
	return delivery.Outcome{Err: err}
}

// lastWait is when to look again whether all stands that is said in a channel
// before it is archived.
const lastWait = 15 * time.Second

// unsaid says whether something is on its way that people are to read in the
// channel, or about it: once it is archived its card can't say any more that the
// incident is over. Notes behind a card that was given up wait for somebody, and
// nobody waits for them.
func (s *stepping) unsaid(ctx context.Context) (bool, error) {
	duties, err := s.store.Duties(ctx, s.i.ID)
	if err != nil {
		return false, err
	}
	inside, stands, notes := s.connection+"/"+s.own.ID, false, false
	for _, d := range duties {
		due := d.State == store.DutyDue
		switch {
		case d.Destination == inside && d.Kind == store.DutyCard:
			if due {
				return true, nil
			}
			stands = d.State == store.DutyDone
		case d.Destination == inside && d.Kind == store.DutyNote:
			notes = notes || due
		case due && d.Destination == s.errand.Destination && (d.Step == incident.StepDescribe || d.Step == incident.StepRename):
			return true, nil
		}
	}
	return stands && notes, nil
}

// archive makes the channel archived or not, as it should be now: whatever was
// ordered, an incident that goes on has an open channel.
func (s *stepping) archive(ctx context.Context) delivery.Outcome {
	at, over := s.rules.ArchiveAt(s.i)
	c := s.own
	switch {
	case over:
		if left := at.Sub(s.rooms.Clock.Now()); left > 0 {
			return delivery.Outcome{Again: left}
		}
		summary, err := s.store.Step(ctx, s.i.ID, s.errand.Destination, incident.StepSummary)
		switch {
		case err != nil:
			return s.unread(s.errand, err)
		case summary.State == store.DutyDue:
			return delivery.Outcome{Again: lastWait}
		case summary.State == store.DutyDead:
			return delivery.Outcome{} // once it was sent again it orders this again
		}
		more, err := s.unsaid(ctx)
		switch {
		case err != nil:
			return s.unread(s.errand, err)
		case more:
			return delivery.Outcome{Again: lastWait}
		}
		return s.close(ctx)
	case !s.i.Status.Over() && (c.Archived || !s.errand.UnknownSince.IsZero()):
		c.Archived = false
		if err := s.keeper.Unarchive(ctx, s.own.ID); err != nil {
			return delivery.Outcome{Err: err}
		}
	default:
		return delivery.Outcome{}
	}
	return s.told(s.rooms.Record.ChannelKept(ctx, s.i.Number, c), delivery.Outcome{})
}
