// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func claimCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"the highest priority first, then the oldest":  byPriority,
		"a card comes before its notes":                cardBeforeNotes,
		"a limit keeps the order":                      limitKeepsOrder,
		"notes wait behind a card that backs off":      notesWaitBackoff,
		"notes wait behind a dead card, others go":     notesWaitDead,
		"notes made behind a dead card wait too":       lateNotesWait,
		"notes wait behind a note that backs off":      notesWaitNote,
		"write-backs of one alert keep their order":    writebackOrder,
		"what is due later is told":                    nextIsTold,
		"a claim is on disk before it returns":         claimIsDurable,
		"destinations do not disturb each other":       destinationsApart,
		"many claims and settlements at once":          manyClaims,
		"a storm of blocked notes hides nobody":        blockedHideNobody,
		"due says the highest priority of what is due": duePriority,
	}
}

// alerts returns whose the duties are, in order.
func alerts(duties []store.Duty) []alert.ID {
	var list []alert.ID
	for _, d := range duties {
		list = append(list, d.AlertID)
	}
	return list
}

func byPriority(t *testing.T, w *world) {
	var want []alert.ID
	for i, p := range []int{2, 4, 2, 4} {
		a := problem(fmt.Sprint(i))
		w.one(t, change(a, store.Effect{Alert: a, NewCards: []string{"chat/town"}, Priority: p}))
		want = append(want, a.ID)
		w.clock.Advance(time.Second)
	}
	c := w.claim(t, "chat/town", 10)
	want = []alert.ID{want[1], want[3], want[0], want[2]}
	if diff := cmp.Diff(want, alerts(c.Duties)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if !c.LeaseUntil.Equal(w.clock.Now().Add(30*time.Second)) || c.Fence == 0 || !c.Next.IsZero() {
		t.Errorf("claim: %+v", c)
	}
}

// withNotes makes an alert with a card and n notes behind it.
func (w *world) withNotes(t *testing.T, name string, n int) *alert.Alert {
	t.Helper()
	a := w.post(t, name, "chat/town")
	for range n {
		w.amend(t, a.ID, func(e *store.Effect) { e.Notes = []string{"chat/town"} })
	}
	return a
}

func cardBeforeNotes(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	// The note matters more than the card: the card still goes first.
	w.amend(t, a.ID, func(e *store.Effect) { e.Notes, e.Stale, e.Priority = []string{"chat/town"}, false, 9 })
	b := w.post(t, "b", "chat/town")
	c := w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]string{"card", "note", "card"}, kinds(c.Duties)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]alert.ID{a.ID, a.ID, b.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	w.done(t, c)
	if c = w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("done and claimed again: %+v", c.Duties)
	}
}

func limitKeepsOrder(t *testing.T, w *world) {
	w.withNotes(t, "a", 5)
	var seen []string
	var last alert.ID
	for range 6 {
		c := w.claim(t, "chat/town", 1)
		if len(c.Duties) != 1 {
			t.Fatalf("claim: %+v", c)
		}
		if d := c.Duties[0]; d.Kind == store.DutyNote {
			if d.ID <= last {
				t.Errorf("note %d after %d", d.ID, last)
			}
			last = d.ID
		}
		if more := len(seen) < 5; more != c.Next.Equal(w.clock.Now()) {
			t.Errorf("after %d: next %v", len(seen), c.Next)
		}
		seen = append(seen, kinds(c.Duties)...)
		w.done(t, c)
	}
	if diff := cmp.Diff([]string{"card", "note", "note", "note", "note", "note"}, seen); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if c := w.claim(t, "chat/town", 0); len(c.Duties) != 0 || !c.Next.IsZero() {
		t.Errorf("limit 0: %+v", c)
	}
}

func notesWaitBackoff(t *testing.T, w *world) {
	a := w.withNotes(t, "a", 2)
	b := w.post(t, "b", "chat/town")
	c := w.claim(t, "chat/town", 1)
	w.settle(t, c, failed(c.Duties[0], day().Add(time.Minute)))
	// A note that is made meanwhile waits as well; the neighbour does not.
	w.amend(t, a.ID, func(e *store.Effect) { e.Notes = []string{"chat/town"} })
	c = w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]alert.ID{b.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("while it backs off (-want +got):\n%s", diff)
	}
	if !c.Next.Equal(day().Add(time.Minute)) {
		t.Errorf("next: %v", c.Next)
	}
	w.done(t, c)
	w.clock.Advance(time.Minute)
	c = w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]string{"card", "note", "note", "note"}, kinds(c.Duties)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

