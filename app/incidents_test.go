// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
)

// TestIncidentsAreRunFromMattermost: by their own command, by the other one, and
// in a channel that became the incident's.
func TestIncidentsAreRunFromMattermost(t *testing.T) {
	o := newOffice(t)
	o.m.AddChannel("war")
	o.m.AddCommand("incident", o.address())
	o.m.SetCommandToken("incident", o.token)
	o.types("alice", "/incident new SEV1 the shop is slow", "#1 SEV1 started: the shop is slow")
	o.types("bob", "/belfry incident assign #1 commander @alice", "You made alice commander.")
	o.types("bob", "/belfry incident", "Type")
	o.types("bob", "/incident mitigate", "Which one?", "the shop is slow")
	o.types("bob", "/belfry status", "Nothing is wrong at this moment.")
	in := func(line, want string) {
		t.Helper()
		seen := o.m.Type("bob", "war", line)
		text := mattermosttest.Visible(seen.Whisper)
		for _, look := range seen.Reading.Looks {
			text += "\n" + mattermosttest.Visible(look)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%q: %q, without %q", line, text, want)
		}
	}
	in("/incident convert #1", "You made the channel")
	in("/incident mitigate rolled back", "#1 SEV1 mitigated")
	in("/incident mitigate", "#1 is mitigated already, by bob")
	in("/incident timeline", "mitigated it: rolled back")
}
