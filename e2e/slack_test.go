// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat/slack/slacktest"
)

func TestKilledAfterSlackTookTheMessageAndBeforeItAnswered(t *testing.T) {
	t.Parallel()
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
	once(t, s.Room("alerts"), 1)
}

// TestSlackSaysInternalErrorAfterItTookTheMessage: "it's possible some aspect
// of the operation succeeded" is what Slack's reference says of these two.
func TestSlackSaysInternalErrorAfterItTookTheMessage(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"internal_error", "fatal_error"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s, chat := slack(t)
			d := serve(t, chat+plainSource)
			s.FailAfter(1, code)
			d.hand("nagios", problem("disk", "PROBLEM", 2))
			s.Room("alerts").WaitCard("disk is state 2")
			d.hand("nagios", problem("disk", "RECOVERY", 0))
			s.Room("alerts").Card("disk").WaitShows("is state 0")
			once(t, s.Room("alerts"), 1)
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
	once(t, s.Room("alerts"), rounds)
}