func notesWaitDead(t *testing.T, w *world) {
	a := w.withNotes(t, "a", 2)
	b := w.withNotes(t, "b", 1)
	c := w.claim(t, "chat/town", 1)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "channel archived"})
	c = w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]alert.ID{b.ID, b.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("while the card is dead (-want +got):\n%s", diff)
	}
	w.done(t, c)
	due, err := w.Due(w.ctx, w.clock.Now())
	if err != nil || len(due) != 0 {
		t.Errorf("nothing can be done, but due: %+v, %v", due, err)
	}
	duties, err := w.Duties(w.ctx, a.ID)
	if err != nil || duties[0].State != store.DutyDead || duties[1].State != store.DutyDue {
		t.Errorf("duties: %+v, %v", duties, err)
	}
	// A change brings the card back, and behind it what waits.
	w.amend(t, a.ID, nil)
	w.done(t, w.claim(t, "chat/town", 1))
	c = w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]string{"note", "note"}, kinds(c.Duties)); diff != "" {
		t.Errorf("after the card (-want +got):\n%s", diff)
	}
	// A dead note blocks nobody.
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead})
	c = w.claim(t, "chat/town", 10)
	if diff := cmp.Diff([]string{"note"}, kinds(c.Duties)); diff != "" {
		t.Errorf("after a dead note (-want +got):\n%s", diff)
	}
}

func lateNotesWait(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 1)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead})
	w.amend(t, a.ID, func(e *store.Effect) { e.Stale, e.Notes = false, []string{"chat/town"} })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 || !c.Next.IsZero() {
		t.Errorf("claim: %+v", c)
	}
	if err := w.Resend(w.ctx, c.Duties[0].ID); err != nil {
		t.Fatal(err)
	}
	w.done(t, w.claim(t, "chat/town", 10))
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 || c.Duties[0].Kind != store.DutyNote {
		t.Errorf("claim: %+v", c)
	}
}

func notesWaitNote(t *testing.T, w *world) {
	a := w.withNotes(t, "a", 2)
	c := w.claim(t, "chat/town", 10)
	w.settle(t, c, done(c.Duties[0]), failed(c.Duties[1], day().Add(time.Minute)), store.Settlement{ID: c.Duties[2].ID, Unsent: true})
	w.amend(t, a.ID, func(e *store.Effect) { e.Stale, e.Notes = false, []string{"chat/town"} })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("claimed past a note that backs off: %+v", c.Duties)
	}
	w.clock.Advance(time.Minute)
	c = w.claim(t, "chat/town", 10)
	var ids []alert.ID
	for _, d := range c.Duties {
		ids = append(ids, d.ID)
	}
	if len(ids) != 3 || !slices.IsSorted(ids) {
		t.Errorf("claim: %+v", c.Duties)
	}
}

