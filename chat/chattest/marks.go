// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"strings"
	"testing"
	"time"

	"belfry/chat"
)

// Marks is a platform on which people mark messages, under test. Alice and Bob
// are in all channels, and so is Belfry. "wrench" on a card acknowledges it.
type Marks struct {
	Scribe *Scribe
	// Connection is the name of the connection.
	Connection string
	// Own is the channel of an incident, Other is not; by the platform's ids.
	Own, Other string
	// Say has a person write into a channel, below a message where thread is
	// not "", and returns the message's id.
	Say func(person, channel, text, thread string) string
	// SayAsProgram has a program write in a person's name.
	SayAsProgram func(person, channel, text string) string
	// SayJoined has the platform say that a person joined, which nobody wrote.
	SayJoined func(person, channel string) string
	// SayOurs puts a message of Belfry's up.
	SayOurs func(channel, text string) string
	// Mark puts an emoji on a message, Unmark takes it off.
	Mark, Unmark func(person, channel, post, emoji string)
	// MarkDeleted has a message deleted before anybody could read what was marked.
	MarkDeleted func(person, channel, post, emoji string)
	// Told waits until a person was told a text about a message: where only
	// they see it, or below it.
	Told func(person, post, text string)
	// Settled waits until all that happened was worked on.
	Settled func()
	// Leave has Belfry stop listening, Return begin again; nil on a platform
	// that can't tell later what was marked meanwhile.
	Leave, Return func()
	// Now is the platform's clock.
	Now func() time.Time
	// Longest is how many characters a message may have there.
	Longest int
}

// RunMarks holds a platform to the contract of chat.Recorder.
func RunMarks(t *testing.T, open func(*testing.T) *Marks) {
	t.Helper()
	for _, p := range []struct {
		name string
		run  func(*marking)
	}{
		{"AMessageIsKept", markedMessage}, {"TheLongest", markedLongest}, {"InAThread", markedThread}, {"Once", markedOnce}, {"NothingElse", markedNothing},
		{"OfPrograms", markedProgram}, {"OnACard", markedCard}, {"Unwritten", markedUnwritten},
		{"AfterTrouble", markedTrouble}, {"AfterABreakdown", markedBreakdown}, {"WhileAway", markedAway},
	} {
		t.Run(p.name, func(t *testing.T) {
			m := &marking{T: t, Marks: open(t)}
			m.Scribe.Own(m.Own)
			p.run(m)
		})
	}
}

type marking struct {
	*testing.T
	*Marks
}

// kept waits until n messages are kept, and no more.
func (m *marking) kept(n int) []chat.Marked {
	m.Helper()
	for end := time.Now().Add(15 * time.Second); len(m.Scribe.Kept()) < n && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
	m.Settled()
	got := m.Scribe.Kept()
	if len(got) != n {
		m.Fatalf("%d messages are kept, not %d: %+v", len(got), n, got)
	}
	return got
}

func markedMessage(m *marking) {
	const text = "the <b>disk</b> is full & `rm -rf /` *now* <!channel> @here [x](http://evil.example) \\"
	before := m.Now()
	post := m.Say(Alice, m.Own, text, "")
	m.Mark(Bob, m.Own, post, "pushpin")
	k := m.kept(1)[0]
	if k.Mark != chat.MarkTimeline || k.Actor.Name != Bob || k.Actor.Connection != m.Connection || k.Actor.ID == "" {
		m.Errorf("marked by %+v as %q", k.Actor, k.Mark)
	}
	q := k.Message
	if q.Author.Name != Alice || q.Author.ID == "" || q.Author.ID == k.Actor.ID || q.Ours || q.Ref != (chat.Ref{Channel: m.Own, Post: post}) {
		m.Errorf("%+v", q)
	}
	if q.Text != text {
		m.Errorf("the text is %q", q.Text)
	}
	if d := q.At.Sub(before); d < -2*time.Second || d > 15*time.Second {
		m.Errorf("it was written %s, and the clock was %s", q.At, before)
	}
	if !strings.HasPrefix(q.Link, "http") || !strings.Contains(strings.ReplaceAll(q.Link, ".", ""), strings.ReplaceAll(post, ".", "")) && !strings.Contains(q.Link, post) {
		m.Errorf("the link is %q", q.Link)
	}
	m.Told(Bob, post, "kept as timeline")
}

