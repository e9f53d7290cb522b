// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"

	"github.com/google/go-cmp/cmp"
)

func (d *desk) expect(t *testing.T, want ...string) {
	t.Helper()
	d.Idle()
	if got := d.done(); !slices.Equal(got, want) {
		t.Errorf("done: %q, want %q", got, want)
	}
}

// TestWhoIsMentioned: Slack's own ids of those who are mentioned go with the
// line, by command and by message.
func TestWhoIsMentioned(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		bob, alice := d.fake.UserID("bob"), d.fake.UserID("alice")
		got := make(chan chat.Command, 9)
		d.answer = func(c chat.Command) chat.Answer { got <- c; return chat.Answer{} }
		for _, x := range []struct {
			do   func()
			text string
			want map[string]string
		}{
			{func() { d.fake.Type("alice", "ops", "/belfry invite @bob and #ops, not @nobody <@"+bob+"|eve>") },
				"invite @bob and #ops, not @nobody <@" + bob + "|eve>", map[string]string{"bob": bob}},
			{func() {
				d.fake.Say("alice", "ops", "<@"+slacktest.BotUser+"> invite <@"+bob+"> <@"+alice+"|Anna Huber>", "")
			},
				"invite @" + bob + " @" + alice, map[string]string{strings.ToLower(bob): bob, strings.ToLower(alice): alice}},
		} {
			x.do()
			d.Idle()
			c := <-got
			if diff := cmp.Diff(x.want, c.Mentions); diff != "" || c.Text != x.text {
				t.Errorf("%q %s", c.Text, diff)
			}
		}
	})
}

func TestSlashCommands(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		out := d.fake.Type("alice", "ops", "/belfry ack web01 <on it> & away")
		if out.Failed != "" || out.Answer == nil || !strings.Contains(out.Answer.Text, "heard ack web01 <on it> & away") {
			t.Fatalf("%+v", out)
		}
		d.answer = func(chat.Command) chat.Answer {
			return chat.Answer{Reply: &chat.Message{Title: "Problems", Table: &chat.Table{Head: []string{"#", "Object"}, Rows: [][]chat.Line{{{{Text: "7"}}, {{Text: "web01 <!channel>"}}}}}}}
		}
		out = d.fake.Type("alice", "ops", "/belfry problems")
		if out.Answer == nil || !strings.Contains(out.Answer.Text, "web01 <!channel>") || len(out.Answer.Rings) != 0 {
			t.Errorf("%+v", out)
		}
		d.answer = func(chat.Command) chat.Answer { return chat.Answer{} }
		if out = d.fake.Type("bob", "ops", "/belfry ack 7"); out.Failed != "" || out.Answer != nil {
			t.Errorf("%+v", out)
		}
		d.expect(t, "alice: ack web01 <on it> & away", "alice: problems", "bob: ack 7")
	})
}

// TestALongAnswerFitsThroughTheSocket: Slack drops acknowledgements of 20 KB
// and more without a word.
func TestALongAnswerFitsThroughTheSocket(t *testing.T) {
	d := openDesk(t, true)
	d.answer = func(chat.Command) chat.Answer {
		table := &chat.Table{Head: []string{"#", "Object", "State", "Since"}}
		for range 95 {
			table.Rows = append(table.Rows, []chat.Line{{{Text: "7"}}, {{Text: strings.Repeat("o", 20)}}, {{Text: "CRITICAL"}}, {{Text: "now"}}})
		}
		return chat.Answer{Reply: &chat.Message{Title: "Problems", Table: table}}
	}
	out := d.fake.Type("alice", "ops", "/belfry problems")
	if out.Failed != "" {
		t.Fatalf("%+v", out)
	}
	if out.Answer != nil {
		t.Fatal("the answer went through the socket: it is too short to show anything")
	}
	if w := d.fake.WaitWhisper("alice", "CRITICAL"); w.By != "response_url" {
		t.Errorf("%+v", w)
	}
}

func TestACommandThatAsksForAForm(t *testing.T) {
	d := openDesk(t, false)
	d.answer = func(chat.Command) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Mute", State: "s", Fields: []chat.Field{{Name: "why", Label: "Why"}}}}
	}
	if out := d.fake.Type("alice", "ops", "/belfry mute"); out.Form == nil || out.Form.Title() != "Mute" {
		t.Errorf("%+v", out)
	}
}

func TestReactionsAcknowledge(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		d.card.React("alice", "white_check_mark")
		d.Idle()
		d.card.React("alice", "white_check_mark::skin-tone-3")
		d.Idle()
		d.card.React("alice", "tada")
		d.card.React("bob", "x")
		d.Idle()
		d.card.Unreact("bob", "x")
		d.card.Unreact("alice", "white_check_mark")
		d.expect(t, "alice ack", "alice ack", "bob unack", "alice unack (withdrawn)")
	})
}

func TestReactionsElsewhereDoNothing(t *testing.T) {
	d := openDesk(t, false)
	ts := d.fake.PostAs("bob", "ops", "good morning", "")
	d.fake.Room("ops").At(ts).React("alice", "white_check_mark")
	d.fake.Room("ops").At(ts).React(slacktest.Bot, "white_check_mark")
	d.card.React(slacktest.Bot, "white_check_mark")
	d.expect(t)
}

