// SPDX-License-Identifier: Apache-2.0

package message_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/chat"
	"belfry/message"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 3, 14, 14, 15, 30, 0, time.UTC)

// berlin is a zone with an offset that needs no time zone database.
var berlin = time.FixedZone("CET", 3600)

func options() message.Options {
	return message.Options{
		BaseURL: "https://belfry.example.org", Now: now, Location: berlin, CanAcknowledge: true, SourceName: "nagios",
		Token: func(action string) string { return "sealed-" + action },
	}
}

func disk() *alert.Alert {
	return &alert.Alert{
		ID: 7001, Number: 42, Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical,
		StartsAt: now.Add(-12 * time.Minute), State: "CRITICAL",
		Object: alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var", Address: "192.0.2.7"},
		Output: "DISK CRITICAL - free space: /var 81 MB (4%)", Link: "https://nagios.example.org/disk",
		Contacts: []string{"dba"}, Mentions: []string{"oncall"},
	}
}

func host() *alert.Alert {
	a := disk()
	a.Object = alert.Object{Kind: alert.KindHost, Host: "5f1c", HostDisplay: "web01", Address: "192.0.2.7"}
	a.State, a.Output = "DOWN", "PING CRITICAL - Packet loss = 100%"
	return a
}

// loud are the options of a channel that rings.
func loud() message.Options {
	o := options()
	o.Ring = alert.Ring{Mentions: []string{"here", "oncall"}, Priority: alert.PriorityUrgent, RequestAck: true}
	return o
}

func rule() *alert.Alert {
	a := disk()
	a.Object = alert.Object{Kind: alert.KindRule, Rule: "HighErrorRate", Host: "api-3"}
	a.State, a.Output, a.Contacts, a.Link = "firing", "5% of requests fail", nil, ""
	return a
}

func notice(topic alert.Topic) *alert.Alert {
	a := disk()
	a.Topic, a.Severity = topic, alert.SeverityInfo
	a.Ack = alert.Ack{By: "carol", Comment: "patching the kernel"}
	return a
}

func with(a *alert.Alert, change func(a *alert.Alert)) *alert.Alert { change(a); return a }

func acked(phase alert.AckPhase, trouble string) *alert.Alert {
	return with(disk(), func(a *alert.Alert) {
		a.Ack = alert.Ack{Phase: phase, By: "alice", Comment: "cleaning up logs", At: now.Add(-time.Minute), Trouble: trouble}
	})
}

func resolved(a *alert.Alert, state string) *alert.Alert {
	a.Status, a.EndsAt, a.State, a.Severity = alert.Resolved, now, state, alert.SeverityOK
	return a
}

