// SPDX-License-Identifier: Apache-2.0

// Package retrospective makes of an incident the document that people read
// afterwards: what it was, how long it took, who took part, what was done and
// is still to do.
//
// The flow: Build takes the incident, its timeline and, if there is one, the
// text that people made of it, and returns a Document before any format. All
// that came from people and monitoring is cleaned there. Markdown, JSON and HTML
// each write it down and escape it in their own way. Where people edited it,
// their text is what Markdown and HTML give.
package retrospective

import (
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
)

// Document is an incident as it is told afterwards. Its JSON is what is
// exported; times have the zone they are read in.
type Document struct {
	Number      int64    `json:"number"`
	Title       string   `json:"title"`
	Status      string   `json:"status"`
	Exercise    bool     `json:"exercise,omitempty"`
	Private     bool     `json:"private,omitempty"`
	Severity    string   `json:"severity,omitempty"`
	Types       []string `json:"types,omitempty"`
	Services    []string `json:"services,omitempty"`
	Env         []string `json:"environments,omitempty"`
	Fields      []Field  `json:"fields,omitempty"`
	Summary     string   `json:"summary,omitempty"`
	Parent      int64    `json:"part_of,omitempty"`
	Parts       []int64  `json:"parts,omitempty"`
	DuplicateOf int64    `json:"duplicate_of,omitempty"`
	Reopened    int      `json:"reopened,omitempty"`
	// Steps are when it reached each status that counts now.
	Steps     []Step     `json:"steps"`
	Durations []Duration `json:"durations"`
	People    []Person   `json:"people"`
	Tasks     []Task     `json:"tasks"`
	FollowUps []Task     `json:"follow_ups"`
	Alerts    []Alert    `json:"alerts"`
	Timeline  []Entry    `json:"timeline"`
	// Edited is what people made of it; nil: nobody did.
	Edited *Edited `json:"edited,omitempty"`
}

// Field is the value of a field of one's own.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Step is a status that was reached.
type Step struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
}

// Duration is how long something took from the declaration on.
type Duration struct {
	// What is acknowledge, mitigate or resolve.
	What    string `json:"what"`
	Seconds int64  `json:"seconds"`
}

// Words is how people read it: "3 h 5 min".
func (d Duration) Words() string { return message.Lasted(time.Duration(d.Seconds) * time.Second) }

// Person took part.
type Person struct {
	Name string `json:"name"`
	// Role may be empty.
	Role string `json:"role,omitempty"`
}

// Task was, or is, to be done.
type Task struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
	Owner  string `json:"owner,omitempty"`
	// Link leads to the message that it was made of; may be empty.
	Link string `json:"link,omitempty"`
	// Due and Done are zero when there is no date, and while it is open.
	Due    time.Time `json:"due,omitzero"`
	Done   time.Time `json:"done,omitzero"`
	DoneBy string    `json:"done_by,omitempty"`
}

// Alert belongs to the incident.
type Alert struct {
	Number   int64     `json:"number"`
	Name     string    `json:"name"`
	Source   string    `json:"source"`
	Severity string    `json:"severity"`
	Began    time.Time `json:"began,omitzero"`
}

// Entry is one of the timeline.
type Entry struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"`
	Kind string    `json:"kind"`
	// What says in plain words what happened.
	What string `json:"what"`
	// Link leads to the message that it came from; may be empty.
	Link string `json:"link,omitempty"`
	// Notable ones are what everybody was told.
	Notable bool `json:"-"`
}

// Edited is the text that people made of it.
type Edited struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Text    string    `json:"text"`
}

