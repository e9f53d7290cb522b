// SPDX-License-Identifier: Apache-2.0

package response_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

// calling is a watch whose routes declare incidents.
type calling struct {
	*watch
	rule incident.Rule
	log  lockedBuffer
	end  func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func newCalling(t *testing.T, rule incident.Rule) *calling {
	t.Helper()
	rule.Route = "shop"
	c := &calling{watch: newWatch(t), rule: rule}
	c.set.Services = []string{"shop"}
	c.begin()
	t.Cleanup(func() {
		c.end()
		if err := c.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// begin has calls answered; end ends it, as a kill does.
func (c *calling) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	c.store.SetOnCall(c.run.Called)
	wg.Go(func() {
		c.run.KeepCalls(ctx, func(route string) (incident.Rule, bool) { return c.rule, route == "shop" }, slog.New(slog.NewTextHandler(&c.log, nil)))
	})
	c.end = func() { cancel(); wg.Wait() }
}

// fires has hosts go down that call for an incident.
func (c *calling) fires(route string, hosts ...string) (ids []alert.ID) {
	c.Helper()
	var changes []store.Change
	alerts := make([]*alert.Alert, len(hosts))
	for n, host := range hosts {
		a := &alert.Alert{Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical, Revision: 1,
			Object: alert.Object{Kind: alert.KindHost, Host: host}, StartsAt: c.clock.Now(), UpdatedAt: c.clock.Now()}
		a.Fingerprint = a.Object.Fingerprint()
		alerts[n] = a
		changes = append(changes, store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
			return []store.Effect{{Alert: a, Calls: []string{route}}}, nil
		}})
	}
	errs, err := c.store.Change(c.Context(), changes...)
	for _, e := range append(errs, err) {
		if e != nil {
			c.Fatal(e)
		}
	}
	for _, a := range alerts {
		ids = append(ids, a.ID)
	}
	return ids
}

// recovers ends a host's problem.
func (c *calling) recovers(id alert.ID) {
	c.Helper()
	errs, err := c.store.Change(c.Context(), store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		a := v.Alert.Clone()
		a.Status, a.EndsAt = alert.Resolved, c.clock.Now()
		a.Revision++
		return []store.Effect{{Alert: a}}, nil
	}})
	if err != nil || errs[0] != nil {
		c.Fatal(err, errs)
	}
}

