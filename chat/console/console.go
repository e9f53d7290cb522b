// SPDX-License-Identifier: Apache-2.0

// Package console is the built-in chat room as a chat platform: the same
// contract that Mattermost fulfils, with the messages kept in Belfry's own
// store and shown by package web.
//
// The flow outward: the courier calls Post or Update; the message is stored
// (exactly once by its key), and the Hub tells every open page which card
// changed; the page's connection reads the card as it is now and renders it
// (card.go). The flow inward: a press names a message and an action, never a
// token; Press looks the button up in the stored message, hands its token to
// the Responder, and a dialog that comes back is kept here until it is
// submitted (dialog.go), so that the browser sees neither token nor state.
//
// Channels for incidents are made and kept by channels.go; who may see one is
// judged in place.go, for every way in: lists, pages, pushes, presses, lines.
package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/fault"
	"belfry/store"
)

// Kind is the kind of a connection that is this room.
const Kind = "console"

// Storage keeps the room's messages. *store.Store is one.
type Storage interface {
	ChannelStorage
	// RoomPost stores a new message. When one with the same Key stands already
	// it is returned as it is and nothing is stored.
	RoomPost(ctx context.Context, m store.RoomMessage) (store.RoomMessage, error)
	// RoomUpdate replaces a message's body. It returns store.ErrNotFound when
	// there is no such message or it was deleted; like RoomPost, it returns
	// store.ErrArchived in a channel that is archived.
	RoomUpdate(ctx context.Context, id alert.ID, body json.RawMessage) (store.RoomMessage, error)
	// RoomFind returns the message with this key, deleted or not.
	RoomFind(ctx context.Context, channel, key string) (store.RoomMessage, bool, error)
	// RoomMessage returns one message or store.ErrNotFound.
	RoomMessage(ctx context.Context, id alert.ID) (store.RoomMessage, error)
	// RoomMessages returns the channel's messages that are not notes, newest
	// first, older than before unless it is 0.
	RoomMessages(ctx context.Context, channel string, before alert.ID, limit int) ([]store.RoomMessage, error)
	// RoomThreads returns the notes below messages, oldest first.
	RoomThreads(ctx context.Context, threads ...alert.ID) (map[alert.ID][]store.RoomMessage, error)
	// RoomChannels returns the names of the channels that have messages and that
	// Belfry did not make.
	RoomChannels(ctx context.Context) ([]string, error)
	// People returns everybody who can sign in.
	People(ctx context.Context) ([]store.Person, error)
	// RoomDelete takes a message off the page.
	RoomDelete(ctx context.Context, id alert.ID) error
}

// Options are what a room needs.
type Options struct {
	// Name is the connection's name.
	Name    string
	Storage Storage
	// Channels are the only ones that may be posted to; empty means that any
	// name is a channel.
	Channels []string
	// URL is how browsers reach Belfry: scheme and host, without a slash at its end.
	URL string
	// Clock is the machine's when nil.
	Clock clock.Clock
	// Log is silent when nil.
	Log *slog.Logger
}

// Room is the built-in room. It is safe for concurrent use.
type Room struct {
	name, url string
	storage   Storage
	channels  atomic.Pointer[[]string]
	plain     plain
	clock     clock.Clock
	log       *slog.Logger
	hub       *hub
	dialogs   *dialogs
	responder atomic.Pointer[chat.Responder]
}

var (
	_ chat.Platform = (*Room)(nil)
	_ chat.Receiver = (*Room)(nil)
)

// Open returns the room. It starts nothing that must be stopped.
func Open(o Options) (*Room, error) {
	if o.Name == "" || o.Storage == nil {
		return nil, errors.New("the built-in room needs a name and a place for its messages")
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Room{
		name: o.Name, url: o.URL, storage: o.Storage, clock: o.Clock, log: o.Log,
		hub: newHub(), dialogs: newDialogs(o.Clock),
	}
	return r, r.SetChannels(o.Channels)
}

// SetChannels replaces Options.Channels: the configuration was read again.
func (r *Room) SetChannels(names []string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	names = slices.Clone(names)
	r.channels.Store(&names)
	return nil
}

// Limits on names.
const (
	maxChannel = 64
	maxKey     = 64
)

// Post implements chat.Platform. A message with the same key is never stored
// twice, however much later it is repeated.
func (r *Room) Post(ctx context.Context, p chat.Post) (chat.Ref, error) {
	if err := r.checkChannel(ctx, p.Channel); err != nil {
		return chat.Ref{}, err
	}
	if p.Key == "" || len(p.Key) > maxKey {
		return chat.Ref{}, fault.NewPermanent(fmt.Errorf("a message's key has 1 to %d characters, this one has %d", maxKey, len(p.Key)))
	}
	body, err := encode(p.Message)
	if err != nil {
		return chat.Ref{}, err
	}
	if err := ctx.Err(); err != nil {
		return chat.Ref{}, fault.NewRetry(fmt.Errorf("not posted to the room: %w", err))
	}
	m := store.RoomMessage{Channel: p.Channel, Key: p.Key, Body: body}
	if p.Thread != nil {
		root, err := r.root(ctx, *p.Thread)
		if err != nil {
			return chat.Ref{}, err
		}
		m.Thread = root.ID
	}
	stored, err := r.storage.RoomPost(ctx, m)
	if errors.Is(err, store.ErrArchived) {
		return chat.Ref{}, r.closed(p.Channel, err)
	}
	if err != nil {
		return chat.Ref{}, written("post to", err)
	}
	if stored.Channel != p.Channel {
		return chat.Ref{}, fault.NewPermanent(fmt.Errorf("a message with this key stands in another channel, %q", stored.Channel))
	}
	r.posted(stored.Channel)
	r.hub.publish(stored)
	return ref(stored), nil
}

// root returns the message that a note answers.
func (r *Room) root(ctx context.Context, thread chat.Ref) (store.RoomMessage, error) {
	id, err := postID(thread)
	if err != nil {
		return store.RoomMessage{}, err
	}
	m, err := r.storage.RoomMessage(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && m.Deleted:
		return m, fault.NewGone(fmt.Errorf("the card %s of this note is gone from the room", thread.Post))
	case err != nil:
		return m, read("read the card of a note in", err)
	case m.Thread != 0:
		// A note to a note stands below the same card.
		return r.root(ctx, chat.Ref{Channel: m.Channel, Post: formatID(m.Thread)})
	}
	return m, nil
}

// Update implements chat.Platform.
func (r *Room) Update(ctx context.Context, where chat.Ref, _ string, m chat.Message) error {
	id, err := postID(where)
	if err != nil {
		return err
	}
	body, err := encode(m)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.NewRetry(fmt.Errorf("not changed in the room: %w", err))
	}
	stored, err := r.storage.RoomUpdate(ctx, id, body)
	if errors.Is(err, store.ErrNotFound) {
		return fault.NewGone(fmt.Errorf("the card %s is gone from the room", where.Post))
	}
	if errors.Is(err, store.ErrArchived) {
		return r.closed(where.Channel, err)
	}
	if err != nil {
		return written("change a card in", err)
	}
	r.hub.publish(stored)
	return nil
}

