// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"belfry/alert"
)

var (
	pruneAlerts = newBulk(`DELETE FROM alerts WHERE id IN (`, `?`, `)`)
	pruneEvents = newBulk(`DELETE FROM events WHERE alert_id IN (`, `?`, `)`)
	// The built-in room shows what duties posted, under their keys.
	pruneRoom   = newBulk(`DELETE FROM room_messages WHERE key IN (SELECT key FROM deliveries WHERE alert_id IN (`, `?`, `))`)
	pruneDuties = newBulk(`DELETE FROM deliveries WHERE alert_id IN (`, `?`, `)`)
)

const pruneMutes = `DELETE FROM mutes WHERE settled <> 0 AND settled < $1 AND number < (SELECT MAX(number) FROM mutes)`

// Prune deletes up to limit (100) alerts that were over before a time, with
// their history, duties and messages in the built-in room, and returns how
// many; and mutes that were settled before. An alert of which something is still
// to be delivered, or was given up and may be sent again, stays; and so does what
// has the highest number, which tells the next.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	n := 0
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n = 0
		var old []any
		// What ended before was begun before: ids grow with time.
		err := t.each(ctx, `SELECT id FROM alerts a WHERE id < $1 AND number < (SELECT MAX(number) FROM alerts) AND closed <> 0 AND ends_at < $2 AND updated_at < $3
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.alert_id = a.id AND d.state NOT IN ('done', 'ended')) ORDER BY id LIMIT $4`,
			[]any{before.UnixMicro() << nodeBits, micros(before), micros(before), int64(limit)}, func(scan scanner) error {
				var id alert.ID
				err := scan(&id)
				old = append(old, int64(id))
				return err
			})
		if err != nil {
			return err
		}
		n = len(old)
		if err := t.exec(ctx, pruneMutes, micros(before)); err != nil {
			return err
		}
		for _, b := range []*bulk{pruneRoom, pruneDuties, pruneEvents, pruneAlerts} {
			if err := t.execBulk(ctx, b, nil, old); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("can't delete old alerts: %w", err)
	}
	return n, nil
}
