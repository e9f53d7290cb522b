// SPDX-License-Identifier: Apache-2.0

package response_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/clock"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watch is a Belfry that reminds, on a clock that tests turn.
type watch struct {
	*testing.T
	path  string
	clock *clock.Manual
	store *store.Store
	run   *response.Response

	mu  sync.Mutex
	set incident.Settings
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{T: t, path: opentest.File(t), clock: clock.NewManual(time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)), set: incident.Defaults()}
	w.open()
	return w
}

// open starts it, or starts it again after it was killed.
func (w *watch) open() {
	w.Helper()
	s, err := store.Open(w.Context(), w.path, store.Options{Clock: w.clock})
	if err != nil {
		w.Fatal(err)
	}
	w.store, w.run = s, response.New(s, w.settings, func() []string { return []string{"chat/ops"} }, w.clock)
}

func (w *watch) settings() incident.Settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.set
}

// keep has it remind until the returned function is called.
func (w *watch) keep() (end func()) {
	ctx, cancel := context.WithCancel(w.Context())
	var wg sync.WaitGroup
	wg.Go(func() { w.run.KeepReminders(ctx, slog.New(slog.DiscardHandler)) })
	return func() { cancel(); wg.Wait() }
}

// said returns the reminders of an incident's timeline, in short.
func (w *watch) said(number int64) string {
	w.Helper()
	i, err := w.store.Incident(w.Context(), number)
	if err != nil {
		w.Fatal(err)
	}
	entries, err := w.store.IncidentEntries(w.Context(), i.ID, store.EntryFilter{Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		if e.Kind == incident.EntryReminder {
			list = append(list, e.What+"@"+e.At.Format("15:04"))
		}
	}
	return strings.Join(list, " ")
}

// pass lets time pass in small steps until the reminders read so: at last for
// longer than it takes until they are looked for again.
func (w *watch) pass(span time.Duration, number int64, want string) {
	w.Helper()
	for step := time.Duration(0); step < span; step += time.Second {
		w.clock.Advance(time.Second)
	}
	if !comes(w.clock, func() bool {
		said := w.said(number)
		return said == want || strings.HasSuffix(want, "…") && strings.HasPrefix(said, strings.TrimSuffix(want, "…"))
	}) {
		w.Errorf("it reminded %q, want %q", w.said(number), want)
	}
}

// comes says whether something comes that is looked for every lookEvery. The
// clock is turned a hundred times as fast as the time goes: who looks then may
// still be at work when it is turned.
func comes(c *clock.Manual, ok func() bool) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return true
		}
		c.Advance(100 * time.Millisecond)
	}
	return false
}

func (w *watch) id(number int64) alert.ID {
	w.Helper()
	i, err := w.store.Incident(w.Context(), number)
	if err != nil {
		w.Fatal(err)
	}
	return i.ID
}

// notes returns the notes that are to be said, by destination.
func (w *watch) notes(number int64) (destinations []string) {
	w.Helper()
	duties, err := w.store.Duties(w.Context(), w.id(number))
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range duties {
		if d.Kind == store.DutyNote {
			destinations = append(destinations, d.Destination)
		}
	}
	return destinations
}

func (w *watch) must(_ response.Done, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func somebody() incident.Person { return incident.Person{Connection: "chat", ID: "u1", Name: "anna"} }

// TestARestartLosesNoReminderAndSaysAMissedOneOnce: killed before it was due,
// and started an hour too late.
func TestARestartLosesNoReminderAndSaysAMissedOneOnce(t *testing.T) {
	w := newWatch(t)
	w.must(w.run.Declare(t.Context(), incident.Declaration{Title: "x", By: somebody()}, 0, 0))
	w.must(w.run.Assign(t.Context(), 1, somebody(), "commander", somebody()))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(3 * time.Hour)
	w.open()
	end := w.keep()
	w.pass(0, 1, "update@18:00")
	end()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	end = w.keep()
	w.pass(50*time.Minute, 1, "update@18:00") // the next is due an hour after the first
	end()
	if notes := w.notes(1); len(notes) != 1 || notes[0] != "chat/ops" {
		t.Errorf("notes %q", notes)
	}
	duties, err := w.store.Duties(t.Context(), w.id(1))
	if err != nil || duties[0].Kind != store.DutyCard || duties[0].Wanted != 2 { // declared, and a commander
		t.Errorf("its card shows no reminder, and yet: %+v, %v", duties, err)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTwoWhoRemindSayItOnce: two loops on one database, as of two processes.
func TestTwoWhoRemindSayItOnce(t *testing.T) {
	w := newWatch(t)
	for range 20 {
		w.must(w.run.Declare(t.Context(), incident.Declaration{Title: "x", By: somebody()}, 0, 0))
	}
	w.must(w.run.Run(t.Context(), 7, somebody(), incident.Channel{Connection: "chat", ID: "war"}))
	one, other := w.keep(), w.keep()
	w.clock.Advance(10 * time.Minute)
	for n := range int64(20) {
		w.pass(0, n+1, "commander@15:10")
	}
	one()
	other()
	for n := range int64(20) {
		want := "chat/ops"
		if n+1 == 7 {
			want = "chat/war" // those who run it, and nobody else
		}
		if notes := w.notes(n + 1); len(notes) != 1 || notes[0] != want {
			t.Errorf("#%d: notes %q", n+1, notes)
		}
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOtherSettingsCountForWhatIsOpenAlready: switched on, and made shorter.
func TestOtherSettingsCountForWhatIsOpenAlready(t *testing.T) {
	w := newWatch(t)
	w.set.Reminders = incident.Reminders{}
	w.must(w.run.Declare(t.Context(), incident.Declaration{Title: "x", By: somebody()}, 0, 0))
	end := w.keep()
	w.pass(20*time.Minute, 1, "")
	w.mu.Lock()
	w.set.Reminders = incident.Reminders{Commander: 21 * time.Minute}
	w.mu.Unlock()
	w.pass(2*time.Minute, 1, "commander@…")
	w.must(w.run.Move(t.Context(), 1, incident.Resolve, somebody(), ""))
	end()
	if said := w.said(1); strings.Count(said, "@") != 1 {
		t.Errorf("it reminded %q", said)
	}
	if number, _, err := w.store.NextReminder(t.Context()); number != 0 || err != nil {
		t.Errorf("something is due of #%d still, %v", number, err)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAnArchivedChannelHidesNoReminder: of a follow-up that is due when the
// incident's own channel is archived already.
func TestAnArchivedChannelHidesNoReminder(t *testing.T) {
	w := newWatch(t)
	w.must(w.run.Declare(t.Context(), incident.Declaration{Title: "x", By: somebody()}, 0, 0))
	own := incident.Channel{Connection: "chat", ID: "own", Ours: true}
	if err := w.run.ChannelOpened(t.Context(), 1, own, 1); err != nil {
		t.Fatal(err)
	}
	w.must(w.run.AddTask(t.Context(), 1, incident.FollowUp, somebody(), somebody(), "write", w.clock.Now().Add(time.Hour)))
	w.must(w.run.Move(t.Context(), 1, incident.Resolve, somebody(), ""))
	w.must(w.run.Move(t.Context(), 1, incident.Close, somebody(), ""))
	own.Archived = true
	if err := w.run.ChannelKept(t.Context(), 1, own); err != nil {
		t.Fatal(err)
	}
	before := len(w.notes(1))
	end := w.keep()
	w.pass(time.Hour, 1, "task@…")
	end()
	if notes := w.notes(1)[before:]; !slices.Contains(notes, "chat/ops") {
		t.Errorf("it is said at %q", notes)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
}
