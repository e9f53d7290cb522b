// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// eventType names our metadata on messages; the payload is their key.
const eventType = "belfry_message"

// metadata is what Slack keeps with a message and nobody sees.
type metadata struct {
	EventType string       `json:"event_type"`
	Payload   keptMetadata `json:"event_payload"`
}

type keptMetadata struct {
	Key string `json:"key"`
}

// pendingWait is how long to leave a message alone that is being written.
const pendingWait = time.Second

// Post implements chat.Platform. Slack has no key that makes a repetition
// harmless: what this process posted it knows, and after an outcome that nobody
// knows it asks the channel first.
func (p *Platform) Post(ctx context.Context, o chat.Post) (chat.Ref, error) {
	ref, first, err := p.sent.begin(o.Key, p.clock.Now())
	if err != nil || ref.Post != "" {
		return ref, err
	}
	if !first.IsZero() {
		ref, ok, err := p.findAgain(ctx, o, first.Add(-chat.FindMargin))
		if err != nil || ok {
			p.sent.end(o.Key, ref, err)
			return ref, err
		}
	}
	ref, err = p.post(ctx, o)
	p.sent.end(o.Key, ref, err)
	return ref, err
}

// findAgain looks for what an earlier attempt with this key left.
func (p *Platform) findAgain(ctx context.Context, o chat.Post, since time.Time) (chat.Ref, bool, error) {
	if o.Thread != nil {
		return p.FindReply(ctx, *o.Thread, o.Key, since)
	}
	return p.Find(ctx, o.Channel, o.Key, since)
}

func (p *Platform) post(ctx context.Context, o chat.Post) (chat.Ref, error) {
	doing := "post to " + o.Channel
	channel := ""
	if o.Thread != nil {
		doing = "post to a thread in " + o.Channel
		channel = o.Thread.Channel
	} else {
		id, err := p.resolve(ctx, o.Channel)
		if err != nil {
			return chat.Ref{}, err
		}
		channel = id
	}
	args, err := p.args(ctx, o.Key, o.Message)
	if err != nil {
		return chat.Ref{}, err
	}
	args.Set("channel", channel)
	if o.Thread != nil {
		args.Set("thread_ts", o.Thread.Post)
	}
	p.customize(args)
	return p.deliver(ctx, o, channel, args, doing)
}

// deliver posts args to a channel, into a thread if o has one.
func (p *Platform) deliver(ctx context.Context, o chat.Post, channel string, args url.Values, doing string) (chat.Ref, error) {
	if err := p.pace.post(channel); err != nil {
		return chat.Ref{}, fmt.Errorf("can't %s: %w", doing, err)
	}
	var made struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
		Message struct {
			ThreadTS string `json:"thread_ts"`
		} `json:"message"`
	}
	if err := p.client.call(ctx, "chat.postMessage", args, &made); err != nil {
		return chat.Ref{}, p.refusedPost(err, o, channel, doing)
	}
	if !isTS(made.TS) || !isChannelID(made.Channel) {
		return chat.Ref{}, fault.NewUnknown(fmt.Errorf("can't %s: slack of connection %s gives no place for the message", doing, p.name))
	}
	ref := chat.Ref{Channel: made.Channel, Post: made.TS}
	if o.Thread != nil && made.Message.ThreadTS != o.Thread.Post {
		return chat.Ref{}, p.takeBack(ctx, ref, doing)
	}
	return ref, nil
}

// takeBack removes a note that Slack put into the channel because the message
// it answers is gone: Slack does not refuse such a note
// (https://github.com/slack-go/slack/issues/1571).
func (p *Platform) takeBack(ctx context.Context, ref chat.Ref, doing string) error {
	err := p.ask(ctx, "chat.delete", url.Values{"channel": {ref.Channel}, "ts": {ref.Post}}, "take back a note without its card", writes, nil)
	if err != nil {
		p.log.Warn("a note whose card was deleted stands in the channel by itself", "channel", p.channelWord(ref.Channel), "err", err)
	}
	return fault.NewGone(fmt.Errorf("can't %s: the message it answers is gone", doing))
}

// args are the arguments that a message's content makes.
func (p *Platform) args(ctx context.Context, key string, m chat.Message) (url.Values, error) {
	made, err := render(m, p.mentions(ctx, m.Mentions))
	if err != nil {
		return nil, err
	}
	return made.keyed(key)
}

// keyed are the payload's arguments, with the message's key.
func (p *payload) keyed(key string) (url.Values, error) {
	args := p.args()
	note, err := json.Marshal(metadata{eventType, keptMetadata{key}})
	if err != nil {
		return nil, fault.NewPermanent(fmt.Errorf("can't encode a message's key: %w", err))
	}
	args.Set("metadata", string(note))
	return args, nil
}

// customize shows another name and picture than the app's.
func (p *Platform) customize(args url.Values) {
	for name, value := range map[string]string{"username": p.username, "icon_url": p.iconURL, "icon_emoji": p.iconEmoji} {
		if value != "" {
			args.Set(name, value)
		}
	}
}

// refusedPost explains why a new message was not taken.
func (p *Platform) refusedPost(err error, o chat.Post, channel, doing string) error {
	r, ok := refusal(err)
	switch {
	case !ok:
	case r.After > 0:
		scope := p.pace.asked(channel, r.After)
		return fault.NewRetryAfterOnly(scope, fmt.Errorf("can't %s: slack of connection %s asks to wait %v: %w", doing, p.name, r.After, &r), r.After)
	case refusedAs(err, "channel_not_found", "not_in_channel", "is_archived"):
		p.doubt()
		doing = "post to " + o.Channel
	}
	return p.decide(err, writes, doing)
}

// Update implements chat.Platform.
func (p *Platform) Update(ctx context.Context, ref chat.Ref, key string, m chat.Message) error {
	if !isTS(ref.Post) || !isChannelID(ref.Channel) {
		return fault.NewPermanent(fmt.Errorf("%q is no message of a Slack", ref.Post))
	}
	if err := ctx.Err(); err != nil {
		return fault.NewRetry(fmt.Errorf("can't edit a message: nothing was sent: %w", err))
	}
	args, err := p.args(ctx, key, m)
	if err != nil {
		return err
	}
	args.Set("channel", ref.Channel)
	args.Set("ts", ref.Post)
	// Both fall back to something else than they were posted with.
	args.Set("parse", "none")
	args.Set("link_names", "false")
	args.Del("unfurl_links")
	args.Del("unfurl_media")
	return p.ask(ctx, "chat.update", args, "edit a message in "+p.channelWord(ref.Channel), writes, nil)
}
