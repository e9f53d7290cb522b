// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/courier"
	"belfry/delivery"
	"belfry/fault"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

// building is a board with channels: a chat in which things go wrong as ordered.
type building struct {
	*board
	mu    sync.Mutex
	rooms map[string]*office
	// trouble is what becomes of the next calls, by their names: "lost" (done, and
	// the answer is lost), "down" (not done), "no" (not allowed).
	trouble map[string][]string
	calls   []string
}

type office struct {
	chat.NewChannel
	id, topic string
	made      string // the name that it was made with
	in, pins  []string
	links     int
	archived  bool
}

// call notes a call; done says whether it is carried out, err what is answered.
func (b *building) call(name string) (done bool, err error) {
	b.calls = append(b.calls, name)
	what := ""
	if list := b.trouble[name]; len(list) > 0 {
		what, b.trouble[name] = list[0], list[1:]
	}
	switch what {
	case "lost":
		return true, fault.NewUnknown(errors.New("no answer"))
	case "down":
		return false, fault.NewRetry(errors.New("nobody is there"))
	case "no":
		return false, fault.NewPermanent(errors.New("an administrator can allow it"))
	}
	return true, nil
}

func (b *building) do(name, channel string, how func(o *office)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	done, err := b.call(name)
	if o := b.rooms[channel]; done && o != nil {
		how(o)
	}
	return err
}

func (b *building) OpenChannel(_ context.Context, n chat.NewChannel) (chat.Channel, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done, err := b.call("open")
	var found *office
	for _, o := range b.rooms {
		if o.Key == n.Key && o.made == n.Name { // in Slack one whose answer was lost has no key yet
			found = o
		}
	}
	if done && found == nil {
		found = &office{NewChannel: n, id: fmt.Sprintf("c%d", len(b.rooms)+1), made: n.Name}
		b.rooms[found.id] = found
	}
	if err != nil {
		return chat.Channel{}, err
	}
	return chat.Channel{ID: found.id, Name: found.Name, Private: found.Private, URL: "https://chat.example/" + found.id}, nil
}

// Post and Update are refused where a channel is archived, as platforms do.
func (b *building) Post(ctx context.Context, p chat.Post) (chat.Ref, error) {
	if err := b.shut(p.Channel); err != nil {
		return chat.Ref{}, err
	}
	return b.board.Post(ctx, p)
}

func (b *building) Update(ctx context.Context, ref chat.Ref, key string, m chat.Message) error {
	if err := b.shut(ref.Channel); err != nil {
		return err
	}
	return b.board.Update(ctx, ref, key, m)
}

func (b *building) shut(channel string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.rooms[channel]; o != nil && o.archived {
		return fault.NewPermanent(fmt.Errorf("%s: %w", channel, chat.ErrArchived))
	}
	return nil
}

func (b *building) Invite(_ context.Context, channel string, people []string) (refused []chat.Refusal, err error) {
	err = b.do("invite", channel, func(o *office) {
		for _, p := range people {
			if p == "u9" {
				refused = append(refused, chat.Refusal{Person: p, Why: "is not a member of the team"})
				continue
			}
			o.in = append(o.in, p)
		}
	})
	return refused, err
}

func (b *building) Describe(_ context.Context, channel string, d chat.Description) error {
	return b.do("describe", channel, func(o *office) { o.topic = d.Topic })
}

func (b *building) Pin(_ context.Context, ref chat.Ref) error {
	return b.do("pin", ref.Channel, func(o *office) {
		if !slices.Contains(o.pins, ref.Post) {
			o.pins = append(o.pins, ref.Post)
		}
	})
}

func (b *building) Unpin(context.Context, chat.Ref) error { return nil }

func (b *building) Bookmark(_ context.Context, channel string, links []chat.Link) error {
	return b.do("links", channel, func(o *office) { o.links = len(links) })
}

func (b *building) Rename(_ context.Context, channel string, n chat.NewChannel) (chat.Channel, error) {
	err := b.do("rename", channel, func(o *office) { o.Name, o.Title = n.Name, n.Title })
	return chat.Channel{ID: channel, Name: n.Name}, err
}

func (b *building) Archive(_ context.Context, channel string) error {
	return b.do("archive", channel, func(o *office) { o.archived = true })
}

func (b *building) Unarchive(_ context.Context, channel string) error {
	return b.do("unarchive", channel, func(o *office) { o.archived = false })
}

