// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"

	"belfry/alert"
	"belfry/incident"
)

const (
	ofConnection = `destination LIKE $1 ESCAPE '!'`
	// endsAtOnce bounds how many are ended, or taken back, at a time: intake waits
	// meanwhile.
	endsAtOnce = 500
	// ending is what becomes of duties whose other side is gone for good: nothing
	// wakes them again, what follows upon them is not begun, and last_error says why.
	ending  = `UPDATE deliveries SET state = 'ended', last_error = $1, attempts = 0, claimed_at = 0, unknown_since = 0, updated_at = $2 WHERE `
	endSome = ending + `id IN (SELECT id FROM deliveries WHERE state <> 'ended' AND (destination = $3 OR destination LIKE $4 ESCAPE '!') ORDER BY id LIMIT $5)`
	endOne  = ending + `id = $3 AND state <> 'ended'`
	endDead = ending + `destination = $3 AND state = 'dead'`
	// A card says something that can come to be wrong while what it is about is
	// open, and until it shows the newest; where an attempt was lost it may stand
	// there without our knowing.
	livingCards = ofConnection + ` AND kind = 'card' AND state <> 'ended' AND id > $2
		AND (state <> 'done' OR claimed_at <> 0 OR unknown_since <> 0
			OR EXISTS (SELECT 1 FROM alerts WHERE alerts.id = deliveries.alert_id AND closed = 0)
			OR EXISTS (SELECT 1 FROM incidents WHERE incidents.id = deliveries.alert_id AND is_open = 1))
		ORDER BY id LIMIT $3`
	openingSteps = ofConnection + ` AND kind = 'step' AND step = 'open' AND state NOT IN ('done', 'ended') ORDER BY id`
	waitingOn    = `SELECT COUNT(*) FROM deliveries WHERE state NOT IN ('done', 'ended') AND ` + ofConnection
	underWay     = `SELECT COUNT(*) FROM deliveries d JOIN destinations l ON l.name = d.destination
		WHERE d.claimed_at <> 0 AND d.state <> 'ended' AND l.lease_until > $2 AND d.` + ofConnection
	runOn = `SELECT ` + incidentColumns + ` FROM incidents WHERE id IN (SELECT incident_id FROM incident_channels WHERE connection = $1) ORDER BY number`
)

// on is the pattern of a connection's destinations.
func on(connection string) string { return pattern(connection) + "/%" }

// LivingCards returns cards of a connection that can come to be wrong, with ids
// above after, the oldest first.
func (s *Store) LivingCards(ctx context.Context, connection string, after alert.ID, limit int) ([]Duty, error) {
	return s.duties(ctx, livingCards, on(connection), int64(after), int64(limit))
}

// OpeningSteps returns the steps of a connection that make channels and are not done.
func (s *Store) OpeningSteps(ctx context.Context, connection string) ([]Duty, error) {
	return s.duties(ctx, openingSteps, on(connection))
}

// UnderWay counts the duties of a connection that somebody may be carrying out
// right now.
func (s *Store) UnderWay(ctx context.Context, connection string) (n int, err error) {
	now := micros(s.clock.Now())
	err = s.query(ctx, "what is under way", underWay, []any{on(connection), now}, func(scan scanner) error { return scan(&n) })
	return n, err
}

// WaitingOn counts the duties of a connection that somebody waits for: those that
// are due, now or later, and those that were given up.
func (s *Store) WaitingOn(ctx context.Context, connection string) (n int, err error) {
	err = s.query(ctx, "what waits", waitingOn, []any{on(connection)}, func(scan scanner) error { return scan(&n) })
	return n, err
}

// EndDuty ends one duty, and EndDuties all of a destination, or of a connection
// where it has no "/". Why is for people. EndDuties returns how many it ended.
func (s *Store) EndDuty(ctx context.Context, id alert.ID, why string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, endOne, writable(why), micros(t.now), int64(id))
	})
	if err != nil {
		return fmt.Errorf("can't end a delivery: %w", err)
	}
	return nil
}

// EndDuties ends all duties of a destination or a connection; see EndDuty.
func (s *Store) EndDuties(ctx context.Context, destination, why string) (n int, err error) {
	like := ""
	if !strings.Contains(destination, "/") {
		like = on(destination)
	}
	for {
		some := 0
		err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
			some, err = t.execCount(ctx, endSome, writable(why), micros(t.now), destination, like, int64(endsAtOnce))
			return err
		})
		if err != nil {
			return n, fmt.Errorf("can't end what was to be delivered to %s: %w", destination, err)
		}
		n += some
		if some < endsAtOnce {
			return n, nil
		}
	}
}

// EndDead ends the dead duties of a destination; see EndDuty.
func (s *Store) EndDead(ctx context.Context, destination, why string) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		n, err = t.execCount(ctx, endDead, writable(why), micros(t.now), destination)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("can't end what was given up at %s: %w", destination, err)
	}
	return n, nil
}

