// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"belfry/alert"
)

// ErrArchived says that a channel of the built-in room takes nothing any more.
var ErrArchived = errors.New("the channel is archived")

// RoomChannel is a channel of the built-in room that Belfry made.
type RoomChannel struct {
	// Name is its handle, and how messages name their channel.
	Name string
	// Key belongs to this channel alone (chat.NewChannel.Key).
	Key string
	// Title, Topic and Purpose are plain texts.
	Title, Topic, Purpose string
	// Links are Belfry's, as JSON that the room understands; nil: none.
	Links json.RawMessage
	// Private channels show to their members alone.
	Private   bool
	CreatedAt time.Time
	// ArchivedAt is when it was closed; zero: it is open.
	ArchivedAt time.Time
}

const roomChannelColumns = "c.name, c.key, c.title, c.topic, c.purpose, c.links, c.private, c.created_at, c.archived_at"

func scanRoomChannel(scan scanner) (RoomChannel, error) {
	var c RoomChannel
	var private, created, archived int64
	var links string
	err := scan(&c.Name, &c.Key, &c.Title, &c.Topic, &c.Purpose, &links, &private, &created, &archived)
	c.Private, c.CreatedAt, c.ArchivedAt = private != 0, timeOf(created), timeOf(archived)
	if links != "" {
		c.Links = json.RawMessage(links)
	}
	return c, err
}

// RoomOpen makes a channel and returns it. When there is one with its Key
// already, that one is returned as it is; ErrExists when the name is another's,
// or messages stand under it.
func (s *Store) RoomOpen(ctx context.Context, c RoomChannel) (RoomChannel, error) {
	var stored RoomChannel
	taken := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		stored, taken = RoomChannel{}, false
		find := func() error {
			return t.each(ctx, `SELECT `+roomChannelColumns+` FROM room_channels c WHERE key = $1`, []any{c.Key}, func(scan scanner) (err error) {
				stored, err = scanRoomChannel(scan)
				return err
			})
		}
		if err := find(); err != nil || stored.Name != "" {
			return err
		}
		var n int64
		if err := t.one(ctx, `SELECT COUNT(*) FROM room_messages WHERE channel = $1`, []any{c.Name}, &n); err != nil {
			return err
		}
		if taken = n > 0; taken {
			return nil
		}
		// Another node may make it at the same moment, or take the name.
		if err := t.exec(ctx, `INSERT INTO room_channels (name, key, title, topic, purpose, links, private, created_at, archived_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING`,
			c.Name, c.Key, writable(c.Title), writable(c.Topic), writable(c.Purpose), string(c.Links), bit(c.Private), micros(t.now)); err != nil {
			return err
		}
		err := find()
		taken = stored.Name == ""
		return err
	})
	if err == nil && taken {
		err = ErrExists
	}
	if err != nil {
		return RoomChannel{}, fmt.Errorf("can't make the channel %s of the room: %w", c.Name, err)
	}
	return stored, nil
}

// RoomChannel returns a channel that Belfry made, or ErrNotFound.
func (s *Store) RoomChannel(ctx context.Context, name string) (RoomChannel, error) {
	return s.roomChannel(ctx, `name = $1`, name)
}

// RoomChannelByKey is RoomChannel by its key.
func (s *Store) RoomChannelByKey(ctx context.Context, key string) (RoomChannel, error) {
	return s.roomChannel(ctx, `key = $1`, key)
}

func (s *Store) roomChannel(ctx context.Context, where, arg string) (RoomChannel, error) {
	list, err := s.roomChannels(ctx, where, arg)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("channel %s of the room: %w", arg, ErrNotFound)
	}
	if err != nil {
		return RoomChannel{}, err
	}
	return list[0], nil
}

// RoomChannelsOf returns the channels that Belfry made and that a person may
// see: public ones, and those that they are in. Open ones by name; and those
// that were archived last, at most so many, the newest first.
func (s *Store) RoomChannelsOf(ctx context.Context, person alert.ID, archived int) ([]RoomChannel, error) {
	const seen = ` AND (private = 0 OR EXISTS (SELECT 1 FROM room_members m WHERE m.channel = c.name AND m.person_id = $1)) `
	list, err := s.roomChannels(ctx, `archived_at = 0`+seen+`ORDER BY name`, int64(person))
	if err != nil {
		return nil, err
	}
	old, err := s.roomChannels(ctx, `archived_at <> 0`+seen+`ORDER BY archived_at DESC, name LIMIT $2`, int64(person), int64(archived))
	return append(list, old...), err
}

