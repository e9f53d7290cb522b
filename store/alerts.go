// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"belfry/alert"
)

// Change carries changes out, in their order, and returns once they are on
// disk. Errors[i] is what changes[i].Apply returned, or why it was refused: the
// others are stored all the same. The second result is the storage's: then none
// is sure to be stored; after an end of ctx none was.
func (s *Store) Change(ctx context.Context, changes ...Change) ([]error, error) {
	op := &operation{changes: changes, errs: make([]error, len(changes))}
	if len(changes) == 0 {
		return op.errs, nil
	}
	if err := s.writer.do(ctx, op); err != nil {
		return nil, fmt.Errorf("can't store: %w", err)
	}
	return op.errs, nil
}

// alertColumns are those that scanAlert reads; prefix is the table's name and a
// dot, or empty.
func alertColumns(prefix string) string {
	return prefix + strings.ReplaceAll(
		"id, number, source, fingerprint, topic, closed, severity, revision, last_id, starts_at, ends_at, updated_at, body", " ", " "+prefix)
}

func scanAlert(scan scanner) (*alert.Alert, alert.ID, error) {
	var a alert.Alert
	var closed, starts, ends, updated int64
	var lastID alert.ID
	var body string
	if err := scan(&a.ID, &a.Number, &a.Source, &a.Fingerprint, &a.Topic, &closed, &a.Severity, &a.Revision, &lastID,
		&starts, &ends, &updated, &body); err != nil {
		return nil, 0, err
	}
	a.Status = alert.Firing
	if closed != 0 {
		a.Status = alert.Resolved
	}
	a.StartsAt, a.EndsAt, a.UpdatedAt = timeOf(starts), timeOf(ends), timeOf(updated)
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return nil, 0, fmt.Errorf("alert #%d %w: %w", a.Number, ErrUnreadable, err)
	}
	return &a, lastID, nil
}

// query runs a statement on the reading side.
func (s *Store) query(ctx context.Context, what, text string, args []any, row func(scanner) error) error {
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err == nil {
		err = drain(rows, row)
	}
	if err != nil {
		return fmt.Errorf("can't read %s: %w", what, explain(err))
	}
	return nil
}

// queryBulk is query over many rows of parameters.
func (s *Store) queryBulk(ctx context.Context, what string, b *bulk, fixed, rows []any, row func(scanner) error) error {
	return b.chunks(s.dialect, fixed, rows, func(text string, args []any) error {
		return s.query(ctx, what, text, args, row)
	})
}

// Alert returns one alert, or ErrNotFound.
func (s *Store) Alert(ctx context.Context, id alert.ID) (*alert.Alert, error) {
	found, err := s.AlertsByID(ctx, []alert.ID{id})
	if err != nil {
		return nil, err
	}
	if a := found[id]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("alert %d: %w", id, ErrNotFound)
}

// AlertByNumber returns the alert that people call #number, or ErrNotFound.
func (s *Store) AlertByNumber(ctx context.Context, number int64) (*alert.Alert, error) {
	list, err := s.alerts(ctx, alertByNumber, number)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, fmt.Errorf("alert #%d: %w", number, ErrNotFound)
	}
	return list[0], nil
}

var alertByNumber = `SELECT ` + alertColumns("") + ` FROM alerts WHERE number = $1`

// AlertsByID returns those of the alerts that exist.
func (s *Store) AlertsByID(ctx context.Context, list []alert.ID) (map[alert.ID]*alert.Alert, error) {
	found := make(map[alert.ID]*alert.Alert, len(list))
	err := s.queryBulk(ctx, "alerts", loadByID, nil, idArgs(list), func(scan scanner) error {
		a, _, err := scanAlert(scan)
		if err == nil {
			found[a.ID] = a
		}
		return err
	})
	return found, err
}

// Filter says which alerts are wanted; zero values mean any.
type Filter struct {
	Source string
	Status alert.Status
	Topic  alert.Topic
	// Before leaves out this alert and all newer ones.
	Before alert.ID
	// Limit is how many at most (100).
	Limit int
}

const defaultLimit = 100

// Alerts returns alerts, the newest first.
func (s *Store) Alerts(ctx context.Context, f Filter) ([]*alert.Alert, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) {
		where, args = append(where, condition), append(args, value)
	}
	if f.Source != "" {
		add("source = ?", f.Source)
	}
	if f.Topic != "" {
		add("topic = ?", string(f.Topic))
	}
	if f.Before != 0 {
		add("id < ?", int64(f.Before))
	}
	switch f.Status {
	case alert.Firing:
		where = append(where, "closed = 0")
	case alert.Resolved:
		where = append(where, "closed <> 0")
	}
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	return s.alerts(ctx, numbered(`SELECT `+alertColumns("")+` FROM alerts WHERE `+strings.Join(where, " AND ")+
		` ORDER BY id DESC LIMIT ?`), append(args, int64(f.Limit))...)
}

// OpenAlerts returns the alerts of a source that are firing, the oldest first.
func (s *Store) OpenAlerts(ctx context.Context, source string) ([]*alert.Alert, error) {
	return s.alerts(ctx, openAlerts, source)
}

var openAlerts = `SELECT ` + alertColumns("") + ` FROM alerts WHERE source = $1 AND closed = 0 ORDER BY id`

func (s *Store) alerts(ctx context.Context, text string, args ...any) ([]*alert.Alert, error) {
	var list []*alert.Alert
	err := s.query(ctx, "alerts", text, args, func(scan scanner) error {
		a, _, err := scanAlert(scan)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
