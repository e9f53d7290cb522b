// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func carla() Person { return Person{Connection: "team", ID: "U3", Name: "carla"} }

// chatRoom is a channel as chat has it.
type chatRoom struct {
	private, archived, pinned bool
	name, title, topic        string
	in                        map[string]bool
	summaries                 int
}

// chatModel carries steps out as a courier does: each once for all orders that
// came before, by what is true then.
type chatModel struct {
	s       *Settings
	i       *Incident
	rooms   map[string]*chatRoom
	pending map[string]Step
	made    int
}

// changed orders what follows from a change.
func (m *chatModel) changed(before *Incident) {
	for _, s := range m.s.Steps(before, m.i) {
		m.pending[s.Connection+" "+string(s.Kind)] = s
	}
}

// learn is a change that chat told.
func (m *chatModel) learn(how func()) {
	before := m.i.Clone()
	how()
	m.changed(before)
}

// do carries a pending step out. wait is true when it is not yet time.
func (m *chatModel) do(t *rapid.T, key string, now time.Time) (wait bool) {
	s := m.pending[key]
	r, i := &m.s.Channel, m.i
	own, there := i.Own(s.Connection)
	room := m.rooms[s.Connection]
	if s.Kind != StepOpen && !there {
		t.Fatalf("step %s for a channel that is not there", key)
	}
	if there && own.Archived && s.Kind != StepArchive {
		delete(m.pending, key)
		return false
	}
	switch s.Kind {
	case StepOpen:
		if there || !i.Status.Open() {
			break
		}
		m.made++
		room = &chatRoom{private: r.Secluded(i), in: map[string]bool{}}
		room.name, room.title = r.Called(i, false)
		m.rooms[s.Connection] = room
		m.learn(func() {
			i.TakeChannel(Channel{Connection: s.Connection, ID: "c-" + s.Connection, Name: room.name, Public: !room.private}, now)
		})
	case StepInvite:
		people, handles := r.Guests(i, s.Connection)
		for _, p := range people {
			if p.Connection == s.Connection {
				room.in[p.ID] = true
			}
		}
		for _, h := range handles {
			room.in["@"+h] = true
		}
	case StepDescribe:
		room.topic = r.TopicOf(i, !i.Shows(own))
	case StepRename:
		room.name, room.title = r.Called(i, !i.Shows(own))
	case StepPin:
		if s.Card != own.ID {
			t.Fatalf("what is pinned is the card of %q", s.Card)
		}
		room.pinned = true
	case StepSummary:
		if i.Status.Over() {
			room.summaries++
			if at, ok := r.ArchiveAt(i); ok {
				m.pending[s.Connection+" archive"] = Step{Kind: StepArchive, Connection: s.Connection, At: at}
			}
		}
	case StepArchive:
		at, over := r.ArchiveAt(i)
		if _, due := m.pending[s.Connection+" summary"]; over && (due || at.After(now)) {
			return true
		}
		delete(m.pending, key)
		if over != room.archived && (over || !i.Status.Over()) {
			room.archived = over
			m.learn(func() { own.Archived = over; i.Keep(own, now) })
		}
		return false
	}
	delete(m.pending, key)
	return false
}

