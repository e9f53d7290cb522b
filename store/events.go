// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"belfry/alert"
)

// EventKey names one event.
type EventKey struct{ Alert, Event alert.ID }

// The history of an alert stands in the table events, but for its opening: that
// is in the alert's own row (opening).
const eventColumns = "alert_id, id, at, kind, intake, body"

var (
	newestEvents = `SELECT ` + eventColumns + ` FROM (SELECT ` + eventColumns + ` FROM events
		WHERE alert_id = $1 ORDER BY id DESC LIMIT $2) AS newest ORDER BY id`
	eventsByID = newBulk(`SELECT `+eventColumns+` FROM events WHERE (alert_id, id) IN (VALUES `,
		`(CAST(? AS BIGINT), CAST(? AS BIGINT))`, `)`)
	openings = newBulk(`SELECT id, intake, opened FROM alerts WHERE opened <> '' AND id IN (`, `?`, `)`)
)

func scanEvent(scan scanner) (alert.Event, error) {
	var e alert.Event
	var at int64
	var intake, body string
	if err := scan(&e.AlertID, &e.ID, &at, &e.Kind, &intake, &body); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return e, fmt.Errorf("event %d of alert %d can't be read back: %w", e.ID, e.AlertID, err)
	}
	e.At, e.Intake = timeOf(at), intake
	return e, nil
}

// opening is the event that opened an alert, as its row has it. Its sender's id
// is a column of its own.
type opening struct {
	ID alert.ID `json:"id"`
	// At is in microseconds.
	At    int64       `json:"at"`
	Event alert.Event `json:"event"`
}

// opening returns the event that opened n, which is new, or nil: a notice is
// opened by what it tells.
func (n *entry) opening() *alert.Event {
	if n.fresh && len(n.events) > 0 && n.events[0].Kind == alert.EventOpened {
		return &n.events[0]
	}
	return nil
}

// encodeOpening makes the columns intake and opened; b is a buffer to use.
func encodeOpening(b []byte, e *alert.Event) (intake, opened string, err error) {
	if e == nil {
		return "", "", nil
	}
	b = append(strconv.AppendInt(append(b[:0], `{"id":`...), int64(e.ID), 10), `,"at":`...)
	b = append(strconv.AppendInt(b, micros(e.At), 10), `,"event":`...)
	intake, b, err = encodeEvent(b, e)
	return intake, string(append(b, '}')), err
}

// encodeEvent appends an event without its sender's id, which has a column.
func encodeEvent(b []byte, e *alert.Event) (intake string, body []byte, err error) {
	c := *e
	c.Intake = ""
	if body, err = c.AppendJSON(b); err != nil {
		return "", nil, fmt.Errorf("can't encode an event: %w", err)
	}
	return e.Intake, body, nil
}

func scanOpening(scan scanner) (alert.Event, error) {
	var o opening
	var id alert.ID
	var intake, opened string
	if err := scan(&id, &intake, &opened); err != nil {
		return o.Event, err
	}
	if err := json.Unmarshal([]byte(opened), &o); err != nil {
		return o.Event, fmt.Errorf("the opening of alert %d can't be read back: %w", id, err)
	}
	e := o.Event
	e.ID, e.AlertID, e.At, e.Kind, e.Intake = o.ID, id, timeOf(o.At), alert.EventOpened, intake
	return e, nil
}

// Events returns the newest limit (100) events of an alert, the oldest of them first.
func (s *Store) Events(ctx context.Context, id alert.ID, limit int) ([]alert.Event, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	var list []alert.Event
	add := func(scanned func(scanner) (alert.Event, error)) func(scanner) error {
		return func(scan scanner) error {
			e, err := scanned(scan)
			list = append(list, e)
			return err
		}
	}
	err := s.query(ctx, "events", newestEvents, []any{int64(id), int64(limit)}, add(scanEvent))
	if err == nil && len(list) < limit {
		err = s.queryBulk(ctx, "events", openings, nil, []any{int64(id)}, add(scanOpening))
	}
	if err != nil {
		return nil, err
	}
	// The opening came last. Ids grow with time.
	slices.SortFunc(list, func(a, b alert.Event) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// EventsByID returns those of the events that exist.
func (s *Store) EventsByID(ctx context.Context, list []EventKey) (map[EventKey]alert.Event, error) {
	found := make(map[EventKey]alert.Event, len(list))
	add := func(e alert.Event, err error) error {
		if err == nil {
			found[EventKey{e.AlertID, e.ID}] = e
		}
		return err
	}
	var args []any
	for _, k := range list {
		args = append(args, int64(k.Alert), int64(k.Event))
	}
	err := s.queryBulk(ctx, "events", eventsByID, nil, args, func(scan scanner) error { return add(scanEvent(scan)) })
	if err != nil {
		return nil, err
	}
	var rest []any
	for _, k := range list {
		if _, ok := found[k]; !ok {
			rest = append(rest, int64(k.Alert))
		}
	}
	err = s.queryBulk(ctx, "events", openings, nil, rest, func(scan scanner) error {
		e, err := scanOpening(scan)
		if !slices.Contains(list, EventKey{e.AlertID, e.ID}) {
			return err // another of its events was asked for
		}
		return add(e, err)
	})
	return found, err
}