// Build makes the document. entries is the timeline, the oldest first; edited is
// nil when nobody edited it; times are shown in zone (nil: the machine's).
func Build(i *incident.Incident, entries []incident.Entry, edited *incident.Retrospective, zone *time.Location) Document {
	if zone == nil {
		zone = time.Local
	}
	d := Document{Number: i.Number, Title: chat.CleanLine(i.Title), Status: i.Status.String(), Exercise: i.Kind == incident.Test, Private: i.Private,
		Severity: chat.CleanLine(i.Severity), Types: lines(i.Types), Services: lines(i.Services), Env: lines(i.Environments),
		Summary: strings.Trim(chat.Clean(i.Summary), "\n\t "), Parent: i.Parent, Parts: i.Subs, DuplicateOf: i.DuplicateOf, Reopened: i.Reopened,
		Tasks: []Task{}, FollowUps: []Task{}, Alerts: []Alert{}, Durations: []Duration{}, Timeline: []Entry{}, People: people(i)}
	for _, name := range slices.Sorted(maps.Keys(i.Fields)) {
		d.Fields = append(d.Fields, Field{chat.CleanLine(name), chat.CleanLine(i.Fields[name])})
	}
	for _, s := range incident.Statuses() {
		if m := i.Since(s); !m.At.IsZero() {
			d.Steps = append(d.Steps, Step{s.String(), m.At.In(zone), chat.CleanLine(m.By.Name)})
		}
	}
	for _, x := range []struct {
		what string
		s    incident.Status
	}{{"acknowledge", incident.Started}, {"mitigate", incident.Mitigated}, {"resolve", incident.Resolved}} {
		if took, ok := i.Took(x.s); ok {
			d.Durations = append(d.Durations, Duration{x.what, int64(took / time.Second)})
		}
	}
	for n := range i.Tasks {
		t := task(&i.Tasks[n], zone)
		if i.Tasks[n].Kind == incident.FollowUp {
			d.FollowUps = append(d.FollowUps, t)
		} else {
			d.Tasks = append(d.Tasks, t)
		}
	}
	for _, a := range i.Alerts {
		d.Alerts = append(d.Alerts, Alert{a.Number, chat.CleanLine(a.Name), chat.CleanLine(a.Source), a.Severity.String(), in(a.StartsAt, zone)})
	}
	for n := range entries {
		d.Timeline = append(d.Timeline, entry(entries[n], zone))
	}
	if edited != nil {
		d.Edited = &Edited{edited.Version, edited.At.In(zone), chat.CleanLine(edited.By.Name), chat.Clean(edited.Text)}
	}
	return d
}

// in is t in a zone; zero stays zero.
func in(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

func lines(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, chat.CleanLine(s))
	}
	return out
}

func task(t *incident.Task, zone *time.Location) Task {
	return Task{t.Number, chat.CleanLine(t.Text), chat.CleanLine(t.Owner.Name), message.TaskLink(t), in(t.Due, zone), in(t.Done.At, zone), chat.CleanLine(t.Done.By.Name)}
}

// entry says what one of the timeline tells, in all its length.
func entry(e incident.Entry, zone *time.Location) Entry {
	text, by := chat.CleanLine(e.Text), message.KeptBy(&e)
	if by != "" {
		text += " (" + by + ")"
	}
	e.Text, e.KeptBy = "", incident.Person{}
	what := strings.TrimPrefix(message.EntryWords(&e)+": "+text, ": ")
	return Entry{e.At.In(zone), chat.CleanLine(e.By.Name), string(e.Kind), strings.TrimSuffix(what, ": "), message.EntryLink(&e), e.Kind.Notable()}
}

// people are those with a role, by the role, then all others, each once.
func people(i *incident.Incident) []Person {
	list := []Person{}
	for _, role := range slices.Sorted(maps.Keys(i.Roles)) {
		list = append(list, Person{chat.CleanLine(i.Roles[role].Name), chat.CleanLine(role)})
	}
	for _, p := range i.People {
		name := chat.CleanLine(p.Name)
		if !slices.ContainsFunc(list, func(o Person) bool { return o.Name == name }) {
			list = append(list, Person{Name: name})
		}
	}
	return list
}
