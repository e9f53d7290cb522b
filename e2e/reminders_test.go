// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestKilledAroundAReminder kills the program around the moment in which tasks
// fall due, a little later each time, and has others fall due while it is down:
// each is said once.
func TestKilledAroundAReminder(t *testing.T) { killedAroundAReminder(t, "") }

func TestKilledAroundAReminderOnPostgreSQL(t *testing.T) {
	killedAroundAReminder(t, onPostgres(t))
}

func killedAroundAReminder(t *testing.T, database string) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, database+chat+"incidents: {announce: [chat/alerts], api: [deploy]}\n")
	if !d.declares("the shop is slow") {
		t.Fatal("belfry went away")
	}
	card := m.Room("alerts").WaitCard("the shop is slow")
	reminders := func(n int) (said int) {
		for _, note := range card.Thread() {
			said += strings.Count(note.Text()+" ", fmt.Sprintf("nobody has it: task number %d ", n))
		}
		return said
	}
	const rounds = 8
	for i := range rounds {
		due := time.Now().Add(1500 * time.Millisecond).Truncate(time.Second)
		d.adds(1, fmt.Sprintf("task number %d", i), due)
		if i%2 == 0 {
			time.Sleep(time.Until(due.Add(time.Duration(i) * time.Millisecond)))
		}
		d.kill()
		time.Sleep(time.Until(due))
		d.start()
		until(t, fmt.Sprintf("reminder %d", i), func() bool { return reminders(i) > 0 })
	}
	once(t, m.Room("alerts"), 1)
	for i := range rounds {
		if n := reminders(i); n != 1 {
			t.Errorf("task %d was reminded of %d times", i, n)
		}
	}
}
