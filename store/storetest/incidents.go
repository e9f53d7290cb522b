// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

func incidentCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"an incident comes back whole":                 incidentComesBack,
		"numbers have no gaps, however many declare":   incidentNumbers,
		"two processes never give the same number":     incidentNumbersOfTwo,
		"a refusal leaves everything and harms nobody": incidentRefused,
		"one change may touch two":                     incidentPair,
		"a timeline is read by when things happened":   incidentTimeline,
		"a channel leads to its incident":              incidentChannels,
		"an alert leads to its incidents":              incidentAlerts,
		"of two who edit a retrospective one is told":  retrospectives,
		"incidents are found":                          incidentsFound,
		"their channels are listed":                    channelsFound,
		"they are found by what they are now":          wordsFollow,
		"what databases can't hold is made fit":        incidentTexts,
	}
}

func anna() incident.Person { return incident.Person{Connection: "chat", ID: "u1", Name: "anna"} }

// declared is a new incident without a zero field but what is set apart.
func declared(title string) *incident.Incident {
	m := incident.Moment{At: day(), By: anna()}
	return &incident.Incident{
		Kind: incident.Test, Status: incident.Started, Severity: "SEV1", Title: title, Revision: 1, Entries: 2, CreatedAt: day(), UpdatedAt: day(), Private: true,
		Parent: 3, DuplicateOf: 4, CreatedBy: anna(), Summary: "no „orders“ \U0001F525", Update: "looking", Updated: m, Types: []string{"outage"},
		Services: []string{"shop"}, Environments: []string{"production"}, Fields: map[string]string{"site": "north"},
		Moments: map[incident.Status]incident.Moment{incident.Started: m}, Reopened: 2, Opened: day(), Origin: "route shop", OriginKey: title, RemindAt: day().Add(time.Minute),
		Reminded: map[incident.ReminderKind]incident.Reminded{incident.RemindUpdate: {Since: day(), Times: 1, At: day()}}, Roles: map[string]incident.Person{"commander": anna()},
		People: []incident.Person{anna()}, Subs: []int64{7}, Duplicates: []int64{8}, Cards: []string{"chat/town"},
		Tasks: []incident.Task{{Number: 1, Kind: incident.ToDo, Text: "call", Owner: anna(), Link: "https://chat.example.org/m", Due: day(), Created: m, Done: m, Reminded: true},
			{Number: 2, Kind: incident.FollowUp, Text: "write", Created: m}},
		Alerts: []incident.Attached{{Alert: 9, Number: 5, Name: "web01", Source: "nagios", Fingerprint: "f1", Topic: alert.TopicProblem, Severity: alert.SeverityCritical,
			State: incident.AlertAcknowledged, StartsAt: day(), Moment: m},
			{Alert: 8, Number: 4, Name: "web02", Source: "nagios", Severity: alert.SeverityWarning, Moment: incident.Moment{At: day().Add(time.Second), By: anna()}}},
		Channels: []incident.Channel{{Connection: "chat", ID: "c-" + title, Name: "inc", URL: "https://chat.example.org/c", Ours: true, Public: true, Archived: true}},
		Told:     []string{"limit"},
	}
}

// entry is an entry without a zero field but its ids.
func entry(kind incident.EntryKind, at time.Time) incident.Entry {
	return incident.Entry{Kind: kind, At: at, RecordedAt: day(), By: anna(), Text: "words", Link: "https://chat.example.org/m", KeptBy: anna(),
		What: "what", Was: "a", Is: "b", Other: 1, Alert: 2, Since: day()}
}

// declare stores a new incident.
func (w *world) declare(t *testing.T, i *incident.Incident, entries ...incident.Entry) *incident.Incident {
	t.Helper()
	err := w.ChangeIncident(w.ctx, store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
		return []store.IncidentEffect{{Incident: i, Entries: entries}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// alter changes an incident.
func (w *world) alter(number int64, change func(i *incident.Incident) error, entries ...incident.Entry) error {
	return w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{number}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i := v.Incidents[number]
		if i == nil {
			return nil, store.ErrNotFound
		}
		return []store.IncidentEffect{{Incident: i, Entries: entries}}, change(i)
	}})
}

