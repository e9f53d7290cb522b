// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"time"
)

// HearWithin is how long a Hearer takes at most. Mattermost waits 30 s for the
// answer of an outgoing webhook.
const HearWithin = 20 * time.Second

// Heard is something that somebody wrote in a channel, not to Belfry but with a
// word at its beginning that Belfry may have an answer to.
//
// Platforms hand over what people wrote and nothing else: not what we or any
// other program posted, no edits, and no post twice. That is the first half of
// why two programs can't talk to each other through Belfry; the Hearer's limits
// are the other half.
type Heard struct {
	Actor Actor
	// Channel is the platform's id, ChannelName the handle that configuration
	// names it by.
	Channel, ChannelName string
	// Text is the whole message as it was typed.
	Text string
	// Thread is the message it answers; nil: none.
	Thread *Ref
}

// Hearer is a Responder that answers to words in channels.
type Hearer interface {
	// Hears says whether a text that somebody wrote on a connection can have an
	// answer, by its first word alone. It asks nobody and takes no time, so that
	// platforms ask it first.
	Hears(connection, text string) bool
	// Hear answers; nil: nothing is said.
	Hear(ctx context.Context, h Heard) *Reply
}

// Reply is what everybody in the channel is answered.
type Reply struct {
	// Message is shown as a card is, without buttons, and rings nobody.
	Message Message
	// Body stands below the message's lines.
	Body []Part
	// Comment puts it into the thread of what was asked, or begins one; else it
	// stands in the channel as a message of its own.
	Comment bool
	// Username and IconURL are shown instead of the bot's where the server lets
	// integrations choose; often empty. Trusted.
	Username, IconURL string
}

// Part is a piece of a text that an administrator wrote and into which values
// were put that nobody vouches for. Exactly one of Markup, Text, Block and
// Table is set.
type Part struct {
	// Markup is the administrator's own text in Markdown (CommonMark with
	// tables); trusted. A platform with another markup translates it.
	Markup string
	// Text is a value, shown literally on one line. It may stand within a cell
	// of a table that Markup makes, and within its emphasis.
	Text string
	// Code shows Text as code, Bold strong, Link as leading to an http or https
	// address; at most one of them.
	Code, Bold bool
	Link       string
	// Block is a value shown verbatim in a block of its own; newlines stay.
	Block string
	// Table is a table of values in a block of its own.
	Table *Table
}
