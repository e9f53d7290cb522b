// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"fmt"
	"slices"
)

// Left is everything that lives on the server because of a bot or of somebody
// who set it up, in words: accounts that can act, tokens, commands, webhooks,
// applications, channels that are not archived, pins, links, and buttons. by are
// the names of both. Messages are not among it: what was said was said.
func (s *Server) Left(by ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []string
	add := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	ours := func(id string) bool { u := s.users[id]; return u != nil && slices.Contains(by, u.Username) }
	for _, u := range s.users {
		if u.IsBot && ours(u.ID) && u.DeleteAt == 0 {
			add("bot %s can act", u.Username)
		}
	}
	for _, t := range s.accessTokens {
		if u := s.users[t.UserID]; u != nil && u.IsBot && ours(u.ID) {
			add("a token of %s", u.Username)
		}
	}
	for _, c := range s.commands {
		if ours(c.CreatorID) {
			add("command /%s", c.Trigger)
		}
	}
	for _, h := range s.outgoing {
		if ours(h.CreatorID) {
			add("outgoing webhook %s", h.DisplayName)
		}
	}
	for _, o := range s.oauthApps {
		if ours(o.CreatorID) {
			add("application %s", o.Name)
		}
	}
	for _, c := range s.channels {
		if c.DeleteAt == 0 && ours(c.CreatorID) {
			add("channel %s", c.Name)
		}
		for _, b := range c.bookmarks {
			if b.DeleteAt == 0 && ours(b.OwnerID) {
				add("link %s in %s", b.DisplayName, c.Name)
			}
		}
		for _, p := range c.posts {
			if p.DeleteAt != 0 || !ours(p.UserID) {
				continue
			}
			if p.IsPinned {
				add("a pin in %s", c.Name)
			}
			for _, look := range attachmentsOf(p.Props) {
				for _, a := range look.Actions {
					add("button %s in %s", a.Name, c.Name)
				}
			}
		}
	}
	slices.Sort(left)
	return left
}
