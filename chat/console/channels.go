// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/fault"
	"belfry/store"
)

var _ chat.ChannelKeeper = (*Room)(nil)

// Limits of what stands above a channel, in characters: Mattermost's, so that
// nothing has to be said twice.
const (
	maxChannelTitle = 64
	maxTopic        = 1024
	maxPurpose      = 250
	maxChannelLinks = 50
	// maxSuffixes is how many names are tried when one is taken.
	maxSuffixes = 20
)

// ChannelStorage keeps the channels that Belfry makes in the room. *store.Store
// is one; what its methods return is said there.
type ChannelStorage interface {
	RoomOpen(ctx context.Context, c store.RoomChannel) (store.RoomChannel, error)
	RoomChannel(ctx context.Context, name string) (store.RoomChannel, error)
	RoomChannelByKey(ctx context.Context, key string) (store.RoomChannel, error)
	RoomChannelsOf(ctx context.Context, person alert.ID, archived int) ([]store.RoomChannel, error)
	RoomHides(ctx context.Context, channel string, person alert.ID) (bool, error)
	RoomDescribe(ctx context.Context, channel, topic, purpose string) error
	RoomRetitle(ctx context.Context, channel, title string) error
	RoomLinks(ctx context.Context, channel string, links json.RawMessage) error
	RoomArchive(ctx context.Context, channel string, archived bool) error
	RoomInvite(ctx context.Context, channel string, people ...alert.ID) error
	RoomMembers(ctx context.Context, channel string) ([]store.Person, error)
	RoomPin(ctx context.Context, channel string, message alert.ID, pinned bool) error
	RoomPins(ctx context.Context, channel string) ([]store.RoomMessage, error)
}

// OpenChannel implements chat.ChannelKeeper. A channel's id is its name, which
// it keeps.
func (r *Room) OpenChannel(ctx context.Context, n chat.NewChannel) (chat.Channel, error) {
	if n.Key == "" || len(n.Key) > maxKey {
		return chat.Channel{}, fault.NewPermanent(fmt.Errorf("a channel's key has 1 to %d characters, this one has %d", maxKey, len(n.Key)))
	}
	switch made, err := r.storage.RoomChannelByKey(ctx, n.Key); {
	case err == nil:
		return r.channelOf(made), nil
	case !errors.Is(err, store.ErrNotFound):
		return chat.Channel{}, read("look for a channel of", err)
	}
	c := store.RoomChannel{Key: n.Key, Title: titleOf(n), Purpose: short(chat.CleanLine(n.Purpose), maxPurpose), Private: n.Private}
	for i := range maxSuffixes {
		c.Name = channelName(n.Name, i)
		if slices.Contains(*r.channels.Load(), c.Name) {
			continue
		}
		made, err := r.storage.RoomOpen(ctx, c)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return chat.Channel{}, written("make a channel in", err)
		}
		r.hub.tell(made.Name)
		return r.channelOf(made), nil
	}
	return chat.Channel{}, fault.NewPermanent(fmt.Errorf("can't make the channel %s: it and %d names like it are taken in the room %s", channelName(n.Name, 0), maxSuffixes-1, r.name))
}

func (r *Room) channelOf(c store.RoomChannel) chat.Channel {
	return chat.Channel{ID: c.Name, Name: c.Name, Private: c.Private, URL: r.url + PathOf(c.Name)}
}

// PathOf is where people read a channel.
func PathOf(channel string) string { return "/?channel=" + url.QueryEscape(channel) }

func titleOf(n chat.NewChannel) string {
	title := strings.TrimSpace(chat.CleanLine(n.Title))
	if title == "" {
		title = strings.TrimSpace(chat.CleanLine(n.Name))
	}
	return short(title, maxChannelTitle)
}

// channelName makes a handle of what is wished for; try 0 is without a suffix.
func channelName(wish string, try int) string {
	var b strings.Builder
	for _, c := range strings.ToLower(wish) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	suffix := ""
	if try > 0 {
		suffix = "-" + strconv.Itoa(try+1)
	}
	name := strings.Trim(b.String(), "-")
	if name == "" {
		name = "incident"
	}
	return strings.TrimRight(name[:min(len(name), maxChannel-len(suffix))], "-") + suffix
}

// open returns a channel of ours that can be changed.
func (r *Room) open(ctx context.Context, name, doing string) (store.RoomChannel, error) {
	c, err := r.storage.RoomChannel(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c, fault.NewPermanent(fmt.Errorf("can't %s: Belfry made no channel %.80q in the room %s", doing, name, r.name))
	case err != nil:
		return c, read("read a channel of", err)
	case !c.ArchivedAt.IsZero():
		return c, fault.NewPermanent(chat.Archived(fmt.Errorf("can't %s: the channel %s of the room is archived; un-archive it first", doing, name)))
	}
	return c, nil
}

// change carries a change of a channel out and tells the pages.
func (r *Room) change(ctx context.Context, name, doing string, do func() error) error {
	if _, err := r.open(ctx, name, doing); err != nil {
		return err
	}
	if err := do(); err != nil {
		return written(doing+" in", err)
	}
	r.hub.tell(name)
	return nil
}

