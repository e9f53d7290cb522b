// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// margin is added to what is known of the two clocks' difference.
const margin = time.Minute

// lateWait is how long after the beginning of an attempt Slack may still be
// about to carry it out: a call whose caller was killed or hung up goes on. Until
// then what can't be found may be on its way, and nothing is posted in its place.
const lateWait = 5 * time.Second

// kept is a message as conversations.history shows it with its metadata.
type kept struct {
	TS       string   `json:"ts"`
	BotID    string   `json:"bot_id"`
	User     string   `json:"user"`
	Metadata metadata `json:"metadata"`
}

// Find implements chat.Platform. Deleted messages are not in a channel's
// history: of a key that is among them it says no. Notes are found by FindReply.
func (p *Platform) Find(ctx context.Context, configured, key string, since time.Time) (chat.Ref, bool, error) {
	id, err := p.resolve(ctx, configured)
	if err != nil {
		return chat.Ref{}, false, err
	}
	return p.search(ctx, "conversations.history", url.Values{"channel": {id}}, key, since, "look for a message in "+configured)
}

// FindReply implements chat.ThreadFinder.
func (p *Platform) FindReply(ctx context.Context, thread chat.Ref, key string, since time.Time) (chat.Ref, bool, error) {
	return p.search(ctx, "conversations.replies", url.Values{"channel": {thread.Channel}, "ts": {thread.Post}}, key, since,
		"look for a note in "+p.channelWord(thread.Channel))
}

// search walks a channel or a thread for our message with this key. Others can
// read our keys and put them into messages of their own.
func (p *Platform) search(ctx context.Context, method string, args url.Values, key string, since time.Time, doing string) (chat.Ref, bool, error) {
	me, err := p.self(ctx)
	if err != nil {
		return chat.Ref{}, false, err
	}
	// A server whose clock is behind stamps messages earlier than we sent them.
	from := since.Add(-margin - time.Duration(p.client.behind.Load()))
	args.Set("oldest", strconv.FormatInt(from.Unix(), 10)+".000000")
	args.Set("include_all_metadata", "true")
	found := ""
	look := func(got *page) {
		for _, m := range got.Messages {
			ours := m.BotID == me.BotID && me.BotID != "" || m.User == me.UserID
			if ours && m.Metadata.EventType == eventType && m.Metadata.Payload.Key == key && isTS(m.TS) {
				found = m.TS
			}
		}
		if found != "" {
			got.Metadata.Cursor = "" // it need not go on
		}
	}
	err = p.walk(ctx, method, args, doing, look)
	if refusedAs(err, "not_in_channel") {
		// Posting takes no membership in public channels, reading does.
		if p.ask(ctx, "conversations.join", url.Values{"channel": args["channel"]}, "join "+p.channelWord(args.Get("channel")), writes, nil) == nil {
			args.Del("cursor")
			err = p.walk(ctx, method, args, doing, look)
		}
	}
	if err != nil {
		if refusedAs(err, "thread_not_found") {
			return chat.Ref{}, false, nil
		}
		return chat.Ref{}, false, fmt.Errorf("%w", err)
	}
	ref := chat.Ref{}
	if found != "" {
		ref = chat.Ref{Channel: args.Get("channel"), Post: found}
	} else if left := since.Add(chat.FindMargin + lateWait).Sub(p.clock.Now()); left > 0 {
		return ref, false, fault.NewRetryAfterOnly(fault.This, fmt.Errorf("can't %s: it may still be on its way", doing), left)
	}
	p.sent.settled(key, ref, found != "")
	return ref, found != "", nil
}
