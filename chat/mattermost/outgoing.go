// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"
)

// maxOutgoing bounds the body of an outgoing webhook, see maxCommand.
const maxOutgoing = 256 << 10

// lookWithin bounds the look at what somebody wrote.
const lookWithin = 4 * time.Second

// What people read when a trigger word could not be answered. Mattermost posts
// the answer, so bad news are answers too; they call no webhook again.
const (
	sayNoHook = "I was called in a form that I can't read, so I have no answer. " +
		"Please tell your administrator: the outgoing webhook must lead to Belfry directly, with the content type application/json or application/x-www-form-urlencoded."
	sayBigHook      = "That is too long for me to read."
	sayNoHookTokens = "Belfry doesn't know this team's outgoing webhook yet, so I have no answer. " +
		"Please tell your administrator: its token belongs into the connection's outgoing_token_file."
	sayWrongHookToken = "The outgoing webhook doesn't carry the token that Belfry knows, so I have no answer. " +
		"Please tell your administrator: its token in Mattermost and the connection's outgoing_token_file must be the same."
	sayNoNote   = "I can't remember what I answered at this moment, so I don't. Please ask again."
	sayUnseen   = "I can't read what you wrote, so I have no answer. Please tell your administrator: Belfry's bot must be a member of this team."
	sayNoSight  = "I could not look at what you wrote just now. Please ask again in a moment."
	sayNoAnswer = "I have an answer, and Mattermost can't show it."
)

// outgoing is what an outgoing webhook sends. Who has the token can invent all
// of it: what counts is the post itself, which is read by its id.
type outgoing struct {
	token, user, channel, post, text string
	// at is when it was posted: seconds in a form, milliseconds in JSON.
	at time.Time
}

var errOutgoing = errors.New("not a call of Mattermost's outgoing webhooks")

// readOutgoing decodes both content types (Mattermost 5.37 to 11). Fields that
// the post itself tells (user_name, channel_name, trigger_word, file_ids) are
// passed over.
func readOutgoing(contentType string, body []byte) (o outgoing, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return outgoing{}, errOutgoing
	}
	var at string
	unit := time.Millisecond
	switch kind {
	case "application/json":
		var b struct {
			Token   string      `json:"token"`
			User    string      `json:"user_id"`
			Channel string      `json:"channel_id"`
			Post    string      `json:"post_id"`
			Text    string      `json:"text"`
			At      json.Number `json:"timestamp"`
		}
		if json.Unmarshal(body, &b) != nil {
			return outgoing{}, errOutgoing
		}
		o, at = outgoing{token: b.Token, user: b.User, channel: b.Channel, post: b.Post, text: b.Text}, b.At.String()
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return outgoing{}, errOutgoing
		}
		o = outgoing{token: form.Get("token"), user: form.Get("user_id"), channel: form.Get("channel_id"), post: form.Get("post_id"), text: form.Get("text")}
		at, unit = form.Get("timestamp"), time.Second
	default:
		return outgoing{}, errOutgoing
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || n <= 0 || n > maxMillis/int64(unit/time.Millisecond) || !isID(o.user) || !isID(o.channel) || !isID(o.post) || len(o.token) > maxToken {
		return outgoing{}, errOutgoing
	}
	o.at = time.UnixMilli(n * int64(unit/time.Millisecond))
	return o, nil
}

// maxMillis is in the year 2286; what lies behind it was sent in another unit.
const maxMillis = 9_999_999_999_999

// outgoingAnswer is what Mattermost posts, as the webhook's owner. Without text
// and attachments it posts nothing; an empty text would be an empty post.
type outgoingAnswer struct {
	Text        *string      `json:"text,omitempty"`
	Type        string       `json:"response_type,omitempty"`
	Username    string       `json:"username,omitempty"`
	IconURL     string       `json:"icon_url,omitempty"`
	Attachments []attachment `json:"attachments,omitempty"`
}

// commentType has the answer put below the post that called for it.
const commentType = "comment"

// outgoing answers an outgoing webhook. Mattermost calls once, waits up to 30 s
// and looks at nothing but the body.
func (p *Platform) outgoing(r chat.Responder, w http.ResponseWriter, req *http.Request) outgoingAnswer {
	// What was begun is not dropped because a proxy hung up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), chat.HearWithin+2*lookWithin)
	defer cancel()
	hearer, ok := r.(chat.Hearer)
	if !ok {
		return outgoingAnswer{}
	}
	if req.Method != http.MethodPost {
		p.log.Warn("an outgoing webhook came without its body: a redirect stands between Mattermost and Belfry", "method", req.Method)
		return p.complain(sayNoHook)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxOutgoing))
	if err != nil {
		return p.complain(sayBigHook)
	}
	o, err := readOutgoing(req.Header.Get("Content-Type"), raw)
	if err != nil {
		return p.complain(sayNoHook)
	}
	switch {
	case len(p.hooks) == 0:
		p.log.Warn("an outgoing webhook called, and no token of one is configured: set outgoing_token_file")
		return p.complain(sayNoHookTokens)
	case !p.hooks.known(o.token):
		p.log.Warn("an outgoing webhook without the right token was refused")
		return p.complain(sayWrongHookToken)
	case !hearer.Hears(p.name, o.text):
		return outgoingAnswer{}
	}
	return p.answerOutgoing(ctx, hearer, o)
}

