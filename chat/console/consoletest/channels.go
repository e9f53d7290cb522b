// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"context"
	"encoding/json"

	"belfry/alert"
	"belfry/store"
)

// RoomOpen implements console.ChannelStorage.
func (s *Storage) RoomOpen(ctx context.Context, c store.RoomChannel) (made store.RoomChannel, err error) {
	err = s.write(ctx, true, func() error {
		made, err = s.Storage.RoomOpen(ctx, c)
		return err
	})
	return made, err
}

// RoomChannel implements console.ChannelStorage.
func (s *Storage) RoomChannel(ctx context.Context, name string) (store.RoomChannel, error) {
	if err := s.call(ctx); err != nil {
		return store.RoomChannel{}, err
	}
	return s.Storage.RoomChannel(ctx, name)
}

// RoomChannelByKey implements console.ChannelStorage.
func (s *Storage) RoomChannelByKey(ctx context.Context, key string) (store.RoomChannel, error) {
	if err := s.call(ctx); err != nil {
		return store.RoomChannel{}, err
	}
	return s.Storage.RoomChannelByKey(ctx, key)
}

// RoomHides implements console.ChannelStorage.
func (s *Storage) RoomHides(ctx context.Context, channel string, person alert.ID) (bool, error) {
	if err := s.call(ctx); err != nil {
		return false, err
	}
	return s.Storage.RoomHides(ctx, channel, person)
}

// RoomDescribe implements console.ChannelStorage.
func (s *Storage) RoomDescribe(ctx context.Context, channel, topic, purpose string) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomDescribe(ctx, channel, topic, purpose) })
}

// RoomRetitle implements console.ChannelStorage.
func (s *Storage) RoomRetitle(ctx context.Context, channel, title string) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomRetitle(ctx, channel, title) })
}

// RoomLinks implements console.ChannelStorage.
func (s *Storage) RoomLinks(ctx context.Context, channel string, links json.RawMessage) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomLinks(ctx, channel, links) })
}

// RoomArchive implements console.ChannelStorage.
func (s *Storage) RoomArchive(ctx context.Context, channel string, archived bool) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomArchive(ctx, channel, archived) })
}

// RoomInvite implements console.ChannelStorage.
func (s *Storage) RoomInvite(ctx context.Context, channel string, people ...alert.ID) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomInvite(ctx, channel, people...) })
}

// RoomPin implements console.ChannelStorage.
func (s *Storage) RoomPin(ctx context.Context, channel string, message alert.ID, pinned bool) error {
	return s.write(ctx, true, func() error { return s.Storage.RoomPin(ctx, channel, message, pinned) })
}
