// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config/secrettest"
)

func TestACommandIsCarriedOutAndAnsweredInItsThread(t *testing.T) {
	l := listen(t)
	for _, noise := range []string{"hello", "! ack 1", "!!!", "ack 1", " !ack 1", "!"} {
		l.fake.Say("alice", "ops", "", noise)
	}
	id := l.fake.Say("alice", "ops", "", "!ack 42  on it @channel")
	l.heard("ack 42  on it @channel")
	c := l.commands[0]
	if c.Actor.Name != "alice" || c.Actor.Connection != "main" || c.Channel != l.fake.Room("ops").Cards()[0].Post().ChannelID || c.Thread != nil {
		t.Errorf("%+v", c)
	}
	var asked *mattermosttest.Card
	for _, card := range l.fake.Room("ops").Cards() {
		if card.ID() == id {
			asked = card
		}
	}
	answer := asked.WaitNote("did ack 42")
	if answer.Rings() != nil || answer.Text() != "did ack 42 on it @\u200bchannel" && !strings.Contains(mattermosttest.Visible(answer.Text()), "did ack 42") {
		t.Errorf("answered %q, ringing %q", answer.Text(), answer.Rings())
	}
	l.fake.Say("bob", "ops", id, "!unack")
	l.heard("ack 42  on it @channel", "unack")
	if got := l.commands[1].Thread; got == nil || got.Post != id {
		t.Errorf("the thread is %+v", got)
	}
	secrettest.Check(t, l.fake.Token(), l.log.String())
}

// TestNobodyActsInAnothersName: what an integration posts is stored as its
// owner's.
func TestNobodyActsInAnothersName(t *testing.T) {
	l := listen(t)
	l.fake.SayByHook("alice", "ops", "!ack 1")
	l.fake.Say(mattermosttest.Bot, "ops", "", "!ack 2") // our own echo
	l.fake.Deactivate("bob")
	l.fake.Say("bob", "ops", "", "!ack 3")
	l.fake.Say("alice", "ops", "", "!ack 4")
	l.heard("ack 4")
}

func TestACommandThatBreaksDownIsAnswered(t *testing.T) {
	l := listen(t)
	l.panics = true
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.fake.Room("ops").Card("!ack 1").WaitNote("longer than usual")
}

func TestAWordOfOnesOwn(t *testing.T) {
	l := listen(t, func(c *mattermost.Config) { c.Word = "belfry" })
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.fake.Say("alice", "ops", "", "belfryack 2")
	l.fake.Say("alice", "ops", "", "belfry ack 3")
	l.heard("ack 3")
}

func TestReactionsAct(t *testing.T) {
	l := listen(t, func(c *mattermost.Config) {
		c.Reactions = map[string]string{"white_check_mark": "ack", "eyes": "ack", "x": "unack"}
	})
	ref, err := l.Post(t.Context(), chat.Post{Channel: "ops", Key: "k1", Message: card("disk full")})
	if err != nil {
		t.Fatal(err)
	}
	other := l.fake.Say("alice", "ops", "", "lunch?")
	l.ears.mu.Lock()
	l.open = []chat.Ref{ref}
	l.ears.mu.Unlock()
	l.fake.React("alice", other, "white_check_mark")
	l.fake.React(mattermosttest.Bot, ref.Post, "white_check_mark")
	l.fake.React("alice", ref.Post, "tada")
	l.fake.React("alice", ref.Post, "white_check_mark")
	l.fake.Unreact("alice", ref.Post, "white_check_mark")
	l.fake.React("bob", ref.Post, "x")
	l.until("two acts", func() bool { return len(l.acts()) == 2 })
	// A look at the card's reactions may see bob's before alice's event is read.
	if got := slices.Sorted(slices.Values(l.acts())); !slices.Equal(got, []string{"alice ack", "bob unack"}) {
		t.Errorf("acts: %q", got)
	}
	if text := l.fake.Room("ops").Card("disk full"); !text.Shows("reply “!ack” or react") || len(text.Buttons()) > 0 {
		t.Errorf("the card shows %q and the buttons %q", text.Text(), text.Buttons())
	}
}

