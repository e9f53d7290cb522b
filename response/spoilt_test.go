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

// spoil has incident #1 stored so that nobody can read it back.
func (w *watch) spoil() { w.Helper(); w.alter(`UPDATE incidents SET body = '{' WHERE number = 1`) }

// alter changes the database while the store is closed.
func (w *watch) alter(text string) {
	w.Helper()
	if err := w.store.Close(); err != nil {
		w.Fatal(err)
	}
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := db.ExecContext(w.Context(), text); err != nil {
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
	comes(c.clock, func() bool {
		_, err := c.store.IncidentFrom(t.Context(), "route mail", "all")
		return err == nil
	})
	calls, err := c.store.NextCalls(t.Context(), 10)
	if err != nil || len(calls) != 1 || calls[0].Route != "shop" || !strings.Contains(c.log.String(), "can't be read back") {
		t.Errorf("kept are %+v, %v; %s", calls, err, c.log.String())
	}
}

// TestAnAlertThatIsSpoiltHoldsUpNoOther: what it calls for waits, which is told and
// not spun on, and is answered once it can be read.
func TestAnAlertThatIsSpoiltHoldsUpNoOther(t *testing.T) {
	c := newCalling(t, incident.Rule{Limit: 5})
	c.end()
	c.fires("shop", "web01")
	c.fires("gone", "web09")
	c.alter(`UPDATE alerts SET body = 'x' || body`)
	c.begin()
	c.fires("shop", "web02")
	c.wait("web02 started 1")
	told := func(want int) {
		t.Helper()
		c.wait("web02 started 1")
		stuck, err := c.store.StuckCalls(t.Context())
		if err != nil || len(stuck) == 0 || stuck[0].Route != "shop" || !strings.Contains(stuck[0].Trouble, "alert #1 can't be read back") {
			t.Errorf("in trouble are %+v, %v", stuck, err)
		}
		if n := strings.Count(c.log.String(), `in vain, will try again" route=shop`); n != want {
			t.Errorf("it was told %d times, want %d: %s", n, want, c.log.String())
		}
	}
	told(1)
	c.clock.Advance(6 * time.Minute)
	told(2)
	c.clock.Advance(6 * time.Minute)
	told(3)
	if log := c.log.String(); !strings.Contains(log, "by a route that declares none") { // that of the other one, whose route is gone
		t.Error(log)
	}
	c.end()
	c.alter(`UPDATE alerts SET body = substr(body, 2) WHERE number = 1`)
	c.begin()
	c.clock.Advance(6 * time.Minute)
	c.wait("web02 started 2")
	if stuck, err := c.store.StuckCalls(t.Context()); err != nil || len(stuck) != 0 {
		t.Errorf("in trouble are %+v, %v", stuck, err)
	}
}

// TestAnAttachedAlertThatIsSpoiltIsLeftOut: the others are offered to whoever
// resolves the incident, and it can be reopened.
func TestAnAttachedAlertThatIsSpoiltIsLeftOut(t *testing.T) {
	c := newCalling(t, incident.Rule{Limit: 5})
	ids := c.fires("shop", "web01", "web02", "web03")
	c.wait("web01 started 3")
	c.end()
	c.alter(`UPDATE alerts SET body = 'x' || body WHERE number = 1`)
	c.begin()
	if list, err := c.run.Unattended(t.Context(), c.number(1)); err != nil || len(list) != 2 || list[0].ID != ids[1] {
		t.Errorf("unattended are %+v, %v", list, err)
	}
	c.must(c.run.Move(t.Context(), 1, incident.Cancel, somebody(), ""))
	c.recovers(ids[1])
	c.must(c.run.Move(t.Context(), 1, incident.Reopen, somebody(), ""))
	if x := c.number(1).Alerts; x[0].State != incident.AlertFiring || x[1].State != incident.AlertOver || x[2].State != incident.AlertFiring {
		t.Errorf("they stand as %+v", x)
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
