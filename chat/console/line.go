// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"io"
	"strings"

	"belfry/chat"
)

// maxLine bounds a typed line, in bytes, as chat platforms do.
const maxLine = 16 << 10

// What people are told when a line leads nowhere.
const (
	sayNoCommands = "This Belfry takes no commands."
	sayLongLine   = "This line is too long. Nothing was done."
	sayArchived   = "This channel is archived: what was said can be read, and nothing more is done in it. Take another channel, with the incident's number in the line."
)

// TakesLines says whether somebody understands typed lines.
func (r *Room) TakesLines() bool {
	to := r.responder.Load()
	if to == nil {
		return false
	}
	_, ok := (*to).(chat.Commander)
	return ok
}

// Line carries out what actor typed in a channel, which the
// Commander is told if it is there for the actor (Knows). "/belfry" before it may be
// left out: there is nobody else in the room to talk to.
func (r *Room) Line(ctx context.Context, actor chat.Actor, channel, line string) Reply {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	to := r.responder.Load()
	if to == nil {
		return Reply{Whisper: sayNobody}
	}
	commander, ok := (*to).(chat.Commander)
	switch {
	case !ok:
		return Reply{Whisper: sayNoCommands}
	case len(line) > maxLine:
		return Reply{Whisper: sayLongLine}
	}
	if say := r.barred(ctx, actor, channel, ""); say != "" {
		return Reply{Whisper: say}
	}
	// A channel that they can't see is to them as one that nobody uses: the
	// line is about none.
	if known, err := r.Knows(ctx, actor, channel); err != nil {
		r.log.WarnContext(ctx, "can't list the channels of the room", "err", err)
		return Reply{Whisper: sayNotNow}
	} else if !known {
		channel = ""
	}
	text := strings.TrimPrefix(strings.TrimSpace(line), "/")
	if first, rest, _ := strings.Cut(text, " "); strings.EqualFold(first, "belfry") {
		text = rest
	}
	answer := commander.Command(ctx, chat.Command{Actor: actor, Channel: channel, Word: "belfry", Text: text})
	reply := Reply{Whisper: chat.Clean(answer.Whisper), Link: answer.Link}
	if answer.Reply != nil {
		m := *answer.Reply
		m.Buttons, m.Mentions = nil, nil
		reply.Message = &m
	}
	if answer.Dialog != nil {
		reply.Form = r.dialogs.open(actor, *answer.Dialog)
	}
	return reply
}

// WriteMessage writes the answer to a line as a piece of HTML: one <article>.
// Every text in it is shown literally.
func WriteMessage(w io.Writer, m chat.Message) error { return write(w, "message", m) }
