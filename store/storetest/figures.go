// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"belfry/incident"
	"belfry/store"
)

func figureCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"means are of what got so far":              figuresAreMeans,
		"figures and lists are those of what shows": figuresOfWhatShows,
	}
}

// wanted are the figures of a list, added up one by one.
func wanted(list []*incident.Incident) []incident.Figure {
	type group struct{ service, severity string }
	sums := map[group]*incident.Figure{}
	for _, i := range list {
		if i.Kind == incident.Test || i.Status == incident.Cancelled {
			continue
		}
		services := i.Services
		if len(services) == 0 {
			services = []string{""}
		}
		for _, service := range services {
			g := group{service, i.Severity}
			if sums[g] == nil {
				sums[g] = &incident.Figure{Service: service, Severity: i.Severity}
			}
			f := sums[g]
			f.N++
			for status, m := range map[incident.Status]*incident.Mean{incident.Started: &f.Acknowledge, incident.Mitigated: &f.Mitigate, incident.Resolved: &f.Resolve} {
				if d, ok := i.Took(status); ok {
					m.Time += d // the sum, for now
					m.N++
				}
			}
		}
	}
	out := []incident.Figure{}
	for _, f := range sums {
		for _, m := range []*incident.Mean{&f.Acknowledge, &f.Mitigate, &f.Resolve} {
			if m.N > 0 {
				m.Time = (m.Time / time.Duration(m.N)).Truncate(time.Microsecond)
			}
		}
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b incident.Figure) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Severity, b.Severity))
	})
	return out
}

func figuresAreMeans(t *testing.T, w *world) {
	made := func(severity string, services []string, minutes ...int) *incident.Incident {
		i := &incident.Incident{Kind: incident.Normal, Status: incident.Started, Severity: severity, Services: services, CreatedAt: day(), UpdatedAt: day(), Moments: map[incident.Status]incident.Moment{}}
		for n, s := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved}[:len(minutes)] {
			i.Moments[s], i.Status = incident.Moment{At: day().Add(time.Duration(minutes[n]) * time.Minute)}, s
		}
		return i
	}
	drill, cancelled := made("SEV1", []string{"shop"}, 500, 500, 500), made("SEV1", []string{"shop"}, 500)
	drill.Kind, cancelled.Status = incident.Test, incident.Cancelled
	for _, i := range []*incident.Incident{made("SEV1", []string{"shop", "mail"}, 10, 20, 30), made("SEV1", []string{"shop"}, 20, 40), made("SEV1", []string{"shop"}, 0),
		made("SEV2", nil), drill, cancelled} {
		w.declare(t, i)
	}
	mean := func(minutes, n int) incident.Mean {
		return incident.Mean{Time: time.Duration(minutes) * time.Minute, N: n}
	}
	want := []incident.Figure{
		{Severity: "SEV2", N: 1},
		{Service: "mail", Severity: "SEV1", N: 1, Acknowledge: mean(10, 1), Mitigate: mean(20, 1), Resolve: mean(30, 1)},
		{Service: "shop", Severity: "SEV1", N: 3, Acknowledge: mean(10, 3), Mitigate: mean(30, 2), Resolve: mean(30, 1)},
	}
	got, err := w.Figures(w.ctx, store.FigureFilter{})
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	// Reopened: it is no longer mitigated or resolved.
	err = w.alter(1, func(i *incident.Incident) error {
		delete(i.Moments, incident.Mitigated)
		delete(i.Moments, incident.Resolved)
		i.Status = incident.Started
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want[1].Mitigate, want[1].Resolve, want[2].Mitigate, want[2].Resolve = incident.Mean{}, incident.Mean{}, mean(40, 1), incident.Mean{}
	got, err = w.Figures(w.ctx, store.FigureFilter{})
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// scramble makes an incident into any that there may be.
func scramble(r *rand.Rand, i *incident.Incident) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	i.Kind = incident.Kind(pick("normal", "sub", "normal", "test"))
	i.Severity = pick("", "SEV1", "SEV2", "ſ\x00")
	i.Services = [][]string{nil, {"shop"}, {"shop", "mail"}, {"mail", "Ä"}}[r.IntN(4)]
	i.Private = r.IntN(2) == 0
	i.Status = incident.Started
	i.Moments = map[incident.Status]incident.Moment{}
	for _, s := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved} {
		if r.IntN(4) > 0 {
			i.Status = s
			i.Moments[s] = incident.Moment{At: i.CreatedAt.Add(time.Duration(r.Int64N(1e15) - 1e13).Truncate(time.Microsecond))}
		}
	}
	if r.IntN(6) == 0 {
		i.Status = incident.Cancelled
	}
	i.People = nil
	for range r.IntN(3) {
		i.People = append(i.People, incident.Person{Connection: pick("", "chat", "room"), ID: pick("", "u1", "u2"), Name: pick("anna", "bert")})
	}
}

// figuresOfWhatShows compares with the rule that says who may know of what.
func figuresOfWhatShows(t *testing.T, w *world) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	faces := [][]incident.Person{nil, {{Connection: "chat", ID: "u1", Name: "anna"}}, {{Connection: "room", ID: "u2", Name: "anna"}, {Connection: "chat", ID: "u2", Name: "bert"}},
		{{Name: "bert"}}, {{Connection: "chat", Name: "anna"}}, {{ID: "u1", Name: "bert"}}}
	check := func() {
		t.Helper()
		all, err := w.Incidents(w.ctx, store.IncidentFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, mine := range faces {
			for _, since := range []time.Time{{}, day().Add(20 * time.Minute)} {
				shown := slices.DeleteFunc(slices.Clone(all), func(i *incident.Incident) bool {
					seen := !i.Private || slices.ContainsFunc(mine, func(p incident.Person) bool { return i.Visible(p, false) })
					return !seen || i.CreatedAt.Before(since)
				})
				got, err := w.Figures(w.ctx, store.FigureFilter{Since: since, Faces: mine})
				if diff := gocmp.Diff(wanted(shown), got); diff != "" || err != nil {
					t.Fatalf("%+v since %v: %v\n%s", mine, since, err, diff)
				}
				list, err := w.Incidents(w.ctx, store.IncidentFilter{Since: since, Seen: true, Faces: mine, Limit: 1000})
				if diff := gocmp.Diff(shown, list); diff != "" || err != nil {
					t.Fatalf("the list for %+v since %v: %v\n%s", mine, since, err, diff)
				}
			}
		}
	}
	for n := range 40 {
		i := &incident.Incident{Title: fmt.Sprint(n), CreatedAt: day().Add(time.Duration(n) * time.Minute), UpdatedAt: day()}
		scramble(r, i)
		w.declare(t, i)
	}
	check()
	for range 40 {
		if err := w.alter(1+r.Int64N(40), func(i *incident.Incident) error { scramble(r, i); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	check()
}
