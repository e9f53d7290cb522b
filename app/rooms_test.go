// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came: %s", what)
		}
	}
}

// TestAnIncidentGetsAChannelOfItsOwn: with the people, the pinned card, the
// topic, and a card where it is announced that leads there.
func TestAnIncidentGetsAChannelOfItsOwn(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops], channel: {on: [chat]}}\n")
	o.types("alice", "/belfry incident new SEV1 the shop is slow", "#1 SEV1 started")
	o.m.Room("ops").WaitCard("#1 the shop is slow").WaitText("Channel: inc-1-the-shop-is-slow")
	own := o.m.Room("inc-1-the-shop-is-slow").WaitCard("#1 the shop is slow")
	eventually(t, "alice is in, and the card is pinned", func() bool {
		ch, members, pins, _ := o.m.Look(own.Post().ChannelID)
		return ch.DisplayName == "#1 the shop is slow" && ch.Type == "O" && members[o.m.User("alice").ID] && slices.Contains(pins, own.ID()) && strings.Contains(mattermosttest.Read(ch.Header).Text, "SEV1 started · the shop is slow")
	})
	// What is typed there needs no number; who gets a role is brought in.
	o.m.Type("bob", "ops", "/belfry incident assign #1 commander me")
	eventually(t, "bob is in, and named in the topic", func() bool {
		ch, members, _, _ := o.m.Look(own.Post().ChannelID)
		return members[o.m.User("bob").ID] && strings.Contains(mattermosttest.Read(ch.Header).Text, "commander: bob")
	})
	o.m.Type("bob", "inc-1-the-shop-is-slow", "/belfry incident rename no orders at all")
	eventually(t, "it has the new title", func() bool {
		ch, _, _, _ := o.m.Look(own.Post().ChannelID)
		return ch.DisplayName == "#1 no orders at all"
	})
}
