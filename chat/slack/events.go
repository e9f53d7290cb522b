// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"time"

	"belfry/chat"
)

const (
	// eventKept is how long an event is remembered. Slack repeats one within
	// minutes, and where it was asked to within the hour; a replay of a
	// recorded connection may come later.
	eventKept = 7 * 24 * time.Hour
	// goodFor is how old a typed line or reaction may be when it is first heard of.
	goodFor = 15 * time.Minute
	// placedWithin is how long a reaction waits for the place of its card to be
	// known, placedLook how often that is looked at.
	placedWithin = 10 * time.Second
	placedLook   = 250 * time.Millisecond
)

const (
	sayLate = "Belfry was not there when you typed this, and it is too long ago to do it unasked; nothing was done. Please type it again."
	sayForm = "That needs a form, which can't be opened here; type it as a slash command instead."
)

// events takes what the Events API sends over HTTP.
func (p *Platform) events(ctx context.Context, r chat.Responder, body []byte) (any, error) {
	o, e, err := readEvent(body)
	if err != nil {
		return nil, err
	}
	if o.Kind == outerChallenge {
		return challenge(o.Challenge), nil
	}
	return nil, p.event(context.WithoutCancel(ctx), r, o, e)
}

// event works on an event, once: it is noted before it is done, by its id, and
// what somebody wrote by its place, because one message makes several events.
// What can't be noted is not done, and comes again: that is the error.
func (p *Platform) event(ctx context.Context, r chat.Responder, o outer, e happened) error {
	if o.Kind == outerLimited {
		p.log.Warn("slack holds events back: there were more than 30,000 in an hour")
		return nil
	}
	if do := p.marks(r, o, e); do != nil {
		if err := p.recording(do); err != nil || p.reactions[e.emoji()] == "" {
			return err
		}
	}
	do, err := p.todo(ctx, r, o, e)
	if do == nil || err != nil {
		return err
	}
	noted := make(chan error, 1)
	ok := p.work.start(func(ctx context.Context) {
		// One note, not two: what is noted by half would not be done when it
		// comes again. A message's place tells its repetitions as well.
		what := "event " + o.ID
		if e.TS != "" {
			what = "message " + e.Channel + " " + e.TS
		}
		first, err := p.once(ctx, what, eventKept)
		noted <- err
		if err == nil && first {
			p.guarded(ctx, func(ctx context.Context) chat.Answer { do(ctx); return chat.Answer{} })
		}
	})
	if !ok {
		return errBusy
	}
	return <-noted // bounded by once
}

// todo is what an event asks us to do; nil: nothing.
func (p *Platform) todo(ctx context.Context, r chat.Responder, o outer, e happened) (func(ctx context.Context), error) {
	switch e.Kind {
	case eventReacted, eventUnreacted:
		act, withdrawn := p.reactions[e.emoji()], e.Kind == eventUnreacted
		reactor, ok := r.(chat.Reactor)
		if !ok || act == "" || withdrawn && act != chat.ReactAck || e.Item.Kind != "message" {
			return nil, nil
		}
		return func(ctx context.Context) { p.reacted(ctx, reactor, o, e, act, withdrawn) }, nil
	case eventMention, eventMessage:
		if !e.byPerson() {
			return nil, nil
		}
		if commander, ok := r.(chat.Commander); ok {
			in, ok, err := p.addressed(ctx, e)
			if err != nil {
				return nil, err
			}
			if ok {
				return func(ctx context.Context) { p.heard(ctx, commander, o, e, in) }, nil
			}
		}
		return p.overhears(r, o, e), nil
	case eventRevoked, eventUninstalled:
		return func(context.Context) {
			p.log.Error("slack took this app's tokens back; install the app again", "event", e.Kind)
		}, nil
	}
	return nil, nil
}

// addressed returns the line that follows our name or the command word.
func (p *Platform) addressed(ctx context.Context, e happened) (in chat.Command, ok bool, err error) {
	if e.Kind == eventMessage {
		text, mentions := lineOf(e.Text)
		text, ok = commandOf(p.word, text)
		return chat.Command{Text: text, Mentions: mentions}, ok, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	me, err := p.self(ctx)
	if err != nil {
		return in, false, err
	}
	text, ok := mentioned(me.UserID, e.Text)
	in.Text, in.Mentions = lineOf(text)
	return in, ok, nil
}

// heard carries a typed line out. What it answers is for that person alone.
func (p *Platform) heard(ctx context.Context, c chat.Commander, o outer, e happened, in chat.Command) {
	to := whisperTo{user: e.User, channel: e.Channel, thread: e.Thread}
	if p.clock.Now().Sub(at(e.TS)) > goodFor {
		p.whisper(ctx, to, chat.Answer{Whisper: sayLate})
		return
	}
	who, say := p.named(ctx, e.User, o.Team, o.Enterprise)
	if say != "" {
		p.whisper(ctx, to, chat.Answer{Whisper: say})
		return
	}
	in.Actor, in.Channel = who, e.Channel
	if e.Thread != "" {
		in.Thread = &chat.Ref{Channel: e.Channel, Post: e.Thread}
	}
	a := c.Command(ctx, in)
	if a.Dialog != nil {
		a = chat.Answer{Whisper: sayForm}
	}
	p.whisper(ctx, to, a)
}

// reacted carries an emoji out that somebody put on one of our messages, or
// took away.
func (p *Platform) reacted(ctx context.Context, r chat.Reactor, o outer, e happened, act string, withdrawn bool) {
	me, err := p.self(ctx)
	if err != nil || e.User == me.UserID || e.ItemUser != "" && e.ItemUser != me.UserID {
		return // ours, or on somebody else's message
	}
	if p.clock.Now().Sub(time.Unix(o.Time, 0)) > goodFor {
		p.log.Warn("a reaction was told of too late and is left alone")
		return
	}
	ref := chat.Ref{Channel: e.Item.Channel, Post: e.Item.TS}
	if !p.standsThere(ctx, r, ref) {
		return
	}
	to := whisperTo{user: e.User, channel: ref.Channel, thread: ref.Post}
	who, say := p.named(ctx, e.User, o.Team, o.Enterprise)
	if say != "" {
		p.whisper(ctx, to, chat.Answer{Whisper: say})
		return
	}
	if withdrawn {
		act = chat.ReactUnack
	}
	p.whisper(ctx, to, r.React(ctx, chat.Reaction{Actor: who, Ref: ref, Act: act, Withdrawn: withdrawn}))
}

// standsThere says whether an open card stands at ref. A card that was posted a
// moment ago may stand there before its place is written down.
func (p *Platform) standsThere(ctx context.Context, r chat.Reactor, ref chat.Ref) bool {
	until := at(ref.Post).Add(placedWithin)
	for {
		open, err := r.IsOpen(ctx, p.name, ref)
		if err != nil {
			p.log.Warn("can't look up a card; a reaction is left alone", "err", err)
			return false
		}
		if open || !p.clock.Now().Before(until) {
			return open
		}
		select {
		case <-ctx.Done():
			return false
		case <-p.clock.After(placedLook):
		}
	}
}