// TestAReactionFasterThanTheRecord: the card stands there, and Belfry has not
// written down where, yet.
func TestAReactionFasterThanTheRecord(t *testing.T) {
	l := listen(t)
	ref, err := l.Post(t.Context(), chat.Post{Channel: "ops", Key: "k1", Message: card("disk full")})
	if err != nil {
		t.Fatal(err)
	}
	l.fake.React("alice", ref.Post, "white_check_mark")
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.heard("ack 1") // by now the reaction was looked at
	l.ears.mu.Lock()
	l.open = []chat.Ref{ref}
	l.ears.mu.Unlock()
	l.until("an act", func() bool { return len(l.acts()) == 1 })
}

// TestReactionsAreAskedForWhereNobodyTells: servers from 11.10 on.
func TestReactionsAreAskedForWhereNobodyTells(t *testing.T) {
	l := listen(t)
	l.fake.HideReactions()
	l.fake.SetVersion("11.10.0")
	ref, err := l.Post(t.Context(), chat.Post{Channel: "ops", Key: "k1", Message: card("disk full")})
	if err != nil {
		t.Fatal(err)
	}
	l.ears.mu.Lock()
	l.open = []chat.Ref{ref}
	l.ears.mu.Unlock()
	l.fake.React("alice", ref.Post, "white_check_mark")
	l.until("an act", func() bool { return len(l.acts()) == 1 })
	calls := l.fake.Calls()
	l.until("it is asked for again", func() bool { return l.fake.Calls() > calls+3 })
	if got := l.acts(); len(got) != 1 {
		t.Errorf("acts: %q", got)
	}
}

// TestWhatWasReactedBeforeAnybodyListenedIsLeftAlone: people react to cards
// without meaning anything by it where nothing comes of it.
func TestWhatWasReactedBeforeAnybodyListenedIsLeftAlone(t *testing.T) {
	l := listen(t)
	ref, err := l.Post(t.Context(), chat.Post{Channel: "ops", Key: "k1", Message: card("disk full")})
	if err != nil {
		t.Fatal(err)
	}
	l.stop()
	l.memory.mu.Lock()
	clear(l.memory.settings) // nobody ever listened here
	l.memory.mu.Unlock()
	l.ears.mu.Lock()
	l.open = []chat.Ref{ref}
	l.ears.mu.Unlock()
	l.fake.React("alice", ref.Post, "white_check_mark")
	l.fake.Backdate(ref.Post, time.Hour)
	for i := range 2 { // nor at the next start
		l.start()
		l.fake.Say("alice", "ops", "", "!status")
		l.until("it is heard", func() bool { return len(l.texts()) == 2*i+1 })
		l.fake.Say("alice", "ops", "", "!status") // by then the cards were asked for their reactions
		l.until("it is heard", func() bool { return len(l.texts()) == 2*i+2 })
		l.fake.React("bob", ref.Post, "white_check_mark")
		l.until("an act", func() bool { return len(l.acts()) > 0 })
		l.stop()
	}
	if got := l.acts(); !slices.Equal(got, []string{"bob ack"}) {
		t.Errorf("acts: %q", got)
	}
}

// TestNothingIsLostOrDoubledOverBrokenConnections cuts the connection again and
// again while people type.
func TestNothingIsLostOrDoubledOverBrokenConnections(t *testing.T) {
	for _, name := range []string{"taken up again", "forgotten by the server"} {
		t.Run(name, func(t *testing.T) {
			l := listen(t)
			var want []string
			for i := range 60 {
				want = append(want, fmt.Sprintf("ack %d", i))
				l.fake.Say("alice", "ops", "", "!"+want[i])
				l.fake.Repeat()
				switch {
				case i%10 != 4:
				case name == "taken up again":
					l.fake.CutSockets()
				default:
					l.fake.ForgetSockets()
				}
				if i%3 == 0 {
					time.Sleep(3 * time.Millisecond)
				}
			}
			l.until("all is heard", func() bool { return len(l.texts()) >= len(want) })
			got := l.texts()
			if slices.Sort(got); len(got) != len(want) || len(slices.Compact(got)) != len(want) {
				t.Errorf("heard %d commands, not %d: %q", len(got), len(want), got)
			}
			if l.fake.Dialled() < 3 {
				t.Errorf("the connection was opened %d times only", l.fake.Dialled())
			}
		})
	}
}

