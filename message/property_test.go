// SPDX-License-Identifier: Apache-2.0

package message_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/chat"
	"belfry/message"
)

// hostile draws text as monitoring systems and people may send it.
func hostile(t *rapid.T, label string, most int) string {
	parts := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"\n", "\r\n", "\t", "\x1b[31m", "\xff", "\u202e", "\u2028", "@channel", "<!here>", "`", "\x00",
		strings.Repeat("a", 700), strings.Repeat("ü\n", 20),
	})), 0, most).Draw(t, label)
	return strings.Join(parts, "")
}

func drawAlert(t *rapid.T) *alert.Alert {
	return &alert.Alert{
		ID:       alert.ID(rapid.IntRange(0, 99).Draw(t, "id")),
		Topic:    rapid.SampledFrom([]alert.Topic{alert.TopicProblem, alert.TopicDowntime, alert.TopicFlapping, alert.TopicCustom}).Draw(t, "topic"),
		Status:   rapid.SampledFrom([]alert.Status{alert.Firing, alert.Resolved}).Draw(t, "status"),
		Severity: alert.Severity(rapid.IntRange(-1, 6).Draw(t, "severity")),
		StartsAt: now.Add(-time.Duration(rapid.Int64Range(0, 1<<55).Draw(t, "ago"))), EndsAt: now,
		State: rapid.SampledFrom([]string{"", "OK", "CRITICAL", "superseded", "firing", hostile(t, "state", 2)}).Draw(t, "word"),
		Object: alert.Object{
			Kind: rapid.SampledFrom([]alert.Kind{alert.KindHost, alert.KindService, alert.KindRule}).Draw(t, "kind"),
			Host: hostile(t, "host", 3), Service: hostile(t, "service", 3), Address: hostile(t, "address", 2),
		},
		Output: hostile(t, "output", 8), Link: rapid.SampledFrom([]string{"", "https://x.example/ä?a=b", "javascript:x", "http://a b", "https://x\u202e"}).Draw(t, "link"),
		Contacts: rapid.SliceOfN(rapid.String(), 0, 9).Draw(t, "contacts"), Mentions: rapid.SliceOfN(rapid.String(), 0, 20).Draw(t, "mentions"),
		Ack: alert.Ack{
			Phase: rapid.SampledFrom([]alert.AckPhase{alert.AckNone, alert.AckPending, alert.AckSet, alert.AckRemoving}).Draw(t, "phase"),
			By:    hostile(t, "by", 2), Comment: hostile(t, "comment", 3), Trouble: hostile(t, "trouble", 3), At: now,
			Local: rapid.Bool().Draw(t, "local"),
		},
		NoEmoji: rapid.Bool().Draw(t, "noEmoji"), InDowntime: rapid.Bool().Draw(t, "downtime"), Flapping: rapid.Bool().Draw(t, "flapping"),
	}
}

func TestEveryCardKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAlert(t)
		o := options()
		o.Ring = alert.Ring{Mentions: rapid.SliceOfN(rapid.String(), 0, 20).Draw(t, "rings"), RequestAck: rapid.Bool().Draw(t, "confirm"),
			Priority: rapid.SampledFrom([]alert.Priority{"", alert.PriorityImportant, alert.PriorityUrgent, "loud"}).Draw(t, "priority")}
		m := message.Card(a, o)
		checkText(t, m)
		over := a.Topic == alert.TopicProblem && a.Status == alert.Resolved
		if loud := m.Priority != "" || m.RequestAck || len(m.Mentions) > 0; loud && over || m.Priority == "loud" {
			t.Fatalf("priority %q, confirm %v, rings %q on %s %s", m.Priority, m.RequestAck, m.Mentions, a.Topic, a.Status)
		}
		checkOutput(t, a, m)
		open := a.Topic == alert.TopicProblem && a.Status == alert.Firing
		settled := a.Ack.Phase == alert.AckNone || a.Ack.Phase == alert.AckSet
		if got := len(m.Buttons) > 0; got != (open && settled) {
			t.Fatalf("buttons %v on %s %s with an acknowledgement in phase %q", m.Buttons, a.Topic, a.Status, a.Ack.Phase)
		}
		if m.Open != open {
			t.Fatalf("open is %v on %s %s", m.Open, a.Topic, a.Status)
		}
		confirmed := a.Ack.Phase == alert.AckSet || a.Ack.Phase == alert.AckRemoving
		for _, l := range m.Lines {
			claims := l[0].Text == "acknowledged by " || l[0].Text == "was acknowledged by "
			if claims && !confirmed {
				t.Fatalf("%q claims what nobody confirmed: phase %q", l.Plain(), a.Ack.Phase)
			}
		}
		if strings.Contains(m.Icon, "👀") && !confirmed {
			t.Fatalf("icon %s in phase %q", m.Icon, a.Ack.Phase)
		}
		if a.NoEmoji && m.Icon != "" {
			t.Fatalf("icon %s though none is wanted", m.Icon)
		}
	})
}

