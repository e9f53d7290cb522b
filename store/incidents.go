// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/incident"
)

const (
	incidentColumns  = `id, number, status, kind, severity, private, title, parent, duplicate_of, revision, entries, remind_at, origin, origin_key, created_at, updated_at, body`
	incidentByNumber = `SELECT ` + incidentColumns + ` FROM incidents WHERE number = $1`
	incidentByID     = `SELECT ` + incidentColumns + ` FROM incidents WHERE id = $1`
	// Of several in one channel the open one is meant, or else the newest.
	incidentInChannel = `SELECT ` + incidentColumns + ` FROM incidents WHERE id IN
		(SELECT incident_id FROM incident_channels WHERE connection = $1 AND channel = $2) ORDER BY is_open DESC, number DESC LIMIT 1`
	incidentsOfAlert = `SELECT ` + incidentColumns + ` FROM incidents WHERE id IN
		(SELECT incident_id FROM incident_alerts WHERE alert_id = $1) ORDER BY number DESC`
)

// scanIncident reads an incident without its parts. With ErrUnreadable it returns
// what stands in columns.
func scanIncident(scan scanner) (*incident.Incident, error) {
	var i incident.Incident
	var private, remind, created, updated int64
	var body string
	if err := scan(&i.ID, &i.Number, &i.Status, &i.Kind, &i.Severity, &private, &i.Title, &i.Parent, &i.DuplicateOf,
		&i.Revision, &i.Entries, &remind, &i.Origin, &i.OriginKey, &created, &updated, &body); err != nil {
		return nil, err
	}
	i.Private, i.RemindAt, i.CreatedAt, i.UpdatedAt = private != 0, timeOf(remind), timeOf(created), timeOf(updated)
	if err := json.Unmarshal([]byte(body), &i); err != nil {
		return &i, fmt.Errorf("incident %s %w: %w", i.Ref(), ErrUnreadable, err)
	}
	return &i, nil
}

