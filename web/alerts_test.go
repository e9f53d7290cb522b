// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/store"
)

// report lets a monitoring system report something, which goes to
// destinations as the desk would have it.
func (s *site) report(r alert.Report, destinations ...string) *alert.Alert {
	s.t.Helper()
	var got *alert.Alert
	errs, err := s.store.Change(s.t.Context(), store.Change{Source: "nagios", Fingerprint: r.Object.Fingerprint(),
		Apply: func(v store.View) ([]store.Effect, error) {
			applied := alert.Apply("nagios", v.Open[alert.TopicProblem], v.Open[r.Kind.Topic()], r, time.Now().UTC().Truncate(time.Microsecond))
			var effects []store.Effect
			for i, a := range applied.Alerts {
				effects = append(effects, store.Effect{Alert: a, Events: applied.Events[i], NewCards: destinations, Stale: true})
				got = a
			}
			return effects, nil
		}})
	if err != nil || errs != nil && errs[0] != nil {
		s.t.Fatal(err, errs)
	}
	return got
}

func service(host, name string) alert.Object {
	return alert.Object{Kind: alert.KindService, Host: host, Service: name, Address: "10.0.3.17"}
}

func sampleAlerts(s *site) {
	s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical,
		Output: "DISK CRITICAL - free space: /var 412 MB (2% inode=71%)\n/var/log/journal 38 GB", Link: "https://monitoring.example/services/7",
		ProblemID: "1742", Contact: "ops-day", Labels: alert.Labels{"team": "storage", "env": "prod"}}, "mattermost/ops", "room/ops")
	s.report(alert.Report{Kind: alert.ReportProblem, Object: service("db02.berlin.example", "Load"), State: "WARNING", Severity: alert.SeverityWarning,
		Output: "WARNING - load average per CPU: 1.81"}, "room/ops")
	s.dead("mattermost/ops", "the channel ops of mattermost is archived: unarchive it, or change the route")
}

// dead lets the delivery engine give up on what goes to a destination.
func (s *site) dead(destination, why string) {
	s.t.Helper()
	claim, err := s.store.Claim(s.t.Context(), destination, 10)
	if err != nil || len(claim.Duties) == 0 {
		s.t.Fatalf("nothing to claim: %v %+v", err, claim)
	}
	var out []store.Settlement
	for _, d := range claim.Duties {
		out = append(out, store.Settlement{ID: d.ID, State: store.DutyDead, Failed: true, Err: why})
	}
	if _, err := s.store.Settle(s.t.Context(), destination, claim.Fence, out); err != nil {
		s.t.Fatal(err)
	}
}

func sampleAlertPath(s *site) string {
	list, err := s.store.Alerts(s.t.Context(), store.Filter{})
	if err != nil || len(list) == 0 {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("/alerts/%d", list[len(list)-1].ID)
}

func TestAlertsAreListedAndPaged(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	b.get("/alerts").want(t, 200, "Nothing is wrong at this moment.")
	for i := range 130 {
		s.report(alert.Report{Kind: alert.ReportProblem, Object: service(fmt.Sprintf("host%03d", i), "Ping"), State: "CRITICAL", Severity: alert.SeverityCritical})
	}
	s.report(alert.Report{Kind: alert.ReportRecovery, Object: service("host007", "Ping"), State: "OK"})
	first := b.get("/alerts").want(t, 200, "Firing 129", "Ping on host129", "Ping on host030", "Older alerts")
	if strings.Contains(first.body, "host007") || strings.Contains(first.body, "host001") {
		t.Error("the first page shows too much")
	}
	older := regexp.MustCompile(`href="(/alerts\?status=firing[^"]*)"`).FindStringSubmatch(first.body)
	if older == nil {
		t.Fatal("no link to older alerts")
	}
	second := b.get(html.UnescapeString(older[1])).want(t, 200, "Ping on host000")
	if strings.Contains(second.body, "host007") || strings.Contains(second.body, "host030") || strings.Contains(second.body, "Older alerts") {
		t.Errorf("the second page:\n%s", second.text())
	}
	b.get("/alerts?status=resolved").want(t, 200, "Ping on host007")
	b.get("/alerts?status=all").want(t, 200, "Ping on host129")
}

func TestAnAlertsPageShowsEverything(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	long := strings.Repeat("line of output <b>&\n", 2000) + "the very end"
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical,
		Output: long, Link: "javascript:alert(1)", ProblemID: "77", Contact: "ops-day", Labels: alert.Labels{"team": "storage"}}, "mattermost/ops", "room/ops")
	s.report(alert.Report{Kind: alert.ReportAck, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical,
		Output: long, ProblemID: "77", Author: "carol", Comment: "<img src=x>"})
	s.dead("mattermost/ops", "the channel is archived")
	p := b.get(fmt.Sprintf("/alerts/%d", a.ID)).want(t, 200, "Disk /var on web01", "the very end", "problem 77", "ops-day", "team", "storage",
		"problem began", "carol", "acknowledged by carol", "card → mattermost/ops", "given up", "the channel is archived", "card → room/ops", "waits")
	if strings.Contains(p.body, "<img src=x>") || strings.Contains(p.body, "output <b>") || strings.Contains(p.body, "javascript:") {
		t.Error("what monitoring sends is not shown literally")
	}
	b.get("/alerts/1").want(t, 404)
	b.get("/alerts/x").want(t, 404)
	b.get("/alerts/-1").want(t, 404)
}

// A core that takes a command has not carried it out yet, and may never say so.
func TestAnInstructionIsNotSaidToBeCarriedOut(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical})
	errs, err := s.store.Change(t.Context(), store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
		asked := alert.Event{Kind: alert.EventInstructed, Actor: "bob", At: time.Now(), Instruction: &alert.Instruction{Do: "check"}}
		return []store.Effect{{Alert: v.Alert, Events: []alert.Event{asked, v.Alert.Instructed(asked, "", time.Now())}}}, nil
	}})
	if err = errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
	p := b.get(fmt.Sprintf("/alerts/%d", a.ID)).want(t, 200, "asked of the monitoring system", "accepted by the monitoring system")
	if strings.Contains(p.body, "carried out") || strings.Contains(p.body, "told the monitoring system") {
		t.Error("it is said to be more than was confirmed")
	}
}

func TestDeadLettersAreSentAgain(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	b.get("/deliveries").want(t, 200, "Everything was delivered.", "None.")
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical}, "mattermost/ops")
	c := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web02", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical}, "mattermost/ops")
	s.dead("mattermost/ops", "the token was <revoked>")
	b.get("/deliveries").want(t, 200, "2 given up", "Disk /var on web01", "Disk /var on web02", "the token was <revoked>", "Re-send all to mattermost/ops")
	dead := func() []store.Duty {
		list, err := s.store.DeadDuties(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	one := fmt.Sprint(dead()[0].ID)
	b.post("/deliveries/resend", "id", one).leadsTo(t, "/deliveries")
	b.get("/deliveries").want(t, 200, "It is on its way again.", "1 given up")
	b.post("/deliveries/resend", "id", one).leadsTo(t, "/deliveries")
	b.get("/deliveries").want(t, 200, "no dead letter any more")
	b.post("/deliveries/resend-all", "destination", "mattermost/ops").leadsTo(t, "/deliveries")
	b.get("/deliveries").want(t, 200, "On their way again to mattermost/ops: 1.", "0 given up")
	if left := dead(); len(left) != 0 {
		t.Errorf("still dead: %+v (%d, %d)", left, a.ID, c.ID)
	}
	b.post("/deliveries/resend", "id", "x").want(t, 400)
	b.post("/deliveries/resend-all").want(t, 400)
}
