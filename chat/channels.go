// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"errors"
)

// ErrArchived says that a channel is archived, so that nothing in it can be
// changed; it is wrapped in a Permanent error.
var ErrArchived = errors.New("the channel is archived")

// Archived is an ErrArchived in words of its own, those of err.
func Archived(err error) error { return archived{err} }

type archived struct{ error }

func (e archived) Unwrap() []error { return []error{e.error, ErrArchived} }

// ChannelKeeper is a platform on which Belfry can make and keep channels of its
// own, for incidents. Every method may be repeated: what stands already is
// left as it is. Limits and rights differ, so each is a step of its own, and a
// step that fails takes none of the others with it.
type ChannelKeeper interface {
	// OpenChannel makes a channel, or returns the one that was made earlier with
	// the same Key. A name that is taken, also by an archived channel, gets a
	// suffix; the Channel says which name it became. Permanent when the
	// connection may not make channels; the error says who can allow it.
	OpenChannel(ctx context.Context, c NewChannel) (Channel, error)
	// Invite brings people in, by the platform's user ids. Who is in already is
	// no refusal. refused names those who could not be brought in, and why;
	// err is for what stops all of them.
	Invite(ctx context.Context, channel string, people []string) (refused []Refusal, err error)
	// Describe sets what stands above the channel. Longer texts are cut with an ellipsis.
	Describe(ctx context.Context, channel string, d Description) error
	// Pin keeps a message at hand in its channel; Unpin lets go of it.
	Pin(ctx context.Context, ref Ref) error
	Unpin(ctx context.Context, ref Ref) error
	// Bookmark makes links the channel's links by Belfry: those it set earlier
	// and which are not among them go, other people's stay. A platform without
	// such a place does nothing and returns nil.
	Bookmark(ctx context.Context, channel string, links []Link) error
	// Rename gives the channel another title and, where the platform ties them
	// together, another name.
	Rename(ctx context.Context, channel string, n NewChannel) (Channel, error)
	// Archive closes the channel; what was said in it stays readable.
	Archive(ctx context.Context, channel string) error
	// Unarchive opens it again; Permanent where the platform does not let us.
	Unarchive(ctx context.Context, channel string) error
}

// NewChannel is a channel to be made.
type NewChannel struct {
	// Key is random, 26 characters a–z 0–9, and belongs to this channel alone.
	// The platform keeps it with the channel (Mattermost: in its purpose or
	// props; Slack: in its purpose) so that a repeated order finds it.
	Key string
	// Name is the handle that is wished for, the same whenever the order is
	// repeated; the platform changes what it can't
	// take: lower case, digits, "-" and "_", at most 64 on Mattermost, 80 on Slack.
	Name string
	// Title is what people read, where the platform has both.
	Title string
	// Purpose is one plain sentence.
	Purpose string
	// Private channels show to their members alone.
	Private bool
}

// Channel is a channel as the platform knows it.
type Channel struct {
	// ID is the platform's id.
	ID string
	// Name is the handle it got.
	Name string
	// URL leads people to it; empty where that isn't known.
	URL string
	// Private is whether it shows to its members alone, as OpenChannel made or
	// found it: one that was made by an earlier order may be otherwise than this
	// one says.
	Private bool
}

// Refusal is a person who could not be brought in.
type Refusal struct {
	// Person is the id that was asked for.
	Person string
	// Why is plain text that may be shown: "is not a member of the team".
	Why string
}

// Description is what stands above a channel, plain text.
type Description struct {
	// Topic is the line above the conversation (Mattermost's header, Slack's topic).
	Topic string
	// Purpose is one plain sentence about what the channel is for.
	Purpose string
}
