// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
	"belfry/seal"
)

const (
	// remembered is how long what was carried out is known: longer than any
	// card stays open or any channel is read back.
	remembered = 400 * 24 * time.Hour
	// goodFor is how old a typed command may be when it is first read.
	goodFor = 15 * time.Minute
	// readBack is how far back channels are read after an absence.
	readBack = 24 * time.Hour
	// readChannels is how many channels are read back at most.
	readChannels = 100
	// replyTime bounds the answer to one command.
	replyTime = 8 * time.Second
)

const (
	sayLate = "I was not there when you typed this, and it is too long ago to do it unasked; nothing was done. Please type it again."
	sayForm = "That needs a form, which I can't show here; type it as a command instead."
	sayDM   = "The answer is for you alone, and I could not write to you privately."
)

// heard works on a post: what it says is carried out once, if it is for us.
func (l *listener) heard(ctx context.Context, s said) error {
	text, ok := commandOf(l.word, s.Message)
	if (!ok || l.commander == nil) && l.overhears(s) {
		return l.overheard(ctx, s)
	}
	if !ok || l.commander == nil || !s.byPerson() || s.User == l.myID() {
		l.saw(s.CreateAt)
		return nil
	}
	// It is noted before it is done: what a crash interrupts is not answered,
	// and is typed again; a downtime is never set twice. What was begun is not
	// dropped because we are asked to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTime)
	defer cancel()
	first, err := l.firstTime(ctx, s.ID)
	if err != nil {
		return fmt.Errorf("can't note that a command was taken: %w", err)
	}
	l.saw(s.CreateAt)
	if !first {
		return nil
	}
	thread := chat.Ref{Channel: s.Channel, Post: s.root()}
	if l.serverNow()-s.CreateAt > goodFor.Milliseconds() {
		l.reply(ctx, thread, "", chat.Answer{Whisper: sayLate})
		return nil
	}
	who, say, ok := l.author(ctx, s.User)
	switch {
	case !ok:
		return nil
	case say != "":
		l.reply(ctx, thread, "", chat.Answer{Whisper: say})
		return nil
	}
	in := chat.Command{Actor: who, Channel: s.Channel, Text: text}
	if s.Root != "" {
		in.Thread = &thread
	}
	l.reply(ctx, thread, s.User, l.within(ctx, func(ctx context.Context) chat.Answer { return l.commander.Command(ctx, in) }))
	return nil
}

// within asks the Responder and waits no longer than for a press.
func (l *listener) within(ctx context.Context, do func(context.Context) chat.Answer) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, callbackTime)
	defer cancel()
	answer, ok := l.ask(ctx, do)
	if !ok {
		return chat.Answer{Whisper: saySlow}
	}
	return answer
}

// author names who wrote or reacted. ok is false for bots, which are not answered.
func (l *listener) author(ctx context.Context, id string) (who chat.Actor, say string, ok bool) {
	if known, err := l.known(ctx, id); err == nil && known.IsBot {
		return chat.Actor{}, "", false
	}
	who, say = l.actor(ctx, id)
	return who, say, true
}

func (l *listener) myID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.me.ID
}

// reply puts an answer into the thread, where everybody reads it: nothing can
// be whispered here. What is for one person alone goes to them directly.
func (l *listener) reply(ctx context.Context, thread chat.Ref, to string, a chat.Answer) {
	m := chat.Message{Lines: textLines(a.Whisper)}
	switch {
	case a.Reply != nil:
		m = *a.Reply
		m.Mentions, m.Buttons = nil, nil
	case a.Dialog != nil:
		m.Lines = textLines(sayForm)
	}
	if a.Link != nil {
		m.Lines = append(m.Lines, chat.Line{{Text: a.Link.Text, Link: a.Link.URL}})
		direct, err := l.direct(ctx, to)
		if err == nil {
			thread = chat.Ref{Channel: direct}
		} else {
			l.log.Warn("can't write to somebody directly", "err", err)
			m = chat.Message{Lines: textLines(sayDM)}
		}
	}
	if len(m.Lines) == 0 && m.Table == nil && m.Title == "" && m.Summary == "" {
		return // the card tells
	}
	key := seal.Random()
	message, props, err := l.render(key, m)
	if err == nil {
		body := newPost{Channel: thread.Channel, Root: thread.Post, Message: message, Pending: key, Props: props}
		err = l.client.do(ctx, http.MethodPost, "/posts", &body, nil)
	}
	if err != nil {
		l.log.Warn("can't answer in chat", "err", err)
	}
}

