// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"belfry/chat/slack/slacktest"
)

// slackHears starts a workspace whose people are heard, over Socket Mode or at
// the program's own address.
func slackHears(t *testing.T, overSocket bool) (*slacktest.Server, *desk) {
	t.Helper()
	s := slacktest.Start(t)
	s.AddChannel("alerts")
	secret := fmt.Sprintf("signing_secret: %q", s.SigningSecret())
	if overSocket {
		secret = fmt.Sprintf("app_token: %q", s.AppToken())
	}
	d := serve(t, fmt.Sprintf(`
connections:
  - {name: team, kind: slack, url: "%s", token: "%s", %s, command_word: "!", timeout: 3s}
default: {channels: [team/alerts]}
`, s.URL(), s.Token(), secret)+plainSource)
	if overSocket {
		s.WaitSockets(2)
	} else {
		s.CallAt(d.url() + "/chat/team")
	}
	return s, d
}

func heardBothWays(t *testing.T, test func(t *testing.T, s *slacktest.Server, d *desk)) {
	for name, overSocket := range map[string]bool{"HTTP": false, "Socket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := slackHears(t, overSocket)
			test(t, s, d)
		})
	}
}

// TestAnAlertIsAcknowledgedFromSlack: card, press, acknowledged, card edited;
// the same by form, command, emoji and shortcut.
func TestAnAlertIsAcknowledgedFromSlack(t *testing.T) {
	t.Parallel()
	heardBothWays(t, func(t *testing.T, s *slacktest.Server, d *desk) {
		d.hand("nagios", problem("disk", "PROBLEM", 2))
		card := s.Room("alerts").WaitCard("disk is state 2")
		if out := card.ClickAs("alice", "Acknowledge"); out.Failed != "" || out.Form != nil {
			t.Fatalf("alice sees %+v", out)
		}
		card.WaitShows("acknowledged by alice")
		card.WaitNote("alice")
		if got := card.Buttons(); !slices.Contains(got, "Un-acknowledge") {
			t.Errorf("the buttons are %q", got)
		}
		card.ClickAs("bob", "Un-acknowledge")
		until(t, "the acknowledgement to be gone", func() bool { return slices.Contains(card.Buttons(), "Acknowledge with comment…") })

		out := card.ClickAs("bob", "Acknowledge with comment…")
		if out.Form == nil {
			t.Fatalf("no form opened: %+v", out)
		}
		if left := out.Form.Submit(map[string]string{"comment": "new disk <!channel>"}); left != nil {
			t.Errorf("the form stays open: %+v", left)
		}
		card.WaitShows("acknowledged by bob")
		card.WaitShows("new disk <!channel>")

		card.Shortcut("alice", "belfry_unack")
		until(t, "the acknowledgement to be gone", func() bool { return slices.Contains(card.Buttons(), "Acknowledge") })
		card.React("alice", "white_check_mark")
		card.WaitShows("acknowledged by alice")
		card.Unreact("bob", "white_check_mark") // not his
		card.Unreact("alice", "white_check_mark")
		until(t, "the acknowledgement to be gone", func() bool { return slices.Contains(card.Buttons(), "Acknowledge") })

		if out := s.Type("alice", "alerts", "/belfry problems"); out.Answer == nil || !strings.Contains(out.Answer.Text, "disk") {
			t.Errorf("%+v", out)
		}
		s.Say("bob", "alerts", "!ack on it", card.ID())
		card.WaitShows("acknowledged by bob")
		d.hand("nagios", problem("disk", "RECOVERY", 0))
		card.WaitShows("is state 0")
		once(t, s.Room("alerts"), 1)
		if rings := s.Room("alerts").Rings(); len(rings) != 0 {
			t.Errorf("somebody was rung: %q", rings)
		}
	})
}

// TestACardOfAnotherProgramIsPressed: while people move from openITCOCKPIT's
// module, its cards acknowledge Belfry's alert.
func TestACardOfAnotherProgramIsPressed(t *testing.T) {
	t.Parallel()
	s, d := slackHears(t, true)
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	card := s.Room("alerts").WaitCard("disk is state 2")
	foreign := s.PostForeign("alerts", `[{"callback_id":"ack","title":"PROBLEM: disk on web01 is Critical!","text":"disk is bad",
		"fields":[{"title":"Host","value":"web01"},{"title":"Service","value":"disk"}],
		"actions":[{"name":"ack","text":"Acknowledge this","type":"button","value":"1"}]}]`)
	foreign.ClickAs("bob", "Acknowledge this")
	card.WaitShows("acknowledged by bob")
	foreign.ClickAs("alice", "Acknowledge this")
	s.WaitWhisper("alice", "Already acknowledged by bob")
}

// TestAPressSurvivesARestart: a press that was answered is done, and one that
// comes again afterwards does nothing.
func TestAPressSurvivesARestart(t *testing.T) {
	t.Parallel()
	s, d := slackHears(t, true)
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	card := s.Room("alerts").WaitCard("disk is state 2")
	payload := card.React("alice", "white_check_mark")
	card.WaitShows("acknowledged by alice")
	card.Shortcut("bob", "belfry_unack")
	until(t, "the acknowledgement to be gone", func() bool { return slices.Contains(card.Buttons(), "Acknowledge") })
	d.kill()
	d.start()
	s.WaitSockets(2)
	s.Twice("events_api", payload)
	s.Say("alice", "alerts", "!unack", card.ID()) // worked off behind it
	s.WaitWhisper("alice", "not acknowledged")
	if card.Shows("acknowledged by") {
		t.Errorf("a repetition after a restart acknowledged: %s", card.Text())
	}
}
