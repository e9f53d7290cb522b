// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/store"
)

func modelCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"any sequence of changes, claims and settlements": func(t *testing.T, w *world) {
			round := 0
			rapid.Check(t, func(rt *rapid.T) {
				round++
				m := &model{T: rt, w: w, source: fmt.Sprint("source-", round), destination: fmt.Sprint("chat/", round), duties: map[alert.ID]*duty{}}
				rt.Repeat(map[string]func(*rapid.T){
					"report":   m.report,
					"carry":    m.carry,
					"crash":    m.crash,
					"takeover": m.takeover,
					"resend":   m.resend,
					"wait":     m.wait,
					"":         m.check,
				})
			})
		},
	}
}

// model says in the plainest way what the store must do with the duties of a
// few alerts at one destination.
type model struct {
	*rapid.T
	w                   *world
	source, destination string
	open                [3]alert.ID
	all                 []alert.ID
	duties              map[alert.ID]*duty
}

// report opens an alert, or changes the one that is open, with a note, or ends it.
func (m *model) report(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.open)-1).Draw(rt, "object")
	priority := rapid.IntRange(0, 4).Draw(rt, "priority")
	ends := rapid.IntRange(0, 3).Draw(rt, "ends") == 0
	stale := rapid.IntRange(0, 3).Draw(rt, "quiet") != 0
	a := problem(fmt.Sprint(i))
	a.Source = m.source
	c := store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(v store.View) ([]store.Effect, error) {
		e := store.Effect{Alert: v.Open[alert.TopicProblem], Priority: priority}
		if e.Alert == nil {
			e.Alert, e.NewCards, e.Events = a, []string{m.destination}, []alert.Event{event(alert.EventOpened)}
			return []store.Effect{e}, nil
		}
		if stale {
			e.Alert.Revision++
		}
		if ends {
			e.Alert.Status = alert.Resolved
		}
		e.Stale, e.Notes, e.Events = stale, []string{m.destination}, []alert.Event{event(alert.EventChanged)}
		return []store.Effect{e}, nil
	}}
	if errs, err := m.w.Change(m.w.ctx, c); err != nil || errs[0] != nil {
		rt.Fatal(errs, err)
	}
	switch {
	case m.open[i] == 0:
		open, err := m.w.OpenAlerts(m.w.ctx, m.source)
		if err != nil {
			rt.Fatal(err)
		}
		at := slices.IndexFunc(open, func(o *alert.Alert) bool { return o.Fingerprint == a.Fingerprint })
		m.open[i] = open[at].ID
		m.all = append(m.all, m.open[i])
		m.learn(rt, m.open[i], store.DutyCard, priority)
	default:
		if stale {
			m.stale(m.open[i], priority)
		}
		m.learn(rt, m.open[i], store.DutyNote, priority)
		if ends {
			m.open[i] = 0
		}
	}
}

// learn takes the one new duty of an alert over, which must be as expected.
func (m *model) learn(rt *rapid.T, id alert.ID, kind store.DutyKind, priority int) {
	list, err := m.w.Duties(m.w.ctx, id)
	if err != nil {
		rt.Fatal(err)
	}
	found := 0
	for _, d := range list {
		if m.duties[d.ID] != nil {
			continue
		}
		found++
		if d.Kind != kind || d.State != store.DutyDue || d.Priority != priority || d.Wanted != 1 || d.Receipt != "" {
			rt.Fatalf("new duty: %+v", d)
		}
		d.DueAt = m.w.clock.Now()
		m.duties[d.ID] = &duty{Duty: d}
	}
	if found != 1 {
		rt.Fatalf("%d new duties of alert %d", found, id)
	}
}

func (m *model) stale(id alert.ID, priority int) {
	c := m.card(id)
	if c.State != store.DutyDue {
		c.DueAt = m.w.clock.Now()
	}
	if c.State == store.DutyDead {
		c.Attempts = 0
	}
	c.Wanted++
	c.Priority, c.State = priority, store.DutyDue
}