// TestChannelsFollowTheirIncidents drives incidents and what chat does with
// their steps at random. Whatever the order: in the end every channel is as its
// incident says, and there is one on each connection.
func TestChannelsFollowTheirIncidents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := settings()
		yes := rapid.Bool()
		s.Channel.On = []string{"chat", "team"}
		s.Channel.Rename, s.Channel.Pin = yes.Draw(rt, "rename"), yes.Draw(rt, "pin")
		s.Channel.Archive = rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(rt, "archive")
		s.Channel.Invite = InviteRules{Declarer: yes.Draw(rt, "declarer"), Roles: yes.Draw(rt, "roles"), Private: yes.Draw(rt, "guests in private"),
			Always: []string{"team/@oncall"}, Services: map[string][]string{"shop": {"chat/@shopkeepers"}}}
		s.Channel.PrivateFor = []string{"SEV1"}
		now := day()
		i, _, err := Declare(s, Declaration{Title: "the shop is slow", Private: rapid.IntRange(0, 4).Draw(rt, "private") == 0, By: anna()}, now)
		if err != nil {
			rt.Fatal(err)
		}
		i.Number, i.ID = 7, 1
		m := &chatModel{s: s, i: i, rooms: map[string]*chatRoom{}, pending: map[string]Step{}}
		m.changed(nil)
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { m.hides(rt) },
			"act": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 1800).Draw(rt, "later")) * time.Second)
				before := i.Clone()
				by := rapid.SampledFrom([]Person{anna(), bert(), carla()}).Draw(rt, "by")
				switch rapid.IntRange(0, 5).Draw(rt, "what") {
				case 0, 1:
					_, err = i.Move(rapid.SampledFrom(Acts()).Draw(rt, "act"), by, now, "")
				case 2:
					_, err = i.Rename(rapid.StringMatching("[w-z ]{1,9}").Draw(rt, "title"), by, now)
				case 3:
					_, err = i.SetSeverity(s, rapid.SampledFrom(s.SeverityNames()).Draw(rt, "severity"), by, now, "")
				case 4:
					_, err = i.Assign(s, "commander", rapid.SampledFrom([]Person{bert(), carla()}).Draw(rt, "who"), by, now)
				default:
					_, err = i.Set(s, "service", rapid.SampledFrom([]string{"", "shop", "mail relay"}).Draw(rt, "service"), by, now)
				}
				if err == nil {
					m.changed(before)
				}
			},
			"chat": func(rt *rapid.T) {
				if len(m.pending) > 0 {
					m.do(rt, rapid.SampledFrom(slices.Sorted(maps.Keys(m.pending))).Draw(rt, "step"), now)
				}
			},
		})
		for n := 0; len(m.pending) > 0; n++ {
			if n > 100 {
				rt.Fatalf("it does not end: %v", m.pending)
			}
			key := slices.Sorted(maps.Keys(m.pending))[n%len(m.pending)]
			if m.do(rt, key, now) {
				now = now.Add(time.Hour)
			}
		}
		m.stands(rt, now)
	})
}

// hides: the record knows at any time where everybody can read, so that what is
// private is not written there (see stands).
func (m *chatModel) hides(t *rapid.T) {
	for connection, room := range m.rooms {
		if own, _ := m.i.Own(connection); own.Public == room.private {
			t.Fatalf("the record takes the channel on %s for another: %+v", connection, own)
		}
	}
}

// stands compares what chat has with what the incident is.
func (m *chatModel) stands(t *rapid.T, now time.Time) {
	r, i := &m.s.Channel, m.i
	for _, connection := range r.On {
		own, there := i.Own(connection)
		room := m.rooms[connection]
		if !there {
			if i.Status.Open() || room != nil {
				t.Fatalf("an open incident has no channel on %s", connection)
			}
			continue
		}
		at, over := r.ArchiveAt(i)
		if room.archived != own.Archived || room.archived != (over && !at.After(now)) {
			t.Errorf("archived is %v, and should be after %v, which is %v", room.archived, at, over)
		}
		if i.Status.Over() && room.summaries == 0 {
			t.Error("it has no closing summary")
		}
		if room.archived {
			continue // what came after that changes it no more
		}
		if room.pinned != r.Pin {
			t.Errorf("pinned: %v", room.pinned)
		}
		hidden := !i.Shows(own)
		if got, want := room.topic, r.TopicOf(i, hidden); got != want || hidden && strings.Contains(got, i.Title) {
			t.Errorf("the topic is %q, not %q", got, want)
		}
		if name, title := r.Called(i, hidden); (r.Rename || hidden) && (room.name != name || room.title != title) {
			t.Errorf("it is called %q %q, not %q %q", room.name, room.title, name, title)
		}
		people, handles := r.Guests(i, connection)
		for _, p := range people {
			if p.Connection == connection && !room.in[p.ID] {
				t.Errorf("%s is not in", p.Name)
			}
		}
		for _, h := range handles {
			if !room.in["@"+h] {
				t.Errorf("@%s is not in", h)
			}
		}
	}
	if m.made > len(r.On) {
		t.Errorf("%d channels were made", m.made)
	}
}

