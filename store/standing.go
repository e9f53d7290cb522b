// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"sync"
)

// mostServed bounds the standing claims that are carried out with one
// transaction: those whose change it is wait for them.
const mostServed = 4

// Standing is a claim that waits until there is something to claim: the change
// that makes a duty due then claims it, too, in its own transaction. So what
// people wait for costs one commit, not two. Make it with Store.Stand; it is
// for one caller.
type Standing struct {
	destination string
	limit       int
	desk        *standings
	// claims gets the one claim that is made.
	claims chan Claim
	// taken says that a transaction under way carries it out.
	taken bool
}

// standings are the claims that wait, by destination.
type standings struct {
	mu    sync.Mutex
	ended *sync.Cond // a transaction that had taken some is over
	list  map[string]*Standing
}

func newStandings() *standings {
	s := &standings{list: map[string]*Standing{}}
	s.ended = sync.NewCond(&s.mu)
	return s
}

// Stand leaves a claim of up to limit duties of a destination for the first
// change that makes something due there. It stands until it is carried out or
// cancelled, and replaces one that stands already. What is due before it stands
// is not looked for. Like after Claim, what was claimed before and not settled
// is handed out as unknown.
func (s *Store) Stand(destination string, limit int) *Standing {
	st := &Standing{destination: destination, limit: limit, desk: s.standing, claims: make(chan Claim, 1)}
	s.standing.mu.Lock()
	defer s.standing.mu.Unlock()
	s.standing.list[destination] = st
	return st
}

// Claims yields the claim once it is on disk.
func (st *Standing) Claims() <-chan Claim { return st.claims }

// Cancel takes the claim back. ok says that it was carried out before, and not
// read from Claims yet.
func (st *Standing) Cancel() (c Claim, ok bool) {
	d := st.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	for st.taken {
		d.ended.Wait()
	}
	if d.list[st.destination] == st {
		delete(d.list, st.destination)
	}
	select {
	case c = <-st.claims:
		return c, true
	default:
		return c, false
	}
}

// take hands out the claims that stand for what fell due.
func (d *standings) take(due map[string]struct{}) (list []*Standing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) == 0 {
		return nil
	}
	for destination := range due {
		if st := d.list[destination]; st != nil && len(list) < mostServed {
			st.taken = true
			delete(d.list, destination)
			list = append(list, st)
		}
	}
	return list
}

// end tells what became of claims that were taken: they were made, or, when
// claims is nil, they go on standing.
func (d *standings) end(list []*Standing, claims []Claim) {
	if len(list) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, st := range list {
		st.taken = false
		switch {
		case claims != nil:
			st.claims <- claims[i]
		case d.list[st.destination] == nil:
			d.list[st.destination] = st
		}
	}
	d.ended.Broadcast()
}

// serve carries out the claims that stand for what this transaction made due.
func (t *tx) serve(ctx context.Context) error {
	t.served = t.store.standing.take(t.due)
	for _, st := range t.served {
		c, err := t.claim(ctx, st.destination, st.limit)
		if err != nil {
			return err
		}
		t.claims = append(t.claims, c)
	}
	return nil
}

// told returns whom to tell of what fell due: all but those that have it.
func (t *tx) told() []string {
	for _, st := range t.served {
		delete(t.due, st.destination)
	}
	return keys(t.due)
}
