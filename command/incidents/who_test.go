// SPDX-License-Identifier: Apache-2.0

package incidents_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/fault"
	"belfry/incident"
	"belfry/people"
	"belfry/store"
)

// staffed is a booth whose chat is a real room with people in it, and whose
// people have accounts on "other", too.
type staffed struct {
	*booth
	people map[string]chat.Actor
	// down is what looking people up leads to; nil: it works.
	down error
	// asked counts the look-ups.
	asked int
}

// FindPeople asks the room, unless it is down.
func (s *staffed) FindPeople(ctx context.Context, names []string) ([]chat.Found, error) {
	s.asked++
	if errors.Is(s.down, errSilent) {
		<-ctx.Done()
		return nil, fault.NewRetry(ctx.Err())
	}
	if s.down != nil {
		return nil, s.down
	}
	return s.room().FindPeople(ctx, names)
}

func (s *staffed) FindGroup(ctx context.Context, name string) ([]chat.Actor, error) {
	return s.room().FindGroup(ctx, name)
}

var errSilent = errors.New("the platform does not answer")

func (s *staffed) room() *console.Room {
	s.t.Helper()
	room, err := console.Open(console.Options{Name: "chat", Storage: s.store})
	if err != nil {
		s.t.Fatal(err)
	}
	return room
}

func newStaffed(t *testing.T) *staffed {
	t.Helper()
	s := &staffed{booth: newBooth(t), people: map[string]chat.Actor{}}
	for _, name := range []string{"anna", "bert", "carl"} {
		p, err := s.store.CreatePerson(t.Context(), store.Person{Name: name, Role: store.RoleResponder})
		if err != nil {
			t.Fatal(err)
		}
		s.people[name] = chat.Actor{Connection: "chat", ID: strconv.FormatInt(int64(p.ID), 10), Name: name}
		if err := s.store.Link(t.Context(), store.Identity{Connection: "other", UserID: "U-" + name, Name: name + ".x", Person: p.ID}); err != nil {
			t.Fatal(err)
		}
	}
	all := people.New(s.store, sealer(t), "https://belfry.example", s.clock)
	all.Apply([]people.Connection{{Name: "chat", Room: true}, {Name: "other"}, {Name: "third"}})
	s.Commands.People = all
	s.Commands.Directory = func(connection string) chat.Directory {
		if connection == "third" {
			return nil
		}
		return s
	}
	return s
}

// as types a line as somebody with an account on chat.
func (s *staffed) as(name, line string, mentions map[string]string) string {
	return read(s.Command(context.Background(), chat.Command{Actor: s.people[name], Channel: "town", Word: "incident", Text: line, Mentions: mentions}))
}

func (s *staffed) incident(number int64) *incident.Incident {
	s.t.Helper()
	i, err := s.store.Incident(context.Background(), number)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func (s *staffed) reads(got string, wants ...string) {
	s.t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			s.t.Errorf("want %q in\n%s", want, got)
		}
	}
}

// TestWhoIsNamedIsAnAccount: roles, tasks and invitations are about accounts.
func TestWhoIsNamedIsAnAccount(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new the shop is slow", nil)
	s.reads(s.as("anna", "assign #1 commander @Bert", nil), "You made bert commander.")
	s.reads(s.as("anna", "task #1 @bert in 2h call the provider", nil), "for bert")
	s.reads(s.as("anna", "assign #1 scribe me", nil), "scribe")
	s.reads(s.as("anna", "invite #1 @carl, @bert", nil), "carl")
	i := s.incident(1)
	bert := incident.Person(s.people["bert"])
	if i.Roles["commander"] != bert || i.Tasks[0].Owner != bert || i.Roles["scribe"] != incident.Person(s.people["anna"]) || !i.Takes(incident.Person(s.people["carl"])) {
		t.Errorf("%+v %+v", i.Roles, i.People)
	}
	if s.asked != 3 {
		t.Errorf("chat was asked %d times", s.asked)
	}
}

// TestWhoIsMentionedIsMeant: whom the platform takes a word for counts, even where
// who types is called so, too.
func TestWhoIsMentionedIsMeant(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new the shop is slow", nil)
	s.as("anna", "assign #1 commander @anna", map[string]string{"anna": s.people["bert"].ID})
	if got := s.incident(1).Roles["commander"]; got != incident.Person(s.people["bert"]) {
		t.Errorf("the commander is %+v", got)
	}
	s.as("anna", "assign #1 commander @Anna", nil)
	if got := s.incident(1).Roles["commander"]; got != incident.Person(s.people["anna"]) {
		t.Errorf("the commander is %+v", got)
	}
}

// TestNobodyIsRefused: an unknown handle changes nothing, and it is said what to do.
func TestNobodyIsRefused(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new the shop is slow", nil)
	before := s.incident(1).Revision
	for _, line := range []string{"assign #1 commander @nobody", "task #1 @nobody call", "followup #1 @nobody call"} {
		s.reads(s.as("anna", line, nil), "@nobody is nobody who can sign in", "Nothing was changed", "Write @ and the handle")
	}
	if got := s.incident(1); got.Revision != before {
		t.Errorf("something was changed: %+v", got)
	}
	s.reads(s.as("anna", "invite #1 @nobody @carl @none", nil), "@nobody is nobody", "@none is nobody", "carl")
	if !s.incident(1).Takes(incident.Person(s.people["carl"])) {
		t.Error("carl was not invited because of the others")
	}
}

