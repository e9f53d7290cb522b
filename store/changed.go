// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"belfry/alert"
)

// clocksDiffer is how far the clocks of processes on one database may be apart
// (see Options.Clock): what one of them stores may look that much older.
const clocksDiffer = 15 * time.Second

var (
	changedAlerts = `SELECT ` + alertColumns("") + ` FROM alerts WHERE id > $1 UNION ALL
		SELECT ` + alertColumns("") + ` FROM alerts WHERE last_id > $2 AND id <= $3 AND ` + notAsStored
	firingAlerts = `SELECT ` + alertColumns("") + ` FROM alerts WHERE closed = 0`
)

// notAsStored is what the index alerts_changed holds: a new alert has its first
// revision, and is found by its id.
const notAsStored = `(closed <> 0 OR revision > 1)`

// newestChange is the highest id that was given to anything of an alert.
const newestChange = `SELECT COALESCE(MAX(last_id), 0) FROM (
	SELECT MAX(last_id) AS last_id FROM alerts WHERE ` + notAsStored + `
	UNION ALL SELECT last_id FROM alerts WHERE id = (SELECT MAX(id) FROM alerts)) AS newest`

// Changed keeps a picture of all open alerts up to date: with after 0 it
// returns all that are firing, later those that are new, over or have another
// revision since, in no order; some more than once. next is what to ask with
// the next time.
func (s *Store) Changed(ctx context.Context, after alert.ID) (list []*alert.Alert, next alert.ID, err error) {
	if after == 0 {
		// Asked for first: what changes meanwhile comes twice, never not at all.
		err := s.query(ctx, "alerts", newestChange, nil, func(scan scanner) error { return scan(&next) })
		if err != nil {
			return nil, 0, err
		}
		list, _, err = s.alerts(ctx, firingAlerts)
		return list, max(next, 1), err
	}
	from := after
	if s.dialect.shared {
		from = max(0, after-alert.ID(clocksDiffer.Microseconds())<<nodeBits)
	}
	next = after
	err = s.query(ctx, "alerts", changedAlerts, []any{int64(from), int64(from), int64(from)}, func(scan scanner) error {
		a, lastID, err := scanAlert(scan)
		next = max(next, lastID)
		if s.leaveOut(a, err) {
			return nil
		}
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, after, err
	}
	return list, next, nil
}
