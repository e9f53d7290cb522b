// SPDX-License-Identifier: Apache-2.0

// Package incident holds what an incident is and the pure rules by which people
// change it. It does no I/O.
//
// The flow: Declare makes an Incident. Every act (Move along the lifecycle,
// SetSeverity, Assign, AddTask …) is a method that changes the Incident and
// returns the Entry that its timeline gets, or an error that says what is
// possible instead and leaves everything as it was. The caller works on a Clone
// and stores both in one transaction.
//
// What happens by itself follows the same way: Follow notes what becomes of
// attached alerts, Remind what is missing, Rule how a route declares. Steps says
// what an incident's channels need after a change.
//
// The lifecycle is one table, Lifecycle; docs/incidents.md shows it, and a test
// holds that to the code. What may be chosen (severities, roles …) is Settings.
package incident

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"belfry/alert"
)

// Kind says what sort of incident it is.
type Kind string

// The kinds.
const (
	// Normal is a real incident.
	Normal Kind = "normal"
	// Test is an exercise: marked wherever it is shown, left out of figures.
	Test Kind = "test"
	// Sub is a part of another incident, its Parent.
	Sub Kind = "sub"
)

// Person is somebody as a chat platform named them.
type Person struct {
	// Connection is the configured connection, ID the platform's user id. Both
	// are empty for Belfry itself and for people known by name alone.
	Connection string `json:"connection,omitempty"`
	ID         string `json:"id,omitempty"`
	// Name is the handle, without "@"; of a Machine what it is and its name.
	Name string `json:"name"`
}

// Belfry is who did what nobody did by hand.
func Belfry() Person { return Person{Name: "Belfry"} }

// Same says whether p and o are one person: by id where both have one, else by
// name on the same connection. Whose connection isn't known is who is called so.
func (p Person) Same(o Person) bool {
	if p.IsMachine() || o.IsMachine() {
		return p == o
	}
	if p.Connection != "" && o.Connection != "" && p.Connection != o.Connection {
		return false
	}
	if p.ID != "" && o.ID != "" {
		return p.ID == o.ID
	}
	return p.Name == o.Name
}

// Moment is when something was done, and by whom.
type Moment struct {
	At time.Time `json:"at"`
	By Person    `json:"by"`
}

// Channel is a chat channel in which an incident is run.
type Channel struct {
	// Connection is the configured connection, ID the platform's channel id.
	Connection string `json:"connection"`
	ID         string `json:"id"`
	// Name is what people call it, URL where it is; both may be empty.
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
	// Ours is true when Belfry made it.
	Ours bool `json:"ours,omitempty"`
	// Public is true when everybody can come in, or may be able to: when Belfry
	// made it so, or it became the incident's before that was private.
	Public bool `json:"public,omitempty"`
	// Archived is true while Belfry has it archived.
	Archived bool `json:"archived,omitempty"`
}

// Attached is an alert that belongs to an incident, as it was when it was
// attached, and its State: alerts are not kept as long as incidents.
type Attached struct {
	Alert alert.ID `json:"alert"`
	// Number is the alert's, Name its object.
	Number int64  `json:"number"`
	Name   string `json:"name"`
	Source string `json:"source"`
	// Fingerprint and Topic tell which other alerts are about the same.
	Fingerprint alert.Fingerprint `json:"fingerprint,omitempty"`
	Topic       alert.Topic       `json:"topic,omitempty"`
	Severity    alert.Severity    `json:"severity"`
	// State is how it stands, as far as the incident is told (see Follow).
	State AlertState `json:"state,omitempty"`
	// StartsAt is when the alert began; the incident may be said to have begun then.
	StartsAt time.Time `json:"starts_at,omitzero"`
	Moment
}