// wait waits until the incidents read so, the oldest first: title, status,
// number of alerts. It lets half a minute pass at most, in which calls are looked
// for twice.
func (c *calling) wait(want ...string) {
	c.Helper()
	var got []string
	for range 3000 {
		got = nil
		list, err := c.store.Incidents(c.Context(), store.IncidentFilter{})
		if err != nil {
			c.Fatal(err)
		}
		for n := len(list) - 1; n >= 0; n-- {
			i, err := c.store.Incident(c.Context(), list[n].Number)
			if err != nil {
				c.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %d", i.Title, i.Status, len(i.Alerts)))
		}
		calls, err := c.store.NextCalls(c.Context(), 1000)
		if err != nil {
			c.Fatal(err)
		}
		waits := false
		for _, x := range calls {
			waits = waits || !x.DueAt.After(c.clock.Now())
		}
		if !waits && strings.Join(got, "\n") == strings.Join(want, "\n") {
			return
		}
		c.clock.Advance(10 * time.Millisecond)
		time.Sleep(time.Millisecond)
	}
	c.Fatalf("the incidents are %q, want %q; %s", got, want, c.log.String())
}

// TestAnAlertDeclaresAnIncidentAndTheNextOnesBelongToIt: of one group; declared
// by the route and by nobody else.
func TestAnAlertDeclaresAnIncidentAndTheNextOnesBelongToIt(t *testing.T) {
	c := newCalling(t, incident.Rule{Title: "{host} is {state}down {", Severity: "SEV1", Services: []string{"shop"}, CoolDown: 10 * time.Minute, Limit: 5})
	c.fires("shop", "web01")
	c.wait("web01 is down { started 1")
	c.fires("shop", "web02", "web03")
	c.wait("web01 is down { started 3")
	i, err := c.store.IncidentFrom(t.Context(), "route shop", "all")
	if err != nil || i.CreatedBy != incident.Machine("route", "shop") || i.Severity != "SEV1" || i.Services[0] != "shop" || len(i.People) != 0 {
		t.Errorf("%+v, %v", i, err)
	}
	duties, err := c.store.Duties(t.Context(), i.ID)
	if err != nil || len(duties) != 1 || duties[0].Destination != "chat/ops" || duties[0].Kind != store.DutyCard {
		t.Errorf("it is announced by %+v, %v", duties, err)
	}
}

// TestAfterItsEndAnotherIsDeclaredButNotAtOnce: an alert within the cool-down
// waits, and calls no one when it is over by then.
func TestAfterItsEndAnotherIsDeclaredButNotAtOnce(t *testing.T) {
	c := newCalling(t, incident.Rule{CoolDown: 10 * time.Minute, Limit: 5})
	c.fires("shop", "web01")
	c.wait("web01 started 1")
	c.must(c.run.Move(t.Context(), 1, incident.Resolve, somebody(), ""))
	brief := c.fires("shop", "brief")[0]
	c.wait("web01 resolved 1")
	c.recovers(brief)
	c.clock.Advance(11 * time.Minute)
	c.wait("web01 resolved 1")
	c.must(c.run.Move(t.Context(), 1, incident.Reopen, somebody(), ""))
	c.must(c.run.Move(t.Context(), 1, incident.Cancel, somebody(), ""))
	c.fires("shop", "web02")
	c.wait("web01 cancelled 1")
	c.clock.Advance(11 * time.Minute)
	c.wait("web01 cancelled 1", "web02 started 1")
}

// TestAStormDeclaresNoMoreThanItsLimit: one incident for each group, up to the
// limit; all others are attached where one is open, and it is said there once.
func TestAStormDeclaresNoMoreThanItsLimit(t *testing.T) {
	c := newCalling(t, incident.Rule{Group: []string{"host"}, Limit: 2})
	var hosts []string
	for n := range 300 {
		hosts = append(hosts, fmt.Sprintf("h%03d", n))
	}
	c.fires("shop", hosts...)
	c.wait("h000 started 1", "h001 started 200") // incident.MaxAlerts
	entries, err := c.store.IncidentEntries(t.Context(), c.number(2).ID, store.EntryFilter{Limit: 1000})
	said := 0
	for _, e := range entries {
		if e.Kind == incident.EntryTrouble {
			said++
		}
	}
	if err != nil || said != 2 { // the limit, and that it takes no more
		t.Errorf("it said %d times that it is full, %v", said, err)
	}
	for n := range int64(2) {
		c.must(c.run.Move(t.Context(), n+1, incident.Resolve, somebody(), ""))
	}
	c.fires("shop", "late")
	c.wait("h000 resolved 1", "h001 resolved 200")
	c.clock.Advance(time.Hour + time.Minute)
	c.wait("h000 resolved 1", "h001 resolved 200", "late started 1")
}

// TestWhatIsReopenedKnowsHowItsAlertsStand: what became of them while it was over
// was told to nobody.
func TestWhatIsReopenedKnowsHowItsAlertsStand(t *testing.T) {
	c := newCalling(t, incident.Rule{Limit: 5})
	ids := c.fires("shop", "web01", "web02")
	c.wait("web01 started 2")
	c.must(c.run.Move(t.Context(), 1, incident.Cancel, somebody(), ""))
	c.recovers(ids[0])
	c.must(c.run.Move(t.Context(), 1, incident.Reopen, somebody(), ""))
	i := c.number(1)
	if i.Alerts[0].State != incident.AlertOver || i.Alerts[1].State != incident.AlertFiring {
		t.Errorf("they stand as %+v", i.Alerts)
	}
}

func (c *calling) number(n int64) *incident.Incident {
	c.Helper()
	i, err := c.store.Incident(c.Context(), n)
	if err != nil {
		c.Fatal(err)
	}
	return i
}

// TestACallSurvivesAKillAndIsAnsweredOnce: stored with the alert, answered after
// the restart; and by one of two who look.
func TestACallSurvivesAKillAndIsAnsweredOnce(t *testing.T) {
	c := newCalling(t, incident.Rule{Group: []string{"host"}, Limit: 100})
	c.end()
	var want []string
	for n := range 20 {
		host := fmt.Sprintf("h%02d", n)
		c.fires("shop", host)
		want = append(want, host+" started 1")
	}
	if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	c.open()
	c.begin()
	first := c.end
	c.begin()
	second := c.end
	c.end = func() { first(); second() }
	c.wait(want...)
}

// TestCallsThatCantBeAnsweredAreDropped: their route is gone, or what it
// declares is impossible; the next ones are answered all the same.
func TestCallsThatCantBeAnsweredAreDropped(t *testing.T) {
	c := newCalling(t, incident.Rule{Limit: 5, Services: []string{"unknown"}})
	c.fires("gone", "web01")
	c.fires("shop", "web02")
	c.wait()
	c.clock.Advance(9 * time.Minute) // it may be a route of a configuration that is on its way
	c.wait()
	if calls, err := c.store.NextCalls(t.Context(), 10); err != nil || len(calls) != 1 || calls[0].Route != "gone" {
		t.Errorf("kept are %+v, %v", calls, err)
	}
	c.clock.Advance(2 * time.Minute)
	c.wait()
	c.end()
	if calls, err := c.store.NextCalls(t.Context(), 10); err != nil || len(calls) != 0 {
		t.Errorf("kept are %+v, %v", calls, err)
	}
	log := c.log.String()
	if !strings.Contains(log, "by a route that declares none") || !strings.Contains(log, `there is no service \"unknown\"`) {
		t.Error(log)
	}
	c.rule.Services, c.rule.Severity = nil, "SEV0"
	c.set.Severities[0].Private = true
	c.begin()
	c.fires("shop", "web03")
	c.wait()
	c.end()
	if log := c.log.String(); !strings.Contains(log, "nobody takes part") {
		t.Error(log)
	}
	c.rule.Severity = ""
	c.begin()
	c.fires("shop", "web04")
	c.wait("web04 started 1")
}