// Find implements chat.Platform. Keys are kept for ever, so since is not
// needed. A message that was deleted was posted all the same: it is found, and
// an Update then says that it is gone.
func (r *Room) Find(ctx context.Context, channel, key string, _ time.Time) (chat.Ref, bool, error) {
	if err := checkName(channel); err != nil {
		return chat.Ref{}, false, err
	}
	m, ok, err := r.storage.RoomFind(ctx, channel, key)
	if err != nil {
		return chat.Ref{}, false, read("search", err)
	}
	if !ok || m.Channel != channel {
		return chat.Ref{}, false, nil
	}
	return ref(m), true, nil
}

// Delete takes a message off everybody's page, as an administrator wishes.
func (r *Room) Delete(ctx context.Context, id alert.ID) error {
	m, err := r.storage.RoomMessage(ctx, id)
	if err != nil {
		return read("read a card in", err)
	}
	if err := r.storage.RoomDelete(ctx, id); err != nil {
		return written("delete a card in", err)
	}
	m.Deleted = true
	r.hub.publish(m)
	return nil
}

// closed says that a channel is archived.
func (r *Room) closed(channel string, cause error) error {
	return fault.NewPermanent(chat.Archived(fmt.Errorf("the channel %s of the room %s is archived: open it again, or name another in the route: %w", channel, r.name, cause)))
}

// checkChannel says whether messages may go to a channel. It need not have
// been made before.
func (r *Room) checkChannel(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if only := *r.channels.Load(); len(only) > 0 && !slices.Contains(only, name) {
		switch _, err := r.storage.RoomChannel(ctx, name); {
		case err == nil:
			return nil // Belfry made it
		case !errors.Is(err, store.ErrNotFound):
			return read("look for a channel of", err)
		}
		return fault.NewPermanent(fmt.Errorf("the room %s has no channel %q: name one of its channels, or add this one to them", r.name, name))
	}
	return nil
}

func checkName(name string) error {
	ok := name != "" && len(name) <= maxChannel
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
	}
	if !ok {
		return fault.NewPermanent(fmt.Errorf("%.80q is no name for a channel of the room: write 1 to %d lower-case letters, digits or \"-\"", name, maxChannel))
	}
	return nil
}

// ValidChannel says whether name can be a channel of a room.
func ValidChannel(name string) bool { return checkName(name) == nil }

func encode(m chat.Message) (json.RawMessage, error) {
	body, err := json.Marshal(fit(m))
	if err != nil {
		return nil, fault.NewPermanent(fmt.Errorf("can't encode a message for the room: %w", err))
	}
	return body, nil
}

func ref(m store.RoomMessage) chat.Ref {
	return chat.Ref{Channel: m.Channel, Post: formatID(m.ID)}
}

func formatID(id alert.ID) string { return strconv.FormatInt(int64(id), 10) }

func postID(where chat.Ref) (alert.ID, error) {
	id, err := strconv.ParseInt(where.Post, 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.NewGone(fmt.Errorf("%.40q is no message of the room", where.Post))
	}
	return alert.ID(id), nil
}

// written gives an error of the store after something was asked of it a
// decision: it may have been done.
func written(what string, err error) error { return decide(what, err, fault.NewUnknown) }

// read does the same where nothing can have changed.
func read(what string, err error) error { return decide(what, err, fault.NewRetry) }

func decide(what string, err error, otherwise func(error) error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrInUse) ||
		errors.Is(err, store.ErrNewer) {
		otherwise = fault.NewRetry // the store says that it did nothing
	}
	return otherwise(fmt.Errorf("can't %s the room: %w", what, err))
}
