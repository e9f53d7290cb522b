// SPDX-License-Identifier: Apache-2.0

package desk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/desk"
)

// loud is signs whose critical alerts call for an incident.
type loud struct{ signs }

func (l loud) Route(labels alert.Labeled) desk.Routing {
	r := l.signs.Route(labels)
	if labels.Label("severity") == "critical" {
		r.Calls = []string{"shop"}
	}
	return r
}

// calls returns who calls for an incident.
func (o *office) calls() (out []string) {
	o.t.Helper()
	list, err := o.store.NextCalls(o.t.Context(), 100)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range list {
		a, err := o.store.Alert(o.t.Context(), c.AlertID)
		if err != nil {
			o.t.Fatal(err)
		}
		out = append(out, c.Route+" "+a.Object.Name()+" "+string(a.Topic))
	}
	return out
}

func (o *office) wantCalls(want ...string) {
	o.t.Helper()
	if got := o.calls(); !slices.Equal(got, want) {
		o.t.Errorf("calls %q, want %q", got, want)
	}
}

// TestAnAlertCallsForAnIncidentOnce: when it becomes what the route wants, and
// neither with each report nor with a notice.
func TestAnAlertCallsForAnIncidentOnce(t *testing.T) {
	o := newOffice(t)
	o.Desk = desk.New(o.store, loud{}, func(string, desk.Ability) bool { return false }, o.clock)
	warning := critical()
	warning.State, warning.Severity = "WARNING", alert.SeverityWarning
	o.take(warning)
	o.wantCalls()
	o.take(critical())
	const first = "shop Disk /var on web01 problem"
	o.wantCalls(first)
	notice := critical()
	notice.Kind = alert.ReportDowntime
	o.take(critical(), warning, critical(), notice)
	o.wantCalls(first)
	over := critical()
	over.Kind, over.State, over.Severity = alert.ReportRecovery, "OK", alert.SeverityOK
	o.take(over, critical())
	o.wantCalls(first, first) // another problem
	for _, c := range o.calls() {
		if strings.Contains(c, "downtime") {
			t.Errorf("a notice calls: %s", c)
		}
	}
}

// TestAMutedAlertCallsForNoIncidentUntilTheMuteIsOver: also where its card was
// there before.
func TestAMutedAlertCallsForNoIncidentUntilTheMuteIsOver(t *testing.T) {
	o := newOffice(t)
	o.Desk = desk.New(o.store, loud{}, func(string, desk.Ability) bool { return false }, o.clock)
	warning := critical()
	warning.State, warning.Severity = "WARNING", alert.SeverityWarning
	o.take(warning)
	if _, err := o.Mute(t.Context(), "anna", `host="web01"`, time.Hour, "works"); err != nil {
		t.Fatal(err)
	}
	o.take(critical())
	o.wantCalls()
	o.clock.Advance(time.Hour + time.Minute)
	o.keep()
	for range 2000 {
		if len(o.calls()) > 0 {
			break
		}
		o.clock.Advance(time.Millisecond)
		time.Sleep(time.Millisecond)
	}
	o.wantCalls("shop Disk /var on web01 problem")
}
