// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"time"
)

// Listener is a platform that can fetch what people do over a connection that
// it opens itself, for places that the platform's server can't reach.
type Listener interface {
	// Listen calls r for what people type and react with until ctx ends; it
	// comes back from every loss of its connection by itself. It returns nil at
	// once where nothing is to be listened to. What r is asked is told of by
	// its further interfaces: Commander, Reactor.
	Listen(ctx context.Context, r Responder) error
}

// What a reaction to a card can do.
const (
	ReactAck   = "ack"
	ReactUnack = "unack"
)

// Reaction is an emoji that somebody put on one of our messages, in the words
// of what it stands for.
type Reaction struct {
	Actor Actor
	Ref   Ref
	// Act is ReactAck or ReactUnack.
	Act string
	// Withdrawn, with ReactUnack, says that somebody took an emoji away that
	// stood for ReactAck: it takes back what they did themselves, and nobody
	// else's acknowledgement.
	Withdrawn bool
}

// Reactor is a Responder that takes reactions to cards, too.
type Reactor interface {
	// React carries out what a reaction stands for.
	React(ctx context.Context, r Reaction) Answer
	// IsOpen says whether an open card of the connection stands at ref.
	IsOpen(ctx context.Context, connection string, ref Ref) (bool, error)
	// Open returns where open cards of the connection stand, the newest first,
	// at most limit.
	Open(ctx context.Context, connection string, limit int) ([]Ref, error)
}

// Memory is what a Listener must not forget over a restart: what it carried
// out, and how far it had read.
type Memory interface {
	// UseOnce notes that token was used, and says whether this was the first
	// time. It may be forgotten after until.
	UseOnce(ctx context.Context, token string, until time.Time) (first bool, err error)
	Setting(ctx context.Context, name string) (value string, ok bool, err error)
	SetSetting(ctx context.Context, name, value string) error
}