// tenancy is a hall whose chat makes channels.
type tenancy struct {
	*hall
	chat  *building
	clock *clock.Manual
	rules incident.ChannelRules
	// secret: incidents of SEV0 are private.
	secret bool
	r      *response.Response
}

func newTenancy(t *testing.T) *tenancy {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC))
	s := opentest.Open(t, store.Options{Clock: c})
	b := &building{board: &board{}, rooms: map[string]*office{}, trouble: map[string][]string{}}
	x := &tenancy{hall: &hall{board: b.board, t: t, store: s}, chat: b, clock: c, rules: incident.DefaultChannelRules()}
	x.rules.On, x.rules.Archive = []string{"chat"}, time.Hour
	x.r = response.New(s, func() incident.Settings {
		out := incident.Defaults()
		out.Channel, out.Reminders = x.rules, incident.Reminders{}
		out.Severities = slices.Clone(out.Severities)
		out.Severities[0].Private = x.secret
		return out
	}, func() []string { return []string{"chat/incidents"} }, c)
	return x
}

// work carries out what is due, and turns the clock where something waits, but
// not further than d; false: something is due later than that.
func (x *tenancy) work(p chat.Platform, record courier.Record, d time.Duration) bool {
	x.t.Helper()
	plain := func() message.Options { return message.Options{BaseURL: "https://belfry.example", Now: x.clock.Now()} }
	sender := courier.NewChat(p, x.store, func(*alert.Alert, store.Duty) message.Options { return plain() }, plain,
		courier.Rooms{Rules: func() incident.ChannelRules { return x.rules }, Record: record, Clock: x.clock})
	end := x.clock.Now().Add(d)
	for range 500 {
		due, err := x.store.Due(x.t.Context(), x.clock.Now())
		if err != nil {
			x.t.Fatal(err)
		}
		if len(due) == 0 {
			return true
		}
		next := due[0].At
		for _, one := range due {
			if one.At.Before(next) {
				next = one.At
			}
		}
		if next.After(end) {
			return false
		}
		if next.After(x.clock.Now()) {
			x.clock.Advance(next.Sub(x.clock.Now()))
		}
		for _, one := range due {
			x.round(sender, one.Name)
		}
	}
	x.t.Fatalf("it does not end: %v", x.chat.calls)
	return false
}

// round carries out what one claim brings, as a lane does.
func (x *tenancy) round(sender *courier.Chat, destination string) {
	x.t.Helper()
	c, err := x.store.Claim(x.t.Context(), destination, 10)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, d := range c.Duties {
		out := sender.Send(x.t.Context(), delivery.Errand{Duty: d})
		s := store.Settlement{ID: d.ID, State: store.DutyDone, Reached: out.Reached, Receipt: out.Receipt, Unknown: out.Unknown}
		switch decision, _ := fault.Of(out.Err); {
		case decision == fault.Gone:
			s.State, s.Failed, s.Err, s.Forget = store.DutyDead, true, out.Err.Error(), true
		case decision == fault.Permanent:
			s.State, s.Failed, s.Err = store.DutyDead, true, out.Err.Error()
		case out.Err != nil:
			s.State, s.Failed, s.Err, s.RetryAt = store.DutyDue, true, out.Err.Error(), x.clock.Now().Add(time.Second)
			s.Unknown = s.Unknown || decision == fault.Unknown
		case out.Again > 0:
			s.State, s.RetryAt = store.DutyDue, x.clock.Now().Add(out.Again)
		}
		if _, err := x.store.Settle(x.t.Context(), destination, c.Fence, []store.Settlement{s}); err != nil {
			x.t.Fatal(err)
		}
	}
}

func (x *tenancy) declare(private bool, people ...incident.Person) {
	x.t.Helper()
	ok := must(x.t)
	ok(x.r.Declare(x.t.Context(), incident.Declaration{Title: "the shop is slow", Severity: "SEV1", Private: private, By: anna()}, 0, 0))
	for _, p := range people {
		ok(x.r.Join(x.t.Context(), 1, p))
	}
}

// troubles are what the timeline says that chat did not allow.
func (x *tenancy) troubles() (list []string) {
	x.t.Helper()
	i, err := x.store.Incident(x.t.Context(), 1)
	if err != nil {
		x.t.Fatal(err)
	}
	entries, err := x.store.IncidentEntries(x.t.Context(), i.ID, store.EntryFilter{Limit: 100})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == incident.EntryTrouble {
			list = append(list, e.Text)
		}
	}
	return list
}

var _ chat.ChannelKeeper = (*building)(nil)
