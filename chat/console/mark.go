// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"context"
	"strings"

	"belfry/chat"
	"belfry/store"
)

// keepAction begins the action of a button that keeps a message in its
// incident's record; the mark follows.
const keepAction = "keep."

// keeping are what the buttons say that keep a message.
var keeping = []struct{ Mark, Label string }{
	{chat.MarkTimeline, "To the timeline"}, {"task", "Make a task"}, {"followup", "Make a follow-up"},
}

const (
	sayKept   = "This message stands in the record already."
	sayUnkept = "Belfry could not keep this message just now. Please try again in a moment."
)

// recorder is who takes messages into the record; nil: nobody.
func (r *Room) recorder() chat.Recorder {
	to := r.responder.Load()
	if to == nil {
		return nil
	}
	recorder, _ := (*to).(chat.Recorder)
	return recorder
}

// keeps says whether the messages of a channel can be kept.
func (r *Room) keeps(ctx context.Context, channel string) bool {
	recorder := r.recorder()
	if recorder == nil {
		return false
	}
	ours, err := recorder.Records(ctx, r.name, channel)
	if err != nil {
		r.log.WarnContext(ctx, "can't tell whether a channel of the room is an incident's own", "channel", channel, "err", err)
	}
	return ours && err == nil
}

// keep has a message kept as actor wishes. In the room only Belfry posts, so
// whoever keeps a message says what of that matters.
func (r *Room) keep(ctx context.Context, actor chat.Actor, m store.RoomMessage, mark string) Reply {
	recorder := r.recorder()
	if recorder == nil {
		return Reply{Whisper: sayChanged}
	}
	card := m.ID
	if m.Thread != 0 {
		card = m.Thread
	}
	answer, err := recorder.Record(ctx, chat.Marked{Actor: actor, Mark: mark, Message: chat.Quoted{Ref: ref(m), At: m.CreatedAt,
		Author: chat.Actor{Connection: r.name, Name: "Belfry"}, Text: said(decode(m)), Link: r.url + PathOf(m.Channel) + "#card-" + formatID(card)}})
	switch {
	case err != nil:
		r.log.WarnContext(ctx, "can't keep a message of the room", "message", m.ID, "err", err)
		return Reply{Whisper: sayUnkept}
	case answer.Whisper == "":
		return Reply{Whisper: sayKept}
	}
	return Reply{Whisper: chat.Clean(answer.Whisper), Link: answer.Link}
}

// said is a message in plain text.
func said(m chat.Message) string {
	head := strings.TrimSpace(m.State + " " + m.Title)
	var lines []string
	for _, l := range m.Lines {
		lines = append(lines, l.Plain())
	}
	return cmp.Or(m.Summary, strings.TrimSpace(head+"\n"+strings.Join(lines, "\n")))
}