// TestARestartReadsWhatWasTypedMeanwhile: with another process, at another time.
func TestARestartReadsWhatWasTypedMeanwhile(t *testing.T) {
	l := listen(t)
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.heard("ack 1")
	l.stop()
	l.fake.Say("alice", "ops", "", "!ack 2")
	l.start()
	l.heard("ack 1", "ack 2")
	l.stop()
	l.start() // reads both once more
	l.fake.Say("alice", "ops", "", "!ack 3")
	l.heard("ack 1", "ack 2", "ack 3")
}

// TestAnAnswerOutlivesItsConnection: an endpoint may take longer than a
// connection lasts. Only the end of listening ends the wait, and says so.
func TestAnAnswerOutlivesItsConnection(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{}, 1) // not to hang where nobody waits any more
	says := func(text string) *chat.Reply {
		return &chat.Reply{Comment: true, Message: chat.Message{Lines: []chat.Line{{{Text: text}}}}}
	}
	l := listen(t)
	l.stop()
	l.ears.hear = func(ctx context.Context, _ chat.Heard) *chat.Reply {
		asked <- struct{}{}
		select {
		case <-answer:
			return says("4 °C")
		case <-ctx.Done():
			return says("no answer in time")
		}
	}
	l.start()
	l.until("somebody listens", func() bool { return l.fake.Listening() == 1 })
	l.fake.Say("alice", "ops", "", "fridge one")
	<-asked
	dialled := l.fake.Dialled()
	l.fake.CutSockets()
	l.until("it listens again", func() bool { return l.fake.Dialled() > dialled && l.fake.Listening() == 1 })
	answer <- struct{}{}
	l.fake.Room("ops").Card("fridge one").WaitNote("4 °C")
	l.fake.Say("alice", "ops", "", "fridge two")
	<-asked
	l.stop()
	l.fake.Room("ops").Card("fridge two").WaitNote("ask again in a moment")
}

// TestTheServerGoesAwayAndComesBack: it forgets all connections then.
func TestTheServerGoesAwayAndComesBack(t *testing.T) {
	l := listen(t)
	l.fake.Stop()
	l.fake.Say("alice", "ops", "", "!ack 1")
	time.Sleep(30 * time.Millisecond)
	l.fake.Restart()
	l.fake.Say("alice", "ops", "", "!ack 2")
	l.heard("ack 1", "ack 2")
}

// TestAFullDiskDelaysACommand: what can't be noted is not done, yet.
func TestAFullDiskDelaysACommand(t *testing.T) {
	l := listen(t)
	l.memory.fail(true)
	l.fake.Say("alice", "ops", "", "!downtime 1 2h")
	l.until("it was tried", func() bool { return strings.Contains(l.log.String(), "disk full") })
	if got := l.texts(); len(got) > 0 {
		t.Fatalf("carried out %q without noting it", got)
	}
	l.memory.fail(false)
	l.heard("downtime 1 2h")
}

func TestASilentServerIsLeft(t *testing.T) {
	l := listen(t)
	l.fake.MuteSockets(true)
	l.fake.ForgetSockets()
	l.until("the silence is noticed", func() bool { return strings.Contains(l.log.String(), "said nothing") })
	dialled := l.fake.Dialled()
	l.fake.MuteSockets(false)
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.heard("ack 1")
	if l.fake.Dialled() <= dialled {
		t.Error("no connection was opened anew")
	}
}

// TestARevokedTokenIsNoticed: the server leaves the connection open. What was
// said before was caught up with by then: that asks the API, which refuses such
// a token at once.
func TestARevokedTokenIsNoticed(t *testing.T) {
	l := listen(t)
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.heard("ack 1")
	l.fake.RevokeToken()
	l.until("it is noticed", func() bool {
		log := l.log.String()
		return strings.Contains(log, "no longer knows the token") || strings.Contains(log, "refuses the token")
	})
	secrettest.Check(t, l.fake.Token(), l.log.String())
}