// markedLongest: a message is no longer for the script that it is written in, nor
// for what the platform escapes.
func markedLongest(m *marking) {
	for i, text := range []string{strings.Repeat("日", m.Longest), strings.Repeat("&", m.Longest)} {
		m.Mark(Bob, m.Own, m.Say(Alice, m.Own, text, ""), "pushpin")
		if k := m.kept(i + 1)[i]; k.Message.Text != text {
			m.Errorf("%.30q is kept with %d bytes, not %d", k.Message.Text, len(k.Message.Text), len(text))
		}
	}
}

func markedThread(m *marking) {
	root := m.Say(Alice, m.Own, "what happened?", "")
	post := m.Say(Bob, m.Own, "the disk is full", root)
	m.Mark(Alice, m.Own, post, "star")
	if k := m.kept(1)[0]; k.Mark != "task" || k.Message.Text != "the disk is full" || k.Message.Author.Name != Bob {
		m.Errorf("%+v", k)
	}
	m.Told(Alice, root, "kept as task")
}

func markedOnce(m *marking) {
	post := m.Say(Alice, m.Own, "the disk is full", "")
	m.Mark(Bob, m.Own, post, "pushpin")
	m.Mark(Alice, m.Own, post, "pushpin")
	m.Unmark(Bob, m.Own, post, "pushpin")
	m.Mark(Bob, m.Own, post, "pushpin")
	m.kept(1)
	m.Mark(Bob, m.Own, post, "wrench")
	m.kept(2)
}

func markedNothing(m *marking) {
	here, elsewhere := m.Say(Alice, m.Own, "hello", ""), m.Say(Alice, m.Other, "hello", "")
	m.Mark(Bob, m.Own, here, "tada")
	m.Mark(Bob, m.Other, elsewhere, "pushpin")
	m.kept(0)
	// Belfry's own message is said to be so.
	ours := m.SayOurs(m.Own, "web01 is down")
	m.Mark(Bob, m.Own, ours, "pushpin")
	if k := m.kept(1)[0]; !k.Message.Ours {
		m.Errorf("%+v", k)
	}
}

func markedProgram(m *marking) {
	post := m.SayAsProgram(Alice, m.Own, "build 42 failed")
	m.Mark(Bob, m.Own, post, "pushpin")
	if k := m.kept(1)[0]; k.Message.Author.ID != "" || k.Message.Author.Name == "" || k.Message.Text != "build 42 failed" {
		m.Errorf("what a program wrote is %+v", k.Message)
	}
}

// markedCard: what acknowledges a card does not keep it.
func markedCard(m *marking) {
	ours := m.SayOurs(m.Own, "web01 is down")
	m.Mark(Bob, m.Own, ours, "wrench")
	m.kept(0)
	m.Mark(Bob, m.Own, ours, "pushpin")
	m.kept(1)
}

// markedUnwritten: what nobody wrote, and what is gone, is left alone, and is
// in nobody's way.
func markedUnwritten(m *marking) {
	m.Mark(Bob, m.Own, m.SayJoined(Alice, m.Own), "pushpin")
	m.MarkDeleted(Bob, m.Own, m.Say(Alice, m.Own, "never mind", ""), "pushpin")
	m.kept(0)
	m.Mark(Bob, m.Own, m.Say(Alice, m.Own, "the disk is full", ""), "pushpin")
	m.kept(1)
}

// markedBreakdown: one that breaks down is not asked for ever, and who marked the
// message is told that it was not kept.
func markedBreakdown(m *marking) {
	m.Scribe.Break()
	broken := m.Say(Alice, m.Own, "the disk is broken", "")
	m.Mark(Bob, m.Own, broken, "pushpin")
	m.Told(Bob, broken, "was not kept")
	m.kept(0)
	m.Mark(Bob, m.Own, m.Say(Alice, m.Own, "the disk is full", ""), "pushpin")
	if k := m.kept(1)[0]; k.Message.Text != "the disk is full" {
		m.Errorf("%+v", k)
	}
}

// markedTrouble: what could not be kept is kept later.
func markedTrouble(m *marking) {
	post := m.Say(Alice, m.Own, "the disk is full", "")
	m.Scribe.Fail(2)
	m.Mark(Bob, m.Own, post, "pushpin")
	m.kept(1)
}

func markedAway(m *marking) {
	if m.Leave == nil {
		m.Skip("marks that nobody could be told of are not found later on this platform")
	}
	post := m.Say(Alice, m.Own, "the disk is full", "")
	m.Mark(Alice, m.Own, post, "star")
	m.kept(1)
	m.Leave()
	m.Mark(Bob, m.Own, post, "pushpin")
	m.Return()
	m.kept(2)
}
