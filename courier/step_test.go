// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/courier"
	"belfry/incident"
	"belfry/seal"
)

// TestEveryStepMayBeRepeated: each call is lost, then refused for a while; there
// is one of everything.
func TestEveryStepMayBeRepeated(t *testing.T) {
	for _, name := range []string{"open", "invite", "describe", "pin", "links", "rename", "archive", "unarchive"} {
		t.Run(name, func(t *testing.T) {
			x := newTenancy(t)
			x.chat.trouble[name] = []string{"lost", "down", "lost"}
			x.declare(false)
			x.work(x.chat, x.r, time.Minute)
			ok := must(t)
			ok(x.r.Rename(t.Context(), 1, anna(), "no orders"))
			ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
			x.work(x.chat, x.r, 2*time.Hour)
			if len(x.chat.rooms) != 1 || !x.chat.rooms["c1"].archived {
				t.Fatalf("%+v", x.chat.rooms)
			}
			ok(x.r.Move(t.Context(), 1, incident.Reopen, anna(), ""))
			x.work(x.chat, x.r, time.Minute)
			o := x.chat.rooms["c1"]
			if o.archived || o.Title != "#1 no orders" || !slices.Equal(o.pins, []string{"2"}) && !slices.Equal(o.pins, []string{"1"}) || o.links != 2 || !slices.Contains(o.in, "u1") ||
				!strings.HasPrefix(o.topic, "SEV1 started · no orders") {
				t.Errorf("%+v", o)
			}
			if cards := x.cards(); len(cards) != 3 { // announced, in the channel, the summary
				t.Errorf("cards %q", cards)
			}
			if left := x.chat.trouble[name]; len(left) > 0 || len(x.dead()) > 0 || len(x.troubles()) > 0 {
				t.Errorf("left %v, dead %v, troubles %v", left, x.dead(), x.troubles())
			}
		})
	}
}

