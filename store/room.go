// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"belfry/alert"
)

// RoomMessage is a message in the built-in chat room.
type RoomMessage struct {
	ID      alert.ID
	Channel string
	// Key belongs to this message alone, in all channels (chat.Post.Key).
	Key string
	// Thread is the message that this one answers; 0 for none.
	Thread alert.ID
	// Body is JSON that the room understands.
	Body json.RawMessage
	// Version grows by one with every change, from 1.
	Version              int64
	CreatedAt, UpdatedAt time.Time
	Deleted              bool
}

const roomColumns = "id, channel, key, thread, body, version, created_at, updated_at, deleted_at"

func scanRoom(scan scanner) (RoomMessage, error) {
	var m RoomMessage
	var created, updated, deleted int64
	var body string
	err := scan(&m.ID, &m.Channel, &m.Key, &m.Thread, &body, &m.Version, &created, &updated, &deleted)
	m.Body, m.CreatedAt, m.UpdatedAt, m.Deleted = json.RawMessage(body), timeOf(created), timeOf(updated), deleted != 0
	return m, err
}

// RoomPost stores a new message and returns it with what the store gives it:
// ID, Version and times. When there is one with its Key already, deleted or
// not, that one is returned and nothing is stored. It returns ErrArchived for a
// channel that is.
func (s *Store) RoomPost(ctx context.Context, m RoomMessage) (RoomMessage, error) {
	var stored RoomMessage
	archived := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		now := micros(t.now)
		var n int64
		err := t.one(ctx, `SELECT COUNT(*) FROM room_channels WHERE name = $1 AND archived_at <> 0
			AND NOT EXISTS (SELECT 1 FROM room_messages WHERE key = $2)`, []any{m.Channel, m.Key}, &n)
		if archived = n > 0; err != nil || archived {
			return err
		}
		err = t.exec(ctx, `INSERT INTO room_messages (`+roomColumns+`) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, 0)
			ON CONFLICT (key) DO NOTHING`, int64(s.ids.next(t.now)), m.Channel, m.Key, int64(m.Thread), string(m.Body), now, now)
		if err != nil {
			return err
		}
		return t.each(ctx, `SELECT `+roomColumns+` FROM room_messages WHERE key = $1`, []any{m.Key}, func(scan scanner) error {
			stored, err = scanRoom(scan)
			return err
		})
	})
	if err == nil && archived {
		err = ErrArchived
	}
	if err != nil {
		return RoomMessage{}, fmt.Errorf("can't post to room %s: %w", m.Channel, err)
	}
	return stored, nil
}

// RoomUpdate replaces a message's body. ErrNotFound when it is missing or
// deleted, ErrArchived when its channel is archived.
func (s *Store) RoomUpdate(ctx context.Context, id alert.ID, body json.RawMessage) (RoomMessage, error) {
	m, err := s.changeRoom(ctx, id, `UPDATE room_messages SET body = $1, version = version + 1, updated_at = $2
		WHERE id = $3 AND deleted_at = 0 AND NOT EXISTS (SELECT 1 FROM room_channels c WHERE c.name = room_messages.channel AND c.archived_at <> 0) RETURNING `+roomColumns, func(now int64) []any { return []any{string(body), now, int64(id)} })
	if errors.Is(err, ErrNotFound) {
		if there, readErr := s.RoomMessage(ctx, id); readErr == nil && !there.Deleted {
			err = fmt.Errorf("can't change room message %d: %w", id, ErrArchived)
		}
	}
	return m, err
}

// RoomDelete marks a message deleted. ErrNotFound when it is missing or deleted already.
func (s *Store) RoomDelete(ctx context.Context, id alert.ID) error {
	_, err := s.changeRoom(ctx, id, `UPDATE room_messages SET deleted_at = $1, version = version + 1, updated_at = $2
		WHERE id = $3 AND deleted_at = 0 RETURNING `+roomColumns, func(now int64) []any { return []any{now, now, int64(id)} })
	return err
}

