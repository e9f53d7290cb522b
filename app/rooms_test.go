// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
	"belfry/clock"
	"belfry/store"
	"belfry/store/opentest"
)

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came: %s", what)
		}
	}
}

// TestAnIncidentGetsAChannelOfItsOwn: with the people, the pinned card, the
// topic, and a card where it is announced that leads there.
func TestAnIncidentGetsAChannelOfItsOwn(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops], channel: {on: [chat]}}\n")
	o.types("alice", "/belfry incident new SEV1 the shop is slow", "#1 SEV1 started")
	o.m.Room("ops").WaitCard("#1 the shop is slow").WaitText("Channel: inc-1-the-shop-is-slow")
	own := o.m.Room("inc-1-the-shop-is-slow").WaitCard("#1 the shop is slow")
	eventually(t, "alice is in, and the card is pinned", func() bool {
		ch, members, pins, _ := o.m.Look(own.Post().ChannelID)
		return ch.DisplayName == "#1 the shop is slow" && ch.Type == "O" && members[o.m.User("alice").ID] && slices.Contains(pins, own.ID()) && strings.Contains(mattermosttest.Read(ch.Header).Text, "SEV1 started · the shop is slow")
	})
	// What is typed there needs no number; who gets a role is brought in.
	o.m.Type("bob", "ops", "/belfry incident assign #1 commander me")
	eventually(t, "bob is in, and named in the topic", func() bool {
		ch, members, _, _ := o.m.Look(own.Post().ChannelID)
		return members[o.m.User("bob").ID] && strings.Contains(mattermosttest.Read(ch.Header).Text, "commander: bob")
	})
	o.m.Type("bob", "inc-1-the-shop-is-slow", "/belfry incident rename no orders at all")
	eventually(t, "it has the new title", func() bool {
		ch, _, _, _ := o.m.Look(own.Post().ChannelID)
		return ch.DisplayName == "#1 no orders at all"
	})
}

// roomsOf is an office in which incidents get channels.
func roomsOf(t *testing.T, more string) *office {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops], "+more+"}\n")
	o.m.AddCommand("incident", o.address())
	o.m.SetCommandToken("incident", o.token)
	return o
}

// channel waits for the incident's channel and returns its handle.
func (o *office) channel(prefix string) string {
	o.t.Helper()
	var name string
	eventually(o.t, "a channel "+prefix, func() bool {
		at := slices.IndexFunc(o.m.ChannelNames(), func(n string) bool { return strings.HasPrefix(n, prefix) })
		if at >= 0 {
			name = o.m.ChannelNames()[at]
		}
		return at >= 0
	})
	return name
}

// timeline wants to read these texts in an incident's timeline, at last.
func (o *office) timeline(number string, want ...string) {
	o.t.Helper()
	var text string
	for _, w := range want {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(text, w); time.Sleep(10 * time.Millisecond) {
			seen := o.m.Type("alice", "ops", "/belfry incident timeline "+number)
			text = mattermosttest.Visible(seen.Whisper)
			for _, look := range seen.Reading.Looks {
				text += "\n" + mattermosttest.Visible(look)
			}
			if time.Now().After(end) {
				o.t.Fatalf("the timeline is\n%s\nwithout %q", text, w)
			}
		}
	}
}