func writebackOrder(t *testing.T, w *world) {
	a, b := w.post(t, "a"), w.post(t, "b")
	for range 3 {
		w.amend(t, a.ID, func(e *store.Effect) { e.Writeback = "monitor/nagios" })
	}
	w.amend(t, b.ID, func(e *store.Effect) { e.Writeback = "monitor/nagios" })
	c := w.claim(t, "monitor/nagios", 10)
	if diff := cmp.Diff([]alert.ID{a.ID, a.ID, a.ID, b.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	w.settle(t, c, failed(c.Duties[0], day().Add(time.Minute)))
	w.amend(t, a.ID, func(e *store.Effect) { e.Writeback = "monitor/nagios" })
	c = w.claim(t, "monitor/nagios", 10)
	if diff := cmp.Diff([]alert.ID{b.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("past one that backs off (-want +got):\n%s", diff)
	}
}

func nextIsTold(t *testing.T, w *world) {
	a := problem("a")
	at := day().Add(time.Minute)
	w.one(t, change(a, store.Effect{Alert: a, NewCards: []string{"chat/town"}, DueAt: at}))
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 || !c.Next.Equal(at) {
		t.Errorf("claim: %+v", c)
	}
	due, err := w.Due(w.ctx, w.clock.Now())
	if diff := cmp.Diff([]store.DueDestination{{Name: "chat/town", At: at}}, due); err != nil || diff != "" {
		t.Errorf("due: %v\n%s", err, diff)
	}
	w.clock.Advance(time.Minute)
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 || !c.Next.IsZero() {
		t.Errorf("claim: %+v", c)
	}
}

func claimIsDurable(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	if !c.Duties[0].UnknownSince.IsZero() {
		t.Errorf("the first attempt: %+v", c.Duties[0])
	}
	if d := w.duty(t, c.Duties[0].ID); !d.UnknownSince.Equal(day()) {
		t.Errorf("while it is tried: %+v", d)
	}
}

func destinationsApart(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town", "chat/ops")
	town := w.claim(t, "chat/town", 10)
	ops := w.claim(t, "chat/ops", 10)
	w.settle(t, town, done(town.Duties[0]))
	// What belongs to another destination is not settled by this one.
	w.settle(t, town, done(ops.Duties[0]))
	cards, err := w.Cards(w.ctx, a.ID)
	if err != nil || cards[0].State != store.DutyDone || cards[1].State != store.DutyDue || cards[1].Receipt != "" {
		t.Errorf("cards: %+v, %v", cards, err)
	}
}

func manyClaims(t *testing.T, w *world) {
	const channels, each = 8, 50
	var wait sync.WaitGroup
	for i := range channels * each {
		wait.Go(func() { w.post(t, fmt.Sprint(i), fmt.Sprintf("chat/%d", i%channels)) })
	}
	sent := make([]map[alert.ID]int, channels)
	for c := range channels {
		sent[c] = map[alert.ID]int{}
		wait.Go(func() {
			for len(sent[c]) < each {
				claim, err := w.Claim(w.ctx, fmt.Sprintf("chat/%d", c), 7)
				if err != nil || claim.Held {
					t.Error(claim.Held, err)
					return
				}
				var results []store.Settlement
				for _, d := range claim.Duties {
					sent[c][d.ID]++
					results = append(results, done(d))
				}
				if lost, err := w.Settle(w.ctx, claim.Destination, claim.Fence, results); lost || err != nil {
					t.Error(lost, err)
					return
				}
			}
		})
	}
	wait.Wait()
	for c := range sent {
		for id, n := range sent[c] {
			if n != 1 {
				t.Errorf("duty %d was handed out %d times", id, n)
			}
		}
	}
}

func blockedHideNobody(t *testing.T, w *world) {
	for i := range 30 {
		w.withNotes(t, fmt.Sprint(i), 2)
	}
	c := w.claim(t, "chat/town", 1000)
	var results []store.Settlement
	for _, d := range c.Duties {
		x := store.Settlement{ID: d.ID, Unsent: true}
		if d.Kind == store.DutyCard {
			x = store.Settlement{ID: d.ID, State: store.DutyDead}
		}
		results = append(results, x)
	}
	w.settle(t, c, results...)
	low := problem("low")
	w.one(t, change(low, store.Effect{Alert: low, NewCards: []string{"chat/town"}}))
	c = w.claim(t, "chat/town", 1)
	if diff := cmp.Diff([]alert.ID{low.ID}, alerts(c.Duties)); diff != "" {
		t.Errorf("behind blocked notes (-want +got):\n%s", diff)
	}
}

func duePriority(t *testing.T, w *world) {
	for i, p := range []int{1, 3} {
		a := problem(fmt.Sprint(i))
		w.one(t, change(a, store.Effect{Alert: a, NewCards: []string{"chat/town"}, Priority: p, DueAt: day().Add(time.Duration(i) * time.Minute)}))
	}
	for i, want := range []int{1, 3} {
		due, err := w.Due(w.ctx, day().Add(time.Duration(i)*time.Minute))
		if diff := cmp.Diff([]store.DueDestination{{Name: "chat/town", At: day(), Priority: want}}, due); err != nil || diff != "" {
			t.Errorf("due: %v\n%s", err, diff)
		}
	}
}