// complete reads the parts of i that are stored apart; each runs a statement
// whose parameter is the incident's id.
func complete(i *incident.Incident, each func(text string, row func(scanner) error) error) error {
	err := each(`SELECT number, kind, due_at, body FROM incident_tasks WHERE incident_id = $1 ORDER BY number`, func(scan scanner) error {
		var t incident.Task
		var due int64
		var body string
		if err := scan(&t.Number, &t.Kind, &due, &body); err != nil {
			return err
		}
		t.Due = timeOf(due)
		if err := json.Unmarshal([]byte(body), &t); err != nil {
			return fmt.Errorf("a task of incident %s %w: %w", i.Ref(), ErrUnreadable, err)
		}
		i.Tasks = append(i.Tasks, t)
		return nil
	})
	if err != nil {
		return err
	}
	err = each(`SELECT body FROM incident_alerts WHERE incident_id = $1 ORDER BY alert_id`, func(scan scanner) error {
		return part(scan, &i.Alerts)
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(i.Alerts, func(a, b incident.Attached) int { return a.At.Compare(b.At) })
	return each(`SELECT body FROM incident_channels WHERE incident_id = $1 ORDER BY connection, channel`, func(scan scanner) error {
		return part(scan, &i.Channels)
	})
}

// part reads one thing that is stored as JSON.
func part[T any](scan scanner, into *[]T) error {
	var body string
	if err := scan(&body); err != nil {
		return err
	}
	var x T
	if err := json.Unmarshal([]byte(body), &x); err != nil {
		return fmt.Errorf("a part of an incident %w: %w", ErrUnreadable, err)
	}
	*into = append(*into, x)
	return nil
}

// Incident returns the incident that people call #number, whole but for its
// timeline, or ErrNotFound.
func (s *Store) Incident(ctx context.Context, number int64) (*incident.Incident, error) {
	return s.incident(ctx, incidentByNumber, number)
}

// IncidentByID is Incident by its id.
func (s *Store) IncidentByID(ctx context.Context, id alert.ID) (*incident.Incident, error) {
	return s.incident(ctx, incidentByID, int64(id))
}

// IncidentIn returns the incident that is run in a channel, by the platform's
// id, or ErrNotFound.
func (s *Store) IncidentIn(ctx context.Context, connection, channel string) (*incident.Incident, error) {
	return s.incident(ctx, incidentInChannel, connection, channel)
}

func (s *Store) incident(ctx context.Context, text string, args ...any) (*incident.Incident, error) {
	list, err := s.incidents(ctx, text, args...)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, fmt.Errorf("incident: %w", ErrNotFound)
	}
	return list[0], s.complete(ctx, list[0])
}

func (s *Store) complete(ctx context.Context, i *incident.Incident) error {
	return complete(i, func(text string, row func(scanner) error) error {
		return s.query(ctx, "an incident", text, []any{int64(i.ID)}, row)
	})
}

func (s *Store) incidents(ctx context.Context, text string, args ...any) ([]*incident.Incident, error) {
	var list []*incident.Incident
	err := s.query(ctx, "incidents", text, args, func(scan scanner) error {
		i, err := scanIncident(scan)
		list = append(list, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// IncidentsOf returns the incidents that an alert is attached to, the newest
// first, without their parts.
func (s *Store) IncidentsOf(ctx context.Context, id alert.ID) ([]*incident.Incident, error) {
	return s.incidents(ctx, incidentsOfAlert, int64(id))
}

const channelsOfConnection = `SELECT c.channel FROM incident_channels c JOIN incidents i ON i.id = c.incident_id
	WHERE c.connection = $1 AND i.` + notOver + ` GROUP BY c.channel ORDER BY MAX(i.number) DESC LIMIT $2`

// IncidentChannels returns the platform's ids of the own channels on a connection
// of incidents that are neither closed nor cancelled, those of the newest first.
func (s *Store) IncidentChannels(ctx context.Context, connection string, limit int) (list []string, err error) {
	err = s.query(ctx, "channels of incidents", channelsOfConnection, []any{connection, int64(limit)}, func(scan scanner) error {
		var channel string
		err := scan(&channel)
		list = append(list, channel)
		return err
	})
	return list, err
}

// IncidentFilter says which incidents are wanted; zero values mean any.
type IncidentFilter struct {
	// Open are those with something left to do about the problem itself.
	Open bool
	// Over are all others.
	Over     bool
	Status   incident.Status
	Kind     incident.Kind
	Severity string
	// Label is one of "service", "type", "environment", a role or a custom
	// field's name; Value is what it must be.
	Label, Value string
	// Words must all stand somewhere in number, title, summary or labels.
	Words []string
	// Parent is the number of the incident that they are part of.
	Parent int64
	// Seen leaves out private incidents in which none of Faces takes part.
	Seen  bool
	Faces []incident.Person
	// Since leaves out those that were declared before.
	Since time.Time
	// Before leaves out this number and all higher ones.
	Before int64
	// Limit is how many at most (100).
	Limit int
}

// Incidents returns incidents, the newest first, without their parts.
func (s *Store) Incidents(ctx context.Context, f IncidentFilter) ([]*incident.Incident, error) {
	c := f.choice(s.dialect)
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	return s.incidents(ctx, numbered(selectIncidents(c)), append(c.args, int64(f.Limit))...)
}

func selectIncidents(c *choice) string {
	return `SELECT ` + incidentColumns + ` FROM ` + c.from + ` WHERE ` + strings.Join(c.where, " AND ") + ` ORDER BY ` + c.order + ` DESC LIMIT ?`
}

// choice is what a filter says in SQL.
type choice struct {
	from, order string
	where       []string
	args        []any
}

func (c *choice) add(condition string, values ...any) {
	c.where, c.args = append(c.where, condition), append(c.args, values...)
}

func (f *IncidentFilter) choice(d *dialect) *choice {
	c := &choice{from: "incidents", order: "number", where: []string{"1 = 1"}}
	c.words(f, d)
	if f.Open {
		c.add("is_open = 1")
	}
	if f.Over {
		c.add("is_open = 0")
	}
	if f.Status != "" {
		c.add("status = ?", string(f.Status))
	}
	if f.Kind != "" {
		c.add("kind = ?", string(f.Kind))
	}
	if f.Severity != "" {
		c.add("severity = ?", writable(f.Severity))
	}
	if f.Seen {
		condition, faces := seenBy("id", f.Faces)
		c.add(condition, faces...)
	}
	if f.Parent != 0 {
		c.add("parent = ?", f.Parent)
	}
	if !f.Since.IsZero() {
		c.add("created_at >= ?", micros(f.Since))
	}
	if f.Before != 0 {
		c.add(c.order+" < ?", f.Before)
	}
	return c
}

// words has the words gone through first, the newest incident's first: that
// ends as soon as enough are found, and reads of all others their words alone.
// Open incidents are few: of those the words are looked up one by one. CROSS
// JOIN is what SQLite does not turn round.
func (c *choice) words(f *IncidentFilter, d *dialect) {
	var patterns []string
	if f.Label != "" {
		patterns = append(patterns, "%\n"+pattern(f.Label+":"+f.Value)+"\n%")
	}
	for _, w := range f.Words {
		patterns = append(patterns, "%"+pattern(w)+"%")
	}
	if len(patterns) == 0 {
		return
	}
	if f.Open {
		c.from = `incidents CROSS JOIN (SELECT number AS n, words FROM incident_words) w`
	} else {
		c.from, c.order = `(SELECT number AS n, words FROM incident_words`+d.newestFirst+`) w CROSS JOIN incidents`, "n"
	}
	c.add("n = number")
	for _, p := range patterns {
		c.add(`words LIKE ? ESCAPE '!'`, p)
	}
}

// pattern makes a text one that LIKE takes literally.
func pattern(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(writable(strings.ToLower(text)))
}

// IncidentCount is how many incidents stand alike.
type IncidentCount struct {
	Status   incident.Status
	Severity string
	Kind     incident.Kind
	N        int
}

// CountIncidents counts the incidents, those of private ones included.
func (s *Store) CountIncidents(ctx context.Context) ([]IncidentCount, error) {
	var list []IncidentCount
	err := s.query(ctx, "incidents", `SELECT status, severity, kind, COUNT(*) FROM incidents GROUP BY status, severity, kind ORDER BY status, severity, kind`, nil,
		func(scan scanner) error {
			var c IncidentCount
			err := scan(&c.Status, &c.Severity, &c.Kind, &c.N)
			list = append(list, c)
			return err
		})
	return list, err
}

// EntryFilter says which entries of a timeline are wanted; zero values mean any.
type EntryFilter struct {
	// Since leaves out what happened before.
	Since time.Time
	// Until leaves out what happened then or later, for the page before; but of
	// what happened at that very moment the entries with ids below Before stay.
	Until  time.Time
	Before alert.ID
	// Limit is how many at most (100): the newest.
	Limit int
}

// CursorAt is where the page begins that comes before an entry: its microseconds,
// a dot, and its id. EntryFilter.Continue takes it.
func CursorAt(e incident.Entry) string {
	return strconv.FormatInt(micros(e.At), 10) + "." + strconv.FormatInt(int64(e.ID), 10)
}

// Continue has a filter leave out what CursorAt's page leaves out; ok is false for
// what is no cursor, and nothing changes then.
func (f *EntryFilter) Continue(cursor string) (ok bool) {
	at, id, _ := strings.Cut(cursor, ".")
	until, err := strconv.ParseInt(at, 10, 64)
	before, err2 := strconv.ParseInt(id, 10, 64)
	if err != nil || err2 != nil || until <= 0 || before <= 0 {
		return false
	}
	f.Until, f.Before = timeOf(until), alert.ID(before)
	return true
}

const newestEntries = `SELECT incident_id, at, id, kind, body FROM incident_entries WHERE incident_id = $1 AND at >= $2 AND at <= $3 AND (at < $4 OR id < $5)
	ORDER BY at DESC, id DESC LIMIT $6`

// IncidentEntries returns entries of an incident's timeline, the oldest first.
func (s *Store) IncidentEntries(ctx context.Context, id alert.ID, f EntryFilter) ([]incident.Entry, error) {
	until := int64(math.MaxInt64)
	if !f.Until.IsZero() {
		until = micros(f.Until)
	}
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = micros(f.Since)
	}
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	list, err := s.entries(ctx, newestEntries, int64(id), since, until, until, int64(f.Before), int64(f.Limit))
	slices.Reverse(list)
	return list, err
}

// IncidentEntry returns one entry, or ErrNotFound.
func (s *Store) IncidentEntry(ctx context.Context, id, entry alert.ID) (incident.Entry, error) {
	list, err := s.entries(ctx, `SELECT incident_id, at, id, kind, body FROM incident_entries WHERE incident_id = $1 AND id = $2`, int64(id), int64(entry))
	switch {
	case err != nil:
		return incident.Entry{}, err
	case len(list) == 0:
		return incident.Entry{}, fmt.Errorf("entry %d: %w", entry, ErrNotFound)
	}
	return list[0], nil
}

func (s *Store) entries(ctx context.Context, text string, args ...any) ([]incident.Entry, error) {
	var list []incident.Entry
	err := s.query(ctx, "a timeline", text, args, func(scan scanner) error {
		var e incident.Entry
		var at int64
		var body string
		if err := scan(&e.IncidentID, &at, &e.ID, &e.Kind, &body); err != nil {
			return err
		}
		e.At = timeOf(at)
		err := json.Unmarshal([]byte(body), &e)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