func (s *Store) changeRoom(ctx context.Context, id alert.ID, text string, args func(now int64) []any) (RoomMessage, error) {
	var m RoomMessage
	found := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		found = false
		return t.each(ctx, text, args(micros(t.now)), func(scan scanner) (err error) {
			found = true
			m, err = scanRoom(scan)
			return err
		})
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return RoomMessage{}, fmt.Errorf("can't change room message %d: %w", id, err)
	}
	return m, nil
}

// RoomMessage returns one message, deleted or not, or ErrNotFound.
func (s *Store) RoomMessage(ctx context.Context, id alert.ID) (RoomMessage, error) {
	m, err := s.roomMessage(ctx, `id = $1`, int64(id))
	if errors.Is(err, sql.ErrNoRows) {
		return m, fmt.Errorf("room message %d: %w", id, ErrNotFound)
	}
	return m, err
}

// RoomFind returns the message of a channel that has this key, deleted or not.
func (s *Store) RoomFind(ctx context.Context, channel, key string) (m RoomMessage, ok bool, err error) {
	m, err = s.roomMessage(ctx, `key = $1 AND channel = $2`, key, channel)
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

func (s *Store) roomMessage(ctx context.Context, where string, args ...any) (RoomMessage, error) {
	list, err := s.roomMessages(ctx, where, args...)
	if err != nil {
		return RoomMessage{}, err
	}
	if len(list) == 0 {
		return RoomMessage{}, sql.ErrNoRows
	}
	return list[0], nil
}

// RoomMessages returns limit (100) messages of a channel that answer none, the
// newest first, those before another one if before is not 0; without deleted ones.
func (s *Store) RoomMessages(ctx context.Context, channel string, before alert.ID, limit int) ([]RoomMessage, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	if before <= 0 {
		before = 1<<63 - 1
	}
	return s.roomMessages(ctx, `channel = $1 AND thread = 0 AND deleted_at = 0 AND id < $2 ORDER BY id DESC LIMIT $3`,
		channel, int64(before), int64(limit))
}

// RoomThread returns the messages that answer one, the oldest first; without deleted ones.
func (s *Store) RoomThread(ctx context.Context, thread alert.ID) ([]RoomMessage, error) {
	return s.roomMessages(ctx, `thread = $1 AND thread <> 0 AND deleted_at = 0 ORDER BY id`, int64(thread))
}

var roomThreads = newBulk(`SELECT `+roomColumns+` FROM room_messages WHERE deleted_at = 0 AND thread <> 0 AND thread IN (`, `?`, `) ORDER BY id`)

// RoomThreads is RoomThread for several messages at once.
func (s *Store) RoomThreads(ctx context.Context, threads ...alert.ID) (map[alert.ID][]RoomMessage, error) {
	found := map[alert.ID][]RoomMessage{}
	err := s.queryBulk(ctx, "room messages", roomThreads, nil, idArgs(threads), func(scan scanner) error {
		m, err := scanRoom(scan)
		found[m.Thread] = append(found[m.Thread], m)
		return err
	})
	return found, err
}

func (s *Store) roomMessages(ctx context.Context, where string, args ...any) ([]RoomMessage, error) {
	var list []RoomMessage
	err := s.query(ctx, "room messages", `SELECT `+roomColumns+` FROM room_messages WHERE `+where, args, func(scan scanner) error {
		m, err := scanRoom(scan)
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RoomChannels returns the names of the channels that have messages and that
// Belfry did not make (RoomOpen), in order.
func (s *Store) RoomChannels(ctx context.Context) ([]string, error) {
	var list []string
	err := s.query(ctx, "rooms", `SELECT channel FROM (SELECT DISTINCT channel FROM room_messages WHERE thread = 0 EXCEPT SELECT name FROM room_channels) AS plain ORDER BY channel`, nil, func(scan scanner) error {
		var name string
		err := scan(&name)
		list = append(list, name)
		return err
	})
	return list, err
}
