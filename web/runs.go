// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"belfry/alert"
)

// Limits of what is planned and carried out on the pages.
const (
	// planLife is how long a plan holds the administrator's token in memory, and
	// how long the way to Mattermost and back may take.
	planLife = 10 * time.Minute
	// runLife is how long an end can be looked at.
	runLife = 24 * time.Hour
	maxRuns = 20
	// planWithin and carryOutWithin bound the calls of a server.
	planWithin     = time.Minute
	carryOutWithin = 10 * time.Minute
)

// phase of a run.
type runPhase int

const (
	// runAway: an administrator is at Mattermost to lend their power.
	runAway runPhase = iota
	runPlanned
	runGoing
	runEnded
)

// run is a set-up or a removal of one administrator. It lives in memory alone,
// because the token does.
type run struct {
	id string
	by alert.ID
	// name is the connection's; removal says that it is taken off, archive what
	// becomes of its channels, made that a set-up is undone.
	name                   string
	removal, archive, made bool
	wish                   Wish
	began                  time.Time
	phase                  runPhase
	// state and verifier go with the browser to Mattermost.
	state, verifier string

	setUp    SetUp
	giveBack func(context.Context)
	forgot   chan struct{} // closed when the token is forgotten

	plan  Plan
	done  []Step
	end   End
	wrong string
}

// runs are those since the start.
type runs struct {
	mu  sync.Mutex
	all []*run
}

// add notes a run, and drops what is too old or too many.
func (s *runs) add(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(old *run) bool { return old.phase != runGoing && r.began.Sub(old.began) > runLife })
	for len(s.all) >= maxRuns {
		i := slices.IndexFunc(s.all, func(old *run) bool { return old.phase != runGoing })
		if i < 0 {
			break
		}
		s.all[i].forget()
		s.all = slices.Delete(s.all, i, i+1)
	}
	s.all = append(s.all, r)
}

// of returns a copy of somebody's run to be shown.
func (s *runs) of(id string, by alert.ID) (run, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		if r.id == id && r.by == by {
			c := *r
			c.done = slices.Clone(r.done)
			return c, true
		}
	}
	return run{}, false
}

// change calls f with somebody's run, while nobody else does; false: there is
// none, or f says no.
func (s *runs) change(id string, by alert.ID, f func(*run) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		if r.id == id && r.by == by {
			return f(r)
		}
	}
	return false
}

// away returns somebody's run that waits for Mattermost's answer with this
// state, and ends the waiting: an answer counts once.
func (s *runs) away(by alert.ID, name string, same func(state string) bool, now time.Time) (run, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.all {
		if r.phase == runAway && r.by == by && r.name == name && same(r.state) {
			s.all = slices.Delete(s.all, i, i+1)
			return *r, now.Sub(r.began) <= planLife
		}
	}
	return run{}, false
}

// forget lets go of the token. The lock is held.
func (r *run) forget() {
	if r.setUp == nil {
		return
	}
	r.setUp.Close()
	r.setUp = nil
	close(r.forgot)
}

// planned notes a plan, whose token is forgotten when nothing comes of it.
func (w *Web) planned(r *run, s SetUp, giveBack func(context.Context)) {
	r.began, r.phase, r.setUp, r.plan, r.giveBack, r.forgot = w.clock.Now(), runPlanned, s, s.Plan(), giveBack, make(chan struct{})
	forgot, id, by := r.forgot, r.id, r.by
	w.runs.add(r)
	go func() {
		select {
		case <-forgot:
		case <-w.stop:
			w.drop(id, by)
		case <-w.clock.After(planLife):
			w.drop(id, by)
		}
		if giveBack != nil {
			ctx, cancel := context.WithTimeout(context.Background(), planWithin)
			defer cancel()
			giveBack(ctx)
		}
	}()
}

// drop ends a plan that nothing came of.
func (w *Web) drop(id string, by alert.ID) bool {
	return w.runs.change(id, by, func(r *run) bool {
		if r.phase != runPlanned {
			return false
		}
		r.phase, r.wrong = runEnded, "Nothing was changed: the plan was not carried out, and the token is forgotten."
		r.forget()
		return true
	})
}

// begin carries a plan out; false when there is none to be carried out.
func (w *Web) begin(id string, by alert.ID) bool {
	var s SetUp
	ok := w.runs.change(id, by, func(r *run) bool {
		if r.phase != runPlanned {
			return false
		}
		// Two at once would each go by what they read before the other began.
		if slices.ContainsFunc(w.runs.all, func(o *run) bool { return o.phase == runGoing && o.name == r.name }) {
			r.wrong = "Another set-up or removal of this connection is under way. When it has ended, begin again: there is less to do then."
			return false
		}
		r.phase, r.wrong, s = runGoing, "", r.setUp
		return true
	})
	if ok {
		go w.carryOut(id, by, s)
	}
	return ok
}

func (w *Web) carryOut(id string, by alert.ID, s SetUp) {
	ctx, cancel := context.WithTimeout(context.Background(), carryOutWithin)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ended:
		}
	}()
	end, err := s.CarryOut(ctx, func(st Step) {
		w.runs.change(id, by, func(r *run) bool { r.done = append(r.done, st); return true })
	})
	w.runs.change(id, by, func(r *run) bool {
		r.phase, r.end = runEnded, end
		if err != nil {
			r.wrong = err.Error()
		}
		r.forget()
		w.log.Info("a set-up ended", "connection", r.name, "removal", r.removal, "left", end.Left, "failed", err != nil)
		return true
	})
}