// Incident is one incident. What is not in its JSON is stored apart.
type Incident struct {
	ID alert.ID `json:"-"`
	// Number is what people call it: #42. Given when it is stored.
	Number int64  `json:"-"`
	Kind   Kind   `json:"-"`
	Status Status `json:"-"`
	// Severity is one of Settings.Severities by name; empty: not known yet.
	Severity string `json:"-"`
	Title    string `json:"-"`
	// Revision grows with every change.
	Revision  int64     `json:"-"`
	CreatedAt time.Time `json:"-"`
	UpdatedAt time.Time `json:"-"`
	// Private incidents are shown to their People alone.
	Private bool `json:"-"`
	// Parent is the number of the incident that this one is part of, DuplicateOf
	// of the one that it repeats; 0: none.
	Parent      int64 `json:"-"`
	DuplicateOf int64 `json:"-"`
	// Entries counts the timeline.
	Entries int `json:"-"`

	// CreatedBy declared it.
	CreatedBy Person `json:"created_by"`
	Summary   string `json:"summary,omitempty"`
	// Update is the newest word to everybody on how it stands, Updated when
	// and by whom; zero: nobody said anything yet.
	Update  string `json:"update,omitempty"`
	Updated Moment `json:"updated,omitzero"`
	// Types, Services and Environments are of those in Settings.
	Types        []string `json:"types,omitempty"`
	Services     []string `json:"services,omitempty"`
	Environments []string `json:"environments,omitempty"`
	// Fields are the custom fields' values by name.
	Fields map[string]string `json:"fields,omitempty"`
	// Moments are when, and by whom, each status was reached that counts now:
	// a reopened incident is no longer resolved.
	Moments map[Status]Moment `json:"moments,omitempty"`
	// Reopened counts how often it was reopened, Opened is when it was last.
	Reopened int       `json:"reopened,omitempty"`
	Opened   time.Time `json:"opened,omitzero"`
	// Roles are who holds each role, by the role's name.
	Roles map[string]Person `json:"roles,omitempty"`
	// People are all who take part: declared it, joined, hold a role, own a task.
	People []Person `json:"people,omitempty"`
	// Subs and Duplicates are the numbers of the incidents that name this one.
	Subs       []int64 `json:"subs,omitempty"`
	Duplicates []int64 `json:"duplicates,omitempty"`
	// Cards are the destinations ("connection/channel") that have its card.
	Cards []string `json:"cards,omitempty"`
	// Reminded is what people were reminded of, and RemindAt when they are the
	// next time (NextReminder, as it was when that was stored); zero: never.
	Reminded map[ReminderKind]Reminded `json:"reminded,omitempty"`
	RemindAt time.Time                 `json:"-"`
	// Told are the troubles with its channels that the timeline has already.
	Told []string `json:"told,omitempty"`
	// Origin is the machine that declared it, by name, and OriginKey which of
	// its incidents it is; both are empty when a person did.
	Origin    string `json:"-"`
	OriginKey string `json:"-"`

	Tasks    []Task     `json:"-"`
	Alerts   []Attached `json:"-"`
	Channels []Channel  `json:"-"`
}

// Ref is how people name it: "#42".
func (i *Incident) Ref() string { return "#" + strconv.FormatInt(i.Number, 10) }

// Clone returns a copy that shares nothing with i.
func (i *Incident) Clone() *Incident {
	c := *i
	c.Types, c.Services, c.Environments = slices.Clone(i.Types), slices.Clone(i.Services), slices.Clone(i.Environments)
	c.Fields, c.Moments, c.Roles = maps.Clone(i.Fields), maps.Clone(i.Moments), maps.Clone(i.Roles)
	c.Reminded = maps.Clone(i.Reminded)
	c.People, c.Subs, c.Duplicates = slices.Clone(i.People), slices.Clone(i.Subs), slices.Clone(i.Duplicates)
	c.Cards, c.Tasks, c.Alerts, c.Channels = slices.Clone(i.Cards), slices.Clone(i.Tasks), slices.Clone(i.Alerts), slices.Clone(i.Channels)
	c.Told = slices.Clone(i.Told)
	return &c
}

// Takes says whether p takes part in it. A name that was kept because chat could
// not be asked is nobody's account: whoever is called so may be somebody else, or
// took the name since.
func (i *Incident) Takes(p Person) bool {
	return slices.ContainsFunc(i.People, func(q Person) bool { return q.Same(p) && (q.ID != "" || p.ID == "") })
}

// Visible says whether p may know of it, which takes an account. inside is true
// when they ask in one of its own channels, which they could not see otherwise.
func (i *Incident) Visible(p Person, inside bool) bool {
	return !i.Private || inside || p.ID != "" && i.Takes(p)
}

// takesPart notes that p takes part; true when that is new. An account takes the
// place of its name.
func (i *Incident) takesPart(p Person) bool {
	if p.Name == "" || p.IsMachine() || p.Same(Belfry()) || i.Takes(p) {
		return false
	}
	if at := slices.IndexFunc(i.People, p.Same); at >= 0 {
		i.People[at] = p
		return true
	}
	if len(i.People) >= MaxPeople {
		return false
	}
	i.People = append(i.People, p)
	return true
}

// touch notes that something changed, and returns the entry for it. Time never
// runs backwards within an incident, whatever the clock does.
func (i *Incident) touch(kind EntryKind, by Person, at time.Time, text string) Entry {
	if at.Before(i.UpdatedAt) {
		at = i.UpdatedAt
	}
	i.UpdatedAt = at
	i.Revision++
	i.Entries++
	return Entry{Kind: kind, At: at, RecordedAt: at, By: by, Text: text}
}
