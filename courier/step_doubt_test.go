// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/courier"
	"belfry/fault"
	"belfry/incident"
	"belfry/store"
)

// TestAPinWithoutACardWaitsForNobody: it is due with the card, when that is
// posted once more.
func TestAPinWithoutACardWaitsForNobody(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.chat, x.r, time.Minute)
	for _, q := range x.posts {
		q.deleted = q.ref.Channel == "c1"
	}
	ok := must(t)
	ok(x.r.SetSummary(t.Context(), 1, anna(), "somebody deleted the card"))
	x.work(x.chat, x.r, time.Minute)
	err := x.store.ChangeIncident(t.Context(), store.IncidentChange{Numbers: []int64{1}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		pin := store.IncidentStep{Destination: store.StepDestination("chat", 1), Kind: incident.StepPin, AfterCard: "chat/c1"}
		return []store.IncidentEffect{{Incident: v.Incidents[1], Steps: []store.IncidentStep{pin}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if x.chat.calls = nil; !x.work(x.chat, x.r, time.Minute) || len(x.chat.calls) != 0 || len(x.dead()) != 1 {
		t.Errorf("it goes on without a card: %v, %+v", x.chat.calls, x.dead())
	}
	ok(x.r.SetSummary(t.Context(), 1, anna(), "and here it is again"))
	x.work(x.chat, x.r, time.Minute)
	if pins := x.chat.rooms["c1"].pins; len(pins) != 2 || len(x.dead()) != 0 {
		t.Errorf("pins %v, %+v", pins, x.dead())
	}
}

// TestAChannelThatWasMadeBeforeItsIncidentBecamePrivate: the answer was lost, and
// what is found then is as open to everybody as it was made.
func TestAChannelThatWasMadeBeforeItsIncidentBecamePrivate(t *testing.T) {
	for _, rename := range []bool{true, false} {
		x := newTenancy(t)
		x.rules.Rename = rename
		x.chat.trouble["open"] = []string{"lost"}
		x.declare(false)
		x.work(x.chat, x.r, 0)
		x.secret = true
		ok := must(t)
		ok(x.r.SetSeverity(t.Context(), 1, anna(), "SEV0", ""))
		ok(x.r.Rename(t.Context(), 1, anna(), "somebody stole the keys"))
		x.work(x.chat, x.r, time.Minute)
		o := x.chat.rooms["c1"]
		if len(x.chat.rooms) != 1 || o.Private || o.Title != "#1 private" || strings.Contains(o.topic+o.Name, "keys") {
			t.Errorf("%+v", o)
		}
		for _, q := range x.posts {
			if strings.Contains(q.text, "keys") {
				t.Errorf("said where everybody reads it: %q", q.text)
			}
		}
		if got := x.troubles(); len(got) != 1 || !strings.Contains(got[0], "may be open to everybody") {
			t.Errorf("told %q", got)
		}
	}
}

// renaming is a record of an incident that is called otherwise just before.
type renaming struct {
	courier.Record
	before func()
}

func (r *renaming) ChannelOpened(ctx context.Context, number int64, c incident.Channel, revision int64) error {
	r.before()
	r.before = func() {}
	return r.Record.ChannelOpened(ctx, number, c, revision)
}

// TestAChannelThatWasMadeBeforeItsIncidentWasCalledOtherwise: while it was made,
// or while nobody knew that it was.
func TestAChannelThatWasMadeBeforeItsIncidentWasCalledOtherwise(t *testing.T) {
	for _, lost := range []bool{false, true} {
		x := newTenancy(t)
		x.declare(false)
		rename := func() { must(t)(x.r.Rename(t.Context(), 1, anna(), "no orders")) }
		record := &renaming{Record: x.r, before: rename}
		if lost {
			x.chat.trouble["open"] = []string{"lost"}
			x.work(x.chat, x.r, 0)
			rename()
			record.before = func() {}
		}
		x.work(x.chat, record, time.Minute)
		o := x.chat.rooms["c1"]
		if i, err := x.store.Incident(t.Context(), 1); err != nil || o.Name != "inc-1-no-orders" || o.Title != "#1 no orders" || i.Channels[0].Name != o.Name {
			t.Errorf("lost %v: %+v, known as %+v, %v", lost, o, i.Channels, err)
		}
		if len(x.troubles()) > 0 || len(x.dead()) > 0 {
			t.Errorf("lost %v: %q, %+v", lost, x.troubles(), x.dead())
		}
	}
}

// TestAChannelIsFoundByTheNameItWasAskedFor: the answer was lost, and the incident
// is called otherwise since; where channels keep their names, too.
func TestAChannelIsFoundByTheNameItWasAskedFor(t *testing.T) {
	for rename, want := range map[bool]string{true: "other-no-orders", false: "inc-1-the-shop-is-slow"} {
		x := newTenancy(t)
		x.rules.Rename = rename
		x.chat.trouble["open"] = []string{"lost", "down"}
		x.declare(false)
		x.work(x.chat, x.r, 0)
		must(t)(x.r.Rename(t.Context(), 1, anna(), "no orders"))
		x.rules.Name = "other-{slug}"
		x.work(x.chat, x.r, time.Minute)
		if o := x.chat.rooms["c1"]; len(x.chat.rooms) != 1 || o.Name != want || len(x.troubles()) > 0 || len(x.dead()) > 0 {
			t.Errorf("rename %v: %+v, %q, %+v", rename, x.chat.rooms, x.troubles(), x.dead())
		}
	}
}

// TestNoChannelIsArchivedBeforeItsSummary: chat is busy with the second end's for
// longer than the channel stays.
func TestNoChannelIsArchivedBeforeItsSummary(t *testing.T) {
	x := newTenancy(t)
	x.rules.Archive = 3 * time.Second
	x.declare(false)
	x.work(x.chat, x.r, time.Second)
	ok := must(t)
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	x.work(x.chat, x.r, time.Second)
	ok(x.r.Move(t.Context(), 1, incident.Reopen, anna(), ""))
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	for range 20 {
		x.next = append(x.next, "busy")
	}
	x.work(x.chat, x.r, time.Hour)
	cards := strings.Join(x.cards(), "\n")
	if !x.chat.rooms["c1"].archived || strings.Count(cards, "Summary of #1") != 2 || len(x.dead()) > 0 {
		t.Errorf("%+v\n%s\n%+v", x.chat.rooms["c1"], cards, x.dead())
	}
}

// TestNoChannelIsArchivedBeforeItsCardSaysTheEnd: the summary stands at once, and
// chat takes no edits for longer than the channel stays.
func TestNoChannelIsArchivedBeforeItsCardSaysTheEnd(t *testing.T) {
	x := newTenancy(t)
	x.rules.Archive = 3 * time.Second
	x.declare(false)
	x.work(x.chat, x.r, time.Second)
	must(t)(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	slow := &unedited{building: x.chat, left: 20}
	for range 30 {
		x.chat.trouble["describe"] = append(x.chat.trouble["describe"], "down")
	}
	x.work(slow, x.r, time.Hour)
	o, cards := x.chat.rooms["c1"], strings.Join(x.cards(), "\n")
	if slow.left > 0 || !o.archived || strings.Contains(cards, "started") || !strings.Contains(o.topic, "cancelled") || len(x.dead()) > 0 {
		t.Errorf("%d left, %+v\n%s\n%+v", slow.left, o, cards, x.dead())
	}
}

// unedited is a building where the first edits fail.
type unedited struct {
	*building
	left int
}

func (u *unedited) Update(ctx context.Context, ref chat.Ref, key string, m chat.Message) error {
	if u.left--; u.left >= 0 {
		return fault.NewRetry(errors.New("nobody is there"))
	}
	return u.building.Update(ctx, ref, key, m)
}

// TestAnEditThatIsCarriedOutLateDoesNotStay: its caller hung up, the next edit
// showed the end, and then came the first.
func TestAnEditThatIsCarriedOutLateDoesNotStay(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.chat, x.r, time.Second)
	ok := must(t)
	late := &belated{building: x.chat}
	ok(x.r.Move(t.Context(), 1, incident.Mitigate, anna(), ""))
	x.work(late, x.r, 0)
	ok(x.r.Move(t.Context(), 1, incident.Resolve, anna(), ""))
	x.work(late, x.r, time.Minute)
	if cards := strings.Join(x.cards(), "\n"); len(late.held) != 0 || strings.Contains(cards, "mitigated") || !strings.Contains(cards, "resolved") {
		t.Errorf("%d held, %s", len(late.held), cards)
	}
}

// belated is a building that carries the first edit of each message out behind
// the second.
type belated struct {
	*building
	held map[chat.Ref]chat.Message
	seen map[chat.Ref]bool
}

func (b *belated) Update(ctx context.Context, ref chat.Ref, key string, m chat.Message) error {
	if !b.seen[ref] {
		if b.seen == nil {
			b.held, b.seen = map[chat.Ref]chat.Message{}, map[chat.Ref]bool{}
		}
		b.held[ref], b.seen[ref] = m, true
		return fault.NewUnknown(errors.New("no answer"))
	}
	err := b.building.Update(ctx, ref, key, m)
	if old, ok := b.held[ref]; ok {
		delete(b.held, ref)
		err = errors.Join(err, b.building.Update(ctx, ref, key, old))
	}
	return err
}

// registry is a building that knows people, once it may.
type registry struct {
	*building
	may bool
}

func (r *registry) FindPeople(_ context.Context, names []string) ([]chat.Found, error) {
	if !r.may {
		return nil, fault.NewPermanent(errors.New("an administrator can allow it"))
	}
	return []chat.Found{{Asked: names[0], Actor: chat.Actor{ID: "u7", Name: names[0]}}}, nil
}

func (*registry) FindGroup(context.Context, string) ([]chat.Actor, error) {
	return nil, fault.NewPermanent(errors.New("there are no groups"))
}

// TestWhoWasInvitedBeforeItFailedIsNotCalledBack: who left meanwhile stays away
// when the rest is done.
func TestWhoWasInvitedBeforeItFailedIsNotCalledBack(t *testing.T) {
	x := newTenancy(t)
	x.rules.Invite.Always = []string{"chat/@oncall"}
	r := &registry{building: x.chat}
	x.declare(false)
	x.work(r, x.r, time.Minute)
	o := x.chat.rooms["c1"]
	if dead := x.dead(); len(dead) != 1 || !slices.Equal(o.in, []string{"u1"}) {
		t.Fatalf("in %v, %+v", o.in, dead)
	}
	o.in, r.may = nil, true
	if err := x.store.Resend(t.Context(), x.dead()[0].ID); err != nil {
		t.Fatal(err)
	}
	x.work(r, x.r, time.Minute)
	if !slices.Equal(o.in, []string{"u7"}) || len(x.dead()) > 0 {
		t.Errorf("in %v, %+v", o.in, x.dead())
	}
}

// TestNobodyComesIntoAPrivateChannelByAName: one that was kept because chat could not
// be asked may be somebody else's by now. It is no secret from them elsewhere.
func TestNobodyComesIntoAPrivateChannelByAName(t *testing.T) {
	for private, want := range map[bool][]string{true: {"u1"}, false: {"u1", "u7"}} {
		x := newTenancy(t)
		r := &registry{building: x.chat, may: true}
		x.declare(private, incident.Person{Connection: "chat", Name: "bert"})
		x.work(r, x.r, time.Minute)
		if o := x.chat.rooms["c1"]; !slices.Equal(o.in, want) || len(x.dead()) > 0 {
			t.Errorf("private %v: in %v, %+v", private, o.in, x.dead())
		}
		must(t)(x.r.Join(t.Context(), 1, incident.Person{Connection: "chat", ID: "u8", Name: "bert"}))
		x.work(r, x.r, time.Minute)
		if o := x.chat.rooms["c1"]; !slices.Contains(o.in, "u8") {
			t.Errorf("private %v: the account of that name did not come: %v", private, o.in)
		}
	}
}
