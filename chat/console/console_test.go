// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
	"belfry/chat/console/consoletest"
	"belfry/fault"
	"belfry/seal"
	"belfry/store"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openStore returns a real store in a directory of its own.
func openStore(t *testing.T) *store.Store {
	t.Helper()
	return opentest.Open(t, store.Options{})
}

func TestContract(t *testing.T) {
	chattest.Run(t, func(t *testing.T, r chat.Responder) *chattest.Harness {
		s := openStore(t)
		room := consoletest.Open(t, s, r)
		// A channel that can be archived is one that Belfry made.
		if _, err := s.RoomOpen(t.Context(), store.RoomChannel{Name: consoletest.Channel, Key: seal.Random()}); err != nil {
			t.Fatal(err)
		}
		return &chattest.Harness{
			Platform: room.Console, Connection: "room", Channel: consoletest.Channel,
			Now: time.Now, Room: room,
			Faults: chattest.Faults{
				RateLimit: room.Storage.RateLimit, LoseAnswer: room.Storage.LoseAnswer,
				FailBefore: room.Storage.FailBefore, FailAfter: room.Storage.FailAfter,
				Archive: func() {
					if err := room.Console.Archive(t.Context(), consoletest.Channel); err != nil {
						t.Fatal(err)
					}
				},
				Slow: room.Storage.Slow, Down: room.Storage.Down,
			},
			Without: map[string]string{"Revoke": "the room is part of Belfry: there is no token between them"},
		}
	})
}

func post(t *testing.T, room *consoletest.Room, m chat.Message) chat.Ref {
	t.Helper()
	ref, err := room.Console.Post(t.Context(), chat.Post{Channel: consoletest.Channel, Key: seal.Random(), Message: m})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func diskFull() chat.Message {
	return chat.Message{Color: "#cc0000", State: "CRITICAL", Title: "disk full on web01", Summary: "CRITICAL: disk full", Open: true,
		Buttons: []chat.Button{{Action: "ack", Label: "Acknowledge", Style: chat.StylePrimary, Token: "the.secret-token"}}}
}

func TestClickReachesTheResponderWithTheStoredToken(t *testing.T) {
	rec := &chattest.Recorder{OnPress: func(chat.Press) chat.Answer { return chat.Answer{Whisper: "thank you"} }}
	room := consoletest.Open(t, openStore(t), rec)
	post(t, room, diskFull())
	if got := room.Card("disk full").As(chattest.Bob).Click("Acknowledge"); got.Whisper != "thank you" {
		t.Errorf("bob sees %+v", got)
	}
	presses := rec.Presses()
	if len(presses) != 1 || presses[0].Token != "the.secret-token" || presses[0].Actor.Name != chattest.Bob {
		t.Errorf("the responder got %+v", presses)
	}
}

func TestTokensAndStatesStayOnTheServer(t *testing.T) {
	rec := &chattest.Recorder{OnPress: func(chat.Press) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Acknowledge", State: "the.secret-state", Fields: []chat.Field{{Name: "comment", Label: "Comment"}}}}
	}}
	room := consoletest.Open(t, openStore(t), rec)
	ref := post(t, room, diskFull())
	page, err := room.Console.Page(t.Context(), chat.Actor{}, consoletest.Channel, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range page.Open {
		if err := console.WriteCard(&b, c); err != nil {
			t.Fatal(err)
		}
	}
	actor := chat.Actor{ID: "11", Name: "alice"}
	reply := room.Console.Press(t.Context(), actor, page.Open[0].ID, "ack")
	if reply.Form == nil {
		t.Fatalf("no form for %+v: %+v", ref, reply)
	}
	if err := console.WriteForm(&b, *reply.Form, nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "secret") || !strings.Contains(b.String(), "Comment") {
		t.Errorf("what the browser gets:\n%s", b.String())
	}
}

func TestAFormBelongsToThePersonItWasOpenedFor(t *testing.T) {
	rec := &chattest.Recorder{OnPress: func(chat.Press) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Acknowledge", State: "s", Fields: []chat.Field{{Name: "comment", Label: "Comment", MaxLength: 5}}}}
	}}
	room := consoletest.Open(t, openStore(t), rec)
	post(t, room, diskFull())
	page, err := room.Console.Page(t.Context(), chat.Actor{}, consoletest.Channel, 0)
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := chat.Actor{ID: "11", Name: "alice"}, chat.Actor{ID: "12", Name: "bob"}
	form := room.Console.Press(t.Context(), alice, page.Open[0].ID, "ack").Form
	ok := map[string]string{"comment": "fine", "other": "not asked for"}
	if reply := room.Console.Submit(t.Context(), bob, form.ID, ok, false); reply.Whisper == "" || len(rec.Submits()) != 0 {
		t.Errorf("bob submitted alice's form: %+v", reply)
	}
	for _, bad := range []string{"", "   ", "too long"} {
		reply := room.Console.Submit(t.Context(), alice, form.ID, map[string]string{"comment": bad}, false)
		if reply.Form == nil || reply.Errors["comment"] == "" || len(rec.Submits()) != 0 {
			t.Errorf("%q was taken: %+v", bad, reply)
		}
	}
	room.Console.Submit(t.Context(), alice, form.ID, ok, false)
	if got := rec.Submits(); len(got) != 1 || len(got[0].Values) != 1 || got[0].Values["comment"] != "fine" {
		t.Errorf("the responder got %+v", got)
	}
	if reply := room.Console.Submit(t.Context(), alice, form.ID, ok, false); reply.Whisper == "" || len(rec.Submits()) != 1 {
		t.Errorf("a form was submitted twice: %+v", reply)
	}
}

