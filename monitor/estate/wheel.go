// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"slices"
	"strconv"
	"time"

	"belfry/alert"
)

// turn changes one thing: it fails, gets worse or recovers.
func (e *Estate) turn() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	e.endDowntimes(now)
	open := e.those(func(t *thing) bool { return !t.ok() && !t.inDowntime(now) })
	ripe := slices.DeleteFunc(slices.Clone(open), func(t *thing) bool { return now.Sub(t.since) < 3*e.pace })
	draw := e.chance.IntN(100)
	switch {
	case len(open) >= mostOpen && len(ripe) > 0, len(open) > 2 && len(ripe) > 0 && draw < 50:
		e.recover(e.pick(ripe), now)
	case len(open) < mostOpen && draw < 85:
		e.fail(now)
	default:
		e.worsen(open, now)
	}
}

// those returns the things that are so. The caller holds the lock, here and
// below.
func (e *Estate) those(so func(*thing) bool) []*thing {
	var out []*thing
	for _, t := range e.things {
		if so(t) {
			out = append(out, t)
		}
	}
	return out
}

func (e *Estate) pick(from []*thing) *thing { return from[e.chance.IntN(len(from))] }

// fail lets something fail. Services of a host that is down are spared: a real
// core would not notify of them either.
func (e *Estate) fail(now time.Time) {
	dead := map[string]bool{}
	for _, t := range e.things {
		if t.object.Kind == alert.KindHost && !t.ok() {
			dead[t.object.Host] = true
		}
	}
	well := e.those(func(t *thing) bool {
		if !t.ok() || dead[t.object.Host] || t.inDowntime(now) {
			return false
		}
		// Hosts fail less often than what runs on them.
		return t.object.Kind == alert.KindService || e.chance.IntN(4) == 0
	})
	if len(well) == 0 {
		return
	}
	e.trouble(e.pick(well), e.chance.IntN(10) < 4, now)
}

// trouble gives t a new problem: the mildest, or the worst at once.
func (e *Estate) trouble(t *thing, worst bool, now time.Time) {
	bad := t.bad[0]
	if worst {
		bad = t.bad[len(t.bad)-1]
	}
	e.problems++
	t.problem = strconv.FormatInt(e.epoch, 36) + "-" + strconv.Itoa(e.problems)
	t.since, t.state, t.severity, t.output = now, bad.state, severity(bad.state), bad.output
	e.say(t.report(alert.ReportProblem, now))
}

// worsen lets one of open go one step further, if any can.
func (e *Estate) worsen(open []*thing, now time.Time) {
	can := slices.DeleteFunc(slices.Clone(open), func(t *thing) bool { return t.state == t.bad[len(t.bad)-1].state })
	if len(can) == 0 {
		return
	}
	t := e.pick(can)
	at := slices.IndexFunc(t.bad, func(b trouble) bool { return b.state == t.state })
	next := t.bad[at+1]
	t.state, t.severity, t.output = next.state, severity(next.state), next.output
	e.say(t.report(alert.ReportProblem, now))
}

// recover ends t's problem and with it the acknowledgement.
func (e *Estate) recover(t *thing, now time.Time) {
	problem := t.problem
	t.calm()
	r := t.report(alert.ReportRecovery, now)
	r.ProblemID = problem
	e.say(r)
}

func (t *thing) inDowntime(now time.Time) bool { return now.Before(t.downUntil) }

// endDowntimes reports the downtimes that are over.
func (e *Estate) endDowntimes(now time.Time) {
	for _, t := range e.things {
		if !t.downUntil.IsZero() && !t.inDowntime(now) {
			t.downUntil = time.Time{}
			e.say(t.report(alert.ReportDowntimeEnd, now))
		}
	}
}
