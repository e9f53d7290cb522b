// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"belfry/alert"
	"belfry/clock"
	"belfry/store"
	"belfry/store/pgtest"
)

// node is one of several processes on one database.
type node struct {
	*store.Store
	told chan []string
}

func openNode(t *testing.T, url, owner string, c clock.Clock) *node {
	t.Helper()
	n := &node{told: make(chan []string, 1000)}
	s, err := store.Open(t.Context(), url, store.Options{Clock: c, Owner: owner, OnDue: func(d []string) { n.told <- d }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	n.Store = s
	return n
}

// hears waits until the node is told of a destination.
func (n *node) hears(t *testing.T, destination string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case list := <-n.told:
			if slices.Contains(list, destination) {
				return
			}
		case <-limit:
			t.Fatalf("was not told of %s", destination)
		}
	}
}

func (n *node) take(t *testing.T, i int64, destination string) {
	t.Helper()
	errs, err := n.Change(t.Context(), intake("nagios", report(i), destination))
	if err != nil || errs[0] != nil {
		t.Fatal(errs, err)
	}
}

func TestPostgresNodesTakeTurnsAtADestination(t *testing.T) {
	url, c := pgtest.URL(t), clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	east, west := openNode(t, url, "east", c), openNode(t, url, "west", c)
	east.take(t, 1, "chat/town")
	ctx := t.Context()
	first, err := east.Claim(ctx, "chat/town", 10)
	if err != nil || len(first.Duties) != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	held, err := west.Claim(ctx, "chat/town", 10)
	if err != nil || !held.Held || len(held.Duties) != 0 || !held.Next.Equal(first.LeaseUntil) {
		t.Fatalf("held by east: %+v, %v", held, err)
	}
	c.Advance(31 * time.Second) // east is frozen
	second, err := west.Claim(ctx, "chat/town", 10)
	if err != nil || second.Fence <= first.Fence || len(second.Duties) != 1 || second.Duties[0].UnknownSince.IsZero() {
		t.Fatalf("taken over: %+v, %v", second, err)
	}
	card := second.Duties[0]
	settled := []store.Settlement{{ID: card.ID, State: store.DutyDone, Reached: card.Wanted, Receipt: "town p1"}}
	if lost, err := west.Settle(ctx, "chat/town", second.Fence, settled); lost || err != nil {
		t.Fatal(lost, err)
	}
	// East wakes up: its edit went out after west's.
	if lost, err := east.Settle(ctx, "chat/town", first.Fence, settled); !lost || err != nil {
		t.Fatal(lost, err)
	}
	if again, err := east.Claim(ctx, "chat/town", 10); err != nil || !again.Held {
		t.Fatalf("%+v, %v", again, err)
	}
	if err := west.Release(ctx, "chat/town", second.Fence); err != nil {
		t.Fatal(err)
	}
	third, err := east.Claim(ctx, "chat/town", 10)
	if err != nil || third.Fence <= second.Fence || len(third.Duties) != 1 || third.Duties[0].Reached != 0 || third.Duties[0].Receipt != "town p1" {
		t.Fatalf("to be rendered anew: %+v, %v", third, err)
	}
	if err := east.Close(); err != nil { // gives its leases back
		t.Fatal(err)
	}
	if c, err := west.Claim(ctx, "chat/town", 10); err != nil || c.Held {
		t.Fatalf("after east left: %+v, %v", c, err)
	}
}