func TestTemplatesOfChannels(t *testing.T) {
	s := settings()
	i := &Incident{Number: 42, Title: "Störung: the shop's very slow — again, and again, and again", Severity: "SEV1", Status: Started, CreatedAt: day(), Roles: map[string]Person{}}
	r := DefaultChannelRules()
	name, title := r.Called(i, false)
	if name != "inc-42-storung-the-shop-s-very-slow-again-and" || title != "#42 "+i.Title {
		t.Errorf("%q %q", name, title)
	}
	for template, want := range map[string]string{
		r.Topic: "SEV1 started · " + i.Title, "{service} · {title} · x": i.Title + " · x", "{date} {kind}{number}": "2026-03-14 42", "{commander}": "",
	} {
		if got := i.fill(template, false); got != want {
			t.Errorf("%q: %q, not %q", template, got, want)
		}
	}
	i.Roles["commander"] = anna()
	if got := r.TopicOf(i, false); got != "SEV1 started · "+i.Title+" · commander: anna" {
		t.Errorf("%q", got)
	}
	if name, title := r.Called(i, true); name != "inc-42-private" || title != "#42 private" || strings.Contains(r.TopicOf(i, true), "shop") {
		t.Errorf("hidden: %q %q %q", name, title, r.TopicOf(i, true))
	}
	i.Title = "网店很慢"
	if name, _ := r.Called(i, false); name != "inc-42" {
		t.Errorf("%q", name)
	}
	r.Name = "{slug}"
	if name, _ := r.Called(i, false); name != "incident-42" {
		t.Errorf("%q", name)
	}
	for template, want := range map[string]string{
		"{number} {commander} {date}": "", "{colour}": "there is no {colour}; there are {number}, {slug}", "{number": "stands alone", strings.Repeat("x", 201): "201 characters",
	} {
		err := s.CheckTemplate(template)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func TestGuests(t *testing.T) {
	i := &Incident{CreatedBy: anna(), People: []Person{anna(), bert(), carla()}, Roles: map[string]Person{"commander": bert()}, Services: []string{"shop"}}
	r := ChannelRules{Invite: InviteRules{Always: []string{"chat/@oncall", "team/@ops"}, Services: map[string][]string{"shop": {"chat/@oncall", "chat/@keepers"}, "mail": {"chat/@post"}}}}
	for _, x := range []struct {
		change  func()
		people  []Person
		handles []string
	}{
		{func() {}, []Person{carla()}, []string{"oncall", "keepers"}},
		{func() { r.Invite.Roles = true }, []Person{bert(), carla()}, []string{"oncall", "keepers"}},
		{func() { r.Invite.Declarer = true }, []Person{anna(), bert(), carla()}, []string{"oncall", "keepers"}},
		{func() { i.Private = true }, []Person{anna(), bert(), carla()}, nil},
		{func() { r.Invite.Private = true }, []Person{anna(), bert(), carla()}, []string{"oncall", "keepers"}},
	} {
		x.change()
		people, handles := r.Guests(i, "chat")
		if diff := cmp.Diff(x.people, people) + cmp.Diff(x.handles, handles); diff != "" {
			t.Error(diff)
		}
	}
}

// TestAPublicParentKeepsASecret: the title of a private part is not in the
// timeline that everybody reads.
func TestAPublicParentKeepsASecret(t *testing.T) {
	for _, x := range []struct {
		parent, sub bool
		want        string
	}{{false, false, "a leak"}, {false, true, ""}, {true, true, "a leak"}} {
		parent := &Incident{Number: 1, Private: x.parent}
		e, err := parent.Part(&Incident{Number: 2, Title: "a leak", Private: x.sub}, anna(), day())
		if err != nil || e.Is != x.want || e.Other != 2 {
			t.Errorf("%+v: %+v, %v", x, e, err)
		}
	}
}
