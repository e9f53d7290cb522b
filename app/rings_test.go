// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"slices"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/store/opentest"
)

// TestACardIsAnnouncedAsItsRouteWanted: each channel by itself, also after an
// outage that outlives the process and the route.
func TestACardIsAnnouncedAsItsRouteWanted(t *testing.T) {
	m := mattermosttest.Start(t)
	m.License()
	m.AddChannel("ops")
	m.AddChannel("oncall")
	connection := "connections: [{name: chat, kind: mattermost, url: \"" + m.URL() + "\", token: \"" + m.Token() + "\", team: " + mattermosttest.Team + "}]\n"
	loud := connection + `
routes:
  - match: severity="critical"
    channels:
      - chat/ops
      - {channel: chat/oncall, mentions: [here, alice], priority: urgent, request_ack: true}
    mentions: [bob]
    priority: important
default: {channels: [room/alerts]}
`
	dir := opentest.Dir(t)
	a := start(t, file(t, loud), dir)
	m.Stop()
	if err := a.Report("nagios")(t.Context(), problem("one")); err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	m.Restart()
	a = start(t, file(t, connection+"default: {channels: [room/alerts]}\n"), dir)
	defer stop(t, a)
	for _, want := range []struct {
		channel, label string
		acks           bool
		rings          []string
	}{{"ops", "important", false, []string{"bob"}}, {"oncall", "urgent", true, []string{"here", "alice"}}} {
		card := m.Room(want.channel).WaitCard("one is gone")
		label, acks := card.Priority()
		if label != want.label || acks != want.acks || !slices.Equal(card.Rings(), want.rings) {
			t.Errorf("in %s it is %q, confirm %v, and rings %q", want.channel, label, acks, card.Rings())
		}
		if want.channel == "ops" {
			card.Click("Acknowledge")
		}
		card.WaitText("acknowledged by alice")
		if label, _ := card.Priority(); label != want.label || !slices.Equal(card.Rings(), want.rings) {
			t.Errorf("after an edit it is %q and rings %q", label, card.Rings())
		}
	}
}
