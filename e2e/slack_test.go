// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat/slack/slacktest"
)

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

// onceInSlack wants n cards in the channel, now and a moment later.
func onceInSlack(t *testing.T, s *slacktest.Server, n int) {
	t.Helper()
	time.Sleep(300 * time.Millisecond)
	if got := len(s.Room("alerts").Cards()); got != n {
		t.Errorf("%d cards, want %d", got, n)
	}
}

func TestKilledAfterSlackTookTheMessageAndBeforeItAnswered(t *testing.T) {
	s, chat := slack(t)
	d := serve(t, chat+plainSource)
	s.TimeoutAfterAccepting(1)
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	s.Room("alerts").WaitCard("disk is state 2")
	d.kill()
	d.start()
	// Something that is sent behind it proves that it was worked off.
	d.hand("nagios", problem("disk", "RECOVERY", 0))
	s.Room("alerts").Card("disk").WaitShows("is state 0")
	onceInSlack(t, s, 1)
}

// TestSlackSaysInternalErrorAfterItTookTheMessage: "it's possible some aspect
// of the operation succeeded" is what Slack's reference says of these two.
func TestSlackSaysInternalErrorAfterItTookTheMessage(t *testing.T) {
	for _, code := range []string{"internal_error", "fatal_error"} {
		t.Run(code, func(t *testing.T) {
			s, chat := slack(t)
			d := serve(t, chat+plainSource)
			s.FailAfter(1, code)
			d.hand("nagios", problem("disk", "PROBLEM", 2))
			s.Room("alerts").WaitCard("disk is state 2")
			d.hand("nagios", problem("disk", "RECOVERY", 0))
			s.Room("alerts").Card("disk").WaitShows("is state 0")
			onceInSlack(t, s, 1)
		})
	}
}

// TestKilledBeforeSlacksAnswerWasRecorded kills the program within the few
// milliseconds between Slack taking a message and the program recording it,
// again and again, a little later each time, for first posts and notes.
func TestKilledBeforeSlacksAnswerWasRecorded(t *testing.T) {
	t.Parallel()
	var kill atomic.Pointer[func()]
	s, chat := slack(t, slacktest.Options{OnPost: func(time.Time, string, string) { pull(&kill) }})
	const rounds = 10
	killedInTurn(t, serve(t, chat+plainSource), &kill, rounds, func(text string) func() int {
		card := s.Room("alerts").WaitCard(text)
		return func() int { return len(card.Thread()) }
	})
	onceInSlack(t, s, rounds)
}
