// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

func endedCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"what is open comes back":                         endedBack,
		"nothing wakes what was ended":                    endedStays,
		"what is ended while it is tried keeps its place": endedUnderWay,
		"a step behind a card that ended is not woken":    endedStep,
		"the cards that can come to be wrong are found":   endedLiving,
		"an incident's channels lead to it":               endedIncidents,
		"what was ended keeps no alert for ever":          endedPruned,
		"a channel is kept again where it comes back":     endedStepsBack,
		"an incident that is reopened lives again":        endedReopened,
		"what was not taken leave of goes on":             endedRestored,
	}
}

func endedStays(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town", "chat2/town", "chat/hall")
	w.done(t, w.claim(t, "chat/town", 10))
	b := w.post(t, "b", "chat/town")
	c := w.claim(t, "chat/hall", 10)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "no"})
	if got, err := w.Unfinished(w.ctx); err != nil || !slices.Equal(got, []string{"chat/hall", "chat/town", "chat2/town"}) {
		t.Errorf("unfinished: %v, %v", got, err)
	}
	if n, err := w.EndDuties(w.ctx, "chat", "chat was disconnected"); err != nil || n != 3 {
		t.Fatalf("%d ended, %v", n, err)
	}
	if n, err := w.EndDuties(w.ctx, "chat", "again"); err != nil || n != 0 {
		t.Errorf("%d ended again, %v", n, err)
	}
	w.heard()
	// The alert changes, and something is said: nobody is there to hear it.
	w.amend(t, a.ID, func(e *store.Effect) {
		e.Stale, e.Events, e.Notes = true, []alert.Event{event(alert.EventChanged)}, []string{"chat/town", "chat2/town"}
	})
	if got := w.heard(); !slices.Equal(got, []string{"chat2/town"}) {
		t.Errorf("told of %v", got)
	}
	for _, id := range []alert.ID{a.ID, b.ID} {
		duties, err := w.Duties(w.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range duties {
			if ended := d.Destination != "chat2/town"; ended != (d.State == store.DutyEnded) || ended && (d.LastError != "chat was disconnected" || d.Kind != store.DutyCard) {
				t.Errorf("%+v", d)
			}
		}
	}
	if dead, err := w.DeadDuties(w.ctx, 10); err != nil || len(dead) != 0 {
		t.Errorf("dead: %+v, %v", dead, err)
	}
	if n, err := w.ResendAll(w.ctx, "chat/hall"); err != nil || n != 0 {
		t.Errorf("%d were sent again, %v", n, err)
	}
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("claimed %+v", c.Duties)
	}
	if got, err := w.Unfinished(w.ctx); err != nil || !slices.Equal(got, []string{"chat2/town"}) {
		t.Errorf("unfinished: %v, %v", got, err)
	}
}

func endedUnderWay(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	if n, err := w.UnderWay(w.ctx, "chat"); err != nil || n != 0 {
		t.Errorf("%d under way, %v", n, err)
	}
	c := w.claim(t, "chat/town", 10)
	if n, err := w.UnderWay(w.ctx, "chat"); err != nil || n != 1 {
		t.Errorf("%d under way, %v", n, err)
	}
	if n, err := w.UnderWay(w.ctx, "cha"); err != nil || n != 0 {
		t.Errorf("%d under way elsewhere, %v", n, err)
	}
	id := c.Duties[0].ID
	if err := w.EndDuty(w.ctx, id, "gone"); err != nil {
		t.Fatal(err)
	}
	w.settle(t, c, store.Settlement{ID: id, State: store.DutyDue, Failed: true, Receipt: "channel post", Err: "no"})
	if d, err := w.Duty(w.ctx, id); err != nil || d.State != store.DutyEnded || d.Receipt != "channel post" || d.LastError != "gone" {
		t.Errorf("%+v, %v", d, err)
	}
}