// TestWhoIsMentionedCounts: the platform's id counts.
func TestWhoIsMentionedCounts(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new the shop is slow", nil)
	s.reads(s.as("anna", "assign #1 commander @the-boss", map[string]string{"the-boss": s.people["bert"].ID}), "You made bert commander.")
	if got := s.incident(1).Roles["commander"]; got != incident.Person(s.people["bert"]) {
		t.Errorf("%+v", got)
	}
	s.reads(s.as("anna", "assign #1 scribe @boss", map[string]string{"boss": "99"}), "@boss is nobody")
	// Chat is down: its own word for who is meant still counts.
	s.down = fault.NewRetry(errors.New("down"))
	if got := s.as("anna", "assign #1 scribe @bert", map[string]string{"bert": s.people["bert"].ID}); strings.Contains(got, "could not ask") {
		t.Error(got)
	}
	if got := s.incident(1).Roles["scribe"]; got != incident.Person(s.people["bert"]) {
		t.Errorf("%+v", got)
	}
}

// TestChatIsDown: the act is done with the name as typed, and that is said, in time.
func TestChatIsDown(t *testing.T) {
	for _, down := range []error{fault.NewRetry(errors.New("no answer")), errSilent} {
		s := newStaffed(t)
		s.as("anna", "new the shop is slow", nil)
		s.down = down
		s.reads(s.as("anna", "assign #1 commander @Bert", nil), "You made bert commander.", "I could not ask chat")
		if got := s.incident(1).Roles["commander"]; got != (incident.Person{Connection: "chat", Name: "bert"}) {
			t.Errorf("%+v", got)
		}
	}
}

// TestANameThatWasKeptWhileChatWasDownOpensNothingPrivate: whoever is called so may
// be somebody else. Said again, the account takes the name's place.
func TestANameThatWasKeptWhileChatWasDownOpensNothingPrivate(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new "+s.settings.Severities[0].Name+" the vault is open", nil)
	s.down = fault.NewRetry(errors.New("no answer"))
	s.reads(s.as("anna", "assign #1 commander @bert", nil), "You made bert commander.", "A name alone opens nothing that is private")
	s.reads(s.as("anna", "invite #1 @carl", nil), "carl")
	s.down = nil
	for _, who := range []chat.Actor{{Connection: "chat", ID: "999", Name: "bert"}, {Connection: "chat", ID: "998", Name: "carl"}, s.people["bert"], s.people["carl"]} {
		for _, line := range []string{"status #1", "list", "timeline #1", "resolve #1"} {
			if got := s.says(who, "town", line); strings.Contains(got, "vault") || strings.Contains(got, "esolved") {
				t.Errorf("%+v is let in by the name: %s", who, got)
			}
		}
	}
	s.reads(s.as("anna", "assign #1 commander @bert", nil), "You made bert commander.")
	s.reads(s.as("anna", "invite #1 @carl", nil), "carl")
	for _, name := range []string{"bert", "carl"} {
		s.reads(s.as(name, "status #1", nil), "the vault is open")
	}
	if got := s.says(chat.Actor{Connection: "chat", ID: "999", Name: "bert"}, "town", "status #1"); strings.Contains(got, "vault") {
		t.Error(got)
	}
	if i := s.incident(1); len(i.People) != 3 || i.Roles["commander"] != incident.Person(s.people["bert"]) {
		t.Errorf("%+v %+v", i.People, i.Roles)
	}
}

// TestSomebodyOnAnotherPlatform: who has no account here is found by their
// name in Belfry, with the account that they have.
func TestSomebodyOnAnotherPlatform(t *testing.T) {
	s := newStaffed(t)
	anna := chat.Actor{Connection: "third", ID: "3", Name: "anna"}
	if err := s.store.Link(t.Context(), store.Identity{Connection: "third", UserID: "3", Name: "anna", Person: mustID(t, s.people["anna"].ID)}); err != nil {
		t.Fatal(err)
	}
	s.Commands.Directory = func(string) chat.Directory { return nobodyHere{s} }
	s.as("bert", "new the shop is slow", nil)
	s.reads(s.says(anna, "town", "assign #1 commander @bert"), "commander")
	if got := s.incident(1).Roles["commander"]; got != (incident.Person{Connection: "other", ID: "U-bert", Name: "bert.x"}) {
		t.Errorf("%+v", got)
	}
}

// nobodyHere is a platform on which only anna has an account.
type nobodyHere struct{ *staffed }

func (n nobodyHere) FindPeople(_ context.Context, names []string) ([]chat.Found, error) {
	out := make([]chat.Found, len(names))
	for i, name := range names {
		out[i] = chat.Found{Asked: name, Why: "is not known on this server"}
	}
	return out, nil
}

// TestAPrivateIncidentFromAnotherPlatform: who takes part in it by one account
// sees it by all; others by none.
func TestAPrivateIncidentFromAnotherPlatform(t *testing.T) {
	s := newStaffed(t)
	s.as("anna", "new "+s.settings.Severities[0].Name+" the vault is open", nil)
	if !s.incident(1).Private {
		t.Fatal("it is not private")
	}
	s.reads(s.says(chat.Actor{Connection: "other", ID: "U-anna", Name: "anna.x"}, "town", "status #1"), "the vault is open")
	s.reads(s.says(chat.Actor{Connection: "other", ID: "U-anna", Name: "anna.x"}, "town", "list"), "the vault is open")
	for _, who := range []chat.Actor{{Connection: "other", ID: "U-bert", Name: "anna"}, {Connection: "other", ID: "U-nobody", Name: "anna"}} {
		if got := s.says(who, "town", "status #1"); strings.Contains(got, "vault") {
			t.Errorf("%+v sees %s", who, got)
		}
	}
}

func mustID(t *testing.T, text string) alert.ID {
	t.Helper()
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return alert.ID(id)
}
