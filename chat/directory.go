// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Directory is a platform that can be asked who somebody is, so that an act
// which names a person ("assign commander @anna") is about an account and not
// about a word. Asking changes nothing and rings nobody. Only accounts that can
// act are found: no programs, and nobody whose account was switched off.
//
// People wait for the answer, so ctx may end early. What a platform was fetching
// then is not thrown away: asked again, it answers from what came meanwhile.
type Directory interface {
	// FindPeople looks people up by handle ("anna", "@anna", in any letter case),
	// by mail address ("anna@example.org") where the platform allows it, or by the
	// platform's own id. There is one Found for each of names, in their order.
	// An error is about all of them: Retry when the platform could not be asked,
	// Permanent for more than MaxFind names.
	FindPeople(ctx context.Context, names []string) ([]Found, error)
	// FindGroup returns who belongs to a group: "oncall" or "@oncall" is one that
	// the platform keeps (Mattermost: a group by its name; Slack: a user group by
	// its handle; the room: "everyone", "admins", "responders", "members"), "~ops" or "#ops"
	// is all who are in a channel. Order is the platform's; nobody is in it twice.
	// Permanent, with what to do in its text, when there is no such group, when
	// the platform has none or we may not read it, and when it has more than
	// MaxGroup members.
	FindGroup(ctx context.Context, name string) ([]Actor, error)
}

// Limits of a Directory.
const (
	// MaxFind is how many people are looked up at once.
	MaxFind = 100
	// MaxGroup is how large a group may be. Whoever wants more people than that
	// in a channel names several.
	MaxGroup = 1000
	// MaxPersonName is how long a name that is looked up may be, in bytes: a mail
	// address has at most 254 (RFC 5321).
	MaxPersonName = 254
)

// Found is the answer for one name.
type Found struct {
	// Asked is the name as it was asked for.
	Asked string
	// Actor is who it is, with the handle that the platform has them by; the
	// zero Actor when nobody was found.
	Actor Actor
	// Why is plain text that may be shown, to follow the name: "is not known on
	// this server"; empty when somebody was found.
	Why string
}

// Known says whether somebody was found.
func (f Found) Known() bool { return f.Why == "" && f.Actor.ID != "" }