func (m *model) card(id alert.ID) *duty {
	for _, d := range m.duties {
		if d.AlertID == id && d.Kind == store.DutyCard {
			return d
		}
	}
	panic("an alert without a card")
}

// claimable says whether d may be handed out now, and whether it must be.
func (m *model) claimable(d *duty) (may, must bool) {
	now := m.w.clock.Now()
	if d.State != store.DutyDue || d.DueAt.After(now) {
		return false, false
	}
	if d.Kind == store.DutyCard {
		return true, true
	}
	c := m.card(d.AlertID)
	if c.Receipt == "" && (c.State != store.DutyDue || c.DueAt.After(now)) {
		return false, false
	}
	for _, n := range m.duties {
		if n.AlertID == d.AlertID && n.Kind == store.DutyNote && n.ID < d.ID && n.State == store.DutyDue && n.DueAt.After(now) {
			return false, false
		}
	}
	return true, c.Receipt != ""
}

// take claims and checks what was handed out.
func (m *model) take(rt *rapid.T) store.Claim {
	limit := rapid.IntRange(1, 8).Draw(rt, "limit")
	c, err := m.w.Claim(m.w.ctx, m.destination, limit)
	if err != nil || c.Held || len(c.Duties) > limit {
		rt.Fatalf("claim: %+v, %v", c, err)
	}
	handed := map[alert.ID]bool{}
	for _, got := range c.Duties {
		d := m.duties[got.ID]
		if may, _ := m.claimable(d); !may {
			rt.Fatalf("handed out but not to be: %+v", got)
		}
		m.behind(rt, d, handed)
		handed[d.ID] = true
		unknown := d.UnknownSince
		if unknown.IsZero() {
			unknown = d.claimed
		}
		if !got.UnknownSince.Equal(unknown) || got.Wanted != d.Wanted || got.Reached != d.Reached || got.Attempts != d.Attempts || got.Key != d.Key {
			rt.Fatalf("handed out %+v, want %+v", got, d)
		}
	}
	for _, d := range m.duties {
		if _, must := m.claimable(d); must && !handed[d.ID] && len(c.Duties) < limit {
			rt.Fatalf("not handed out: %+v", d.Duty)
		}
	}
	for id := range handed {
		d := m.duties[id]
		if d.UnknownSince.IsZero() {
			d.UnknownSince = d.claimed
		}
		d.claimed, d.tried, d.anew = m.w.clock.Now(), d.Wanted, false
	}
	return c
}

// behind checks that what comes before d was handed out before it.
func (m *model) behind(rt *rapid.T, d *duty, handed map[alert.ID]bool) {
	if d.Kind == store.DutyCard {
		return
	}
	if c := m.card(d.AlertID); c.Receipt == "" && !handed[c.ID] {
		rt.Fatalf("note %d without its card", d.ID)
	}
	for _, n := range m.duties {
		if n.AlertID == d.AlertID && n.Kind == store.DutyNote && n.ID < d.ID && n.State == store.DutyDue && !handed[n.ID] {
			rt.Fatalf("note handed out:\n%+v\nbefore:\n%+v", d, n)
		}
	}
}

// carry claims and settles, as the engine does: after a failure the rest of an
// alert is not sent.
func (m *model) carry(rt *rapid.T) {
	c := m.take(rt)
	if rapid.IntRange(0, 3).Draw(rt, "grows") == 0 {
		m.report(rt)
	}
	m.settle(rt, c, m.outcomes(rt, c))
}

