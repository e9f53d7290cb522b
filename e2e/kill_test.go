// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

func TestKilledBeforeAnythingWasSent(t *testing.T) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, chat+plainSource)
	m.Stop()
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	d.kill()
	m.Restart()
	d.start()
	m.Room("alerts").WaitCard("disk is state 2")
	once(t, m.Room("alerts"), 1)
}

func TestKilledAfterMattermostTookThePostAndBeforeItAnswered(t *testing.T) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, chat+plainSource)
	m.TimeoutAfterAccepting(1)
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	m.Room("alerts").WaitCard("disk is state 2")
	d.kill()
	d.start()
	// Something that is sent behind it proves that it was worked off.
	d.hand("nagios", problem("disk", "RECOVERY", 0))
	m.Room("alerts").Card("disk").WaitText("is state 0")
	once(t, m.Room("alerts"), 1)
}

// TestKilledBeforeTheAnswerWasRecorded kills the program within the few
// milliseconds between Mattermost taking a post and the program recording it,
// again and again, a little later each time, for first posts, edits and notes.
func TestKilledBeforeTheAnswerWasRecorded(t *testing.T) { killedBeforeRecording(t, "") }

func TestKilledBeforeTheAnswerWasRecordedOnPostgreSQL(t *testing.T) {
	killedBeforeRecording(t, onPostgres(t))
}

func killedBeforeRecording(t *testing.T, database string) {
	var kill atomic.Pointer[func()]
	m, chat := mattermost(t, mattermosttest.Options{OnPost: func(time.Time, *mattermosttest.Post) { pull(&kill) }})
	const rounds = 12
	killedInTurn(t, serve(t, database+chat+plainSource), &kill, rounds, func(text string) func() int {
		card := m.Room("alerts").WaitCard(text)
		return func() int { return len(card.Thread()) }
	})
	once(t, m.Room("alerts"), rounds)
}

// pull does what is loaded, once.
func pull(kill *atomic.Pointer[func()]) {
	if f := kill.Swap(nil); f != nil {
		(*f)()
	}
}

// killedInTurn kills Belfry once for each of several problems, a little later
// after each post: kill is pulled by the chat when it got one. card waits for a
// card and returns what counts its notes.
func killedInTurn(t *testing.T, d *desk, kill *atomic.Pointer[func()], rounds int, card func(text string) (notes func() int)) {
	t.Helper()
	for i := range rounds {
		killed := make(chan struct{})
		process := d.cmd.Process
		f := func() {
			go func() {
				time.Sleep(time.Duration(i) * 300 * time.Microsecond)
				_ = process.Kill()
				close(killed)
			}()
		}
		kill.Store(&f)
		service := fmt.Sprintf("service%d", i)
		// The process may die before it answers: then belfry notify hands the
		// same over again and says so.
		first := `{"id":"` + service + `-first",` + problem(service, "PROBLEM", 2)[1:]
		taken := d.try("nagios", first)
		<-killed
		d.kill()
		d.start()
		if !taken {
			d.hand("nagios", `{"repeated":true,`+first[1:])
		}
		d.hand("nagios", problem(service, "PROBLEM", 1))
		card(service + " is state 1")
	}
	for i := range rounds {
		service := fmt.Sprintf("service%d", i)
		d.hand("nagios", problem(service, "RECOVERY", 0))
		notes := card(service + " is state 0")
		until(t, "both notes", func() bool { return notes() >= 2 })
		if n := notes(); n != 2 {
			t.Errorf("%s has %d notes, want 2", service, n)
		}
	}
}

func TestAnOutageOfMattermostEndsWithCurrentCards(t *testing.T) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, chat+plainSource)
	m.Stop()
	for i := range 5 {
		d.hand("nagios", problem(fmt.Sprintf("service%d", i), "PROBLEM", 2))
		d.hand("nagios", problem(fmt.Sprintf("service%d", i), "PROBLEM", 1))
	}
	d.stop()
	d.start()
	m.Restart()
	for i := range 5 {
		m.Room("alerts").WaitCard(fmt.Sprintf("service%d is state 1", i))
	}
	once(t, m.Room("alerts"), 5)
}
