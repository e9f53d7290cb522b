// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
)

// mattermost starts a Mattermost with a channel "alerts" and returns the part
// of a configuration that connects to it and sends everything there.
func mattermost(t *testing.T, o ...mattermosttest.Options) (*mattermosttest.Server, string) {
	t.Helper()
	m := mattermosttest.Start(t, o...)
	m.AddChannel("alerts")
	return m, fmt.Sprintf(`
connections:
  - {name: chat, kind: mattermost, url: "%s", token: "%s", team: %s, timeout: 3s}
default: {channels: [chat/alerts]}
`, m.URL(), m.Token(), mattermosttest.Team)
}

// slack starts a workspace with a channel "alerts" and returns the part of a
// configuration that connects to it and sends everything there.
func slack(t *testing.T, o ...slacktest.Options) (*slacktest.Server, string) {
	t.Helper()
	s := slacktest.Start(t, o...)
	s.AddChannel("alerts")
	return s, fmt.Sprintf(`
connections:
  - {name: team, kind: slack, url: "%s", token: "%s", signing_secret: "%s", timeout: 3s}
default: {channels: [team/alerts]}
`, s.URL(), s.Token(), s.SigningSecret())
}

// once wants n cards in a channel of either, now and a moment later.
func once[C any](t *testing.T, room interface{ Cards() []C }, n int) {
	t.Helper()
	time.Sleep(300 * time.Millisecond)
	if got := len(room.Cards()); got != n {
		t.Errorf("%d cards, want %d", got, n)
	}
}
