// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strconv"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
	"belfry/chat/console/consoletest"
	"belfry/seal"
)

// TestMessagesOfAnIncidentsChannelAreKept: by buttons that stand there and
// nowhere else, on cards and on their notes.
func TestMessagesOfAnIncidentsChannelAreKept(t *testing.T) {
	scribe := &chattest.Scribe{}
	room := consoletest.Open(t, openStore(t), scribe)
	card := post(t, room, diskFull())
	note, err := room.Console.Post(t.Context(), chat.Post{Channel: consoletest.Channel, Key: seal.Random(), Thread: &card,
		Message: chat.Message{Lines: []chat.Line{{{Text: "anna"}, {Text: " acknowledged <b>it</b>"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	actor := chat.Actor{Connection: "room", ID: "11", Name: "alice"}
	shown := func() string {
		t.Helper()
		c, err := room.Console.Card(t.Context(), actor, idOf(t, card))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := console.WriteCard(&b, c); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if html := shown(); strings.Contains(html, "keep.") {
		t.Errorf("in any channel there is %s", html)
	}
	scribe.Own(consoletest.Channel)
	if n := strings.Count(shown(), `value="keep.task"`); n != 2 {
		t.Errorf("%d buttons keep the card and its note: %s", n, shown())
	}
	press := func(ref chat.Ref, action, want string) {
		t.Helper()
		if got := room.Console.Press(t.Context(), actor, idOf(t, ref), action); !strings.Contains(got.Whisper, want) {
			t.Errorf("%s: %+v", action, got)
		}
	}
	press(note, "keep.timeline", "kept as timeline")
	press(note, "keep.timeline", "stands in the record already")
	press(card, "keep.task", "kept as task")
	scribe.Fail(1)
	press(card, "keep.followup", "could not keep")
	kept := scribe.Kept()
	if len(kept) != 2 || kept[0].Message.Text != "anna acknowledged <b>it</b>" || kept[1].Message.Text != "CRITICAL: disk full" || kept[0].Actor != actor {
		t.Fatalf("%+v", kept)
	}
	if q := kept[0].Message; q.Author.Name != "Belfry" || q.Author.ID != "" || q.At.IsZero() || q.Ref != note || q.Link != "https://belfry.example/?channel="+consoletest.Channel+"#card-"+card.Post {
		t.Errorf("%+v", q)
	}
	plain := consoletest.Open(t, openStore(t), &chattest.Recorder{}) // nobody keeps anything here
	other := post(t, plain, diskFull())
	if got := plain.Console.Press(t.Context(), actor, idOf(t, other), "keep.task"); !strings.Contains(got.Whisper, "changed since") {
		t.Errorf("%+v", got)
	}
}

func idOf(t *testing.T, ref chat.Ref) alert.ID {
	t.Helper()
	id, err := strconv.ParseInt(ref.Post, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return alert.ID(id)
}
