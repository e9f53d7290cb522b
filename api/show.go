// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strconv"
	"time"

	"belfry/incident"
	"belfry/store"
)

// moment is when something was done, and by whom.
type moment struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
}

func momentOf(m incident.Moment) *moment {
	if m.At.IsZero() {
		return nil
	}
	return &moment{m.At, m.By.Name}
}

// shown is an incident as programs read it. Lists leave its parts out: tasks,
// alerts, channels.
type shown struct {
	Number   int64                      `json:"number"`
	URL      string                     `json:"url"`
	Title    string                     `json:"title"`
	Status   incident.Status            `json:"status"`
	Severity string                     `json:"severity,omitempty"`
	Kind     incident.Kind              `json:"kind"`
	Private  bool                       `json:"private"`
	Summary  string                     `json:"summary,omitempty"`
	Update   string                     `json:"update,omitempty"`
	Updated  *moment                    `json:"updated,omitempty"`
	Declared moment                     `json:"declared"`
	Moments  map[incident.Status]moment `json:"moments"`

	Types        []string          `json:"types,omitempty"`
	Services     []string          `json:"services,omitempty"`
	Environments []string          `json:"environments,omitempty"`
	Fields       map[string]string `json:"fields,omitempty"`
	Roles        map[string]string `json:"roles,omitempty"`
	People       []string          `json:"people,omitempty"`

	Tasks    []task    `json:"tasks,omitempty"`
	Alerts   []attach  `json:"alerts,omitempty"`
	Channels []channel `json:"channels,omitempty"`

	Parent      int64 `json:"parent,omitempty"`
	DuplicateOf int64 `json:"duplicate_of,omitempty"`
	// Possible are the steps of its life that are possible now.
	Possible []incident.Act `json:"possible"`
	// Repeated is true when the act was done before, by the same key.
	Repeated bool `json:"repeated,omitempty"`
}

type task struct {
	Number int               `json:"number"`
	Kind   incident.TaskKind `json:"kind"`
	Text   string            `json:"text"`
	Owner  string            `json:"owner,omitempty"`
	Due    time.Time         `json:"due,omitzero"`
	Done   *moment           `json:"done,omitempty"`
}

type attach struct {
	Number   int64  `json:"number"`
	Name     string `json:"name"`
	Source   string `json:"source"`
	Severity string `json:"severity"`
	Attached moment `json:"attached"`
}

type channel struct {
	Connection string `json:"connection"`
	Name       string `json:"name,omitempty"`
	URL        string `json:"url,omitempty"`
}

// listed is a list of incidents; Before is what to ask with for the next ones, 0
// when there are none.
type listed struct {
	Incidents []shown `json:"incidents"`
	Before    int64   `json:"before,omitempty"`
}

func address(number int64) string { return "/api/incidents/" + strconv.FormatInt(number, 10) }

// show is an incident; repeated says that an act was done before. Where nobody can
// tell whether the program may know of another incident, that is left out: the
// act is done, and the answer must say so.
func (q *request) show(i *incident.Incident, repeated bool) *shown {
	one := *i
	i, one.Subs, one.Duplicates = &one, nil, nil // which are not shown
	if err := i.Bound(q.sees); err != nil {
		q.o.Log.Warn("can't tell which incidents a program may know of; they are left out", "program", q.who.Name, "err", err)
		i.Parent, i.DuplicateOf = 0, 0
	}
	s := &shown{Number: i.Number, URL: q.o.BaseURL + "/incidents/" + strconv.FormatInt(i.Number, 10), Title: i.Title, Status: i.Status, Severity: i.Severity,
		Kind: i.Kind, Private: i.Private, Summary: i.Summary, Update: i.Update, Updated: momentOf(i.Updated), Declared: moment{i.CreatedAt, i.CreatedBy.Name},
		Moments: map[incident.Status]moment{}, Types: i.Types, Services: i.Services, Environments: i.Environments, Fields: i.Fields,
		Parent: i.Parent, DuplicateOf: i.DuplicateOf, Possible: incident.Possible(i.Status), Repeated: repeated}
	for status, m := range i.Moments {
		s.Moments[status] = *momentOf(m)
	}
	for role, p := range i.Roles {
		if s.Roles == nil {
			s.Roles = map[string]string{}
		}
		s.Roles[role] = p.Name
	}
	for _, p := range i.People {
		s.People = append(s.People, p.Name)
	}
	for _, t := range i.Tasks {
		s.Tasks = append(s.Tasks, task{t.Number, t.Kind, t.Text, t.Owner.Name, t.Due, momentOf(t.Done)})
	}
	for _, a := range i.Alerts {
		s.Alerts = append(s.Alerts, attach{a.Number, a.Name, a.Source, a.Severity.String(), moment{a.At, a.By.Name}})
	}
	for _, c := range i.Channels {
		s.Channels = append(s.Channels, channel{c.Connection, c.Name, c.URL})
	}
	return s
}

// entry is one entry of a timeline.
type entry struct {
	At   time.Time          `json:"at"`
	By   string             `json:"by"`
	Kind incident.EntryKind `json:"kind"`
	Text string             `json:"text,omitempty"`
	What string             `json:"what,omitempty"`
	Was  string             `json:"was,omitempty"`
	Is   string             `json:"is,omitempty"`
	// Other is another incident's number, Alert an alert's.
	Other int64 `json:"incident,omitempty"`
	Alert int64 `json:"alert,omitempty"`
}

// page is a part of a timeline; Before is what to ask with for what was before,
// empty when that is all.
type page struct {
	Entries []entry `json:"entries"`
	Before  string  `json:"before,omitempty"`
}

// told is a page of the newest maxPage of entries; one more says that there are more.
func told(entries []incident.Entry) (p page) {
	if len(entries) > maxPage {
		entries = entries[len(entries)-maxPage:]
		p.Before = store.CursorAt(entries[0])
	}
	p.Entries = make([]entry, 0, len(entries))
	for _, e := range entries {
		p.Entries = append(p.Entries, entry{e.At, e.By.Name, e.Kind, e.Text, e.What, e.Was, e.Is, e.Other, e.Alert})
	}
	return p
}
