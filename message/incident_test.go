// SPDX-License-Identifier: Apache-2.0

package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/incident"
	"belfry/message"
)

func showTable(t *chat.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", strings.Join(t.Head, " | "))
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.Plain())
		}
		fmt.Fprintf(&b, "  %s\n", strings.Join(cells, " | "))
	}
	if t.More > 0 {
		fmt.Fprintf(&b, "  and %d more\n", t.More)
	}
	return b.String()
}

// TestIncidents shows an incident through its life, on cards, in notes, tables
// and Markdown.
func TestIncidents(t *testing.T) {
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := incident.Defaults()
	s.Services, s.Fields = []string{"shop"}, []incident.Field{{Name: "site", Label: "Site"}}
	anna, evil := incident.Person{Name: "anna"}, incident.Person{Name: "@here <!channel>"}
	d := incident.Declaration{Kind: incident.Test, Triage: true, Title: "the `shop` is *slow* @all", Severity: "SEV1", Services: []string{"shop"},
		Summary: "# orders wait\n\nfor <b>the</b> database [x](http://evil.example)", Fields: map[string]string{"site": "north | south"}, By: anna}
	i, entries, err := incident.Declare(&s, d, at)
	if err != nil {
		t.Fatal(err)
	}
	i.Number = 42
	var b strings.Builder
	o := message.Options{Now: at.Add(4 * time.Hour), Location: time.UTC}
	card := func(name string) { fmt.Fprintf(&b, "=== card %s\n%s\n", name, show(message.Incident(i, o))) }
	step := func(e incident.Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
		at = at.Add(10 * time.Minute)
	}
	card("in triage")
	step(i.Move(incident.Start, anna, at, ""))
	step(i.Assign(&s, "commander", evil, anna, at))
	step(i.AddTask(incident.ToDo, "call | the provider", evil, at.Add(time.Hour), anna, at))
	step(i.AddTask(incident.FollowUp, "watch the disks", incident.Person{}, time.Time{}, anna, at))
	step(i.Say("half of the orders\ngo through", evil, at))
	step(i.Happened("the disk was full", at.Add(-30*time.Minute), anna, at))
	step(i.Attach(&alert.Alert{ID: 7, Number: 5, Source: "nagios", Severity: alert.SeverityCritical, Object: alert.Object{Kind: alert.KindHost, Host: "web01"}}, anna, at))
	for _, kind := range []alert.Event{{Kind: alert.EventChanged, PreviousSeverity: alert.SeverityWarning, Severity: alert.SeverityCritical, Text: "@all: 2% free"}, {Kind: alert.EventAcknowledged, Actor: "@here"},
		{Kind: alert.EventUnacked, Actor: "bert"}, {Kind: alert.EventChanged, PreviousSeverity: alert.SeverityCritical, Severity: alert.SeverityWarning}, {Kind: alert.EventResolved, Text: "UP"}} {
		a := &alert.Alert{ID: 7, Number: 5, Source: "nagios", Object: alert.Object{Kind: alert.KindHost, Host: "web01"}}
		if kind.Kind == alert.EventResolved {
			a.Status = alert.Resolved
		}
		entries = append(entries, i.Follow(a, []alert.Event{kind}, at)...)
	}
	step(i.Run(incident.Channel{Connection: "chat", ID: "c", Name: "inc-42", URL: "https://chat.example.org/c"}, anna, at))
	card("started")
	step(i.SetSeverity(&s, "SEV3", anna, at, "only a few"))
	step(i.Move(incident.Mitigate, anna, at, "rolled back"))
	step(i.FinishTask(1, anna, at))
	step(i.Set(&s, "site", "", anna, at))
	card("mitigated")
	step(i.Move(incident.Resolve, anna, at, ""))
	card("resolved")
	for _, r := range []struct{ what, was, is string }{{"commander", "", "commander"}, {"update", "last", ""}, {"triage", "", ""}, {"task", "3", "*evil* @all"}, {"task", "4", ""}} {
		e := incident.Entry{Kind: incident.EntryReminder, At: at, RecordedAt: at, By: incident.Belfry(), Since: at.Add(-90 * time.Minute), What: r.what, Was: r.was, Is: r.is}
		if r.what == "task" {
			e.Text = "call | the *provider*"
		}
		entries = append(entries, e)
	}
	i.Parent = 41
	page := o
	page.BaseURL = "https://belfry.example.org"
	fmt.Fprintf(&b, "=== closing summary\n%s\n%s\n", show(message.IncidentClosing(i, o)), show(message.IncidentClosing(i, page)))
	for _, l := range message.IncidentLinks(i, incident.ChannelLinks(), page) {
		fmt.Fprintf(&b, "  %s: %s\n", l.Text, l.URL)
	}
	if links := message.IncidentLinks(i, incident.ChannelLinks(), o); len(links) > 0 {
		t.Errorf("links without an address: %v", links)
	}
	i.Parent = 0
	fmt.Fprintf(&b, "=== card hidden\n%s\n", show(message.IncidentHidden(i)))
	b.WriteString("=== notes\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "%s\n", show(message.IncidentNote(i, e, o)))
	}
	fmt.Fprintf(&b, "=== list\n%s=== tasks\n%s=== timeline\n%s", showTable(message.Incidents([]*incident.Incident{i}, 3, o)),
		showTable(message.Tasks(i.Tasks, o)), showTable(message.Timeline(entries, o)))
	golden(t, "incidents.golden", b.String())
}
