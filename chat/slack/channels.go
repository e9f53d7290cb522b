// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
	"belfry/fault"
)

var _ chat.ChannelKeeper = (*Platform)(nil)

const (
	// maxChannelName is Slack's limit for names, maxTopic for topics and
	// purposes: https://docs.slack.dev/reference/methods/conversations.create
	maxChannelName = 80
	maxTopic       = 250
	// maxSuffixes is how many names are tried when one is taken.
	maxSuffixes = 20
	// inviteAtOnce is how many people one call brings in: the least that the reference named
	inviteAtOnce = 30
)

// OpenChannel implements chat.ChannelKeeper. The key stands in the purpose. A
// channel of ours that has the name and no purpose yet is one that an earlier
// attempt made before it could say so.
func (p *Platform) OpenChannel(ctx context.Context, n chat.NewChannel) (chat.Channel, error) {
	doing := "make the channel " + n.Name
	for i := range maxSuffixes {
		name := channelName(n.Name, i)
		var made struct {
			Channel listed `json:"channel"`
		}
		args := url.Values{"name": {name}, "is_private": {fmt.Sprint(n.Private)}}
		err := p.ask(ctx, "conversations.create", args, doing, writes, &made)
		switch {
		case err == nil:
			if !isChannelID(made.Channel.ID) {
				return chat.Channel{}, fault.NewUnknown(fmt.Errorf("can't %s: slack of connection %s gives no id for it", doing, p.name))
			}
			p.remember(made.Channel.ID, name)
			return p.marked(ctx, made.Channel, name, n)
		case !refusedAs(err, "name_taken"):
			return chat.Channel{}, p.mayNot(err, doing)
		}
		old, ok, err := p.channelNamed(ctx, name)
		if err != nil {
			return chat.Channel{}, err
		}
		if ok && !old.IsArchived && p.isOurs(ctx, old, n.Key) {
			return p.marked(ctx, old, name, n)
		}
	}
	return chat.Channel{}, fault.NewPermanent(fmt.Errorf("can't %s: it and %d names like it are taken in the workspace of connection %s", doing, maxSuffixes-1, p.name))
}

// isOurs says whether a channel is the one that was made with this key.
func (p *Platform) isOurs(ctx context.Context, c listed, key string) bool {
	if strings.Contains(c.Purpose.Value, mark(key)) {
		return true
	}
	me, err := p.self(ctx)
	return err == nil && c.Purpose.Value == "" && c.Creator == me.UserID
}

// marked writes the key into a new channel's purpose.
func (p *Platform) marked(ctx context.Context, c listed, name string, n chat.NewChannel) (chat.Channel, error) {
	err := p.ask(ctx, "conversations.setPurpose", url.Values{"channel": {c.ID}, "purpose": {purpose(n.Purpose, mark(n.Key))}},
		"set the purpose of "+name, writes, nil)
	if err != nil {
		return chat.Channel{}, p.mayNot(err, "set the purpose of "+name)
	}
	made := p.channelOf(ctx, c.ID, name)
	made.Private = c.IsPrivate
	return made, nil
}

// channelOf is a channel as callers know it.
func (p *Platform) channelOf(ctx context.Context, id, name string) chat.Channel {
	c := chat.Channel{ID: id, Name: name}
	if me, err := p.self(ctx); err == nil {
		if site := safeURL(me.URL); site != "" {
			c.URL = strings.TrimRight(site, "/") + "/archives/" + id
		}
	}
	return c
}

// mark is how a key stands in a purpose.
func mark(key string) string { return "[belfry " + key + "]" }

// marker returns the mark in a purpose, "" when there is none.
func marker(purpose string) string {
	i := strings.LastIndex(purpose, "[belfry ")
	if i < 0 || !strings.HasSuffix(purpose, "]") {
		return ""
	}
	return purpose[i:]
}

// purpose is a text with our mark behind it.
func purpose(text, mark string) string {
	if mark == "" {
		return header(text, maxTopic)
	}
	return strings.TrimSpace(header(text, maxTopic-len(mark)-1) + " " + mark)
}

// header is a text above a channel: one line, escaped, at most limit characters.
// Slack parses no markup there but its own sequences.
func header(text string, limit int) string {
	text = strings.TrimSpace(chat.CleanLine(text))
	for n := limit; ; n-- {
		if out := headerEscapes.Replace(cut(text, n)); utf8.RuneCountInString(out) <= limit {
			return out
		}
	}
}

var headerEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// channelName makes a name that Slack takes: small letters, digits, "-" and
// "_"; again counts the names that were taken.
func channelName(wish string, again int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(chat.CleanLine(wish)) {
		switch {
		case r < utf8.RuneSelf && isAlnumByte(byte(r)), r == '_':
			b.WriteRune(r)
		case unicode.IsLetter(r) && r < utf8.RuneSelf:
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-_")
	if name == "" {
		name = "incident"
	}
	suffix := ""
	if again > 0 {
		suffix = fmt.Sprintf("-%d", again+1)
	}
	return strings.TrimRight(name[:min(len(name), maxChannelName-len(suffix))], "-_") + suffix
}

// channelNamed reads the channel with this name, archived ones included.
func (p *Platform) channelNamed(ctx context.Context, name string) (listed, bool, error) {
	var found listed
	err := p.walk(ctx, "conversations.list", url.Values{"types": {"public_channel,private_channel"}, "exclude_archived": {"false"}},
		"look for the channel "+name, func(got *page) {
			for _, c := range got.Channels {
				if c.Name == name && isChannelID(c.ID) {
					found, got.Metadata.Cursor = c, "" // it need not go on
				}
			}
		})
	return found, found.ID != "", err
}

// remember keeps a new channel's name, which no list had yet.
func (p *Platform) remember(id, name string) {
	c := p.channels
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ids, c.names[id])
	c.ids[name], c.names[id] = id, name
}

// mayNot makes a lack of rights final: unlike a message, a channel is not
// waited for.
func (p *Platform) mayNot(err error, doing string) error {
	if refusedAs(err, "missing_scope", "restricted_action", "no_permission", "not_allowed_token_type", "access_denied", "user_is_restricted", "not_authorized") {
		r, _ := refusal(err)
		return fault.NewPermanent(fmt.Errorf("can't %s: the app of connection %s may not; an administrator of the workspace can allow it "+
			"(scopes channels:manage and groups:write, and who may make and manage channels): %w", doing, p.name, &r))
	}
	return err
}

// Describe implements chat.ChannelKeeper.
func (p *Platform) Describe(ctx context.Context, channel string, d chat.Description) error {
	name := p.channelWord(channel)
	var got struct {
		Channel listed `json:"channel"`
	}
	if err := p.read(ctx, "conversations.info", url.Values{"channel": {channel}}, "read the channel "+name, &got); err != nil {
		return err
	}
	topic, about := header(d.Topic, maxTopic), purpose(d.Purpose, marker(got.Channel.Purpose.Value))
	if topic != got.Channel.Topic.Value {
		if err := p.ask(ctx, "conversations.setTopic", url.Values{"channel": {channel}, "topic": {topic}}, "set the topic of "+name, writes, nil); err != nil {
			return p.mayNot(err, "set the topic of "+name)
		}
	}
	if about == got.Channel.Purpose.Value {
		return nil
	}
	err := p.ask(ctx, "conversations.setPurpose", url.Values{"channel": {channel}, "purpose": {about}}, "set the purpose of "+name, writes, nil)
	return p.mayNot(err, "set the purpose of "+name)
}

// Pin implements chat.ChannelKeeper.
func (p *Platform) Pin(ctx context.Context, ref chat.Ref) error {
	return p.pin(ctx, "pins.add", ref, "already_pinned")
}

// Unpin implements chat.ChannelKeeper.
func (p *Platform) Unpin(ctx context.Context, ref chat.Ref) error {
	return p.pin(ctx, "pins.remove", ref, "no_pin", "not_pinned")
}

func (p *Platform) pin(ctx context.Context, method string, ref chat.Ref, done ...string) error {
	if !isTS(ref.Post) || !isChannelID(ref.Channel) {
		return fault.NewPermanent(fmt.Errorf("%q is no message of a Slack", ref.Post))
	}
	doing := "pin a message in " + p.channelWord(ref.Channel)
	err := p.ask(ctx, method, url.Values{"channel": {ref.Channel}, "timestamp": {ref.Post}}, doing, writes, nil)
	if refusedAs(err, done...) {
		return nil
	}
	return p.mayNot(err, doing)
}

// Rename implements chat.ChannelKeeper. Slack has no titles beside names.
func (p *Platform) Rename(ctx context.Context, channel string, n chat.NewChannel) (chat.Channel, error) {
	doing := "rename the channel " + p.channelWord(channel)
	for i := range maxSuffixes {
		name := channelName(n.Name, i)
		if p.channelWord(channel) == name {
			return p.channelOf(ctx, channel, name), nil
		}
		err := p.ask(ctx, "conversations.rename", url.Values{"channel": {channel}, "name": {name}}, doing, writes, nil)
		if refusedAs(err, "name_taken") {
			if old, ok, err := p.channelNamed(ctx, name); err == nil && ok && old.ID == channel {
				p.remember(channel, name) // it has that name already
				return p.channelOf(ctx, channel, name), nil
			}
			continue
		}
		if err != nil {
			return chat.Channel{}, p.mayNot(err, doing)
		}
		p.remember(channel, name)
		return p.channelOf(ctx, channel, name), nil
	}
	return chat.Channel{}, fault.NewPermanent(fmt.Errorf("can't %s: %s and %d names like it are taken in the workspace of connection %s",
		doing, channelName(n.Name, 0), maxSuffixes-1, p.name))
}

// Archive implements chat.ChannelKeeper.
func (p *Platform) Archive(ctx context.Context, channel string) error {
	doing := "archive the channel " + p.channelWord(channel)
	err := p.ask(ctx, "conversations.archive", url.Values{"channel": {channel}}, doing, writes, nil)
	if refusedAs(err, "already_archived") {
		return nil
	}
	p.doubt()
	return p.mayNot(err, doing)
}

// errByHand is why Unarchive seldom works.
var errByHand = errors.New("apps are taken out of channels that are archived, so somebody has to open it again by hand (channel's settings) and invite the app")

// Unarchive implements chat.ChannelKeeper. Slack takes bots out of archived
// channels, and then does not let them open one.
func (p *Platform) Unarchive(ctx context.Context, channel string) error {
	doing := "open the channel " + p.channelWord(channel) + " again"
	err := p.ask(ctx, "conversations.unarchive", url.Values{"channel": {channel}}, doing, writes, nil)
	switch {
	case refusedAs(err, "not_archived"):
		return nil
	case refusedAs(err, "not_in_channel", "channel_not_found", "not_allowed_token_type", "missing_scope"):
		r, _ := refusal(err)
		return fault.NewPermanent(fmt.Errorf("can't %s: %w: %w", doing, errByHand, &r))
	}
	return p.mayNot(err, doing)
}
