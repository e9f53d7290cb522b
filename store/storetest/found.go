// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/incident"
	"belfry/store"
)

func incidentsFound(t *testing.T, w *world) {
	for n, change := range []func(i *incident.Incident){
		func(i *incident.Incident) {
			i.Title, i.Services = "The Shop is 100% slow", []string{"Shop", "mail relay"}
		},
		func(i *incident.Incident) { i.Kind, i.Severity = incident.Normal, "SEV2" },
		func(i *incident.Incident) { i.Status = incident.Resolved },
	} {
		i := declared(fmt.Sprint("x", n))
		change(i)
		w.declare(t, i)
	}
	for _, c := range []struct {
		f    store.IncidentFilter
		want []int64
	}{
		{store.IncidentFilter{}, []int64{3, 2, 1}},
		{store.IncidentFilter{Limit: 1}, []int64{3}},
		{store.IncidentFilter{Before: 3, Limit: 1}, []int64{2}},
		{store.IncidentFilter{Open: true}, []int64{2, 1}},
		{store.IncidentFilter{Over: true}, []int64{3}},
		{store.IncidentFilter{Since: day()}, []int64{3, 2, 1}},
		{store.IncidentFilter{Since: day().Add(time.Second)}, nil},
		{store.IncidentFilter{Status: incident.Resolved}, []int64{3}},
		{store.IncidentFilter{Kind: incident.Normal}, []int64{2}},
		{store.IncidentFilter{Severity: "SEV2"}, []int64{2}},
		{store.IncidentFilter{Label: "service", Value: "SHOP"}, []int64{3, 2, 1}},
		{store.IncidentFilter{Label: "service", Value: "mail_relay"}, nil},
		{store.IncidentFilter{Label: "service", Value: "mail relay"}, []int64{1}},
		{store.IncidentFilter{Label: "site", Value: "north", Open: true}, []int64{2, 1}},
		{store.IncidentFilter{Words: []string{"shop", "100%"}}, []int64{1}},
		{store.IncidentFilter{Words: []string{"shop"}, Limit: 2}, []int64{3, 2}},
		{store.IncidentFilter{Words: []string{"shop"}, Before: 3, Limit: 1}, []int64{2}},
		{store.IncidentFilter{Words: []string{"shop"}, Label: "site", Value: "north", Over: true}, []int64{3}},
		{store.IncidentFilter{Seen: true}, nil},
		{store.IncidentFilter{Seen: true, Faces: []incident.Person{anna()}, Words: []string{"shop"}, Open: true}, []int64{2, 1}},
		{store.IncidentFilter{Words: []string{"100_"}}, nil},
		{store.IncidentFilter{Words: []string{"#2"}}, []int64{2}},
	} {
		list, err := w.Incidents(w.ctx, c.f)
		var got []int64
		for _, i := range list {
			got = append(got, i.Number)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v", c.f, got, err)
		}
	}
	counts, err := w.CountIncidents(w.ctx)
	want := []store.IncidentCount{{Status: incident.Resolved, Severity: "SEV1", Kind: incident.Test, N: 1},
		{Status: incident.Started, Severity: "SEV1", Kind: incident.Test, N: 1}, {Status: incident.Started, Severity: "SEV2", Kind: incident.Normal, N: 1}}
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// wordsFollow: what is looked for is what stands there now.
func wordsFollow(t *testing.T, w *world) {
	w.declare(t, declared("slow"))
	for _, change := range []func(i *incident.Incident){
		func(i *incident.Incident) { i.Title = "broken" },
		func(i *incident.Incident) { i.Fields["site"] = "south" },
		func(i *incident.Incident) { i.Roles["scribe"] = incident.Person{Name: "bert"} },
	} {
		if err := w.alter(1, func(i *incident.Incident) error { change(i); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for word, want := range map[string]int{"slow": 0, "broken": 1, "site:north": 0, "site:south": 1, "scribe:bert": 1, "commander:anna": 1} {
		if list, err := w.Incidents(w.ctx, store.IncidentFilter{Words: []string{word}}); err != nil || len(list) != want {
			t.Errorf("%q finds %d, %v", word, len(list), err)
		}
	}
}

// channelsFound: each once, whoever had it before, the newest incident's first;
// those of what is over for good are not looked into.
func channelsFound(t *testing.T, w *world) {
	for _, title := range []string{"b", "gone", "c", "a"} {
		w.declare(t, declared(title))
	}
	for number, status := range map[int64]incident.Status{4: incident.Resolved, 2: incident.Cancelled} {
		if err := w.alter(number, func(i *incident.Incident) error { i.Status = status; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	again := declared("a")
	again.Channels = append(again.Channels, incident.Channel{Connection: "chat2", ID: "c-d"})
	w.declare(t, again)
	for limit, want := range map[int][]string{10: {"c-a", "c-c", "c-b"}, 2: {"c-a", "c-c"}} {
		if got, err := w.IncidentChannels(w.ctx, "chat", limit); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
}