func (m *model) outcomes(rt *rapid.T, c store.Claim) []store.Settlement {
	var results []store.Settlement
	stuck := map[alert.ID]bool{}
	for _, d := range c.Duties {
		x := store.Settlement{ID: d.ID, State: store.DutyDue}
		outcome := rapid.SampledFrom([]string{"done", "done", "done", "retry", "unknown", "dead", "gone", "unsent"}).Draw(rt, "outcome")
		if stuck[d.AlertID] {
			outcome = "unsent"
		}
		later := m.w.clock.Now().Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "back-off")) * time.Second)
		switch outcome {
		case "done":
			x = done(d)
		case "retry":
			x = failed(d, later)
		case "unknown":
			x = failed(d, later)
			x.Unknown = true
		case "dead":
			x.State, x.Failed = store.DutyDead, true
		case "gone":
			x.State, x.Failed, x.Forget = store.DutyDead, true, true
		default:
			x.Unsent = true
		}
		if outcome != "done" && (d.Kind == store.DutyCard || x.State == store.DutyDue) {
			stuck[d.AlertID] = true
		}
		results = append(results, x)
	}
	return results
}

func (m *model) settle(rt *rapid.T, c store.Claim, results []store.Settlement) {
	lost, err := m.w.Settle(m.w.ctx, c.Destination, c.Fence, results)
	if err != nil || lost {
		rt.Fatal(lost, err)
	}
	for _, x := range results {
		m.duties[x.ID].after(x, m.w.clock.Now())
	}
}

// crash claims and is heard of no more.
func (m *model) crash(rt *rapid.T) { m.take(rt) }

// takeover is a process that freezes after its claim while another one takes
// the destination, and settles late.
func (m *model) takeover(rt *rapid.T) {
	old := m.take(rt)
	if err := m.w.Release(m.w.ctx, old.Destination, old.Fence); err != nil {
		rt.Fatal(err)
	}
	current := m.take(rt)
	late := m.outcomes(rt, old)
	lost, err := m.w.Settle(m.w.ctx, old.Destination, old.Fence, late)
	if err != nil || !lost {
		rt.Fatal(lost, err)
	}
	for _, x := range late {
		d := m.duties[x.ID]
		if x.Unsent || d.Kind != store.DutyCard {
			continue
		}
		if d.State != store.DutyDue {
			d.State, d.DueAt = store.DutyDue, m.w.clock.Now()
		}
		d.Reached, d.anew = 0, true
	}
	m.settle(rt, current, m.outcomes(rt, current))
}

func (m *model) resend(rt *rapid.T) {
	n, err := m.w.ResendAll(m.w.ctx, m.destination)
	if err != nil {
		rt.Fatal(err)
	}
	for _, d := range m.duties {
		if d.State == store.DutyDead {
			d.State, d.DueAt, d.Attempts = store.DutyDue, m.w.clock.Now(), 0
			n--
		}
	}
	if n != 0 {
		rt.Fatalf("%d more were re-sent than were dead", n)
	}
}

func (m *model) wait(rt *rapid.T) {
	m.w.clock.Advance(time.Duration(rapid.IntRange(1, 60).Draw(rt, "seconds")) * time.Second)
}

// check compares everything that is stored with the model.
func (m *model) check(rt *rapid.T) {
	n := 0
	for _, id := range m.all {
		list, err := m.w.Duties(m.w.ctx, id)
		if err != nil {
			rt.Fatal(err)
		}
		for _, got := range list {
			n++
			d := m.duties[got.ID]
			if d == nil {
				rt.Fatalf("a duty that nobody made: %+v", got)
			}
			if d.Key == "" {
				d.Key = got.Key // made anew
			}
			unknown := d.UnknownSince
			if unknown.IsZero() {
				unknown = d.claimed
			}
			if got.State != d.State || got.Wanted != d.Wanted || got.Reached != d.Reached || got.Attempts != d.Attempts ||
				got.Receipt != d.Receipt || got.Key != d.Key || !got.UnknownSince.Equal(unknown) ||
				d.Kind == store.DutyCard && !got.DueAt.Equal(d.DueAt) {
				rt.Fatalf("stored:\n%+v\nwant:\n%+v", got, d)
			}
		}
	}
	if n != len(m.duties) {
		rt.Fatalf("%d duties are stored, %d were made", n, len(m.duties))
	}
}