// cards is the matrix of states, in the order in which people meet them.
func cards() []struct {
	name string
	a    *alert.Alert
	o    message.Options
} {
	plain, bare, local := options(), message.Options{Now: now, Location: time.UTC}, options()
	local.CanAcknowledge, local.SourceName = false, "alertmanager"
	return []struct {
		name string
		a    *alert.Alert
		o    message.Options
	}{
		{"service critical", disk(), plain},
		{"service warning", with(disk(), func(a *alert.Alert) { a.State, a.Severity = "WARNING", alert.SeverityWarning }), plain},
		{"service unknown", with(disk(), func(a *alert.Alert) { a.State, a.Severity = "UNKNOWN", alert.SeverityUnknown }), plain},
		{"host down", host(), plain},
		{"host unreachable", with(host(), func(a *alert.Alert) { a.State = "UNREACHABLE" }), plain},
		{"rule critical", rule(), plain},
		{"rule info", with(rule(), func(a *alert.Alert) { a.Severity = alert.SeverityInfo }), plain},
		{"rule with a state of its own", with(rule(), func(a *alert.Alert) { a.Severity = alert.SeverityUnknown }), plain},
		{"since yesterday, in downtime and flapping", with(disk(), func(a *alert.Alert) {
			a.StartsAt, a.InDowntime, a.Flapping = now.Add(-30*time.Hour), true, true
		}), plain},
		{"since last year, many contacts", with(disk(), func(a *alert.Alert) {
			a.StartsAt, a.Contacts = now.AddDate(-1, 0, 0), []string{"a", "b", "c", "d", "e", "f"}
		}), plain},
		{"without emoji", with(disk(), func(a *alert.Alert) { a.NoEmoji = true }), plain},
		{"nothing known but the name", with(disk(), func(a *alert.Alert) {
			*a = alert.Alert{Topic: a.Topic, Status: a.Status, StartsAt: a.StartsAt, Object: alert.Object{Kind: alert.KindHost, Host: "h"}}
		}), bare},
		{"announced loudly", disk(), loud()},
		{"announced loudly, but over", resolved(disk(), "OK"), loud()},
		{"acknowledgement pending", acked(alert.AckPending, ""), plain},
		{"acknowledgement delayed", acked(alert.AckPending, "nagios is not running (nobody reads its command pipe)"), plain},
		{"acknowledgement refused", with(acked(alert.AckNone, "400: no such service"), func(a *alert.Alert) {
			a.Ack.By, a.Ack.Comment = "", ""
		}), plain},
		{"acknowledged", acked(alert.AckSet, ""), plain},
		{"acknowledged without a word", with(acked(alert.AckSet, ""), func(a *alert.Alert) { a.Ack.Comment = "" }), plain},
		{"acknowledged, noted here only", with(acked(alert.AckSet, ""), func(a *alert.Alert) { a.Ack.Local = true }), local},
		{"removal pending", acked(alert.AckRemoving, ""), plain},
		{"removal delayed", acked(alert.AckRemoving, "nagios is not running"), plain},
		{"removal refused", acked(alert.AckSet, "not allowed"), plain},
		{"recovered", with(resolved(disk(), "OK"), func(a *alert.Alert) { a.Output = "DISK OK - 9 GB free" }), plain},
		{"recovered after an acknowledgement", resolved(acked(alert.AckSet, ""), "OK"), plain},
		{"host up", resolved(host(), "UP"), plain},
		{"rule resolved", resolved(rule(), "resolved"), plain},
		{"superseded", resolved(disk(), "superseded"), plain},
		{"downtime", notice(alert.TopicDowntime), plain},
		{"downtime over", with(notice(alert.TopicDowntime), func(a *alert.Alert) { a.Status, a.EndsAt = alert.Resolved, now }), plain},
		{"flapping", with(notice(alert.TopicFlapping), func(a *alert.Alert) { a.Ack = alert.Ack{} }), plain},
		{"flapping over", with(notice(alert.TopicFlapping), func(a *alert.Alert) {
			a.Ack, a.Status, a.EndsAt = alert.Ack{}, alert.Resolved, now
		}), plain},
		{"custom", with(notice(alert.TopicCustom), func(a *alert.Alert) {
			a.Ack, a.Status, a.EndsAt = alert.Ack{By: "dave", Comment: "hello"}, alert.Resolved, a.StartsAt
		}), plain},
		{"long output", with(disk(), func(a *alert.Alert) { a.Output = strings.Repeat("0123456789 ", 100) }), plain},
		{"many lines", with(disk(), func(a *alert.Alert) { a.Output = strings.Repeat("line\n", 40) }), plain},
		{"hostile text", with(acked(alert.AckSet, ""), func(a *alert.Alert) {
			a.Object.Service = "Disk\n\n# @channel <!here>\u202e"
			a.Output = "a\\`b`\" @channel <!here> |\r\nsecond\x1b[31m \xff ünïcode"
			a.Ack.By, a.Ack.Comment = "al\nice", "done;\n$(reboot) \x00"
			a.Link = "javascript:alert(1)"
			a.Contacts = []string{"x\ny"}
			a.Mentions = []string{"a b", "@x", "<!here>", "fine"}
		}), plain},
	}
}

// show writes a message so that a person can judge it.
func show(m chat.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s [%s](%s)  %s open=%v\n", m.Icon, m.State, m.Title, m.Link, m.Color, m.Open)
	for _, l := range m.Lines {
		b.WriteString("  ")
		for _, s := range l {
			switch {
			case s.Bold:
				fmt.Fprintf(&b, "**%s**", s.Text)
			case s.Link != "":
				fmt.Fprintf(&b, "[%s](%s)", s.Text, s.Link)
			case !s.Time.IsZero():
				fmt.Fprintf(&b, "<%s>", s.Text)
			default:
				b.WriteString(s.Text)
			}
		}
		b.WriteByte('\n')
	}
	if m.Output != "" {
		b.WriteString("  | " + strings.ReplaceAll(m.Output, "\n", "\n  | ") + "\n")
	}
	if m.Cut > 0 {
		fmt.Fprintf(&b, "  … %d more: %s\n", m.Cut, m.More)
	}
	for _, x := range m.Buttons {
		fmt.Fprintf(&b, "  (%s %s %s %s)", x.Label, x.Action, x.Style, x.Token)
	}
	if len(m.Buttons) > 0 {
		b.WriteByte('\n')
	}
	if m.Priority != "" || m.RequestAck {
		fmt.Fprintf(&b, "  priority %s, confirm %v\n", m.Priority, m.RequestAck)
	}
	fmt.Fprintf(&b, "  rings %v\n  push: %s\n", m.Mentions, m.Summary)
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./message -update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (look at it; go test ./message -update takes it over):\n%s", path, diff)
	}
}

func TestCards(t *testing.T) {
	var b strings.Builder
	for _, c := range cards() {
		before := c.a.Clone()
		fmt.Fprintf(&b, "=== %s\n%s\n", c.name, show(message.Card(c.a, c.o)))
		if diff := cmp.Diff(before, c.a); diff != "" {
			t.Errorf("%s: showing the alert changed it:\n%s", c.name, diff)
		}
	}
	golden(t, "cards.golden", b.String())
}

