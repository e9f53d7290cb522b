// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"log/slog"
	"time"
)

// Recorder is a Responder that takes messages which people wrote in an
// incident's own channel into its record, when somebody marks them. On most
// platforms that is an emoji on the message.
type Recorder interface {
	// MarkOf says what an emoji on a message stands for, by its name between
	// the colons ("pushpin"); "": nothing. It asks nobody and takes no time, so
	// that platforms ask it first.
	MarkOf(emoji string) string
	// Records says whether a channel, by the platform's id, is an incident's
	// own. An error says that it can't be told now.
	Records(ctx context.Context, connection, channel string) (bool, error)
	// RecordChannels returns the own channels of incidents that are not over,
	// at most limit: a platform that may have missed marks looks there.
	RecordChannels(ctx context.Context, connection string, limit int) ([]string, error)
	// Record takes a message. However often it is repeated, and by however many
	// people, one mark on one message counts once; the Answer to the others is
	// empty. After an error nothing was stored, and it may be repeated.
	Record(ctx context.Context, m Marked) (Answer, error)
}

// sayUnkept is what people read when the Recorder broke down over their message.
const sayUnkept = "Something broke in Belfry, and this message was not kept. Belfry's log says what."

// Recorded has a message taken by r. One that breaks down over it is not asked
// about it for ever: the log says what broke, and the Answer to whoever marked
// the message that it was not kept.
func Recorded(ctx context.Context, r Recorder, m Marked, log *slog.Logger) (answer Answer, err error) {
	defer func() {
		if broke := recover(); broke != nil {
			log.Error("keeping a message that somebody marked broke down", "connection", m.Actor.Connection, "panic", broke)
			answer, err = Answer{Whisper: sayUnkept}, nil
		}
	}()
	return r.Record(ctx, m)
}

// MarkTimeline is the mark that puts a message into the timeline, for platforms
// that have another way than an emoji.
const MarkTimeline = "timeline"

// Marked is a message that somebody marked.
type Marked struct {
	// Actor marked it.
	Actor Actor
	// Mark is what MarkOf said, or MarkTimeline.
	Mark    string
	Message Quoted
}

// Quoted is a message that people wrote, read through the platform's API or
// brought by it, never taken from what anybody else could send.
type Quoted struct {
	Ref Ref
	// Author wrote it. The ID is empty where that was a program.
	Author Actor
	// Ours is true for what Belfry itself posted.
	Ours bool
	// Text is what was written, without the platform's escapes; may be empty.
	Text string
	// At is when.
	At time.Time
	// Link leads to the message; empty where that isn't known.
	Link string
}

// Declarer is a Responder that declares incidents about messages.
type Declarer interface {
	// DeclareAbout opens the form for an incident, with what a message says. It
	// may have six fields, one more than others.
	DeclareAbout(ctx context.Context, who Actor, m Quoted) Answer
}
