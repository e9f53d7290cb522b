// SPDX-License-Identifier: Apache-2.0

package response_test

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/incident"
)

// spoil has incident #1 stored so that nobody can read it back. The store is
// closed meanwhile.
func (w *watch) spoil() {
	w.Helper()
	if err := w.store.Close(); err != nil {
		w.Fatal(err)
	}
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := db.ExecContext(w.Context(), `UPDATE incidents SET body = '{' WHERE number = 1`); err != nil {
		w.Fatal(err)
	}
	if err := db.Close(); err != nil {
		w.Fatal(err)
	}
	w.open()
}

// TestACallForAnIncidentThatIsSpoiltStopsNoOther: it waits, and is told.
func TestACallForAnIncidentThatIsSpoiltStopsNoOther(t *testing.T) {
	c := newCalling(t, incident.Rule{Limit: 5})
	c.fires("shop", "web01")
	c.wait("web01 started 1")
	c.end()
	c.spoil()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		c.run.KeepCalls(ctx, func(route string) (incident.Rule, bool) { return incident.Rule{Route: route, Limit: 5}, true }, slog.New(slog.NewTextHandler(&c.log, nil)))
	})
	defer wait.Wait()
	defer cancel()
	c.fires("shop", "web02")
	c.fires("mail", "mx1")
	for range 3000 {
		if _, err := c.store.IncidentFrom(t.Context(), "route mail", "all"); err == nil {
			break
		}
		c.clock.Advance(10 * time.Millisecond)
		time.Sleep(time.Millisecond)
	}
	calls, err := c.store.NextCalls(t.Context(), 10)
	if err != nil || len(calls) != 1 || calls[0].Route != "shop" || !strings.Contains(c.log.String(), "can't be read back") {
		t.Errorf("kept are %+v, %v; %s", calls, err, c.log.String())
	}
}

// TestAnIncidentThatIsSpoiltKeepsNobodyFromBeingReminded of the others.
func TestAnIncidentThatIsSpoiltKeepsNobodyFromBeingReminded(t *testing.T) {
	w := newWatch(t)
	for _, title := range []string{"spoilt", "whole"} {
		w.must(w.run.Declare(t.Context(), incident.Declaration{Title: title, By: somebody()}, 0, 0))
		w.clock.Advance(time.Second)
	}
	w.spoil()
	end := w.keep()
	defer func() {
		end()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	}()
	w.pass(11*time.Minute, 2, "commander@15:1…")
}
