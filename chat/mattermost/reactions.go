// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
)

const (
	// askedCards is how many open cards are asked for reactions, atOnce how
	// many of them in one go.
	askedCards = 500
	atOnce     = 10
	// placedWithin is how long a reaction waits for the place of its card to be
	// known, maxEarly how many do.
	placedWithin = 10 * time.Second
	maxEarly     = 100
)

// firstHeard returns since when the connection is listened to, in ms by the
// server's clock: the first time writes it down. Reactions stay where they are
// put, so without it those of years would be taken for wishes when somebody
// switches the websocket on.
func (l *listener) firstHeard(ctx context.Context, before bool) (int64, error) {
	name := "mattermost heard since " + l.name
	value, ok, err := l.memory.Setting(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("can't read since when there is somebody listening: %w", err)
	}
	if ok {
		at, _ := strconv.ParseInt(value, 10, 64) // what can't be read counts as nothing
		return at, nil
	}
	if before {
		return 0, nil // by a Belfry that did not write it down
	}
	at := l.serverNow()
	if err := l.memory.SetSetting(ctx, name, strconv.FormatInt(at, 10)); err != nil {
		return 0, fmt.Errorf("can't note since when there is somebody listening: %w", err)
	}
	return at, nil
}

// reacted works on an emoji; each is carried out once. What was put there
// before Belfry listened was not said to it.
func (l *listener) reacted(ctx context.Context, r reacted, ref chat.Ref) error {
	act := l.reactions[r.Emoji]
	if act == "" || l.reactor == nil || r.User == l.myID() || r.CreateAt < max(l.began, l.serverNow()-readBack.Milliseconds()) {
		return nil
	}
	open, err := l.reactor.IsOpen(ctx, l.name, ref)
	if err != nil {
		return fmt.Errorf("can't look up a card: %w", err)
	}
	if !open {
		l.lookAgain(r, ref)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTime)
	defer cancel()
	token := strings.Join([]string{l.name, "reaction", r.Post, r.User, r.Emoji, strconv.FormatInt(r.CreateAt, 10)}, " ")
	first, err := l.memory.UseOnce(ctx, token, l.clock.Now().Add(remembered))
	if err != nil {
		return fmt.Errorf("can't note that a reaction was taken: %w", err)
	}
	if !first {
		return nil
	}
	who, say, ok := l.author(ctx, r.User)
	switch {
	case !ok:
		return nil
	case say != "":
		l.reply(ctx, ref, "", chat.Answer{Whisper: say})
		return nil
	}
	l.reply(ctx, ref, r.User, l.within(ctx, func(ctx context.Context) chat.Answer {
		return l.reactor.React(ctx, chat.Reaction{Actor: who, Ref: ref, Act: act})
	}))
	return nil
}

// early is a reaction to what may become known as a card: one can stand in the
// channel for a moment before its place is written down.
type early struct {
	reacted
	ref   chat.Ref
	until time.Time
}

// lookAgain keeps a reaction for a while.
func (l *listener) lookAgain(r reacted, ref chat.Ref) {
	same := func(e early) bool { return e.reacted == r }
	if len(l.early) < maxEarly && !slices.ContainsFunc(l.early, same) {
		l.early = append(l.early, early{r, ref, l.clock.Now().Add(placedWithin)})
	}
}

// tryEarly looks at what was kept once more.
func (l *listener) tryEarly(ctx context.Context) error {
	all, now := l.early, l.clock.Now()
	l.early = nil
	for i, e := range all {
		if err := l.reacted(ctx, e.reacted, e.ref); err != nil {
			l.early = append(l.early, all[i:]...)
			return err
		}
		if n := len(l.early); n > 0 && l.early[n-1].reacted == e.reacted {
			if l.early[n-1].until = e.until; now.After(e.until) {
				l.early = l.early[:n-1]
			}
		}
	}
	return nil
}

// askAll has the open cards asked for their reactions, a few at a time.
func (l *listener) askAll(ctx context.Context) {
	if l.reactor == nil || len(l.reactions) == 0 {
		return
	}
	open, err := l.reactor.Open(ctx, l.name, askedCards)
	if err != nil {
		l.log.Warn("can't look up the open cards", "err", err)
		return
	}
	l.asking = open
}

// pollReactions asks a few cards for their reactions: those that could have
// got one while nobody listened, and, on servers that don't tell of reactions
// over the websocket, all in turn.
func (l *listener) pollReactions(ctx context.Context) {
	if len(l.asking) == 0 && l.mustPoll() {
		l.askAll(ctx)
	}
	for range min(atOnce, len(l.asking)) {
		ref := l.asking[0]
		l.asking = l.asking[1:]
		if !isID(ref.Post) {
			continue
		}
		var got []reacted
		err := l.client.do(ctx, http.MethodGet, "/posts/"+ref.Post+"/reactions", nil, &got)
		if r, ok := refusal(err); ok && r.Status != http.StatusTooManyRequests && r.Status < 500 {
			continue // the card is gone, or we are not in its channel any more
		}
		if err != nil {
			l.asking = append(l.asking, ref) // when all others were asked
			return
		}
		for _, r := range got {
			if !r.valid() || r.Post != ref.Post {
				continue
			}
			if err := l.reacted(ctx, r, ref); err != nil {
				l.asking = append(l.asking, ref)
				return
			}
		}
	}
}

// mustPoll holds for servers from 11.10 on, and for those that don't say.
func (l *listener) mustPoll() bool {
	v := l.client.version.Load()
	if v == nil {
		return true
	}
	major, rest, _ := strings.Cut(*v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return errA != nil || errB != nil || a > 11 || a == 11 && b >= 10
}
