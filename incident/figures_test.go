// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/incident"
)

func TestFiguresAreMeansOfWhatGotSoFar(t *testing.T) {
	day := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	made := func(severity string, services []string, minutes ...int) *incident.Incident {
		i := &incident.Incident{Kind: incident.Normal, Status: incident.Started, Severity: severity, Services: services, CreatedAt: day, Moments: map[incident.Status]incident.Moment{}}
		for n, s := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved}[:len(minutes)] {
			i.Moments[s], i.Status = incident.Moment{At: day.Add(time.Duration(minutes[n]) * time.Minute)}, s
		}
		return i
	}
	drill, cancelled := made("SEV1", []string{"shop"}, 500, 500, 500), made("SEV1", []string{"shop"}, 500)
	drill.Kind, cancelled.Status = incident.Test, incident.Cancelled
	got := incident.Figures([]*incident.Incident{made("SEV1", []string{"shop", "mail"}, 10, 20, 30), made("SEV1", []string{"shop"}, 20, 40), made("SEV1", []string{"shop"}, 0),
		made("SEV2", nil), drill, cancelled})
	mean := func(minutes, n int) incident.Mean {
		return incident.Mean{Time: time.Duration(minutes) * time.Minute, N: n}
	}
	want := []incident.Figure{
		{Severity: "SEV2", N: 1},
		{Service: "mail", Severity: "SEV1", N: 1, Acknowledge: mean(10, 1), Mitigate: mean(20, 1), Resolve: mean(30, 1)},
		{Service: "shop", Severity: "SEV1", N: 3, Acknowledge: mean(10, 3), Mitigate: mean(30, 2), Resolve: mean(30, 1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