func (s *Store) roomChannels(ctx context.Context, where string, args ...any) ([]RoomChannel, error) {
	var list []RoomChannel
	err := s.query(ctx, "channels of the room", `SELECT `+roomChannelColumns+` FROM room_channels c WHERE `+where, args, func(scan scanner) error {
		c, err := scanRoomChannel(scan)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RoomHides says whether a channel is a private one that a person is not in.
// Channels that Belfry did not make are everybody's.
func (s *Store) RoomHides(ctx context.Context, channel string, person alert.ID) (bool, error) {
	n := 0
	err := s.query(ctx, "members of the room", `SELECT COUNT(*) FROM room_channels c WHERE c.name = $1 AND c.private <> 0
		AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.channel = c.name AND m.person_id = $2)`,
		[]any{channel, int64(person)}, func(scan scanner) error { return scan(&n) })
	return n > 0, err
}

// RoomDescribe sets what stands above a channel, or returns ErrNotFound.
func (s *Store) RoomDescribe(ctx context.Context, channel, topic, purpose string) error {
	return s.changeChannel(ctx, "describe", channel, `UPDATE room_channels SET topic = $2, purpose = $3 WHERE name = $1`, writable(topic), writable(purpose))
}

// RoomRetitle gives a channel another title, or returns ErrNotFound.
func (s *Store) RoomRetitle(ctx context.Context, channel, title string) error {
	return s.changeChannel(ctx, "rename", channel, `UPDATE room_channels SET title = $2 WHERE name = $1`, writable(title))
}

// RoomLinks sets a channel's links, or returns ErrNotFound.
func (s *Store) RoomLinks(ctx context.Context, channel string, links json.RawMessage) error {
	return s.changeChannel(ctx, "set the links of", channel, `UPDATE room_channels SET links = $2 WHERE name = $1`, string(links))
}

// RoomArchive closes a channel, or opens it again. It returns ErrNotFound.
func (s *Store) RoomArchive(ctx context.Context, channel string, archived bool) error {
	if !archived {
		return s.changeChannel(ctx, "open", channel, `UPDATE room_channels SET archived_at = 0 WHERE name = $1`)
	}
	return s.changeChannel(ctx, "archive", channel, `UPDATE room_channels SET archived_at = CASE WHEN archived_at = 0 THEN $2 ELSE archived_at END WHERE name = $1`,
		micros(s.clock.Now()))
}

func (s *Store) changeChannel(ctx context.Context, doing, channel, text string, args ...any) error {
	gone := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.execCount(ctx, text, append([]any{channel}, args...)...)
		gone = n == 0
		return err
	})
	if err == nil && gone {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("can't %s the channel %s of the room: %w", doing, channel, err)
	}
	return nil
}

// RoomInvite brings people into a channel. Who is in already stays.
func (s *Store) RoomInvite(ctx context.Context, channel string, people ...alert.ID) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, id := range people {
			err := t.exec(ctx, `INSERT INTO room_members (channel, person_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT (channel, person_id) DO NOTHING`,
				channel, int64(id), micros(t.now))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("can't bring people into the channel %s of the room: %w", channel, err)
	}
	return nil
}

// RoomMembers returns the people who were brought into a channel and can still
// sign in, by name.
func (s *Store) RoomMembers(ctx context.Context, channel string) ([]Person, error) {
	var out []Person
	err := s.query(ctx, "members of the room", `SELECT p.id, p.name, p.role, p.password_hash, p.epoch, p.created_at FROM people p
		JOIN room_members m ON m.person_id = p.id WHERE m.channel = $1 ORDER BY p.handle`, []any{channel}, func(scan scanner) error {
		p, err := scanPerson(scan)
		out = append(out, p)
		return err
	})
	return out, err
}

// RoomPin keeps a message of a channel at hand, or lets go of it.
func (s *Store) RoomPin(ctx context.Context, channel string, message alert.ID, pinned bool) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if !pinned {
			return t.exec(ctx, `DELETE FROM room_pins WHERE channel = $1 AND message_id = $2`, channel, int64(message))
		}
		return t.exec(ctx, `INSERT INTO room_pins (channel, message_id, pinned_at) VALUES ($1, $2, $3) ON CONFLICT (channel, message_id) DO NOTHING`,
			channel, int64(message), micros(t.now))
	})
	if err != nil {
		return fmt.Errorf("can't pin or unpin a message of the room: %w", err)
	}
	return nil
}

// RoomPins returns the pinned messages of a channel that were not deleted, in
// the order in which they were pinned.
func (s *Store) RoomPins(ctx context.Context, channel string) ([]RoomMessage, error) {
	return s.roomMessages(ctx, `deleted_at = 0 AND id IN (SELECT message_id FROM room_pins WHERE channel = $1)
		ORDER BY (SELECT pinned_at FROM room_pins WHERE channel = $1 AND message_id = room_messages.id), id`, channel)
}