// endedStep: a card that arrives although it was ended wakes nothing behind it.
func endedStep(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		e.NewCards = []string{"chat/own"}
		e.Steps = []store.IncidentStep{{Destination: rooms, Kind: incident.StepPin, AfterCard: "chat/own"}}
	})
	c := w.claim(t, "chat/own", 10)
	if _, err := w.EndDuties(w.ctx, "chat", "chat was disconnected"); err != nil {
		t.Fatal(err)
	}
	w.done(t, c)
	if d, err := w.Step(w.ctx, i.ID, rooms, incident.StepPin); err != nil || d.State != store.DutyEnded {
		t.Errorf("%+v, %v", d, err)
	}
	if c := w.claim(t, rooms, 10); len(c.Duties) != 0 {
		t.Errorf("claimed %+v", c.Duties)
	}
}

func endedLiving(t *testing.T, w *world) {
	open, over, fresh := w.post(t, "open", "chat/town"), w.post(t, "over", "chat/town"), (*alert.Alert)(nil)
	w.post(t, "elsewhere", "chat2/town")
	w.amend(t, over.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	w.done(t, w.claim(t, "chat/town", 10))
	fresh = w.post(t, "fresh", "chat/town")
	i := w.put(t, 0, func(e *store.IncidentEffect) { e.NewCards = []string{"chat/town"} })
	living := func(after alert.ID, limit int) (ids []alert.ID) {
		t.Helper()
		list, err := w.LivingCards(w.ctx, "chat", after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			ids = append(ids, d.AlertID)
		}
		return ids
	}
	if got := living(0, 10); !slices.Equal(got, []alert.ID{open.ID, fresh.ID, i.ID}) {
		t.Errorf("living are %v", got)
	}
	if got := living(0, 1); len(got) != 1 {
		t.Errorf("%v", got)
	}
	list, err := w.LivingCards(w.ctx, "chat", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := living(list[0].ID, 10); !slices.Equal(got, []alert.ID{fresh.ID, i.ID}) {
		t.Errorf("after the first: %v", got)
	}
}

func endedIncidents(t *testing.T, w *world) {
	w.put(t, 0, func(e *store.IncidentEffect) {
		e.Incident.Channels = []incident.Channel{{Connection: "chat", ID: "c1", Ours: true}}
	})
	w.put(t, 0, func(e *store.IncidentEffect) {
		e.Incident.Channels = []incident.Channel{{Connection: "chat2", ID: "c1"}}
	})
	list, err := w.IncidentsOn(w.ctx, "chat")
	if err != nil || len(list) != 1 || list[0].Number != 1 || len(list[0].Channels) != 1 || !list[0].Channels[0].Ours {
		t.Errorf("%+v, %v", list, err)
	}
}

func endedBack(t *testing.T, w *world) {
	open, over := w.post(t, "open", "chat/town", "chat2/town"), w.post(t, "over", "chat/town")
	w.done(t, w.claim(t, "chat/town", 10))
	was, err := w.Cards(w.ctx, open.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.amend(t, over.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	if _, err := w.EndDuties(w.ctx, "chat", "gone"); err != nil {
		t.Fatal(err)
	}
	w.heard()
	if n, err := w.Revive(w.ctx, "chat"); err != nil || n != 1 {
		t.Fatalf("%d came back, %v", n, err)
	}
	if got := w.heard(); !slices.Equal(got, []string{"chat/town"}) {
		t.Errorf("told of %v", got)
	}
	c := w.claim(t, "chat/town", 10)
	if len(c.Duties) != 1 || c.Duties[0].ID != was[0].ID || c.Duties[0].Receipt != "" || c.Duties[0].Key == was[0].Key || len(c.Duties[0].Key) != 26 || c.Duties[0].Reached != 0 {
		t.Errorf("claimed %+v", c.Duties)
	}
	w.done(t, c)
	w.amend(t, open.ID, func(e *store.Effect) { e.Stale = true })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 {
		t.Errorf("it does not live: %+v", c.Duties)
	}
	if n, err := w.Revive(w.ctx, "chat"); err != nil || n != 0 {
		t.Errorf("%d came back again, %v", n, err)
	}
}

// endedPruned: nobody will ever deliver what was ended, so nothing waits for that.
func endedPruned(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	w.amend(t, a.ID, func(e *store.Effect) {
		e.Alert.Status, e.Alert.EndsAt, e.Alert.UpdatedAt = alert.Resolved, day(), day()
	})
	w.post(t, "newest")
	if n, err := w.Prune(w.ctx, day().Add(time.Hour), 10); n != 0 || err != nil {
		t.Fatalf("%d deleted before they were delivered, %v", n, err)
	}
	if _, err := w.EndDuties(w.ctx, "chat", "chat was disconnected"); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Prune(w.ctx, day().Add(time.Hour), 10); n != 1 || err != nil {
		t.Errorf("%d deleted, %v", n, err)
	}
}

// endedStepsBack: what was ordered meanwhile is done, what was done before is not
// repeated, and whatever is ordered later is done as well.
func endedStepsBack(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		for _, kind := range []incident.StepKind{incident.StepInvite, incident.StepDescribe, incident.StepRename, incident.StepArchive} {
			e.Steps = append(e.Steps, step(kind))
		}
	})
	c := w.claim(t, rooms, 10)
	for _, d := range c.Duties {
		s := reached(d)
		s.Receipt = "u1"
		w.settle(t, c, s)
	}
	if _, err := w.EndDuties(w.ctx, "chat", "gone"); err != nil {
		t.Fatal(err)
	}
	w.orders(t, step(incident.StepInvite))
	if n, err := w.Revive(w.ctx, "chat"); err != nil || n != 0 {
		t.Fatalf("%d cards came back, %v", n, err)
	}
	c = w.claim(t, rooms, 10)
	if got := steps(c.Duties); !slices.Equal(got, []string{"invite", "describe"}) || c.Duties[0].Receipt != "u1" || c.Duties[0].LastError != "" {
		t.Fatalf("at once: %+v", c.Duties)
	}
	w.settle(t, c, reached(c.Duties[0]), reached(c.Duties[1]))
	w.orders(t, step(incident.StepRename), step(incident.StepArchive))
	if got := steps(w.claim(t, rooms, 10).Duties); !slices.Equal(got, []string{"rename", "archive"}) {
		t.Errorf("then %v", got)
	}
	for _, kind := range []incident.StepKind{incident.StepInvite, incident.StepRename} {
		if d, err := w.Step(w.ctx, i.ID, rooms, kind); err != nil || d.State == store.DutyEnded {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// endedReopened: it was over when its workspaces were disconnected, and one of them
// is there again.
func endedReopened(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		e.NewCards, e.Steps = []string{"chat/town", "chat2/town"}, []store.IncidentStep{step(incident.StepDescribe), step(incident.StepArchive)}
	})
	for _, name := range []string{"chat/town", "chat2/town", rooms} {
		w.done(t, w.claim(t, name, 10))
	}
	was, err := w.Cards(w.ctx, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, 1, func(e *store.IncidentEffect) { e.Incident.Status = incident.Closed })
	for _, name := range []string{"chat", "chat2"} {
		if _, err := w.EndDuties(w.ctx, name, "gone"); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.Revive(w.ctx, "chat"); err != nil || n != 0 {
		t.Fatalf("%d came back, %v", n, err)
	}
	w.put(t, 1, func(e *store.IncidentEffect) { e.Stale = true })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Fatalf("what is over is posted anew: %+v", c.Duties)
	}
	w.heard()
	w.put(t, 1, func(e *store.IncidentEffect) {
		e.Incident.Status, e.Stale, e.Back = incident.Started, true, []string{"chat"}
		e.Entries = []incident.Entry{entry(incident.EntryUpdate, day())}
		e.Notes = []store.IncidentNote{{Destinations: []string{"chat/town", "chat2/town"}}}
		e.Steps = []store.IncidentStep{step(incident.StepArchive)}
	})
	if got := w.heard(); !slices.Equal(got, []string{rooms, "chat/town"}) {
		t.Errorf("told of %v", got)
	}
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 2 || c.Duties[0].ID != was[0].ID || c.Duties[0].Receipt != "" || c.Duties[0].Key == was[0].Key || c.Duties[1].Kind != store.DutyNote {
		t.Errorf("claimed %+v", c.Duties)
	}
	if got := steps(w.claim(t, rooms, 10).Duties); !slices.Equal(got, []string{"describe", "archive"}) {
		t.Errorf("of the steps %v", got)
	}
	if d, err := w.Duty(w.ctx, was[1].ID); err != nil || d.State != store.DutyEnded {
		t.Errorf("where nobody is: %+v, %v", d, err)
	}
}

// endedRestored: a connection was missed for long and is there again. Cards keep
// their places, those of what is over included.
func endedRestored(t *testing.T, w *world) {
	stands, over := w.post(t, "stands", "chat/town"), w.post(t, "over", "chat/town")
	w.done(t, w.claim(t, "chat/town", 10))
	lost := w.post(t, "lost", "chat/town")
	w.claim(t, "chat/town", 10)
	fresh := w.post(t, "fresh", "chat/town", "chat2/town")
	i := w.put(t, 0, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{step(incident.StepInvite)} })
	c := w.claim(t, rooms, 10)
	s := reached(c.Duties[0])
	s.Receipt = "u1"
	w.settle(t, c, s)
	w.amend(t, over.ID, func(e *store.Effect) { e.Alert.Status, e.Stale = alert.Resolved, true; e.Alert.Revision++ })
	was := map[alert.ID]store.Duty{}
	for _, a := range []*alert.Alert{stands, over, lost, fresh} {
		cards, err := w.Cards(w.ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		was[a.ID] = cards[0]
	}
	for _, name := range []string{"chat", "chat2"} {
		if _, err := w.EndDuties(w.ctx, name, "not configured any more"); err != nil {
			t.Fatal(err)
		}
	}
	w.heard()
	if n, err := w.Restore(w.ctx, "chat"); err != nil || n != 5 {
		t.Fatalf("%d go on, %v", n, err)
	}
	if got := w.heard(); !slices.Equal(got, []string{rooms, "chat/town"}) {
		t.Errorf("told of %v", got)
	}
	got := map[alert.ID]store.Duty{}
	c = w.claim(t, "chat/town", 10)
	for _, d := range c.Duties {
		got[d.AlertID] = d
		if before := was[d.AlertID]; d.Key != before.Key || d.Receipt != before.Receipt || d.LastError != "" {
			t.Errorf("%+v, was %+v", d, before)
		}
	}
	if len(got) != 3 || got[over.ID].Receipt == "" || got[lost.ID].UnknownSince.IsZero() || !got[fresh.ID].UnknownSince.IsZero() {
		t.Errorf("claimed %+v", got)
	}
	w.done(t, c)
	w.amend(t, stands.ID, func(e *store.Effect) { e.Stale = true; e.Alert.Revision++ })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 || c.Duties[0].AlertID != stands.ID || c.Duties[0].Receipt == "" {
		t.Errorf("it does not live: %+v", c.Duties)
	}
	if d, err := w.Step(w.ctx, i.ID, rooms, incident.StepInvite); err != nil || d.State != store.DutyDone || d.Receipt != "u1" {
		t.Errorf("%+v, %v", d, err)
	}
	if list, err := w.Unfinished(w.ctx); err != nil || slices.Contains(list, "chat2/town") {
		t.Errorf("unfinished: %v, %v", list, err)
	}
}
