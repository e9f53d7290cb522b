// SPDX-License-Identifier: Apache-2.0

// Package storetest is the contract of package store: what callers rely on,
// whichever database is below. Each database runs the whole of it.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/store"
)

// Run runs the contract. fresh returns the address of a database that holds
// nothing, with tables or without.
func Run(t *testing.T, fresh func(t *testing.T) (url string)) {
	t.Helper()
	for _, part := range []struct {
		name  string
		cases map[string]func(t *testing.T, w *world)
	}{
		{"changes", changeCases()},
		{"claims", claimCases()},
		{"standing claims", standingCases()},
		{"settlements", settleCases()},
		{"lives", lifeCases()},
		{"rest", restCases()},
		{"people", peopleCases()},
		{"numbers", numberCases()},
		{"mutes", muteCases()},
		{"payloads", payloadCases()},
		{"places", placeCases()},
		{"incidents", incidentCases()},
		{"figures", figureCases()},
		{"measures", measureCases()},
		{"duties of incidents", incidentDutyCases()},
		{"steps", stepCases()},
		{"incidents and their alerts", followCases()},
		{"what was done once", map[string]func(t *testing.T, w *world){"is known by its key": keys}},
		{"incidents by themselves", callCases()},
		{"health", healthCases()},
		{"ended", endedCases()},
		{"room", roomCases()},
		{"model", modelCases()},
	} {
		for name, test := range part.cases {
			t.Run(part.name+"/"+name, func(t *testing.T) {
				test(t, newWorld(t, fresh(t)))
			})
		}
	}
}

// day is when all tests begin.
func day() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC) }

// world is a store with its clock and what it told.
type world struct {
	*store.Store
	url   string
	clock *clock.Manual
	ctx   context.Context

	mu   sync.Mutex
	told []string
}

func newWorld(t *testing.T, url string) *world {
	t.Helper()
	w := &world{url: url, clock: clock.NewManual(day()), ctx: t.Context()}
	w.Store = w.open(t, "tower")
	return w
}

// open opens the world's database once more.
func (w *world) open(t *testing.T, owner string) *store.Store {
	t.Helper()
	s, err := store.Open(w.ctx, w.url, store.Options{Clock: w.clock, Owner: owner, Lease: 30 * time.Second, OnDue: w.hear})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// reopen closes the store and opens it again, as a restart does.
func (w *world) reopen(t *testing.T) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Store = w.open(t, "tower")
}

func (w *world) hear(destinations []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, destinations...)
}

// heard returns what OnDue was told since the last call, each once, in order.
func (w *world) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.told)
	w.told = nil
	slices.Sort(list)
	return slices.Compact(list)
}

// problem is a new alert without a zero field but its id and number.
func problem(name string) *alert.Alert {
	object := alert.Object{
		Kind: alert.KindService, Host: "h-" + name, Service: "s-" + name, HostDisplay: "Host " + name, ServiceDisplay: "Dienst „" + name + "“",
		Address: "192.0.2.1", Rule: "rule", Key: "key-" + name,
	}
	return &alert.Alert{
		Source: "nagios", Fingerprint: object.Fingerprint(), Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical,
		Revision: 1, StartsAt: day().Add(-time.Hour), EndsAt: day().Add(time.Hour), UpdatedAt: day(),
		Object: object, Labels: alert.Labels{"team": "web"}, State: "CRITICAL", Output: "line 1\nline 2 \x00\U0001F525 'quoted' \\", Link: "https://example.org/",
		ProblemID: "4711", Contacts: []string{"anna", "bert"}, Mentions: []string{"ops"}, Channels: []string{"town"},
		Rings: map[string]alert.Ring{"chat/town": {Mentions: []string{"dba"}, Priority: alert.PriorityUrgent, RequestAck: true}},
		Ack:   alert.Ack{Phase: alert.AckSet, By: "carla", Comment: "mine", At: day(), Trouble: "t", Local: true, Generation: 3},
		Cards: []string{"chat/town"}, Called: []string{"shop"}, Said: alert.Said{By: "dora", Text: "on it", At: day()}, NoEmoji: true, InDowntime: true, Flapping: true,
	}
}

