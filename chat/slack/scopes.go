// SPDX-License-Identifier: Apache-2.0

package slack

import "slices"

// Scope is a right that the app asks a workspace for.
type Scope struct {
	Name string
	// For says in plain words what does not work without it.
	For string
	// needed says whether an installation needs it at all.
	needed func(Wish) bool
}

func always(Wish) bool { return true }

// botScopes is what the bot's token may do: the one list that the manifest,
// the installation and the comparison with what was granted all read.
func botScopes() []Scope {
	return []Scope{
		{"chat:write", "posting and editing cards", always},
		{"chat:write.public", "posting to public channels that the bot is not in", always},
		{"chat:write.customize", "showing username and icon of the configuration and of answers", func(w Wish) bool { return w.Looks }},
		{"commands", "slash commands and shortcuts", always},
		{"channels:read", "finding public channels by name", always},
		{"groups:read", "finding private channels by name", always},
		{"channels:join", "joining public channels", always},
		{"channels:history", "finding out whether a post arrived and hearing words, in public channels", always},
		{"groups:history", "finding out whether a post arrived and hearing words, in private channels", always},
		{"channels:manage", "making and keeping channels for incidents", always},
		{"groups:write", "making and keeping private channels for incidents", always},
		{"users:read", "naming who acts", always},
		{"users:read.email", "connecting accounts by mail address", func(w Wish) bool { return w.Emails }},
		{"usergroups:read", "ringing groups by their handle, and bringing them into incident channels", always},
		{"im:write", "writing to people directly", always},
		{"app_mentions:read", "commands that begin with the bot's name", always},
		{"reactions:read", "acknowledging and keeping messages by emoji", always},
		{"reactions:write", "putting emoji on cards", always},
		{"pins:write", "pinning messages in incident channels", always},
		{"bookmarks:read", "knowing the links above incident channels", always},
		{"bookmarks:write", "links above incident channels", always},
		{"files:write", "attaching long outputs and reports", always},
	}
}

// Scopes returns what an installation needs, in a fixed order.
func Scopes(w Wish) []Scope {
	return slices.DeleteFunc(botScopes(), func(s Scope) bool { return !s.needed(w) })
}

func namesOf(scopes []Scope) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = s.Name
	}
	return out
}

// missing returns the scopes of want that are not granted.
func missing(want []Scope, granted []string) []Scope {
	return slices.DeleteFunc(slices.Clone(want), func(s Scope) bool { return slices.Contains(granted, s.Name) })
}
