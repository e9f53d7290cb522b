// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
	"belfry/chat/console/consoletest"
	"belfry/fault"
	"belfry/seal"
	"belfry/store"
)

// staff makes Alice and Bob, and Carol, who is removed again.
func staff(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, name := range []string{chattest.Alice, chattest.Bob, chattest.Carol} {
		p, err := s.CreatePerson(t.Context(), store.Person{Name: name, Role: store.RoleMember})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = strconv.FormatInt(int64(p.ID), 10)
		if name == chattest.Carol {
			if err := s.RemovePerson(t.Context(), p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ids
}

// TestKeepsChannels holds the room to the contract of those that keep channels.
func TestKeepsChannels(t *testing.T) {
	chattest.RunKeeper(t, func(t *testing.T) *chattest.Keeper {
		s := openStore(t)
		room := consoletest.Open(t, s, &chattest.Recorder{})
		ids := staff(t, s)
		k := &chattest.Keeper{
			Keeper: room.Console, MaxTopic: 1024, MaxPurpose: 250, Titled: true, OwnLinks: true, Unarchives: true, Forgets: true,
			ID:      func(person string) string { return ids[person] },
			Unknown: "99999999999",
			Take: func(name string, archived bool) {
				if _, err := s.RoomOpen(t.Context(), store.RoomChannel{Name: name, Key: seal.Random()}); err != nil {
					t.Fatal(err)
				}
				if archived {
					if err := s.RoomArchive(t.Context(), name, true); err != nil {
						t.Fatal(err)
					}
				}
			},
			Lose: room.Storage.LoseAnswer, Fail: room.Storage.FailBefore,
			Say: func(channel string) chat.Ref {
				ref, err := room.Console.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: diskFull()})
				if err != nil {
					t.Fatal(err)
				}
				return ref
			},
		}
		k.PinOther = func(channel string) chat.Ref {
			ref := k.Say(channel)
			if err := s.RoomPin(t.Context(), channel, must(t, ref.Post), true); err != nil {
				t.Fatal(err)
			}
			return ref
		}
		k.Look = func(channel string) chattest.KeptChannel { return look(t, room, channel, ids[chattest.Alice]) }
		return k
	})
}

func must(t *testing.T, text string) alert.ID {
	t.Helper()
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return alert.ID(id)
}

// look is a channel as a member sees it; as nobody sees it, if that is allowed.
func look(t *testing.T, room *consoletest.Room, channel, viewer string) chattest.KeptChannel {
	t.Helper()
	c, err := room.Storage.RoomChannel(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	out := chattest.KeptChannel{Name: c.Name, Title: c.Title, Topic: c.Topic, RawTopic: c.Topic, Purpose: c.Purpose, RawPurpose: c.Purpose, Private: c.Private, Archived: !c.ArchivedAt.IsZero()}
	members, err := room.Storage.RoomMembers(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range members {
		out.Members = append(out.Members, strconv.FormatInt(int64(p.ID), 10))
	}
	head, err := room.Console.Head(t.Context(), chat.Actor{ID: viewer}, channel)
	if errors.Is(err, console.ErrNoChannel) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	out.Links = head.Links
	for _, p := range head.Pins {
		out.Pins = append(out.Pins, strconv.FormatInt(int64(p.ID), 10))
	}
	return out
}

// kept makes a channel.
func kept(t *testing.T, room *consoletest.Room, name string, private bool, members ...string) chat.Channel {
	t.Helper()
	c, err := room.Console.OpenChannel(t.Context(), chat.NewChannel{Key: seal.Random(), Name: name, Title: "The vault is open", Purpose: "about the vault", Private: private})
	if err != nil {
		t.Fatal(err)
	}
	if refused, err := room.Console.Invite(t.Context(), c.ID, members); err != nil || len(refused) != 0 {
		t.Fatal(refused, err)
	}
	return c
}

// clerk hears typed lines.
type clerk struct {
	*chattest.Recorder
	got []chat.Command
}

func (c *clerk) Command(_ context.Context, in chat.Command) chat.Answer {
	c.got = append(c.got, in)
	return chat.Answer{Whisper: "heard"}
}

// TestAPrivateChannelIsItsMembers: others neither see nor reach it, by any way,
// and are told the same as of a channel that is not there.
func TestAPrivateChannelIsItsMembers(t *testing.T) {
	s := openStore(t)
	rec := &chattest.Recorder{}
	k := &clerk{Recorder: rec}
	room := consoletest.Open(t, s, k)
	ids := staff(t, s)
	c := kept(t, room, "inc-7-vault", true, ids[chattest.Alice])
	alice, bob := chat.Actor{Connection: "room", ID: ids[chattest.Alice], Name: "alice"}, chat.Actor{Connection: "room", ID: ids[chattest.Bob], Name: "bob"}
	ref, err := room.Console.Post(t.Context(), chat.Post{Channel: c.ID, Key: seal.Random(), Message: diskFull()})
	if err != nil {
		t.Fatal(err)
	}
	id := must(t, ref.Post)
	lists := func(who chat.Actor) bool {
		all, err := room.Console.Channels(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Name == c.Name {
				return p.Private && p.Kept && p.Title == "The vault is open"
			}
		}
		return false
	}
	if !lists(alice) || lists(bob) || lists(chat.Actor{}) {
		t.Error("the list shows it to the wrong people")
	}
	if page, err := room.Console.Page(t.Context(), alice, c.Name, 0); err != nil || len(page.Open) != 1 {
		t.Errorf("alice: %+v, %v", page, err)
	}
	if card, err := room.Console.Card(t.Context(), alice, id); err != nil || card.ID != id {
		t.Errorf("alice: %+v, %v", card, err)
	}
	for _, who := range []chat.Actor{bob, {}, {ID: "0"}, {ID: "-1"}, {ID: "nonsense"}} {
		if _, err := room.Console.Page(t.Context(), who, c.Name, 0); !errors.Is(err, console.ErrNoChannel) {
			t.Errorf("%+v reads the page: %v", who, err)
		}
		if _, err := room.Console.Head(t.Context(), who, c.Name); !errors.Is(err, console.ErrNoChannel) {
			t.Errorf("%+v reads the head: %v", who, err)
		}
		if _, err := room.Console.Card(t.Context(), who, id); !errors.Is(err, console.ErrNoCard) {
			t.Errorf("%+v reads the card: %v", who, err)
		}
		if got := room.Console.Press(t.Context(), who, id, "ack"); !strings.Contains(got.Whisper, "no longer there") {
			t.Errorf("%+v presses: %+v", who, got)
		}
		for _, name := range []string{c.Name, "never-used"} {
			k.got = nil
			if got := room.Console.Line(t.Context(), who, name, "status"); got.Whisper != "heard" || len(k.got) != 1 || k.got[0].Channel != "" {
				t.Errorf("%+v types in %s: %+v, heard as %+v", who, name, got, k.got)
			}
		}
	}
	if room.Console.Line(t.Context(), alice, c.Name, "status"); k.got[len(k.got)-1].Channel != c.Name {
		t.Errorf("alice's line is heard as %+v", k.got)
	}
	if n := len(rec.Presses()); n != 0 {
		t.Errorf("%d presses of strangers were taken", n)
	}
	if room.Console.Press(t.Context(), alice, id, "ack"); len(rec.Presses()) != 1 {
		t.Error("alice's press was not taken")
	}
	members, err := room.Console.FindGroup(t.Context(), "~"+c.Name)
	if err != nil || len(members) != 1 || members[0] != alice {
		t.Errorf("its members: %+v, %v", members, err)
	}
}

// TestAnArchivedChannelIsReadable: and nothing else.
func TestAnArchivedChannelIsReadable(t *testing.T) {
	s := openStore(t)
	rec := &chattest.Recorder{}
	room := consoletest.Open(t, s, rec)
	ids := staff(t, s)
	c := kept(t, room, "inc-8", false)
	alice := chat.Actor{Connection: "room", ID: ids[chattest.Alice], Name: "alice"}
	post := func() (chat.Ref, error) {
		return room.Console.Post(t.Context(), chat.Post{Channel: c.ID, Key: seal.Random(), Message: diskFull()})
	}
	ref, err := post()
	if err != nil {
		t.Fatal(err)
	}
	if err := room.Console.Archive(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	_, err = post()
	permanent := func(what string, err error) {
		t.Helper()
		if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "archived") {
			t.Errorf("%s: %v", what, err)
		}
	}
	permanent("a post", err)
	permanent("an edit", room.Console.Update(t.Context(), ref, "", diskFull()))
	permanent("a topic", room.Console.Describe(t.Context(), c.ID, chat.Description{Topic: "x"}))
	permanent("a pin", room.Console.Pin(t.Context(), ref))
	permanent("a link", room.Console.Bookmark(t.Context(), c.ID, nil))
	_, err = room.Console.Invite(t.Context(), c.ID, []string{ids[chattest.Bob]})
	permanent("an invitation", err)
	if got := room.Console.Press(t.Context(), alice, must(t, ref.Post), "ack"); !strings.Contains(got.Whisper, "archived") || len(rec.Presses()) != 0 {
		t.Errorf("a press: %+v", got)
	}
	page, err := room.Console.Page(t.Context(), alice, c.Name, 0)
	if err != nil || len(page.Open) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	var b strings.Builder
	if err := console.WriteCard(&b, page.Open[0]); err != nil || strings.Contains(b.String(), "<button") || !strings.Contains(b.String(), "disk full on web01") {
		t.Errorf("%v %s", err, b.String())
	}
	if err := room.Console.Unarchive(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if err := room.Console.Update(t.Context(), ref, "", diskFull()); err != nil {
		t.Error(err)
	}
}

// TestChannelsOfOthersAreLeftAlone: those that a configuration or a route named
// are not Belfry's to keep, and their names are taken.
func TestChannelsOfOthersAreLeftAlone(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	if c := kept(t, room, consoletest.Channel, true); c.Name != consoletest.Channel+"-2" {
		t.Errorf("it became %+v", c)
	}
	for what, err := range map[string]error{
		"describe": room.Console.Describe(t.Context(), consoletest.Channel, chat.Description{Topic: "x"}),
		"archive":  room.Console.Archive(t.Context(), consoletest.Channel),
	} {
		if d, _ := fault.Of(err); d != fault.Permanent {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestWhatStandsAboveAChannelIsLiteral: titles come from monitoring.
func TestWhatStandsAboveAChannelIsLiteral(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	hostile := "<img src=x onerror=alert(1)> @channel **b** \u202ex"
	c, err := room.Console.OpenChannel(t.Context(), chat.NewChannel{Key: seal.Random(), Name: "inc-1", Title: hostile, Purpose: hostile})
	if err != nil {
		t.Fatal(err)
	}
	m := diskFull()
	m.Title = hostile
	ref, err := room.Console.Post(t.Context(), chat.Post{Channel: c.ID, Key: seal.Random(), Message: m})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{room.Console.Describe(t.Context(), c.ID, chat.Description{Topic: hostile, Purpose: hostile}), room.Console.Pin(t.Context(), ref),
		room.Console.Bookmark(t.Context(), c.ID, []chat.Link{{Text: hostile, URL: "https://wiki.example/?a=b&c"}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	head, err := room.Console.Head(t.Context(), chat.Actor{}, c.Name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := console.WriteHead(&b, head); err != nil {
		t.Fatal(err)
	}
	if html := b.String(); strings.Contains(html, "<img") || strings.Contains(html, "\u202e") || strings.Count(html, "&lt;img") != 5 || !strings.Contains(html, `href="https://wiki.example/?a=b&amp;c"`) {
		t.Error(html)
	}
}

// TestManyArchivedChannels: the list stays short, and the others can be read.
func TestManyArchivedChannels(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	for i := range console.MaxArchived + 2 {
		c := kept(t, room, "inc-"+strconv.Itoa(i+1), false)
		if err := room.Console.Archive(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	c := kept(t, room, "inc-open", false)
	if _, err := room.Console.Post(t.Context(), chat.Post{Channel: c.ID, Key: seal.Random(), Message: diskFull()}); err != nil {
		t.Fatal(err)
	}
	post(t, room, diskFull())
	list, err := room.Console.Channels(t.Context(), chat.Actor{})
	if err != nil || len(list) != console.MaxArchived+2 || list[0].Name != "inc-open" || list[1].Name != consoletest.Channel || !list[2].Archived {
		t.Errorf("%d channels, %v: %+v", len(list), err, list[:3])
	}
	for name, want := range map[string]bool{"inc-1": true, "inc-open": true, consoletest.Channel: true, "never-used": false} {
		if got, err := room.Console.Knows(t.Context(), chat.Actor{}, name); got != want || err != nil {
			t.Errorf("%s is known: %v, %v", name, got, err)
		}
	}
}
