// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"

	"belfry/web"
)

// TestAnIncidentThatWasOverLivesAgainWhenItIsReopened: its workspace was
// disconnected, and connected again, in between. It gets a new card wherever it had
// one, and its channel is open and kept.
func TestAnIncidentThatWasOverLivesAgainWhenItIsReopened(t *testing.T) {
	for _, end := range []string{"resolve", "cancel"} {
		for name, archive := range map[string]bool{"kept": false, "archived": true} {
			t.Run(end+" "+name, func(t *testing.T) {
				m, l, own := runsAnIncident(t)
				m.Promote("belfry")
				m.Type("alice", "ops", "/incident "+end+" #1")
				own.WaitText("SEV1 · " + end)
				l.leave(web.Removal{Name: "chat", Archive: archive})
				if err := l.app.Again(t.Context(), "chat"); err != nil {
					t.Fatal(err)
				}
				before := m.PostsIn("ops")
				m.Type("alice", "ops", "/incident reopen #1")
				eventually(t, "the channel is open, with its new card and its topic", func() bool {
					ch, _, pins, _ := m.Look(own.Post().ChannelID)
					return ch.DeleteAt == 0 && len(pins) == 1 && pins[0] != own.ID() && ch.Header == "SEV1 started · the shop is slow"
				})
				eventually(t, "it is announced anew", func() bool { return m.PostsIn("ops") > before })
			})
		}
	}
}