// TestALinkForOnePersonIsNotShownToAll: whoever follows it is taken for them.
func TestALinkForOnePersonIsNotShownToAll(t *testing.T) {
	const link = "https://belfry.example.org/connect/s3cret"
	l := listen(t)
	l.answer = func(chat.Command) chat.Answer {
		return chat.Answer{Whisper: "Say who you are.", Link: &chat.Link{Text: "Connect", URL: link}}
	}
	l.fake.Say("alice", "ops", "", "!connect")
	l.until("alice is written to", func() bool { return len(l.fake.Direct("alice", mattermosttest.Bot)) == 1 })
	if p := l.fake.Direct("alice", mattermosttest.Bot)[0]; !strings.Contains(p.Message, link) {
		t.Errorf("alice reads %q", p.Message)
	}
	for _, p := range l.fake.Posts("ops") {
		if strings.Contains(p.Message, "s3cret") {
			t.Errorf("everybody reads %q", p.Message)
		}
	}
}

func TestAnOldCommandIsNotCarriedOut(t *testing.T) {
	l := listen(t)
	l.stop()
	l.memory.mu.Lock()
	for name := range l.memory.settings {
		l.memory.settings[name] = "1"
	}
	l.memory.mu.Unlock()
	id := l.fake.Say("alice", "ops", "", "!ack 1")
	l.fake.Backdate(id, time.Hour)
	l.start()
	l.fake.Room("ops").Card("!ack 1").WaitNote("type it again")
	if got := l.texts(); len(got) > 0 {
		t.Errorf("carried out %q", got)
	}
}

func TestWithoutTheWebsocketNobodyListens(t *testing.T) {
	c := connect(t, &ears{})
	if err := c.Listen(t.Context(), &ears{}); err != nil || c.fake.Dialled() > 0 {
		t.Errorf("%v, %d connections", err, c.fake.Dialled())
	}
}

// FuzzFrame: whatever the server sends, what is taken for a post or a reaction
// names real ids.
func FuzzFrame(f *testing.F) {
	const id = "abcdefghijklmnopqrstuvwxyz"
	post := fmt.Sprintf(`{\"id\":\"%s\",\"create_at\":5,\"user_id\":\"%s\",\"channel_id\":\"%s\",\"message\":\"!ack 1\",\"props\":{\"from_webhook\":\"true\"}}`, id, id, id)
	for _, seed := range []string{
		`{"event":"posted","data":{"post":"` + post + `"},"broadcast":{"channel_id":"` + id + `"},"seq":3}`,
		`{"event":"reaction_added","data":{"reaction":"{\"user_id\":\"` + id + `\",\"post_id\":\"` + id + `\",\"emoji_name\":\"x\",\"create_at\":1}"},"broadcast":{"channel_id":"` + id + `"},"seq":4}`,
		`{"event":"hello","data":{"connection_id":"` + id + `"},"seq":0}`, `{"status":"OK","seq_reply":1}`,
		`{"status":"FAIL","seq_reply":2,"error":{"id":"x"}}`, `{"event":"posted","data":{"post":{}}}`, `null`, `[]`, `{"event":"posted","data":null}`,
		`{"event":"posted","data":{"post":"{\"props\":\"x\"}"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, id := range mattermost.IDsOf(raw) {
			if len(id) != 26 {
				t.Errorf("%q is taken for an id in %q", id, raw)
			}
		}
	})
}

func FuzzCommandWord(f *testing.F) {
	f.Add("!", "!ack 1")
	f.Add("belfry", "belfry ack 1")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, word, message string) {
		if text, ok := mattermost.CommandOf(word, message); ok && (word == "" || !strings.HasPrefix(message, word) || !strings.HasSuffix(message, text)) {
			t.Errorf("%q is the command %q after %q", message, text, word)
		}
	})
}
