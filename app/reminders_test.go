// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

// TestPeopleAreRemindedInTheIncidentsOwnChannel: after ten minutes without a
// commander, once, and not where the incident is only announced.
func TestPeopleAreRemindedInTheIncidentsOwnChannel(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops], reminders: {update: 0}}\n")
	o.m.AddUser("carol")
	o.m.AddChannel("war")
	o.types("alice", "/belfry incident new SEV1 the shop is slow", "#1 SEV1 started")
	o.m.Type("bob", "war", "/belfry incident convert #1")
	own, card := o.m.Room("war").WaitCard("#1 the shop is slow"), o.m.Room("ops").WaitCard("#1 the shop is slow")
	o.m.Type("bob", "war", "/belfry incident task @carol in 12m call the provider")
	own.WaitText("1 open task")
	o.clock.Advance(11 * time.Minute)
	own.WaitNote("Belfry reminds: nobody has been commander for 11 min")
	o.clock.Advance(2 * time.Minute)
	own.WaitNote("Belfry reminds carol: task 1 is due: call the provider")
	o.types("alice", "/belfry incident assign #1 commander me", "You made alice commander")
	o.clock.Advance(24 * time.Hour)
	o.types("alice", "/belfry incident update #1 it works again", "Noted how it stands")
	card.WaitNote("alice says: it works again")
	own.WaitNote("alice says: it works again") // what was said before is there as well
	said := func(c *mattermosttest.Card) (n int) {
		for _, note := range c.Thread() {
			n += strings.Count(note.Text(), " reminds")
		}
		return n
	}
	if said(own) != 2 || said(card) != 0 {
		t.Errorf("reminders: %d in its own channel, %d where it is announced", said(own), said(card))
	}
}