// Invite implements chat.ChannelKeeper.
func (r *Room) Invite(ctx context.Context, channel string, ids []string) ([]chat.Refusal, error) {
	all, err := r.people(ctx)
	if err != nil {
		return nil, err
	}
	var refused []chat.Refusal
	var in []alert.ID
	told := map[string]bool{}
	for _, id := range ids {
		n, err := strconv.ParseInt(id, 10, 64)
		switch {
		case told[id]:
			continue
		case err != nil || n <= 0:
			refused = append(refused, chat.Refusal{Person: id, Why: "is no id of a person in the room"})
		case !slices.ContainsFunc(all, func(a chat.Actor) bool { return a.ID == id }):
			refused = append(refused, chat.Refusal{Person: id, Why: "is not known in this Belfry"})
		default:
			in = append(in, alert.ID(n))
		}
		told[id] = true
	}
	return refused, r.change(ctx, channel, "bring people into a channel", func() error { return r.storage.RoomInvite(ctx, channel, in...) })
}

// Describe implements chat.ChannelKeeper.
func (r *Room) Describe(ctx context.Context, channel string, d chat.Description) error {
	return r.change(ctx, channel, "describe a channel", func() error {
		return r.storage.RoomDescribe(ctx, channel, short(chat.CleanLine(d.Topic), maxTopic), short(chat.CleanLine(d.Purpose), maxPurpose))
	})
}

// Pin implements chat.ChannelKeeper.
func (r *Room) Pin(ctx context.Context, where chat.Ref) error {
	id, err := postID(where)
	if err != nil {
		return err
	}
	m, err := r.storage.RoomMessage(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (m.Deleted || m.Channel != where.Channel):
		return fault.NewGone(fmt.Errorf("the message %s is gone from the channel %.80q", where.Post, where.Channel))
	case err != nil:
		return read("read a message of", err)
	}
	return r.change(ctx, where.Channel, "pin a message", func() error { return r.storage.RoomPin(ctx, where.Channel, id, true) })
}

// Unpin implements chat.ChannelKeeper. A message that is gone needs no unpinning.
func (r *Room) Unpin(ctx context.Context, where chat.Ref) error {
	id, err := postID(where)
	if err != nil {
		return nil //nolint:nilerr // no message, no pin
	}
	return r.change(ctx, where.Channel, "unpin a message", func() error { return r.storage.RoomPin(ctx, where.Channel, id, false) })
}

// Bookmark implements chat.ChannelKeeper. People set no links in the room, so
// all of them are Belfry's.
func (r *Room) Bookmark(ctx context.Context, channel string, links []chat.Link) error {
	var set []chat.Link
	for _, l := range links {
		one := chat.Link{Text: short(strings.TrimSpace(chat.CleanLine(l.Text)), maxWord), URL: safeLink(l.URL)}
		if one.Text == "" || one.URL == "" || len(one.URL) > maxLink {
			return fault.NewPermanent(fmt.Errorf("can't set the links of %.80q: %q is no link", channel, chat.CleanLine(l.Text)))
		}
		if !slices.Contains(set, one) {
			set = append(set, one)
		}
	}
	if len(set) > maxChannelLinks {
		return fault.NewPermanent(fmt.Errorf("can't set the links of %.80q: a channel of the room has at most %d", channel, maxChannelLinks))
	}
	body, err := json.Marshal(set)
	if err != nil {
		return fault.NewPermanent(fmt.Errorf("can't encode the links of a channel: %w", err))
	}
	return r.change(ctx, channel, "set the links of a channel", func() error { return r.storage.RoomLinks(ctx, channel, body) })
}

// Rename implements chat.ChannelKeeper: the title changes, the name stays.
func (r *Room) Rename(ctx context.Context, channel string, n chat.NewChannel) (chat.Channel, error) {
	err := r.change(ctx, channel, "rename a channel", func() error { return r.storage.RoomRetitle(ctx, channel, titleOf(n)) })
	if err != nil {
		return chat.Channel{}, err
	}
	return r.channelOf(store.RoomChannel{Name: channel}), nil
}

// Archive implements chat.ChannelKeeper: what was said stays readable, and
// nothing can be posted, edited or pressed any more.
func (r *Room) Archive(ctx context.Context, channel string) error {
	return r.archive(ctx, channel, true, "archive a channel of")
}

// Unarchive implements chat.ChannelKeeper.
func (r *Room) Unarchive(ctx context.Context, channel string) error {
	return r.archive(ctx, channel, false, "open a channel again in")
}

func (r *Room) archive(ctx context.Context, channel string, archived bool, doing string) error {
	err := r.storage.RoomArchive(ctx, channel, archived)
	if errors.Is(err, store.ErrNotFound) {
		return fault.NewPermanent(fmt.Errorf("can't %s the room %s: Belfry made no channel %.80q", doing, r.name, channel))
	}
	if err != nil {
		return written(doing, err)
	}
	r.hub.tell(channel)
	return nil
}
