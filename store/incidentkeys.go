// SPDX-License-Identifier: Apache-2.0

package store

import "context"

const (
	incidentOfKey = `SELECT number FROM incident_keys WHERE key = $1`
	putKey        = `INSERT INTO incident_keys (key, number) VALUES ($1, $2)`
)

// keyOf returns the number of the incident for which a key was noted, or 0.
func (t *tx) keyOf(ctx context.Context, key string) (number int64, err error) {
	if key == "" {
		return 0, nil
	}
	err = t.each(ctx, incidentOfKey, []any{writable(key)}, func(scan scanner) error { return scan(&number) })
	return number, err
}

// noteKey notes that what a key names was done, if anything was.
func (t *tx) noteKey(ctx context.Context, c *IncidentChange, v IncidentView, effects []IncidentEffect) error {
	if c.Key == "" || v.Known != 0 || len(effects) == 0 {
		return nil
	}
	return t.exec(ctx, putKey, writable(c.Key), effects[0].Incident.Number)
}