func TestPostgresNodesCompeteAndNothingGoesTwice(t *testing.T) {
	const alerts, channels = 60, 3
	url := pgtest.URL(t)
	nodes := []*node{openNode(t, url, "east", clock.System{}), openNode(t, url, "west", clock.System{})}
	var wait sync.WaitGroup
	for i := range int64(alerts) {
		wait.Go(func() { nodes[i%2].take(t, i, "chat/"+string(rune('a'+i%channels))) })
	}
	var mu sync.Mutex
	sent := map[alert.ID]int{}
	for _, n := range nodes {
		for c := range channels {
			name := "chat/" + string(rune('a'+c))
			wait.Go(func() {
				for {
					mu.Lock()
					all := len(sent) == alerts
					mu.Unlock()
					if all {
						return
					}
					if err := carry(t.Context(), n.Store, name, func(id alert.ID) {
						mu.Lock()
						defer mu.Unlock()
						sent[id]++
					}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wait.Wait()
	for id, times := range sent {
		if times != 1 {
			t.Errorf("duty %d was sent %d times", id, times)
		}
	}
}

// carry claims a few duties, carries them out and gives the destination back.
func carry(ctx context.Context, s *store.Store, destination string, send func(alert.ID)) error {
	c, err := s.Claim(ctx, destination, 4)
	if err != nil || c.Held {
		return err
	}
	var results []store.Settlement
	for _, d := range c.Duties {
		send(d.ID)
		results = append(results, store.Settlement{ID: d.ID, State: store.DutyDone, Reached: d.Wanted, Receipt: "r"})
	}
	if lost, err := s.Settle(ctx, destination, c.Fence, results); err != nil || lost {
		return errors.Join(err, errors.New("lost what nobody may take"))
	}
	return s.Release(ctx, destination, c.Fence)
}

func TestPostgresNodesMakeOneAlertOfOneProblem(t *testing.T) {
	url := pgtest.URL(t)
	nodes := []*node{openNode(t, url, "east", clock.System{}), openNode(t, url, "west", clock.System{})}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			r := report(7)
			r.Contact = strings.Repeat("x", i+1) // each is news
			errs, err := nodes[i%2].Change(t.Context(), intake("nagios", r, "chat/town"))
			if err != nil || errs[0] != nil {
				t.Error(errs, err)
			}
		})
	}
	wait.Wait()
	open, err := nodes[0].OpenAlerts(t.Context(), "nagios")
	if err != nil || len(open) != 1 || open[0].Revision != 40 || len(open[0].Contacts) != 40 {
		t.Fatalf("%+v, %v", open, err)
	}
	events, err := nodes[1].Events(t.Context(), open[0].ID, 100)
	if err != nil || len(events) != 40 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestPostgresNodesHearOfEachOther(t *testing.T) {
	url := pgtest.URL(t)
	east, west := openNode(t, url, "east", clock.System{}), openNode(t, url, "west", clock.System{})
	select {
	case <-west.told: // it listens
	case <-time.After(20 * time.Second):
		t.Fatal("does not listen")
	}
	east.take(t, 1, "chat/town")
	east.hears(t, "chat/town")
	west.hears(t, "chat/town")
	// Too many to name: they are told to look everywhere.
	var changes []store.Change
	for i := range int64(300) {
		changes = append(changes, intake("nagios", report(100+i), "chat/"+strings.Repeat("x", 40)+string(rune('0'+i))))
	}
	if _, err := east.Change(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	select {
	case list := <-west.told:
		if list != nil {
			t.Errorf("told %d destinations", len(list))
		}
	case <-time.After(20 * time.Second):
		t.Error("was not told")
	}
}

func TestPostgresManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	url := pgtest.URL(t)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Ping(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestPostgresSessionsThatBreakAreReplaced(t *testing.T) {
	url := pgtest.URL(t)
	n := openNode(t, url, "east", clock.System{})
	n.take(t, 1, "chat/town")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	n.take(t, 2, "chat/town")
	if open, err := n.OpenAlerts(t.Context(), "nagios"); err != nil || len(open) != 2 {
		t.Errorf("%+v, %v", open, err)
	}
}

func TestPostgresNewerSchemaIsRefused(t *testing.T) {
	url := pgtest.URL(t)
	east := openNode(t, url, "east", clock.System{})
	east.take(t, 1, "chat/town")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `INSERT INTO belfry_schema (version, applied_at) VALUES (1000, 0)`)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), url, store.Options{}); err == nil || !strings.Contains(err.Error(), "newer Belfry") {
		t.Errorf("opened: %v", err)
	}
	// And who began before may not go on: it would not know where that one looks.
	ctx := t.Context()
	if _, err := east.Change(ctx, intake("nagios", report(2), "chat/town")); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "1000") {
		t.Errorf("took an alert: %v", err)
	}
	if _, err := east.Claim(ctx, "chat/town", 1); !errors.Is(err, store.ErrNewer) {
		t.Errorf("claimed: %v", err)
	}
	if err := east.Ready(ctx); !errors.Is(err, store.ErrNewer) {
		t.Errorf("says that it is ready: %v", err)
	}
	if open, err := east.OpenAlerts(ctx, "nagios"); err != nil || len(open) != 1 {
		t.Errorf("stored: %+v, %v", open, err)
	}
}

// TestPostgresNodesWriteOneHistory has the one whose clock is behind go on with
// what the other began.
func TestPostgresNodesWriteOneHistory(t *testing.T) {
	url, ahead, behind := pgtest.URL(t), clock.NewManual(time.Date(2026, 1, 2, 3, 4, 15, 0, time.UTC)), clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	east, west := openNode(t, url, "east", ahead), openNode(t, url, "west", behind)
	east.take(t, 1, "chat/town")
	for i, n := range []*node{west, east, west} {
		r := report(1)
		r.Output = strings.Repeat("x", i+1)
		errs, err := n.Change(t.Context(), intake("nagios", r, "chat/town"))
		if err := errors.Join(append(errs, err)...); err != nil {
			t.Fatal(err)
		}
	}
	open, err := west.OpenAlerts(t.Context(), "nagios")
	if err != nil || len(open) != 1 {
		t.Fatalf("%+v, %v", open, err)
	}
	events, err := west.Events(t.Context(), open[0].ID, 0)
	if err != nil || len(events) != 4 || events[0].Kind != alert.EventOpened || !slices.IsSortedFunc(events, func(a, b alert.Event) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Errorf("events: %+v, %v", events, err)
	}
}

func TestPostgresPasswordStaysSecret(t *testing.T) {
	for _, url := range []string{
		"postgres://belfry:hunter2@127.0.0.1:1/belfry?connect_timeout=1",
		"postgres://belfry:hunter2@[::1/belfry",
		"postgresql://belfry:hunter2@127.0.0.1:port/belfry",
		"postgres://belfry@127.0.0.1:1/belfry?password=hunter2&sslmode=maybe",
		"postgres://belfry@127.0.0.1:1/hunter2?password=hunter2",
	} {
		_, err := store.Open(t.Context(), url, store.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
