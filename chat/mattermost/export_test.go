// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"time"

	"belfry/chat"
)

// What the tests outside of the package look into.
var (
	Literal = literal
	SafeURL = safeURL
	// ChannelName is the handle for a wish; the second counts names that were taken.
	ChannelName = channelName
)

// HandleOf is by which handle a channel can be configured.
func HandleOf(ctx context.Context, p *Platform, id string) string { return p.handleOf(ctx, id) }

// Render renders a message for a connection whose callbacks go to callback.
func Render(callback, key string, m chat.Message) (message string, p any, err error) {
	return (&Platform{name: "main", callback: callback}).render(key, m)
}

// ReadPress and ReadSubmit decode callbacks.
func ReadPress(body []byte) (user, channel, post, token string, err error) {
	b, err := readPress(body)
	return b.UserID, b.ChannelID, b.PostID, b.Context.Token, err
}

// ReadSubmit decodes a dialog's callback.
func ReadSubmit(body []byte) (user, state string, values map[string]string, cancelled bool, err error) {
	b, values, err := readSubmit(body)
	return b.UserID, b.State, values, b.Cancelled, err
}

// Hurry makes a listener wait as short as tests do.
func Hurry(p *Platform) {
	p.pace = pace{hello: 150 * time.Millisecond, ping: 250 * time.Millisecond, poll: 20 * time.Millisecond,
		first: 2 * time.Millisecond, most: 10 * time.Millisecond, again: 5 * time.Millisecond}
}

// CommandOf returns what follows the command word.
var CommandOf = commandOf

// IDsOf returns the ids of what is taken for a post or a reaction in a frame.
func IDsOf(raw []byte) (ids []string) {
	f, ok := readFrame(raw)
	if !ok {
		return nil
	}
	if p, ok := f.post(); ok {
		ids = append(ids, p.ID, p.User, p.Channel, p.root())
		p.byPerson()
	}
	if r, channel, ok := f.reaction(); ok {
		ids = append(ids, r.User, r.Post, channel)
	}
	if id := f.connection(); id != "" {
		ids = append(ids, id)
	}
	return ids
}

// RenderReply renders a reply; raw are its props.
func RenderReply(r chat.Reply) (message string, raw []byte, err error) {
	message, p, err := (&Platform{name: "main"}).renderReply("", r)
	if err != nil {
		return "", nil, err
	}
	raw, err = json.Marshal(p)
	return message, raw, err
}

// ReadOutgoing decodes what an outgoing webhook sends.
func ReadOutgoing(contentType string, body []byte) (ids [3]string, token, text string, at time.Time, err error) {
	o, err := readOutgoing(contentType, body)
	return [3]string{o.user, o.channel, o.post}, o.token, o.text, o.at, err
}
