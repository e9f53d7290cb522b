// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
)

const (
	// markedChannels is how many channels of incidents are looked through for
	// marks that nobody told of.
	markedChannels = 100
	// maxMarks bounds how many marks are known as taken without asking.
	maxMarks = 10_000
)

// errUnrecorded says that a mark could not be noted: it is found again with the
// next connection.
var errUnrecorded = errors.New("can't keep a message that somebody marked")

// marked takes a message that somebody put an emoji on into the record of the
// incident whose channel it stands in. It is not noted before: whoever keeps the
// message knows what was kept, so that it may be said again after any trouble.
func (l *listener) marked(ctx context.Context, r reacted, ref chat.Ref) error {
	if l.recorder == nil || r.User == l.myID() || r.CreateAt < max(l.began, l.serverNow()-readBack.Milliseconds()) {
		return nil
	}
	mark := l.recorder.MarkOf(r.Emoji)
	token := strings.Join([]string{r.Post, r.User, r.Emoji, strconv.FormatInt(r.CreateAt, 10)}, " ")
	if mark == "" || l.marks[token] {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTime)
	defer cancel()
	ours, err := l.recorder.Records(ctx, l.name, ref.Channel)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnrecorded, err)
	}
	if ours {
		if err := l.record(ctx, r, mark, ref); err != nil {
			return err
		}
	}
	if len(l.marks) >= maxMarks || l.marks == nil {
		l.marks = map[string]bool{} // the Recorder knows them, too
	}
	l.marks[token] = true
	return nil
}

// record reads the message and hands it over.
func (l *listener) record(ctx context.Context, r reacted, mark string, ref chat.Ref) error {
	var s said
	err := l.client.do(ctx, http.MethodGet, "/posts/"+r.Post, nil, &s)
	if refused, ok := refusal(err); ok && (refused.Status == http.StatusNotFound || refused.Status == http.StatusForbidden) {
		return nil // it was deleted, or we are not in its channel any more
	}
	if err != nil {
		return l.decide(err, reads, "read a message that somebody marked")
	}
	if !s.valid() || s.ID != r.Post || s.Channel != ref.Channel || s.DeleteAt != 0 || strings.HasPrefix(s.Type, "system_") {
		return nil
	}
	mine := s.User == l.myID()
	if mine && l.reactions[r.Emoji] != "" {
		return nil // on a card it means something else
	}
	who, say, ok := l.author(ctx, r.User)
	if !ok {
		return nil
	}
	thread := chat.Ref{Channel: s.Channel, Post: s.root()}
	if say != "" {
		l.reply(ctx, thread, "", chat.Answer{Whisper: say})
		return nil
	}
	m := chat.Marked{Actor: who, Mark: mark, Message: chat.Quoted{Ref: ref, Author: l.wrote(ctx, &s), Ours: mine, Text: s.text(),
		At: time.UnixMilli(s.CreateAt).UTC(), Link: l.client.site() + "/_redirect/pl/" + s.ID}}
	answer, err := l.recorded(ctx, m)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnrecorded, err)
	}
	l.reply(ctx, thread, r.User, answer)
	return nil
}

// recorded asks the Recorder, and waits no longer than for a press.
func (l *listener) recorded(ctx context.Context, m chat.Marked) (chat.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callbackTime)
	defer cancel()
	return chat.Recorded(ctx, l.recorder, m, l.log)
}

// wrote names who wrote a post. Of a program, which has no account that acts,
// only the name is told.
func (l *listener) wrote(ctx context.Context, s *said) chat.Actor {
	var shown string
	_ = json.Unmarshal(s.Props["override_username"], &shown) // what is none stays empty
	known, err := l.known(ctx, s.User)
	person := err == nil && !known.IsBot && s.byPerson()
	name := chat.CleanLine(cmp.Or(shown, known.Username, "somebody who left"))
	if person {
		return chat.Actor{Connection: l.name, ID: s.User, Name: name}
	}
	return chat.Actor{Connection: l.name, Name: name}
}

// text is what a post says; that of a program may stand in attachments.
func (s *said) text() string {
	if s.Message != "" {
		return s.Message
	}
	var list []struct {
		Fallback, Pretext, Title, Text string
	}
	if json.Unmarshal(s.Props["attachments"], &list) != nil {
		return ""
	}
	var parts []string
	for _, a := range list {
		for _, text := range []string{a.Pretext, a.Title, a.Text} {
			if text != "" {
				parts = append(parts, text)
			}
		}
		if a.Pretext+a.Title+a.Text == "" && a.Fallback != "" {
			parts = append(parts, a.Fallback)
		}
	}
	return strings.Join(parts, "\n")
}

// findMarks looks through the channels of incidents for marks that were put
// there since: a mark changes its message, so it is among what changed.
func (l *listener) findMarks(ctx context.Context, since int64) error {
	if l.recorder == nil {
		return nil
	}
	channels, err := l.recorder.RecordChannels(ctx, l.name, markedChannels)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnrecorded, err)
	}
	for _, channel := range channels {
		var got struct {
			Posts map[string]struct {
				said
				Metadata struct {
					Reactions []reacted `json:"reactions"`
				} `json:"metadata"`
			} `json:"posts"`
		}
		if !isID(channel) {
			continue
		}
		err := l.client.do(ctx, http.MethodGet, "/channels/"+channel+"/posts?since="+strconv.FormatInt(since, 10), nil, &got)
		if r, ok := refusal(err); ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) {
			continue // it is archived, or we were taken out of it
		}
		if err != nil {
			return l.decide(err, reads, "look for messages that were marked meanwhile")
		}
		if len(got.Posts) >= sinceLimit {
			l.log.Warn("more changed meanwhile than can be read; messages that were marked among it may be missed", "channel", l.channelWord(channel))
		}
		var all []reacted
		for id, p := range got.Posts {
			for _, r := range p.Metadata.Reactions {
				if r.valid() && r.Post == id && r.CreateAt >= since {
					all = append(all, r)
				}
			}
		}
		slices.SortFunc(all, func(a, b reacted) int {
			return cmp.Or(cmp.Compare(a.CreateAt, b.CreateAt), cmp.Compare(a.Post, b.Post), cmp.Compare(a.Emoji, b.Emoji))
		})
		for _, r := range all {
			if err := l.marked(ctx, r, chat.Ref{Channel: channel, Post: r.Post}); err != nil {
				return err
			}
		}
	}
	return nil
}

// pollMarks is findMarks for servers that don't tell of reactions. What is found
// twice is known.
func (l *listener) pollMarks(ctx context.Context) {
	if l.recorder == nil || !l.mustPoll() {
		return
	}
	from := l.serverNow() - margin.Milliseconds()
	if l.lookedForMarks == 0 {
		l.lookedForMarks = from
	}
	if err := l.findMarks(ctx, l.lookedForMarks); err != nil {
		l.log.Warn("can't look for messages that were marked; trying again", "err", err)
		return
	}
	l.lookedForMarks = from
}