// dead are the deliveries that were given up.
func (o *office) dead() []store.Duty {
	o.t.Helper()
	dead, err := o.a.Dead(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return dead
}

// resend waits until a step was given up, and sends it again.
func (o *office) resend(step string) {
	o.t.Helper()
	at := -1
	var dead []store.Duty
	eventually(o.t, "step "+step+" is given up", func() bool {
		dead = o.dead()
		at = slices.IndexFunc(dead, func(d store.Duty) bool { return string(d.Step) == step })
		return at >= 0
	})
	if err := o.a.Resend(o.t.Context(), dead[at].ID); err != nil {
		o.t.Fatal(err)
	}
}

// TestAnIncidentGoesOnWithoutAChannel: what chat does not allow is told once, in
// the timeline and where the incident is announced, and done when it is sent again.
func TestAnIncidentGoesOnWithoutAChannel(t *testing.T) {
	o := roomsOf(t, "channel: {on: [chat]}")
	o.m.Forbid("create_public_channel")
	o.types("alice", "/incident new SEV1 the shop is slow", "#1 SEV1 started")
	card := o.m.Room("ops").WaitCard("#1 the shop is slow")
	card.WaitNote("on chat: can't make")
	o.types("alice", "/incident mitigate #1 rolled back", "#1 SEV1 mitigated")
	card.WaitText("mitigated")
	o.timeline("#1", "on chat: can't make", "mitigated it: rolled back")
	o.m.Permit("create_public_channel")
	o.resend("open")
	own := o.channel("inc-1-")
	o.m.Room(own).WaitCard("#1 the shop is slow").WaitText("mitigated")
	if notes := card.Thread(); len(notes) != 2 {
		t.Errorf("%d notes where it is announced", len(notes))
	}
}

// TestWhoCanNotComeIsTold: somebody who is not in the team, a group that there
// is not, and a name that is taken.
func TestWhoCanNotComeIsTold(t *testing.T) {
	o := roomsOf(t, "services: [shop], channel: {on: [chat], invite: {always: [chat/@bob, chat/@nobody], services: {shop: [chat/@carol]}}}")
	o.m.AddChannel("inc-1-the-shop-is-slow")
	o.m.ArchiveChannel("inc-1-the-shop-is-slow")
	o.m.AddUser("carol")
	o.m.LeaveTeam("carol")
	o.types("alice", "/incident new SEV1 service=shop the shop is slow", "#1 SEV1 started")
	own := o.channel("inc-1-the-shop-is-slow-2")
	card := o.m.Room(own).WaitCard("#1 the shop is slow")
	card.WaitNote("is called inc-1-the-shop-is-slow-2, because there is another one called inc-1-the-shop-is-slow")
	card.WaitNote("carol can't be brought into inc-1-the-shop-is-slow-2 on chat: ")
	card.WaitNote("@nobody can't be brought in")
	eventually(t, "alice and bob are in", func() bool { return o.m.InChannel("alice", own) && o.m.InChannel("bob", own) })
	// Who left is not called back, and nothing is told twice.
	o.m.Leave("bob", own)
	o.m.AddUser("erin")
	o.m.Type("erin", "ops", "/incident join #1")
	eventually(t, "erin is in", func() bool { return o.m.InChannel("erin", own) })
	if o.m.InChannel("bob", own) {
		t.Error("bob was called back")
	}
	if n := len(card.Thread()); n != 3 {
		t.Errorf("%d notes", n)
	}
}

// TestAChannelIsArchivedAfterItsIncident: the summary first, the channel after
// the delay, and open again when the incident is.
func TestAChannelIsArchivedAfterItsIncident(t *testing.T) {
	o := roomsOf(t, "posts: {resolved: false}, channel: {on: [chat], archive: 24h}")
	o.types("alice", "/incident new SEV1 the shop is slow", "#1 SEV1 started")
	own := o.channel("inc-1-")
	card := o.m.Room(own).WaitCard("#1 the shop is slow")
	o.types("alice", "/incident followup #1 watch the disks", "")
	o.types("alice", "/incident resolve #1 new disk", "#1 SEV1 resolved")
	o.types("alice", "/incident close #1", "#1 SEV1 closed")
	o.m.Room(own).WaitCard("Summary of #1 the shop is slow").WaitText("watch the disks")
	archived := func() bool { ch, _, _, _ := o.m.Look(own); return ch.DeleteAt != 0 }
	o.clock.Advance(23 * time.Hour)
	o.types("alice", "/incident reopen #1", "#1 SEV1 started")
	card.WaitText("started")
	o.clock.Advance(2 * time.Hour)
	o.types("alice", "/incident update #1 still here", "")
	card.WaitNote("still here")
	if archived() {
		t.Fatal("it is archived although the incident goes on")
	}
	o.types("alice", "/incident cancel #1 a false alarm", "#1 SEV1 cancelled")
	eventually(t, "a second summary", func() bool { return len(o.m.Room(own).Cards()) == 3 })
	until(o, 25*time.Hour, archived)
	for _, note := range card.Thread() {
		if strings.Contains(note.Text(), "resolved") || strings.Contains(note.Text(), "closed") {
			t.Errorf("told although it should not: %q", note.Text())
		}
	}
	// A plain bot may not open it: that is told, and done once it is allowed.
	o.types("alice", "/incident reopen #1", "#1 SEV1 started")
	o.timeline("#1", "can't open the channel")
	o.m.Room("ops").WaitCard("#1 the shop is slow").WaitNote("has to un-archive it by hand")
	o.m.Promote(mattermosttest.Bot)
	o.resend("archive")
	eventually(t, "it is open again", func() bool { return !archived() })
	card.WaitText("started")
	// What came between is made up for: nothing is left that was given up.
	eventually(t, "nothing is given up", func() bool { return len(o.dead()) == 0 })
}

// until turns the clock until ok holds: step by step, because what waits looks
// at it again.
func until(o *office, d time.Duration, ok func() bool) {
	o.t.Helper()
	for range 50 {
		if ok() {
			return
		}
		o.clock.Advance(d / 25)
		time.Sleep(20 * time.Millisecond)
	}
	eventually(o.t, "what was to come with time", ok)
}

// TestAPrivateIncidentsChannel: private from the beginning, or public and silent
// from the moment on when its incident becomes private.
func TestAPrivateIncidentsChannel(t *testing.T) {
	o := roomsOf(t, "severities: [{name: SEV0, private: true}, {name: SEV1}, {name: SEV2}], channel: {on: [chat], private: [SEV1], invite: {always: [chat/@bob]}}")
	kind := func(name string) string { ch, _, _, _ := o.m.Look(name); return ch.Type }
	o.types("alice", "/incident new SEV0 a leak", "#1 SEV0 started")
	first := o.channel("inc-1-a-leak")
	o.m.Room(first).WaitCard("#1 a leak")
	eventually(t, "alice is in", func() bool { return o.m.InChannel("alice", first) })
	o.types("alice", "/incident new SEV1 a fire", "#2 SEV1 started")
	second := o.channel("inc-2-a-fire")
	eventually(t, "bob is in the second", func() bool { return o.m.InChannel("bob", second) })
	o.types("alice", "/incident new SEV2 a noise", "#3 SEV2 started")
	third := o.channel("inc-3-a-noise")
	if kind(first) != "P" || kind(second) != "P" || kind(third) != "O" || o.m.InChannel("bob", first) {
		t.Errorf("%s %s %s; bob is in the first: %v", kind(first), kind(second), kind(third), o.m.InChannel("bob", first))
	}
	o.m.Room("ops").WaitCard("#2 a fire")
	o.m.Room("ops").WaitCard("#3 a noise")
	if n := len(o.m.Room("ops").Cards()); n != 2 {
		t.Errorf("%d are announced", n)
	}
	// The public one becomes private.
	card := o.m.Room(third).WaitCard("#3 a noise")
	o.types("alice", "/incident severity #3 SEV0", "#3 SEV0")
	eventually(t, "nothing is told any more", func() bool {
		ch, _, _, _ := o.m.Look(third)
		return !card.Shows("a noise") && mattermosttest.Visible(mattermosttest.Read(ch.Header).Text) == "#3 is private" && ch.DisplayName == "#3 private"
	})
	o.timeline("#3", "its channel inc-3-a-noise on chat may be open to everybody")
	// Somebody who looks in learns nothing by asking there.
	o.m.AddUser("mallory")
	o.m.Join("mallory", third)
	if seen := o.m.Type("mallory", third, "/incident status"); strings.Contains(seen.Whisper, "a noise") {
		t.Errorf("mallory reads %q", seen.Whisper)
	}
	if seen := o.m.Type("alice", third, "/incident status"); !strings.Contains(seen.Whisper+strings.Join(seen.Reading.Looks, ""), "a noise") {
		t.Errorf("alice reads %q", seen.Whisper)
	}
}

// TestAnIncidentThatIsNotToldAtFirst: it is announced with the first that is.
func TestAnIncidentThatIsNotToldAtFirst(t *testing.T) {
	o := roomsOf(t, "posts: {created: false, mitigated: false}, channel: {on: [chat]}")
	o.types("alice", "/incident new SEV1 the shop is slow", "#1 SEV1 started")
	own := o.m.Room(o.channel("inc-1-")).WaitCard("#1 the shop is slow")
	o.types("alice", "/incident mitigate #1", "mitigated")
	own.WaitText("mitigated")
	if n := len(o.m.Room("ops").Cards()); n != 0 {
		t.Errorf("%d are announced", n)
	}
	o.types("alice", "/incident resolve #1", "resolved")
	o.m.Room("ops").WaitCard("#1 the shop is slow").WaitText("resolved")
	own.WaitNote("resolved it")
}

// TestAChannelOnSlackFollowsItsIncident: its name, too, because channels there
// have no title, and it is archived, which Slack does not let a bot take back.
func TestAChannelOnSlackFollowsItsIncident(t *testing.T) {
	turned := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := slacktest.Start(t, slacktest.Options{Clock: turned})
	s.AddUser("alice")
	s.AddUser("bob")
	s.AddChannel("ops")
	s.AddGroup("oncall", "bob")
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), Clock: turned, File: file(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
default: {channels: [team/ops]}
incidents: {announce: [team/ops], channel: {on: [team], archive: 1h, invite: {always: [team/@oncall]}}}
`, s.URL(), s.Token(), s.SigningSecret()))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	s.CallAt("http://" + a.Address() + "/chat/team")
	types := func(line string) {
		t.Helper()
		if out := s.Type("alice", "ops", "/incident "+line); out.Failed != "" {
			t.Errorf("%q: %s", line, out.Failed)
		}
	}
	types("new SEV1 the shop is slow")
	// turn lets time pass until ok holds: calls to Slack are paced.
	turn := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
			turned.Advance(2 * time.Second)
			if time.Now().After(end) {
				t.Fatalf("it never came: %s; there are %q", what, s.ChannelNames())
			}
		}
	}
	named := func(name string) func() bool {
		return func() bool { return slices.Contains(s.ChannelNames(), name) }
	}
	turn("the channel", named("inc-1-the-shop-is-slow"))
	turn("alice, bob, a pin, and links", func() bool {
		c := s.Look("inc-1-the-shop-is-slow")
		return c.Members[s.UserID("alice")] && c.Members[s.UserID("bob")] && len(c.Pins) == 1 && len(c.Bookmarks) == 2 && strings.Contains(c.Topic, "SEV1 started")
	})
	types("rename #1 no orders")
	turn("another name", named("inc-1-no-orders"))
	s.Room("ops").WaitCard("#1 no orders").WaitShows("inc-1-no-orders")
	types("cancel #1 a false alarm")
	turn("the summary", func() bool { return len(s.Room("inc-1-no-orders").Cards()) == 2 })
	turned.Advance(2 * time.Hour)
	turn("it is archived", func() bool { return s.Look("inc-1-no-orders").Archived })
	types("reopen #1")
	var told string
	turn("who can open it is told", func() bool {
		for _, note := range s.Room("ops").Card("#1 no orders").Thread() {
			told += note.Text()
		}
		return strings.Contains(told, "by hand")
	})
}
