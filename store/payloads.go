// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
)

const (
	// MaxPayload is the largest body that is kept, in bytes.
	MaxPayload = 1 << 20
	// MaxPayloads is how many are kept of one source; the oldest go first.
	MaxPayloads = 100
	// maxPayloadText bounds content type and fault, in bytes.
	maxPayloadText = 1 << 10
)

// Payload is what a source's tool sent and was not understood.
type Payload struct {
	ID          alert.ID
	Source      string
	ReceivedAt  time.Time
	ContentType string
	// Fault says why it was not understood.
	Fault string
	// Size is the body's, in bytes. Body is empty in lists.
	Size int
	Body []byte
}

// KeepPayload stores a payload for good and returns it with its ID, ReceivedAt
// and Size, and how many older ones of its source had to go for it.
func (s *Store) KeepPayload(ctx context.Context, p Payload) (kept Payload, dropped int, err error) {
	if len(p.Body) > MaxPayload {
		return p, 0, fmt.Errorf("can't keep a payload of %d bytes: it has more than %d", len(p.Body), MaxPayload)
	}
	p.Size, p.ContentType, p.Fault = len(p.Body), storable(p.ContentType), storable(p.Fault)
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		p.ID, p.ReceivedAt = s.ids.next(t.now), t.now
		if err := t.exec(ctx, `INSERT INTO payloads (id, source, received_at, content_type, fault, size, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			int64(p.ID), p.Source, micros(p.ReceivedAt), p.ContentType, p.Fault, int64(p.Size), base64.StdEncoding.EncodeToString(p.Body)); err != nil {
			return err
		}
		var err error
		dropped, err = t.execCount(ctx, `DELETE FROM payloads WHERE source = $1 AND id NOT IN
			(SELECT id FROM payloads WHERE source = $2 ORDER BY id DESC LIMIT $3)`, p.Source, p.Source, int64(MaxPayloads))
		return err
	})
	if err != nil {
		return p, 0, fmt.Errorf("can't keep a payload of source %s: %w", p.Source, err)
	}
	return p, dropped, nil
}

// storable is a text that every database holds.
func storable(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	if len(s) > maxPayloadText {
		s = strings.ToValidUTF8(s[:maxPayloadText], "")
	}
	return s
}

// Payloads returns the newest limit payloads without their bodies, the newest first.
func (s *Store) Payloads(ctx context.Context, limit int) ([]Payload, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	var list []Payload
	err := s.query(ctx, "payloads", `SELECT id, source, received_at, content_type, fault, size, '' FROM payloads ORDER BY id DESC LIMIT $1`,
		[]any{int64(limit)}, func(scan scanner) error {
			p, err := scanPayload(scan)
			list = append(list, p)
			return err
		})
	return list, err
}

// Payload returns one payload with its body, or ErrNotFound.
func (s *Store) Payload(ctx context.Context, id alert.ID) (Payload, error) {
	var p Payload
	found := false
	err := s.query(ctx, "a payload", `SELECT id, source, received_at, content_type, fault, size, body FROM payloads WHERE id = $1`,
		[]any{int64(id)}, func(scan scanner) (err error) {
			found = true
			p, err = scanPayload(scan)
			return err
		})
	if err == nil && !found {
		err = fmt.Errorf("payload: %w", ErrNotFound)
	}
	return p, err
}

func scanPayload(scan scanner) (p Payload, err error) {
	var received int64
	var body string
	if err = scan(&p.ID, &p.Source, &received, &p.ContentType, &p.Fault, &p.Size, &body); err != nil {
		return p, err
	}
	p.ReceivedAt = timeOf(received)
	if body != "" {
		p.Body, err = base64.StdEncoding.DecodeString(body)
	}
	return p, err
}

// BlamePayload replaces what is said of why a payload is not understood, or
// returns ErrNotFound.
func (s *Store) BlamePayload(ctx context.Context, id alert.ID, fault string) error {
	return s.onPayload(ctx, `UPDATE payloads SET fault = $1 WHERE id = $2`, storable(fault), int64(id))
}

// DropPayload forgets a payload, or returns ErrNotFound.
func (s *Store) DropPayload(ctx context.Context, id alert.ID) error {
	return s.onPayload(ctx, `DELETE FROM payloads WHERE id = $1`, int64(id))
}

func (s *Store) onPayload(ctx context.Context, text string, args ...any) error {
	n := 0
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		n, err = t.execCount(ctx, text, args...)
		return err
	})
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("can't change a payload: %w", err)
	}
	return nil
}