func incidentComesBack(t *testing.T, w *world) {
	whole(t, declared("shop"), "Incident.ID", "Incident.Number")
	whole(t, entry(incident.EntryDeclared, day()), "Entry.ID", "Entry.IncidentID")
	i := w.declare(t, declared("shop"), entry(incident.EntryDeclared, day()), entry(incident.EntryAttached, day()))
	if i.Number != 1 || i.ID == 0 {
		t.Fatalf("it is %d with number %d", i.ID, i.Number)
	}
	check := func() {
		t.Helper()
		for name, read := range map[string]func() (*incident.Incident, error){
			"by number":  func() (*incident.Incident, error) { return w.Incident(w.ctx, 1) },
			"by id":      func() (*incident.Incident, error) { return w.IncidentByID(w.ctx, i.ID) },
			"by channel": func() (*incident.Incident, error) { return w.IncidentIn(w.ctx, "chat", "c-shop") },
		} {
			got, err := read()
			if diff := cmp.Diff(i, got); diff != "" || err != nil {
				t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
			}
		}
	}
	check()
	list, err := w.IncidentEntries(w.ctx, i.ID, store.EntryFilter{})
	if err != nil || len(list) != 2 || list[0].ID <= i.ID || list[1].ID <= list[0].ID {
		t.Fatalf("%+v, %v", list, err)
	}
	want := entry(incident.EntryAttached, day())
	want.IncidentID, want.ID = i.ID, list[1].ID
	one, err := w.IncidentEntry(w.ctx, i.ID, list[1].ID)
	if diff := cmp.Diff(want, one); diff != "" || err != nil {
		t.Error(err, diff)
	}
	err = w.alter(1, func(x *incident.Incident) error {
		x.Status, x.Severity, x.Title, x.Revision, x.Private = incident.Resolved, "", "new", 2, false
		x.Tasks[1].Done = incident.Moment{At: day(), By: anna()}
		x.Tasks = append(x.Tasks, incident.Task{Number: 3, Kind: incident.ToDo, Text: "more"})
		x.Alerts = append(x.Alerts, incident.Attached{Alert: 1, Moment: incident.Moment{At: day().Add(time.Hour)}})
		i = x.Clone()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check()
	w.reopen(t)
	check()
	if next := w.declare(t, declared("next")); next.ID <= list[1].ID || next.Number != 2 {
		t.Errorf("after a restart: %d with number %d", next.ID, next.Number)
	}
	for _, err := range []error{w.alter(7, func(*incident.Incident) error { return nil }), second(w.Incident(w.ctx, 7)), second(w.IncidentEntry(w.ctx, i.ID, 1))} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func incidentNumbers(t *testing.T, w *world) {
	const n = 60
	var mu sync.Mutex
	var given []int64
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			i := declared(fmt.Sprint("incident ", k))
			err := w.ChangeIncident(w.ctx, store.IncidentChange{Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
				if k%3 == 0 {
					return nil, errors.New("no")
				}
				i.Fields["next"] = fmt.Sprint(v.Next)
				return []store.IncidentEffect{{Incident: i}}, nil
			}})
			if (err != nil) != (k%3 == 0) {
				t.Error(k, err)
			}
			if err == nil {
				mu.Lock()
				given = append(given, i.Number)
				mu.Unlock()
				if i.Fields["next"] != fmt.Sprint(i.Number) {
					t.Errorf("number %d was announced as %s", i.Number, i.Fields["next"])
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(given)
	for k, number := range given {
		if number != int64(k+1) {
			t.Fatalf("given: %v", given)
		}
	}
	if len(given) != n-n/3 {
		t.Errorf("%d were given", len(given))
	}
}

func incidentNumbersOfTwo(t *testing.T, w *world) {
	other, err := store.Open(w.ctx, w.url, store.Options{Clock: w.clock, Owner: "other"})
	if errors.Is(err, store.ErrInUse) {
		t.Skip("this database belongs to one process")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	given := map[int64]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for k := range 20 {
		s := []*store.Store{w.Store, other}[k%2]
		wg.Go(func() {
			i := declared(fmt.Sprint("incident ", k))
			if err := s.ChangeIncident(w.ctx, store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
				return []store.IncidentEffect{{Incident: i, Entries: []incident.Entry{entry(incident.EntryDeclared, day())}}}, nil
			}}); err != nil {
				t.Error(err)
			}
			mu.Lock()
			given[i.Number] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(given) != 20 || !given[1] || !given[20] {
		t.Errorf("given: %v", given)
	}
}

func incidentRefused(t *testing.T, w *world) {
	one := w.declare(t, declared("one"))
	no := errors.New("no")
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			err := w.alter(1, func(i *incident.Incident) error {
				i.Title = fmt.Sprint(k)
				if k%2 == 0 {
					return no
				}
				if k == 3 {
					panic("inside")
				}
				i.Revision++
				return nil
			}, entry(incident.EntryRenamed, day()))
			if (k%2 == 0) != errors.Is(err, no) || (err == nil) != (k%2 == 1 && k != 3) {
				t.Error(k, err)
			}
		})
	}
	wg.Wait()
	got, err := w.Incident(w.ctx, 1)
	if err != nil || got.Revision != 4 {
		t.Errorf("%+v, %v", got, err)
	}
	if list, err := w.IncidentEntries(w.ctx, one.ID, store.EntryFilter{}); err != nil || len(list) != 3 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	strange := declared("strange")
	strange.ID = 77
	for name, effects := range map[string][]store.IncidentEffect{
		"nothing":          {{}},
		"not its own":      {{Incident: got}},
		"unknown":          {{Incident: strange}},
		"two new ones":     {{Incident: declared("a")}, {Incident: declared("b")}},
		"without a status": {{Incident: &incident.Incident{Kind: incident.Normal}}},
	} {
		err := w.ChangeIncident(w.ctx, store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) { return effects, nil }})
		if err == nil {
			t.Errorf("%s was stored", name)
		}
	}
	if next := w.declare(t, declared("next")); next.Number != 2 {
		t.Errorf("then comes %d", next.Number)
	}
}

func incidentPair(t *testing.T, w *world) {
	w.declare(t, declared("parent"))
	sub := declared("sub")
	err := w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{1, 9}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		if v.Incidents[9] != nil || v.Next != 2 {
			t.Errorf("%+v", v)
		}
		parent := v.Incidents[1]
		parent.Subs = append(parent.Subs, v.Next)
		sub.Parent = 1
		return []store.IncidentEffect{{Incident: sub}, {Incident: parent}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	parent, err := w.Incident(w.ctx, 1)
	if err != nil || !slices.Equal(parent.Subs, []int64{7, 2}) {
		t.Errorf("%+v, %v", parent, err)
	}
	if list, err := w.Incidents(w.ctx, store.IncidentFilter{Parent: 1}); err != nil || len(list) != 1 || list[0].Number != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

func incidentTimeline(t *testing.T, w *world) {
	minute := func(n int) time.Time { return day().Add(time.Duration(n) * time.Minute) }
	i := w.declare(t, declared("shop"), entry(incident.EntryDeclared, minute(0)))
	for _, at := range []int{5, 3, 9, 3} {
		if err := w.alter(1, func(*incident.Incident) error { return nil }, entry(incident.EntryEvent, minute(at))); err != nil {
			t.Fatal(err)
		}
	}
	read := func(f store.EntryFilter) (minutes []int) {
		list, err := w.IncidentEntries(w.ctx, i.ID, f)
		if err != nil {
			t.Fatal(err)
		}
		for n, e := range list {
			minutes = append(minutes, int(e.At.Sub(day()).Minutes()))
			if n > 0 && e.At.Equal(list[n-1].At) && e.ID < list[n-1].ID {
				t.Error("what was told first stands below")
			}
		}
		return minutes
	}
	for _, c := range []struct {
		f    store.EntryFilter
		want []int
	}{
		{store.EntryFilter{}, []int{0, 3, 3, 5, 9}},
		{store.EntryFilter{Limit: 2}, []int{5, 9}},
		{store.EntryFilter{Limit: 2, Until: minute(5)}, []int{3, 3}},
		{store.EntryFilter{Since: minute(4)}, []int{5, 9}},
	} {
		if got := read(c.f); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
	// Page by page nothing is left out, although two happened at one moment.
	var pages []alert.ID
	f := store.EntryFilter{Limit: 2}
	for range 4 {
		list, err := w.IncidentEntries(w.ctx, i.ID, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range slices.Backward(list) {
			pages = append(pages, e.ID)
		}
		if len(list) > 0 {
			if !f.Continue(store.CursorAt(list[0])) {
				t.Errorf("%q is not taken back", store.CursorAt(list[0]))
			}
		}
	}
	for _, none := range []string{"", "x", "1", "1.", ".1", "x.1", "1.x", "0.1", "1.0", "-1.1", "1.-1", "1.1.1"} {
		if f.Continue(none) {
			t.Errorf("%q is taken for a place in a timeline", none)
		}
	}
	if slices.Sort(pages); len(slices.Compact(pages)) != 5 {
		t.Errorf("the pages of a timeline have %v", pages)
	}
}

func incidentChannels(t *testing.T, w *world) {
	w.declare(t, declared("a"))
	b := declared("b")
	b.Channels[0].ID = "c-a"
	err := w.ChangeIncident(w.ctx, store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
		return []store.IncidentEffect{{Incident: b}}, nil
	}})
	if !errors.Is(err, store.ErrChannelTaken) {
		t.Fatal(err)
	}
	if err := w.alter(1, func(i *incident.Incident) error { i.Status = incident.Resolved; return nil }); err != nil {
		t.Fatal(err)
	}
	in := func(want int64) {
		t.Helper()
		if i, err := w.IncidentIn(w.ctx, "chat", "c-a"); err != nil || i.Number != want {
			t.Errorf("%+v, %v", i, err)
		}
	}
	in(1)
	w.declare(t, b)
	in(2)
	if err := w.alter(2, func(i *incident.Incident) error { i.Status = incident.Closed; return nil }); err != nil {
		t.Fatal(err)
	}
	in(2)
	if err := w.alter(1, func(i *incident.Incident) error { i.Status = incident.Started; return nil }); err != nil {
		t.Fatal(err)
	}
	in(1)
	for _, place := range [][2]string{{"chat", "c"}, {"other", "c-a"}} {
		if _, err := w.IncidentIn(w.ctx, place[0], place[1]); !errors.Is(err, store.ErrNotFound) {
			t.Error(place, err)
		}
	}
}

func incidentTexts(t *testing.T, w *world) {
	i := declared("a\x00b\xff")
	i.Channels, i.Tasks[0].Owner.Name, i.Roles["x\x00"], i.Summary = nil, "\x00", incident.Person{Name: "\xff"}, "\x00"
	w.declare(t, i)
	if got, err := w.Incident(w.ctx, 1); err != nil || got.Title != "a\ufffdb\ufffd" {
		t.Errorf("%+v, %v", got, err)
	}
}