// TestAStepThatIsNotAllowedStopsNoOther: each is refused for good; everything
// else is done, people are told once, and it is done when it is sent again.
func TestAStepThatIsNotAllowedStopsNoOther(t *testing.T) {
	for _, name := range []string{"open", "invite", "describe", "pin", "links"} {
		t.Run(name, func(t *testing.T) {
			x := newTenancy(t)
			x.chat.trouble[name] = []string{"no", "no"}
			x.declare(false)
			x.work(x.chat, x.r, time.Minute)
			for range 2 {
				dead := x.dead()
				if len(dead) != 1 || string(dead[0].Step) != name {
					t.Fatalf("dead %+v", dead)
				}
				if got := x.troubles(); len(got) != 1 || got[0] != "on chat: an administrator can allow it" {
					t.Fatalf("told %q", got)
				}
				if err := x.store.Resend(t.Context(), dead[0].ID); err != nil {
					t.Fatal(err)
				}
				x.work(x.chat, x.r, time.Minute)
			}
			o := x.chat.rooms["c1"]
			if len(x.chat.rooms) != 1 || len(o.in) != 1 || o.topic == "" || len(o.pins) != 1 || o.links != 2 {
				t.Errorf("%+v", o)
			}
			if notes := x.notes(); len(notes) != 1 || !strings.Contains(notes[0], "an administrator can allow it") {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

// TestAChannelThatMayNotBeArchivedGoesOn: what happens is told there as before.
func TestAChannelThatMayNotBeArchivedGoesOn(t *testing.T) {
	x := newTenancy(t)
	x.chat.trouble["archive"] = []string{"down", "no"}
	x.declare(false)
	ok := must(t)
	x.work(x.chat, x.r, time.Minute)
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	x.work(x.chat, x.r, 2*time.Hour)
	ok(x.r.Update(t.Context(), 1, anna(), "people still read this"))
	x.work(x.chat, x.r, time.Minute)
	if notes := strings.Join(x.notes(), "\n"); !strings.Contains(notes, "people still read this") || len(x.troubles()) != 1 || x.chat.rooms["c1"].archived {
		t.Errorf("notes %q, troubles %q", notes, x.troubles())
	}
	if err := x.store.Resend(t.Context(), x.dead()[0].ID); err != nil {
		t.Fatal(err)
	}
	x.work(x.chat, x.r, time.Minute)
	if !x.chat.rooms["c1"].archived {
		t.Error("it is not archived when it may be")
	}
}

// forgetting is a record that fails before, or after, it was told.
type forgetting struct {
	courier.Record
	fails int
	after bool
}

func (f *forgetting) ChannelOpened(ctx context.Context, number int64, c incident.Channel, revision int64) error {
	if f.fails--; f.fails < 0 {
		return f.Record.ChannelOpened(ctx, number, c, revision)
	}
	if f.after {
		_ = f.Record.ChannelOpened(ctx, number, c, revision)
	}
	return errors.New("the disk is full")
}

// TestWhatCanNotBeNotedIsDoneAgain: the channel is made, and nobody could be
// told: it is the same when it can.
func TestWhatCanNotBeNotedIsDoneAgain(t *testing.T) {
	for _, after := range []bool{false, true} {
		x := newTenancy(t)
		x.declare(false)
		x.work(x.chat, &forgetting{Record: x.r, fails: 2, after: after}, time.Minute)
		i, err := x.store.Incident(t.Context(), 1)
		if err != nil || len(i.Channels) != 1 || len(x.chat.rooms) != 1 || len(x.cards()) != 2 {
			t.Errorf("%+v, %v; rooms %v, cards %q", i, err, x.chat.rooms, x.cards())
		}
	}
}

// TestAnEndThatIsTakenBack: who reopens it before the summary is posted reads
// none, and of two ends the last one has one.
func TestAnEndThatIsTakenBack(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.chat, x.r, time.Minute)
	ok := must(t)
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	ok(x.r.Move(t.Context(), 1, incident.Reopen, anna(), ""))
	x.work(x.chat, x.r, 3*time.Hour)
	if len(x.cards()) != 2 || x.chat.rooms["c1"].archived {
		t.Fatalf("%q", x.cards())
	}
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	ok(x.r.Move(t.Context(), 1, incident.Reopen, anna(), ""))
	ok(x.r.Move(t.Context(), 1, incident.Cancel, anna(), "now really"))
	if x.work(x.chat, x.r, 30*time.Minute) || x.chat.rooms["c1"].archived {
		t.Fatal("it is archived too early")
	}
	x.work(x.chat, x.r, time.Hour)
	if cards := x.cards(); len(cards) != 3 || !strings.Contains(cards[2], "Summary of #1") || !x.chat.rooms["c1"].archived {
		t.Errorf("%q", cards)
	}
	// What changes now is said when the channel is open again, and only then.
	ok(x.r.Update(t.Context(), 1, anna(), "nobody reads this there"))
	x.work(x.chat, x.r, time.Minute)
	for _, q := range x.posts {
		if q.ref.Channel == "c1" && strings.Contains(q.text, "nobody reads this") {
			t.Errorf("said in an archived channel: %q", q.text)
		}
	}
}

// TestWhoseAccountIsUnknown: nobody is guessed, and who can't come is told once.
func TestWhoseAccountIsUnknown(t *testing.T) {
	x := newTenancy(t)
	x.declare(true, incident.Person{Connection: "chat", ID: "u9", Name: "olga"}, incident.Person{Connection: "team", ID: "U1", Name: "anna"}, incident.Person{Name: "bert"})
	x.work(x.chat, x.r, time.Minute)
	must(t)(x.r.Join(t.Context(), 1, incident.Person{Connection: "chat", ID: "u2", Name: "carl"}))
	x.work(x.chat, x.r, time.Minute)
	o := x.chat.rooms["c1"]
	if !slices.Equal(o.in, []string{"u1", "u2"}) || !o.Private {
		t.Errorf("in %v, private %v", o.in, o.Private)
	}
	if got := x.troubles(); len(got) != 1 || got[0] != "olga can't be brought into inc-1-the-shop-is-slow on chat: is not a member of the team" {
		t.Errorf("told %q", got)
	}
}

// TestAPlatformWithoutChannels: the incident goes on, and says so.
func TestAPlatformWithoutChannels(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.board, x.r, time.Minute)
	if got := x.troubles(); len(got) != 1 || got[0] != "on chat: connection chat makes no channels" {
		t.Errorf("told %q", got)
	}
	if len(x.dead()) != 1 || len(x.cards()) != 1 {
		t.Errorf("%+v %q", x.dead(), x.cards())
	}
}

// TestAnIncidentThatIsOverNeedsNoChannel, unless one may have been made already.
func TestAnIncidentThatIsOverNeedsNoChannel(t *testing.T) {
	for _, lost := range []bool{false, true} {
		x := newTenancy(t)
		x.chat.trouble["open"] = []string{map[bool]string{false: "down", true: "lost"}[lost]}
		x.declare(false)
		x.work(x.chat, x.r, 0)
		must(t)(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
		x.work(x.chat, x.r, 2*time.Hour)
		if n := len(x.chat.rooms); n != map[bool]int{false: 0, true: 1}[lost] {
			t.Fatalf("%d channels", n)
		}
		if o := x.chat.rooms["c1"]; lost && !o.archived {
			t.Errorf("%+v", o)
		}
	}
}

// TestAChannelThatMayBeMadeIsRemembered: after the attempt whose answer was lost
// come others that certainly made nothing, and the end of the incident.
func TestAChannelThatMayBeMadeIsRemembered(t *testing.T) {
	x := newTenancy(t)
	x.chat.trouble["open"] = []string{"lost", "down", "down"}
	x.declare(false)
	for range 3 {
		x.work(x.chat, x.r, 0)
		x.clock.Advance(time.Second)
	}
	must(t)(x.r.Move(t.Context(), 1, incident.Cancel, anna(), ""))
	x.work(x.chat, x.r, 2*time.Hour)
	if o := x.chat.rooms["c1"]; len(x.chat.rooms) != 1 || !o.archived || len(x.dead()) > 0 {
		t.Errorf("%d channels, the first %+v; given up %+v", len(x.chat.rooms), o, x.dead())
	}
}

// keys of channels are the duties' own.
func TestTheKeyOfAChannelIsItsDutys(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.chat, x.r, time.Minute)
	if got := x.chat.rooms["c1"].Key; len(got) != len(seal.Random()) {
		t.Errorf("the key is %q", got)
	}
}
