// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
)

// The cards of open alerts, found by the alerts: there are few of them, and
// many cards.
const ofOpenAlerts = `kind = 'card' AND receipt <> '' AND alert_id IN (SELECT id FROM alerts WHERE closed = 0)`

// CardAt returns the card of an open alert that stands at a place of a
// connection, as its receipt says it, or ErrNotFound.
func (s *Store) CardAt(ctx context.Context, connection, receipt string) (Duty, error) {
	list, err := s.duties(ctx, ofOpenAlerts+` AND receipt = $1 ORDER BY id DESC`, receipt)
	if err != nil {
		return Duty{}, err
	}
	for _, d := range list {
		if strings.HasPrefix(d.Destination, connection+"/") {
			return d, nil
		}
	}
	return Duty{}, fmt.Errorf("card at %s: %w", receipt, ErrNotFound)
}

// CardsOn returns the cards of open alerts that stand somewhere in a
// connection, the newest first, at most limit.
func (s *Store) CardsOn(ctx context.Context, connection string, limit int) ([]Duty, error) {
	prefix := connection + "/"
	return s.duties(ctx, ofOpenAlerts+` AND destination >= $1 AND destination < $2 ORDER BY id DESC LIMIT $3`,
		prefix, strings.TrimSuffix(prefix, "/")+"0", int64(limit)) // "0" follows "/"
}