func TestOpenProblemsAreApartFromWhatIsOver(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	ref := post(t, room, diskFull())
	over := diskFull()
	over.Open, over.Buttons, over.State = false, nil, "OK"
	post(t, room, over)
	pending := diskFull()
	pending.Buttons = nil
	if err := room.Console.Update(t.Context(), ref, "", pending); err != nil {
		t.Fatal(err)
	}
	page, err := room.Console.Page(t.Context(), chat.Actor{}, consoletest.Channel, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Open) != 1 || len(page.Over) != 1 || page.Over[0].State() != "OK" {
		t.Errorf("open: %+v, over: %+v", page.Open, page.Over)
	}
}

func TestListenersHearOfCardsAndNotes(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	start := room.Console.Position()
	sub, ok, err := room.Console.Subscribe(start)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer sub.Close()
	ref := post(t, room, diskFull())
	if _, err := room.Console.Post(t.Context(), chat.Post{Channel: consoletest.Channel, Thread: &ref, Key: seal.Random(),
		Message: chat.Message{Summary: "a note"}}); err != nil {
		t.Fatal(err)
	}
	first, second := <-sub.Changes(), <-sub.Changes()
	if first.Card != second.Card || first.Position == second.Position || first.Channel != consoletest.Channel {
		t.Errorf("heard %+v and %+v", first, second)
	}
	// A page that lost its connection after the first change misses nothing.
	again, ok, err := room.Console.Subscribe(first.Position)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer again.Close()
	if got := <-again.Changes(); got != second {
		t.Errorf("after coming back heard %+v, not %+v", got, second)
	}
	for _, unknown := range []string{"", "x", "other-1", start + "9", "-1"} {
		if _, ok, _ := room.Console.Subscribe(unknown); ok {
			t.Errorf("the position %q is known", unknown)
		}
	}
}

func TestASlowListenerIsToldToReadAnew(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	sub, _, err := room.Console.Subscribe(room.Console.Position())
	if err != nil {
		t.Fatal(err)
	}
	ref := post(t, room, diskFull())
	for range 300 {
		if err := room.Console.Update(t.Context(), ref, "", diskFull()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for range sub.Changes() { // ends: the channel was closed
		n++
	}
	if n == 0 || n > 256 {
		t.Errorf("a slow listener still heard %d changes", n)
	}
	sub.Close()
}

func TestOnlyConfiguredChannels(t *testing.T) {
	s := openStore(t)
	anyName, err := console.Open(console.Options{Name: "room", Storage: s})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fault.Decision{
		"db-team": fault.None, strings.Repeat("a", 64): fault.None, strings.Repeat("a", 65): fault.Permanent,
		"": fault.Permanent, "Ops": fault.Permanent, "a b": fault.Permanent, "../x": fault.Permanent, "ö": fault.Permanent,
	} {
		_, err := anyName.Post(t.Context(), chat.Post{Channel: name, Key: seal.Random(), Message: diskFull()})
		if got, _ := fault.Of(err); got != want {
			t.Errorf("posting to %q: %v (%v), not %v", name, got, err, want)
		}
	}
	if faults := (&console.Config{Channels: []string{"ops", "No"}}).Validate(); len(faults) != 1 {
		t.Errorf("faults: %v", faults)
	}
	if _, err := console.Open(console.Options{Name: "room", Storage: s, Channels: []string{"No"}}); err == nil {
		t.Error("a room with a channel of no valid name opened")
	}
}

func TestPressesThatLeadNowhereSaySo(t *testing.T) {
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	actor := chat.Actor{ID: "11", Name: "alice"}
	ref := post(t, room, diskFull())
	page, err := room.Console.Page(t.Context(), chat.Actor{}, consoletest.Channel, 0)
	if err != nil {
		t.Fatal(err)
	}
	id := page.Open[0].ID
	for what, press := range map[string]func() console.Reply{
		"a button that is gone": func() console.Reply { return room.Console.Press(t.Context(), actor, id, "unack") },
		"a card that never was": func() console.Reply { return room.Console.Press(t.Context(), actor, 1, "ack") },
		"a form that never was": func() console.Reply { return room.Console.Submit(t.Context(), actor, "x", nil, false) },
	} {
		if got := press(); got.Whisper == "" {
			t.Errorf("%s: %+v", what, got)
		}
	}
	room.Delete(ref)
	if got := room.Console.Press(t.Context(), actor, id, "ack"); got.Whisper == "" {
		t.Errorf("a deleted card: %+v", got)
	}
	if _, err := room.Console.Card(context.Background(), chat.Actor{}, id); err == nil {
		t.Error("a deleted card is shown")
	}
}