func TestEveryNoteKeepsItsPromises(t *testing.T) {
	kinds := []alert.EventKind{alert.EventOpened, alert.EventChanged, alert.EventRenotified, alert.EventResolved,
		alert.EventAckWanted, alert.EventAcknowledged, alert.EventAckRefused, alert.EventAckDelayed, alert.EventAckWaits, alert.EventUnackWanted,
		alert.EventUnacked, alert.EventUnackRefused, alert.EventDowntime, alert.EventDowntimeEnd, alert.EventFlapping,
		alert.EventFlappingEnd, alert.EventCustom, alert.EventInstructed, alert.EventInstructDone, alert.EventInstructFail}
	rapid.Check(t, func(t *rapid.T) {
		a := drawAlert(t)
		e := alert.Event{ID: 2, Kind: rapid.SampledFrom(kinds).Draw(t, "event"), At: now, Actor: hostile(t, "actor", 2),
			Text: hostile(t, "text", 5), State: a.State, Severity: a.Severity}
		m := message.Note(a, e, options())
		checkText(t, m)
		if m.Lines[0].Plain() == "" {
			t.Fatalf("a note about %s says nothing", e.Kind)
		}
		if len(m.Buttons) > 0 || len(m.Mentions) > 0 || m.Color != "" || m.Priority != "" || m.RequestAck {
			t.Fatalf("a note has buttons, rings or a colour: %+v", m)
		}
	})
}

// checkText: whatever came in, what goes out is clean, short and on its line.
func checkText(t *rapid.T, m chat.Message) {
	lines := []string{m.State, m.Title, m.Summary, m.Link}
	for _, l := range m.Lines {
		lines = append(lines, l.Plain())
		if n := utf8.RuneCountInString(l.Plain()); n > 1000 {
			t.Fatalf("a line of %d characters", n)
		}
	}
	for _, s := range lines {
		if strings.ContainsAny(s, "\n\t") || chat.Clean(s) != s {
			t.Fatalf("not clean or not one line: %q", s)
		}
	}
	if chat.Clean(m.Output) != m.Output {
		t.Fatalf("output is not clean: %q", m.Output)
	}
	if utf8.RuneCountInString(m.Title) > 151 || utf8.RuneCountInString(m.Summary) > 241 {
		t.Fatalf("too long: %q %q", m.Title, m.Summary)
	}
	if m.Link != "" && !strings.HasPrefix(m.Link, "https://") {
		t.Fatalf("link %q", m.Link)
	}
	if m.Cut > 0 && m.More == "" && m.Link != "" && strings.HasPrefix(m.Link, "https://belfry") {
		t.Fatalf("%d characters are cut and nothing leads to them", m.Cut)
	}
	for _, h := range m.Mentions {
		if h == "" || strings.ContainsFunc(h, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
		}) {
			t.Fatalf("rings %q", h)
		}
	}
	if len(m.Mentions) > 10 || len(slices.Compact(slices.Sorted(slices.Values(m.Mentions)))) != len(m.Mentions) {
		t.Fatalf("rings %q", m.Mentions)
	}
}

// checkOutput: what is shown is the beginning, within the limits, and Cut
// counts exactly the rest.
func checkOutput(t *rapid.T, a *alert.Alert, m chat.Message) {
	if a.Topic == alert.TopicDowntime {
		return
	}
	whole := strings.Trim(chat.Clean(a.Output), "\n\t ")
	if !strings.HasPrefix(whole, m.Output) {
		t.Fatalf("%q is not the beginning of %q", m.Output, whole)
	}
	shown := utf8.RuneCountInString(m.Output)
	if shown > message.MaxOutput || strings.Count(m.Output, "\n") >= message.MaxOutputLines {
		t.Fatalf("%d characters on %d lines", shown, 1+strings.Count(m.Output, "\n"))
	}
	if all := utf8.RuneCountInString(whole); shown+m.Cut != all {
		t.Fatalf("%d shown and %d cut are not the whole of %d", shown, m.Cut, all)
	}
	if m.Cut > 0 && shown < message.MaxOutput && strings.Count(m.Output, "\n") < message.MaxOutputLines-1 && m.Output != "" {
		rest := whole[len(m.Output):]
		if strings.TrimLeft(rest, "\n\t ") == rest {
			t.Fatalf("cut at %d characters on %d lines without need", shown, 1+strings.Count(m.Output, "\n"))
		}
	}
}

func FuzzCard(f *testing.F) {
	for _, s := range []string{"", "DISK OK", "a\nb", "\xff\u202e", "`@channel`", strings.Repeat("ü\n", 400), strings.Repeat("x", 601)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, output, name string) {
		a := disk()
		a.Output, a.Object.Service = output, name
		m := message.Card(a, options())
		whole := strings.Trim(chat.Clean(output), "\n\t ")
		if utf8.RuneCountInString(m.Output)+m.Cut != utf8.RuneCountInString(whole) || !strings.HasPrefix(whole, m.Output) {
			t.Fatalf("%q became %q and %d more", output, m.Output, m.Cut)
		}
	})
}

func BenchmarkCard(b *testing.B) {
	a, o := acked(alert.AckSet, ""), options()
	b.ReportAllocs()
	for b.Loop() {
		message.Card(a, o)
	}
}

func BenchmarkNote(b *testing.B) {
	a, o := disk(), options()
	e := alert.Event{ID: 7, Kind: alert.EventAcknowledged, At: now, Actor: "alice", Text: "on it"}
	b.ReportAllocs()
	for b.Loop() {
		message.Note(a, e, o)
	}
}