// textLines makes a message's lines of a text.
func textLines(text string) []chat.Line {
	var out []chat.Line
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line != "" {
			out = append(out, chat.Line{{Text: line}})
		}
	}
	return out
}

// direct returns the channel that we and somebody share alone.
func (l *listener) direct(ctx context.Context, with string) (string, error) {
	if !isID(with) {
		return "", errNobody
	}
	var made channel
	if err := l.client.do(ctx, http.MethodPost, "/channels/direct", []string{l.myID(), with}, &made); err != nil {
		return "", err
	}
	if !isID(made.ID) {
		return "", errors.New("mattermost gives no id for the direct channel")
	}
	return made.ID, nil
}

// bookmark names the setting that says how far the channels were read.
func (l *listener) bookmark() string { return "mattermost read until " + l.name }

func (l *listener) saw(at int64) { l.seen = max(l.seen, at) }

// save writes down how far the channels were read.
func (l *listener) save(ctx context.Context) {
	if l.seen == l.saved {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := l.memory.SetSetting(ctx, l.bookmark(), strconv.FormatInt(l.seen, 10)); err != nil {
		l.log.Warn("can't note how far the channels were read", "err", err)
		return
	}
	l.saved = l.seen
}

// catchUp reads what was written since we last looked, and has all open cards
// asked for their reactions.
func (l *listener) catchUp(ctx context.Context) error {
	since := max(l.seen-margin.Milliseconds(), l.serverNow()-readBack.Milliseconds())
	channels, err := l.myChannels(ctx)
	if err != nil {
		return err
	}
	var all []said
	for _, c := range channels {
		if c.LastPostAt < since {
			continue
		}
		var got struct {
			Posts map[string]said `json:"posts"`
		}
		err := l.client.do(ctx, http.MethodGet, "/channels/"+c.ID+"/posts?since="+strconv.FormatInt(since, 10), nil, &got)
		if r, ok := refusal(err); ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) {
			continue // we were taken out of it meanwhile
		}
		if err != nil {
			return l.decide(err, reads, "read what was written meanwhile")
		}
		if len(got.Posts) >= sinceLimit {
			l.log.Warn("more was written meanwhile than can be read; commands among it may be missed", "channel", l.channelWord(c.ID))
		}
		for _, s := range got.Posts {
			if s.CreateAt >= since && s.valid() { // others were only edited since
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.CreateAt, b.CreateAt), cmp.Compare(a.ID, b.ID))
	})
	for _, s := range all {
		if ctx.Err() != nil {
			return ctx.Err() // the rest is read at the next start
		}
		if err := l.heard(ctx, s); err != nil {
			return err
		}
	}
	if err := l.findMarks(ctx, since); err != nil {
		return err
	}
	l.saw(since)
	l.askAll(ctx)
	l.pollReactions(ctx)
	return nil
}

// myChannel is a channel we are in, as lists show it.
type myChannel struct {
	ID         string `json:"id"`
	DeleteAt   int64  `json:"delete_at"`
	LastPostAt int64  `json:"last_post_at"`
}

// myChannels returns the channels that we are in, those with the newest posts first.
func (l *listener) myChannels(ctx context.Context) ([]myChannel, error) {
	var teams []struct {
		ID string `json:"id"`
	}
	if err := l.client.do(ctx, http.MethodGet, "/users/me/teams", nil, &teams); err != nil {
		return nil, l.decide(err, reads, "list the teams of "+l.handle())
	}
	var all []myChannel
	for _, t := range teams {
		var some []myChannel
		if !isID(t.ID) {
			continue
		}
		if err := l.client.do(ctx, http.MethodGet, "/users/me/teams/"+t.ID+"/channels", nil, &some); err != nil {
			return nil, l.decide(err, reads, "list the channels of "+l.handle())
		}
		for _, c := range some {
			known := slices.ContainsFunc(all, func(o myChannel) bool { return o.ID == c.ID })
			if isID(c.ID) && c.DeleteAt == 0 && !known { // direct ones belong to every team
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b myChannel) int { return cmp.Compare(b.LastPostAt, a.LastPostAt) })
	return all[:min(len(all), readChannels)], nil
}
