// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

// scanAlert reads an alert and its last_id. With ErrUnreadable it returns what
// stands in columns.
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
		return &a, lastID, fmt.Errorf("alert #%d %w: %w", a.Number, ErrUnreadable, err)
	}
	return &a, lastID, nil
}

// leaveOut says whether err is about nothing but one alert, which a list then goes
// without: it must not hide the others. That is told once.
func (s *Store) leaveOut(a *alert.Alert, err error) bool {
	if !errors.Is(err, ErrUnreadable) {
		return false
	}
	if _, told := s.unreadable.LoadOrStore(a.ID, true); !told {
		s.log.Error("an alert can't be read back and is in no list; restore it from a backup of the database, or run the Belfry that wrote it", "alert", a.Number, "err", err)
	}
	return true
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
	a, err := s.alert(ctx, alertByID, int64(id))
	if err == nil && a == nil {
		err = fmt.Errorf("alert %d: %w", id, ErrNotFound)
	}
	return a, err
}

// AlertByNumber returns the alert that people call #number, or ErrNotFound.
func (s *Store) AlertByNumber(ctx context.Context, number int64) (*alert.Alert, error) {
	a, err := s.alert(ctx, alertByNumber, number)
	if err == nil && a == nil {
		err = fmt.Errorf("alert #%d: %w", number, ErrNotFound)
	}
	return a, err
}

var (
	alertByID     = `SELECT ` + alertColumns("") + ` FROM alerts WHERE id = $1`
	alertByNumber = `SELECT ` + alertColumns("") + ` FROM alerts WHERE number = $1`
)

// alert returns the one that a statement finds, or nil.
func (s *Store) alert(ctx context.Context, text string, arg int64) (found *alert.Alert, err error) {
	err = s.query(ctx, "an alert", text, []any{arg}, func(scan scanner) (err error) {
		found, _, err = scanAlert(scan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// AlertsByID returns those of the alerts that exist, and can be read back.
func (s *Store) AlertsByID(ctx context.Context, list []alert.ID) (map[alert.ID]*alert.Alert, error) {
	found := make(map[alert.ID]*alert.Alert, len(list))
	err := s.queryBulk(ctx, "alerts", loadByID, nil, idArgs(list), func(scan scanner) error {
		a, _, err := scanAlert(scan)
		if s.leaveOut(a, err) {
			return nil
		}
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
func (s *Store) Alerts(ctx context.Context, f Filter) (all []*alert.Alert, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	for f.Limit > 0 {
		text, args := f.choice()
		list, left, err := s.alerts(ctx, text, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		// Others take the place of those that were left out: who turns pages must
		// not take a short one for the last.
		f.Limit = len(left)
		for _, a := range slices.Concat(list, left) {
			if f.Before == 0 || a.ID < f.Before {
				f.Before = a.ID
			}
		}
	}
	return all, nil
}

// choice is what a filter says in SQL.
func (f *Filter) choice() (text string, args []any) {
	where := []string{"1 = 1"}
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
	return numbered(`SELECT ` + alertColumns("") + ` FROM alerts WHERE ` + strings.Join(where, " AND ") +
		` ORDER BY id DESC LIMIT ?`), append(args, int64(f.Limit))
}

// OpenAlerts returns the alerts of a source that are firing, the oldest first.
func (s *Store) OpenAlerts(ctx context.Context, source string) ([]*alert.Alert, error) {
	list, _, err := s.alerts(ctx, openAlerts, source)
	return list, err
}

var openAlerts = `SELECT ` + alertColumns("") + ` FROM alerts WHERE source = $1 AND closed = 0 ORDER BY id`

// alerts returns those that a statement finds. Of those that were left out there
// is what stands in columns.
func (s *Store) alerts(ctx context.Context, text string, args ...any) (list, left []*alert.Alert, err error) {
	err = s.query(ctx, "alerts", text, args, func(scan scanner) error {
		a, _, err := scanAlert(scan)
		if s.leaveOut(a, err) {
			left = append(left, a)
			return nil
		}
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return list, left, nil
}