// TestAReactionThatIsFasterThanUs: a card can be reacted to before its place
// is written down.
func TestAReactionThatIsFasterThanUs(t *testing.T) {
	d := openDesk(t, false)
	ref := chat.Ref{Channel: d.card.Message().Channel, Post: d.card.ID()}
	d.mu.Lock()
	d.open[ref] = false
	d.mu.Unlock()
	d.card.React("alice", "white_check_mark")
	d.mu.Lock()
	d.open[ref] = true
	d.mu.Unlock()
	soon(t, "the reaction", func() bool { d.clock.Advance(300 * time.Millisecond); return len(d.done()) == 1 })
}

func TestEmojiAreConfigured(t *testing.T) {
	d := openDesk(t, false, func(c *slack.Config) { c.Reactions = map[string]string{"eyes": chat.ReactAck} })
	d.card.React("alice", "white_check_mark")
	d.card.React("alice", "eyes")
	d.expect(t, "alice ack")
}

// TestARefusedReactionIsTold to the person, below the card.
func TestARefusedReactionIsTold(t *testing.T) {
	d := openDesk(t, false)
	d.reaction = chat.Answer{Whisper: "not you"}
	d.card.React("alice", "white_check_mark")
	if w := d.fake.WaitWhisper("alice", "not you"); w.Thread != d.card.ID() {
		t.Errorf("%+v", w)
	}
}

// TestEventsThatComeAgainCountOnce: by their id, whichever way they come.
func TestEventsThatComeAgainCountOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		payload := d.card.React("alice", "white_check_mark")
		for range 3 {
			d.clock.Advance(time.Second) // signed anew
			if a := d.fake.Again(payload); a.Status != 200 {
				t.Errorf("a repetition was answered with %d %s", a.Status, a.Body)
			}
		}
		if overSocket {
			d.fake.Twice("events_api", payload)
		}
		d.expect(t, "alice ack")
	})
}

func TestMentionsAndTypedWords(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket, func(c *slack.Config) { c.Word = "!" })
		say := func(text, thread string) {
			d.fake.Say("alice", "ops", text, thread)
			d.Idle()
		}
		say("<@"+slacktest.BotUser+"> ack 42 &amp; more", "")
		say("!problems", "")
		say("!unack", d.card.ID())
		say("!!!", "")
		say("hello <@"+slacktest.BotUser+">", "")
		// One message, two events: a mention that begins with the command word.
		say("!check <@"+slacktest.BotUser+">", "")
		d.expect(t, "alice: ack 42 & more", "alice: problems", "alice: unack below "+d.card.ID(), "alice: check @"+slacktest.BotUser)
		d.fake.WaitWhisper("alice", "heard problems")
	})
}

func TestWordsAreLeftAloneUnlessWished(t *testing.T) {
	d := openDesk(t, false)
	d.fake.Say("alice", "ops", "!ack 42", "")
	d.expect(t)
}

func TestOldWordsAreNotCarriedOut(t *testing.T) {
	d := openDesk(t, false)
	payloads := d.fake.Say("alice", "ops", "<@"+slacktest.BotUser+"> hello", "")
	d.expect(t, "alice: hello")
	late := payloads[0]
	late["event_id"] = "Ev0LATER"
	event, ok := late["event"].(map[string]any)
	if !ok {
		t.Fatal("no event")
	}
	event["ts"] = "1700000000.000100"
	d.fake.Again(late)
	d.fake.WaitWhisper("alice", "too long ago")
	d.expect(t, "alice: hello")
}

func TestShortcuts(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		d.card.Shortcut("alice", "belfry_ack")
		d.Idle()
		note := d.fake.Room("ops").At(d.fake.PostAs("bob", "ops", "looking", d.card.ID()))
		note.Shortcut("alice", "belfry_unack")
		d.expect(t, "alice ack", "alice unack")
		other := d.fake.Room("ops").At(d.fake.PostAs("bob", "ops", "good morning", ""))
		other.Shortcut("bob", "belfry_ack")
		d.fake.WaitWhisper("bob", "not the card of an open alert")
		d.card.Shortcut("alice", "somebody_elses")
		d.fake.WaitWhisper("alice", "doesn't know this shortcut")
		d.expect(t, "alice ack", "alice unack")
	})
}

const foreignCard = `[{"callback_id":"ack","fallback":"PROBLEM","color":"d9534f","title":"PROBLEM: Ping on web01","text":"CRITICAL",
	"actions":[{"name":"ack","text":"Acknowledge","type":"button","value":"74fd8f59-1348-4e16-85f0-4a5c57c7dd62"}]}]`

// TestButtonsOfOtherProgramsAreTaken: cards of openITCOCKPIT's module keep
// working while people move.
func TestButtonsOfOtherProgramsAreTaken(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		d.ours = func(sealed string) bool { return strings.HasPrefix(sealed, "token-of") }
		card := d.fake.PostForeign("ops", foreignCard)
		if out := card.ClickAs("alice", "Acknowledge"); out.Failed != "" {
			t.Errorf("%+v", out)
		}
		d.expect(t, "alice adopts 74fd8f59-1348-4e16-85f0-4a5c57c7dd62")
		if n := len(d.Presses()); n != 0 {
			t.Errorf("%d presses", n)
		}
		// One that carries a token of ours is a press like any other.
		ours := d.fake.PostForeign("ops", strings.Replace(foreignCard, "74fd8f59-1348-4e16-85f0-4a5c57c7dd62", "token-of.x", 1))
		ours.ClickAs("bob", "Acknowledge")
		d.Idle()
		if got := d.Presses(); len(got) != 1 || got[0].Token != "token-of.x" || got[0].Actor.Name != "bob" {
			t.Errorf("%+v", got)
		}
	})
}
