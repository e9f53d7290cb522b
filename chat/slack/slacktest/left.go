// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"fmt"
	"slices"
)

// Left is everything of the app's that lives in the workspace, in words: a token
// that lets it in, channels that it made and that are not archived, pins of its
// messages, its links, and its buttons. Messages are not among it: what was said
// was said.
func (s *Server) Left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []string
	add := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	if !s.revoked {
		add("the app's token")
	}
	for _, c := range s.channels {
		if c.Creator == BotUser && !c.Archived {
			add("channel %s", c.Name)
		}
		for _, b := range c.Bookmarks {
			if b.AppID == AppID {
				add("link %s in %s", b.Title, c.Name)
			}
		}
		for _, m := range c.messages {
			if m.Deleted || m.BotID != BotID {
				continue
			}
			if slices.Contains(c.Pins, m.TS) {
				add("a pin in %s", c.Name)
			}
			for _, label := range m.Buttons() {
				add("button %s in %s", label, c.Name)
			}
		}
	}
	slices.Sort(left)
	return left
}
