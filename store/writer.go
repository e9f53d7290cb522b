// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// maxBatch bounds the operations of one transaction, so that the first of them
// does not wait for ever more.
const maxBatch = 512

// operation is one thing to be written, by one waiting caller.
type operation struct {
	// changes and errs belong to Store.Change; run to everything else.
	changes []Change
	errs    []error
	run     func(ctx context.Context, t *tx) error
	// err is the storage's error; to be read when done is closed.
	err   error
	done  chan struct{}
	state atomic.Int32
}

// The states of an operation. Whoever gave up waiting before it was picked up
// can be sure that nothing was done; afterwards the caller has to wait, which
// is as long as one transaction takes.
const (
	opWaiting int32 = iota
	opRunning
	opGivenUp
)

// writer is the one goroutine that writes.
type writer struct {
	store *Store

	mu      sync.Mutex
	waiting []*operation
	closed  bool

	wake    chan struct{}
	stopped chan struct{}
}

func newWriter(s *Store) *writer {
	return &writer{store: s, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
}

// do hands op over and waits for it.
func (w *writer) do(ctx context.Context, op *operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op.done = make(chan struct{})
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.waiting = append(w.waiting, op)
	w.mu.Unlock()
	w.nudge()
	select {
	case <-op.done:
	case <-ctx.Done():
		if op.state.CompareAndSwap(opWaiting, opGivenUp) {
			return ctx.Err()
		}
		<-op.done
	}
	return op.err
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close lets what waits finish and takes nothing new.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
	<-w.stopped
}

func (w *writer) loop() {
	defer close(w.stopped)
	for {
		// Whoever is about to write gets the chance to be in this batch: what
		// comes too late waits for a whole transaction.
		runtime.Gosched()
		batch, closed := w.take()
		if len(batch) > 0 {
			w.carryOut(batch)
			continue
		}
		if closed {
			return
		}
		<-w.wake
	}
}

// take returns what waits, up to maxBatch.
func (w *writer) take() (batch []*operation, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for ; n < len(w.waiting) && len(batch) < maxBatch; n++ {
		if op := w.waiting[n]; op.state.CompareAndSwap(opWaiting, opRunning) {
			batch = append(batch, op)
		}
	}
	w.waiting = append(w.waiting[:0], w.waiting[n:]...)
	clear(w.waiting[len(w.waiting):cap(w.waiting)])
	return batch, w.closed
}

// carryOut stores the whole batch at once or, when that fails for a reason
// that may lie in one of them, one after the other.
func (w *writer) carryOut(batch []*operation) {
	err := w.transact(batch, true)
	for _, op := range batch {
		switch {
		case err == nil:
		case isOperational(err) || errors.Is(err, ErrUncertain):
			op.err = explain(err)
		default:
			w.single(op)
		}
	}
	for _, op := range batch {
		close(op.done)
	}
}

// single carries op out alone. Of several changes each is tried alone: one
// that the database refuses gets the error as its own. Standing claims are not
// carried out with it: one that fails must not have a change refused. Who left
// them is told, and claims for itself.
func (w *writer) single(op *operation) {
	if op.run != nil || len(op.changes) == 1 {
		op.err = explain(w.transact([]*operation{op}, false))
		return
	}
	op.err = nil
	for i, c := range op.changes {
		one := &operation{changes: []Change{c}, errs: make([]error, 1)}
		err := w.transact([]*operation{one}, false)
		if err != nil && (isOperational(err) || errors.Is(err, ErrUncertain)) {
			op.err = explain(err)
			return
		}
		op.errs[i] = errors.Join(one.errs[0], err)
	}
}

// transact is one transaction, and the telling of what fell due in it. With
// serve it also carries out the claims that stand for that.
func (w *writer) transact(batch []*operation, serve bool) error {
	s := w.store
	t := &tx{store: s, now: s.clock.Now(), due: map[string]struct{}{}}
	// Callers do not end a transaction: it holds what others wait for too.
	err := s.session.transaction(context.Background(), func(ctx context.Context, q *session) error {
		t.session = q
		if err := t.current(ctx); err != nil {
			return err
		}
		if err := t.fold(ctx, batch); err != nil {
			return err
		}
		for _, op := range batch {
			if op.run == nil {
				continue
			}
			if err := op.run(ctx, t); err != nil {
				return err
			}
		}
		if err := t.announce(ctx); err != nil {
			return err
		}
		if !serve {
			return nil
		}
		return t.serve(ctx)
	})
	if err != nil {
		s.standing.end(t.served, nil)
		if s.open != nil {
			s.open.doubt = true
		}
		return err
	}
	for _, e := range t.touched {
		if s.open != nil {
			s.open.note(e.a)
		}
	}
	s.standing.end(t.served, t.claims)
	if due := t.told(); len(due) > 0 {
		s.tell(due)
	}
	if f := s.onCall.Load(); t.called && f != nil {
		(*f)()
	}
	return nil
}

// tx is a transaction under way.
type tx struct {
	*session
	store *Store
	now   time.Time
	// due are the destinations that got something to do.
	due map[string]struct{}
	// touched are the alerts that were written, in order.
	touched []*entry
	// called: alerts call for incidents in it.
	called bool
	// served are standing claims that are carried out with it, claims theirs.
	served []*Standing
	claims []Claim
}

func keys(set map[string]struct{}) []string {
	list := make([]string, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	return list
}

// write carries one operation other than changes out. run may be called more
// than once and must set anew what it returns through variables.
func (s *Store) write(ctx context.Context, run func(ctx context.Context, t *tx) error) error {
	return s.writer.do(ctx, &operation{run: run})
}
