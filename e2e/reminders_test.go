// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/store/pgtest"
)

// TestKilledAroundAReminder kills the program around the moment in which tasks
// fall due, a little later each time, and has others fall due while it is down:
// each is said once.
func TestKilledAroundAReminder(t *testing.T) { killedAroundAReminder(t, "") }

func TestKilledAroundAReminderOnPostgreSQL(t *testing.T) {
	killedAroundAReminder(t, fmt.Sprintf("server: {database: %q}\n", pgtest.URL(t)))
}

func killedAroundAReminder(t *testing.T, database string) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, database+chat+"incidents: {announce: [chat/alerts], api: [deploy]}\n")
	d.program("", `{"title":"the shop is slow"}`)
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
		d.program("/1/task", fmt.Sprintf(`{"text":"task number %d","due":%q}`, i, due.UTC().Format(time.RFC3339)))
		if i%2 == 0 {
			time.Sleep(time.Until(due.Add(time.Duration(i) * time.Millisecond)))
		}
		d.kill()
		time.Sleep(time.Until(due))
		d.start()
		until(t, fmt.Sprintf("reminder %d", i), func() bool { return reminders(i) > 0 })
	}
	once(t, m, 1)
	for i := range rounds {
		if n := reminders(i); n != 1 {
			t.Errorf("task %d was reminded of %d times", i, n)
		}
	}
}

// program has the program deploy post to the API of incidents.
func (d *desk) program(path, body string) {
	d.t.Helper()
	token, err := os.ReadFile(filepath.Join(d.dir, "data", "api_deploy.token"))
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, d.url()+"/api/incidents"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if said, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode >= 300 {
		d.t.Fatalf("%d %s, %v", answer.StatusCode, said, err)
	}
}
