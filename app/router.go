// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"sync/atomic"

	"belfry/alert"
	"belfry/desk"
	"belfry/route"
)

// router answers the desk's question where an alert belongs. Its table is
// replaced as a whole when the configuration is read again.
type router struct{ table atomic.Pointer[routing] }

type routing struct {
	routes *route.Table
	// connections are those that channels may be on; home is the one meant
	// when a report names a channel alone.
	connections map[string]bool
	home        string
}

var _ desk.Router = (*router)(nil)

// Route implements desk.Router.
func (r *router) Route(l alert.Labeled) desk.Routing {
	d := r.table.Load().routes.Match(l)
	out := desk.Routing{Destinations: make([]string, len(d.Targets)), Rings: d.Rings, Calls: d.Calls}
	for i, t := range d.Targets {
		out.Destinations[i] = t.String()
	}
	return out
}

// Named implements desk.Router.
func (r *router) Named(channel string) (string, bool) {
	t := r.table.Load()
	channel = strings.TrimPrefix(strings.TrimSpace(channel), "#")
	if connection, rest, ok := strings.Cut(channel, "/"); ok && rest != "" && t.connections[connection] {
		return channel, true
	}
	if channel == "" || strings.ContainsAny(channel, " \t\n") {
		return "", false
	}
	return t.home + "/" + channel, true
}