func TestNotes(t *testing.T) {
	event := func(kind alert.EventKind, actor, text string) alert.Event {
		return alert.Event{ID: 7, Kind: kind, At: now, Actor: actor, Text: text, State: "CRITICAL", Severity: alert.SeverityCritical, Generation: 3}
	}
	local := with(disk(), func(a *alert.Alert) { a.Ack = alert.Ack{Phase: alert.AckSet, By: "alice", Local: true, Generation: 3} })
	changed := func(text string) alert.Event {
		e := event(alert.EventChanged, "", text)
		e.Previous, e.PreviousSeverity = "WARNING", alert.SeverityWarning
		return e
	}
	over := event(alert.EventResolved, "", "DISK OK")
	over.State, over.Severity = "OK", alert.SeverityOK
	gone := event(alert.EventResolved, "", "")
	gone.State = "superseded"
	order := func(kind alert.EventKind, do, actor, text string) alert.Event {
		e := event(kind, actor, text)
		e.Instruction = &alert.Instruction{Do: do}
		return e
	}
	var b strings.Builder
	for _, c := range []struct {
		name string
		a    *alert.Alert
		e    alert.Event
		o    message.Options
	}{
		{"opened", disk(), event(alert.EventOpened, "", "DISK CRITICAL"), options()},
		{"renotified", disk(), event(alert.EventRenotified, "", "DISK CRITICAL"), options()},
		{"changed, from what is not known", disk(), event(alert.EventChanged, "", "DISK CRITICAL"), options()},
		{"changed", disk(), changed("DISK CRITICAL - 4%"), options()},
		{"rule changed", rule(), changed("worse"), options()},
		{"recovered", resolved(disk(), "OK"), over, options()},
		{"recovered without emoji", with(resolved(disk(), "OK"), func(a *alert.Alert) { a.NoEmoji = true }), over, options()},
		{"superseded", resolved(disk(), "superseded"), gone, options()},
		{"wanted", disk(), event(alert.EventAckWanted, "alice", "on it"), options()},
		{"acknowledged", disk(), event(alert.EventAcknowledged, "alice", "on it"), options()},
		{"acknowledged without a word", disk(), event(alert.EventAcknowledged, "alice", ""), options()},
		{"acknowledged here only", local, event(alert.EventAcknowledged, "alice", "on it"), options()},
		{"refused", disk(), event(alert.EventAckRefused, "alice", "400: no such service"), options()},
		{"delayed", disk(), event(alert.EventAckDelayed, "", "nagios is not running"), options()},
		{"removal wanted", disk(), event(alert.EventUnackWanted, "bob", ""), options()},
		{"removed", disk(), event(alert.EventUnacked, "bob", ""), options()},
		{"removed by nobody known", disk(), event(alert.EventUnacked, "", ""), options()},
		{"removal refused", disk(), event(alert.EventUnackRefused, "", "not allowed"), options()},
		{"downtime", disk(), event(alert.EventDowntime, "carol", "patching"), options()},
		{"downtime by nobody known", disk(), event(alert.EventDowntime, "", ""), options()},
		{"downtime over", disk(), event(alert.EventDowntimeEnd, "carol", ""), options()},
		{"flapping", disk(), event(alert.EventFlapping, "", ""), options()},
		{"flapping over", disk(), event(alert.EventFlappingEnd, "", ""), options()},
		{"custom", disk(), event(alert.EventCustom, "dave", "hello"), options()},
		{"custom without a word", disk(), event(alert.EventCustom, "dave", ""), options()},
		{"instructed", disk(), order(alert.EventInstructed, "check", "erin", ""), options()},
		{"instruction done", disk(), order(alert.EventInstructDone, "downtime", "erin", ""), options()},
		{"instruction refused", disk(), order(alert.EventInstructFail, "comment", "erin", "not allowed"), options()},
		{"unknown kind", disk(), event("from_the_future", "erin", "text"), options()},
		{"long text", disk(), event(alert.EventCustom, "dave", strings.Repeat("x", 1000)), options()},
		{"hostile text", disk(), event(alert.EventAcknowledged, "al\nice", "a\nb \u202e @channel"), options()},
	} {
		fmt.Fprintf(&b, "=== %s\n%s\n", c.name, show(message.Note(c.a, c.e, c.o)))
	}
	golden(t, "notes.golden", b.String())
}

func TestAckDialog(t *testing.T) {
	d := message.AckDialog(disk(), "sealed")
	want := chat.Dialog{Title: "Acknowledge", Intro: "CRITICAL: Disk /var on web01", SubmitLabel: "Acknowledge", State: "sealed",
		Fields: []chat.Field{{Name: "comment", Label: "Comment", Placeholder: "what you do about it", Multiline: true, MaxLength: 500}}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}
