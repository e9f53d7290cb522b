// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"

	"belfry/chat"
)

// atOnceHeard is how many words are being answered at a time; what comes
// meanwhile waits.
const atOnceHeard = 4

const sayStopping = "I was interrupted, because Belfry is being restarted or got a new configuration. Please ask again in a moment."

// overhears says whether a post that came over the websocket has an answer.
func (l *listener) overhears(s said) bool {
	return l.hearer != nil && s.byPerson() && s.User != l.myID() && l.hearer.Hears(l.name, s.Message)
}

// overheard has it answered, once. An endpoint may take its time: the rest of
// what comes is not kept waiting.
func (l *listener) overheard(ctx context.Context, s said) error {
	first, err := l.firstTime(ctx, s.ID)
	if err != nil {
		return fmt.Errorf("can't note that a word was answered: %w", err)
	}
	l.saw(s.CreateAt)
	if !first || l.isLate(&s) {
		return nil
	}
	select {
	case l.hearing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.answering.Go(func() {
		defer func() { <-l.hearing }()
		l.answerTo(l.life, s)
	})
	return nil
}

func (l *listener) answerTo(ctx context.Context, s said) {
	reply := l.hear(ctx, l.hearer, s)
	if reply == nil {
		return
	}
	if ctx.Err() != nil { // whatever it says, it was cut off
		reply.Message, reply.Body = chat.Message{Lines: textLines(sayStopping)}, nil
	}
	thread := chat.Ref{Channel: s.Channel}
	if reply.Comment {
		thread.Post = s.root()
	}
	// What was begun is said although we are asked to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTime)
	defer cancel()
	if err := l.put(ctx, thread, *reply); err != nil {
		l.log.Warn("can't answer in chat", "err", err)
	}
}