// event is an event without a zero field but its ids.
func event(kind alert.EventKind) alert.Event {
	return alert.Event{
		At: day(), Kind: kind, Actor: "anna", Text: "words", State: "CRITICAL", Severity: alert.SeverityWarning, Previous: "WARNING", PreviousSeverity: alert.SeverityWarning, Generation: 2, Intake: "intake-" + string(kind),
		Instruction: &alert.Instruction{Do: "downtime", Off: true, Start: day(), End: day().Add(time.Hour)},
	}
}

// change makes a change for the object of a that always has these effects.
func change(a *alert.Alert, effects ...store.Effect) store.Change {
	return store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) { return effects, nil }}
}

// one carries a single change out that must succeed.
func (w *world) one(t *testing.T, c store.Change) {
	t.Helper()
	errs, err := w.Change(w.ctx, c)
	if err != nil || errs[0] != nil {
		t.Fatalf("change: %v, %v", errs, err)
	}
}

// post stores a new alert with cards at the destinations.
func (w *world) post(t *testing.T, name string, destinations ...string) *alert.Alert {
	t.Helper()
	a := problem(name)
	w.one(t, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}, NewCards: destinations, Priority: int(a.Severity)}))
	return a
}

// amend raises the alert's revision with an event that is said in its threads.
func (w *world) amend(t *testing.T, id alert.ID, change func(e *store.Effect)) {
	t.Helper()
	w.one(t, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		if v.Alert == nil {
			return nil, fmt.Errorf("alert %d is not there", id)
		}
		v.Alert.Revision++
		e := store.Effect{Alert: v.Alert, Events: []alert.Event{event(alert.EventChanged)}, Stale: true, Priority: int(v.Alert.Severity)}
		if change != nil {
			change(&e)
		}
		return []store.Effect{e}, nil
	}})
}

// claim takes duties of a destination and must get it.
func (w *world) claim(t *testing.T, destination string, limit int) store.Claim {
	t.Helper()
	c, err := w.Claim(w.ctx, destination, limit)
	if err != nil || c.Held {
		t.Fatalf("claim %s: held %v, %v", destination, c.Held, err)
	}
	return c
}

// settle settles and must still hold the lease.
func (w *world) settle(t *testing.T, c store.Claim, results ...store.Settlement) {
	t.Helper()
	lost, err := w.Settle(w.ctx, c.Destination, c.Fence, results)
	if err != nil || lost {
		t.Fatalf("settle %s: lost %v, %v", c.Destination, lost, err)
	}
}

// done settles every duty of a claim as done.
func (w *world) done(t *testing.T, c store.Claim) {
	t.Helper()
	var results []store.Settlement
	for _, d := range c.Duties {
		results = append(results, done(d))
	}
	w.settle(t, c, results...)
}

// done is the outcome of a duty that was carried out.
func done(d store.Duty) store.Settlement {
	x := store.Settlement{ID: d.ID, State: store.DutyDone, Receipt: "channel post-" + d.Key[:4]}
	if d.Kind == store.DutyCard {
		x.Reached = d.Wanted
	}
	return x
}

// failed is the outcome of a try that is to be repeated.
func failed(d store.Duty, at time.Time) store.Settlement {
	return store.Settlement{ID: d.ID, State: store.DutyDue, Failed: true, RetryAt: at, Err: "503"}
}

func (w *world) duty(t *testing.T, id alert.ID) store.Duty {
	t.Helper()
	d, err := w.Duty(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// kinds returns what duties are, for comparison: "card", "note".
func kinds(duties []store.Duty) []string {
	list := []string{}
	for _, d := range duties {
		list = append(list, string(d.Kind))
	}
	return list
}