// What is open gets a new card where its old one was ended. What was taken away
// around it is put there anew; of the other steps, such as inviting, what was
// ordered meanwhile is done, and what was done before is known: who left is not
// called back. What is over stays as it is, until it is open again
// (IncidentEffect.Back).
const (
	endedLives = `SELECT id, kind, step, destination FROM deliveries WHERE state = 'ended' AND ` + ofConnection + `
		AND (kind = 'card' OR kind = 'step' AND step <> 'summary')`
	endedOf   = endedLives + ` AND alert_id = $2 ORDER BY id`
	endedOpen = endedLives + `
		AND (EXISTS (SELECT 1 FROM alerts WHERE alerts.id = deliveries.alert_id AND closed = 0)
			OR EXISTS (SELECT 1 FROM incidents WHERE incidents.id = deliveries.alert_id AND is_open = 1)) ORDER BY id LIMIT $2`
	reviveOne = `UPDATE deliveries SET state = 'due', key = $1, receipt = '', tried = 0, reached = 0, attempts = 0, due_at = $2, last_error = '', updated_at = $3
		WHERE id = $4`
	reviveStep = `UPDATE deliveries SET state = CASE WHEN wanted > reached THEN 'due' ELSE 'done' END, key = $1, attempts = 0, last_error = '', updated_at = $2
		WHERE id = $3`
)

// Revive takes back what EndDuties did to a connection, as far as it is about
// what is open, and returns how many cards will be posted anew.
func (s *Store) Revive(ctx context.Context, connection string) (cards int, err error) {
	for {
		some, posted := 0, 0
		err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
			some, posted, err = t.revive(ctx, connection)
			return err
		})
		if err != nil {
			return cards, fmt.Errorf("can't take the end of deliveries to %s back: %w", connection, err)
		}
		if cards += posted; some < endsAtOnce {
			return cards, nil
		}
	}
}

// revive is Revive for so many as are ended at a time; cards are those among them.
func (t *tx) revive(ctx context.Context, connection string) (n, cards int, err error) {
	return t.takeBack(ctx, endedOpen, on(connection), int64(endsAtOnce))
}

// back is revive for one incident on several connections.
func (t *tx) back(ctx context.Context, id alert.ID, connections []string) error {
	for _, c := range connections {
		if _, _, err := t.takeBack(ctx, endedOf, on(c), int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// takeBack takes back the end of what a statement finds.
func (t *tx) takeBack(ctx context.Context, text string, args ...any) (n, cards int, err error) {
	var list []row
	err = t.each(ctx, text, args, func(scan scanner) error {
		var r row
		err := scan(&r.ID, &r.Kind, &r.Step, &r.Destination)
		list = append(list, r)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	now := micros(t.now)
	for _, r := range list {
		switch {
		case r.Kind == DutyCard:
			cards++
			err = t.exec(ctx, reviveOne, secret(), now, now, int64(r.ID))
		case r.Step == incident.StepDescribe || r.Step == incident.StepLinks || r.Step == incident.StepPin:
			err = t.exec(ctx, reviveOne, secret(), now, now, int64(r.ID))
		default:
			err = t.exec(ctx, reviveStep, secret(), now, int64(r.ID))
		}
		if err != nil {
			return 0, 0, err
		}
		t.due[r.Destination] = struct{}{}
	}
	return len(list), cards, nil
}

// restoreSome is for what Belfry took no leave of: it stands in chat as it was, so
// it keeps its place, and who may have been posted there is asked for.
const restoreSome = `UPDATE deliveries SET state = CASE WHEN wanted > reached THEN 'due' ELSE 'done' END, due_at = $1, last_error = '', updated_at = $2,
		unknown_since = CASE WHEN kind = 'card' AND receipt = '' AND tried <> 0 THEN created_at ELSE 0 END
	WHERE id IN (SELECT id FROM deliveries WHERE state = 'ended' AND destination LIKE $3 ESCAPE '!'
		AND (kind = 'card' OR kind = 'step' AND step <> 'summary') ORDER BY id LIMIT $4) RETURNING destination`

// Restore has a connection go on as if its duties had never ended, where nothing
// was taken out of chat before: cards are edited, not posted anew, also those of
// what is over by now. Notes that ended are not said any more. It returns how many
// cards and steps there were.
func (s *Store) Restore(ctx context.Context, connection string) (n int, err error) {
	for {
		some := 0
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			some = 0
			return t.each(ctx, restoreSome, []any{micros(t.now), micros(t.now), on(connection), int64(endsAtOnce)}, func(scan scanner) error {
				var destination string
				err := scan(&destination)
				t.due[destination] = struct{}{}
				some++
				return err
			})
		})
		if err != nil {
			return n, fmt.Errorf("can't go on with deliveries to %s: %w", connection, err)
		}
		if n += some; some < endsAtOnce {
			return n, nil
		}
	}
}

// Unfinished returns the destinations that have duties which are due or dead:
// there somebody waits for something.
func (s *Store) Unfinished(ctx context.Context) ([]string, error) {
	var list []string
	err := s.query(ctx, "what is not delivered", `SELECT destination FROM deliveries WHERE state = 'due' GROUP BY destination
		UNION SELECT destination FROM deliveries WHERE state = 'dead' GROUP BY destination ORDER BY 1`, nil, func(scan scanner) error {
		var name string
		err := scan(&name)
		list = append(list, name)
		return err
	})
	return list, err
}

// IncidentsOn returns the incidents that have a channel on a connection, open or
// not, by number.
func (s *Store) IncidentsOn(ctx context.Context, connection string) ([]*incident.Incident, error) {
	list, err := s.incidents(ctx, runOn, connection)
	for _, i := range list {
		if err == nil {
			err = s.complete(ctx, i)
		}
	}
	return list, err
}