// answerOutgoing answers to a genuine call.
func (p *Platform) answerOutgoing(ctx context.Context, hearer chat.Hearer, o outgoing) outgoingAnswer {
	if me, err := p.self(ctx); err != nil {
		return p.complain(sayNoSight)
	} else if o.user == me.ID {
		return outgoingAnswer{} // we don't talk to ourselves
	}
	// It is noted before it is answered, so that no call is answered twice.
	first, err := p.firstTime(ctx, o.post)
	switch {
	case err != nil:
		p.log.Error("can't note that a word was answered", "err", err)
		return p.complain(sayNoNote)
	case !first:
		return outgoingAnswer{}
	}
	s, say := p.written(ctx, o)
	if say != "" {
		return p.complain(say)
	}
	if s == nil {
		return outgoingAnswer{}
	}
	reply := p.hear(ctx, hearer, *s)
	if reply == nil {
		return outgoingAnswer{}
	}
	if reply.Comment && s.Root != "" {
		// Old servers can't answer into a thread by the webhook (5.37 drops it
		// silently): the bot posts it, where it may.
		err := p.put(ctx, chat.Ref{Channel: s.Channel, Post: s.Root}, *reply)
		if err == nil {
			return outgoingAnswer{}
		}
		p.log.Warn("can't answer in a thread, so the answer stands in the channel: invite the bot", "err", err)
		reply.Comment = false
	}
	return p.outgoingReply(*reply)
}

// outgoingReply puts a reply into Mattermost's format.
func (p *Platform) outgoingReply(r chat.Reply) outgoingAnswer {
	text, props, err := p.renderReply("", r)
	if err != nil {
		p.log.Warn("can't show an answer", "err", err)
		return p.complain(sayNoAnswer)
	}
	out := outgoingAnswer{Username: props.Username, IconURL: props.Icon, Attachments: props.Attachments}
	if out.Username == "" {
		out.Username = p.signature() // or Mattermost would sign as "webhook"
	}
	if r.Comment {
		out.Type = commentType
	}
	if text != "" {
		out.Text = &text
	}
	return out
}

// written returns the post that called, read from the server, if a person wrote
// it: nil, and nothing to say, for what programs posted or anything that is not
// as the call says.
func (p *Platform) written(ctx context.Context, o outgoing) (s *said, say string) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	s = &said{}
	err := p.client.do(ctx, http.MethodGet, "/posts/"+o.post, nil, s)
	if r, ok := refusal(err); ok && r.Status == http.StatusForbidden {
		p.log.Warn("can't read the post that calls for an answer; the bot must be in the team", "err", err)
		return nil, sayUnseen
	} else if ok && r.Status == http.StatusNotFound {
		return nil, "" // it was deleted, or never was
	}
	if err != nil {
		p.log.Warn("can't read the post that calls for an answer", "err", p.decide(err, reads, "read a post"))
		return nil, sayNoSight
	}
	at := time.UnixMilli(s.CreateAt)
	if !s.valid() || s.ID != o.post || s.User != o.user || s.Channel != o.channel || at.Sub(o.at).Abs() >= time.Second {
		p.log.Warn("an outgoing webhook names a post that is not as it says; it is not answered")
		return nil, ""
	}
	if !s.byPerson() || p.isLate(s) {
		return nil, ""
	}
	return s, ""
}

// isLate holds for what was written too long ago to be answered now.
func (p *Platform) isLate(s *said) bool {
	now := p.clock.Now().Add(-time.Duration(p.client.behind.Load()))
	return now.UnixMilli()-s.CreateAt > goodFor.Milliseconds()
}

// firstTime notes that a post is worked on, however it came to us.
func (p *Platform) firstTime(ctx context.Context, post string) (bool, error) {
	return p.memory.UseOnce(ctx, p.name+" post "+post, p.clock.Now().Add(remembered))
}

// hear has a person's post answered; nil: by nothing.
func (p *Platform) hear(ctx context.Context, hearer chat.Hearer, s said) *chat.Reply {
	who, err := p.Person(ctx, s.User)
	if err != nil {
		p.log.Warn("nothing is answered to somebody who can't be named", "err", err)
		if d, _ := fault.Of(err); d == fault.Permanent || !p.complaints.may(sayUnknown) {
			return nil
		}
		return &chat.Reply{Comment: true, Message: chat.Message{Lines: textLines(sayUnknown)}}
	}
	if known, err := p.known(ctx, s.User); err != nil || known.IsBot || !hearer.Hears(p.name, s.Message) {
		return nil
	}
	h := chat.Heard{Actor: who, Channel: s.Channel, ChannelName: p.handleOf(ctx, s.Channel), Text: s.Message}
	if s.Root != "" {
		h.Thread = &chat.Ref{Channel: s.Channel, Post: s.Root}
	}
	ctx, cancel := context.WithTimeout(ctx, chat.HearWithin)
	defer cancel()
	return hearer.Hear(ctx, h)
}

// put posts a reply as the bot.
func (p *Platform) put(ctx context.Context, thread chat.Ref, r chat.Reply) error {
	key := seal.Random()
	message, props, err := p.renderReply(key, r)
	if err != nil {
		return err
	}
	b := newPost{Channel: thread.Channel, Root: thread.Post, Message: message, Pending: key, Props: props}
	if err := p.client.do(ctx, http.MethodPost, "/posts", &b, nil); err != nil {
		return fmt.Errorf("the answer was not posted: %w", p.decide(err, writes, "answer in a channel"))
	}
	return nil
}
