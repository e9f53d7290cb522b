// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"belfry/clock"
)

// gate is what the lanes of one connection pass through for every errand. It
// grows its window from 1 after the other side asked for quiet, because many
// platforms count per address: what one channel sends is missing for another.
type gate struct {
	clock clock.Clock
	most  int

	mu       sync.Mutex
	window   int
	inFlight int
	quiet    time.Time
	timer    bool
	seq      int64
	waiting  waiters
}

func newGate(c clock.Clock, most int) *gate { return &gate{clock: c, most: most, window: most} }

type waiter struct {
	priority int
	seq      int64
	index    int
	ready    chan struct{}
}

// enter waits for a place, the most severe first. The place is given back
// with leave.
func (g *gate) enter(ctx context.Context, priority int) error {
	g.mu.Lock()
	g.seq++
	w := &waiter{priority: priority, seq: g.seq, ready: make(chan struct{})}
	heap.Push(&g.waiting, w)
	g.admit()
	g.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.index < 0 { // admitted at the same moment: hand the place on
		g.inFlight--
		g.admit()
		return ctx.Err()
	}
	heap.Remove(&g.waiting, w.index)
	return ctx.Err()
}

// leave gives the place back; went says that the other side took the errand.
func (g *gate) leave(went bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	if went && g.window < g.most {
		g.window = min(g.most, g.window*2)
	}
	g.admit()
}

// hush stops the connection for d, as the other side asked.
func (g *gate) hush(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.window = 1
	if until := g.clock.Now().Add(d); until.After(g.quiet) {
		g.quiet = until
	}
}

// quietFor returns how long the connection must still be left alone.
func (g *gate) quietFor() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.quiet.Sub(g.clock.Now())
}

// throttled says whether the gate is narrower than it could be: then a lane
// claims little, so that what it sends is fresh.
func (g *gate) throttled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.window < g.most
}

// admit lets in whoever may go; the caller holds mu.
func (g *gate) admit() {
	for g.waiting.Len() > 0 && g.inFlight < g.window {
		if d := g.quiet.Sub(g.clock.Now()); d > 0 {
			g.admitAfter(d)
			return
		}
		w := heap.Pop(&g.waiting).(*waiter) //nolint:errcheck,forcetypeassert // the heap holds nothing else
		g.inFlight++
		close(w.ready)
	}
}

// admitAfter arranges for admit to be called again; the goroutine ends after d
// whatever happens, so nothing has to stop it.
func (g *gate) admitAfter(d time.Duration) {
	if g.timer {
		return
	}
	g.timer = true
	time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.timer = false
		g.admit()
	})
}

// waiters is a heap: higher priority first, then who came first.
type waiters []*waiter

func (w waiters) Len() int { return len(w) }
func (w waiters) Less(i, j int) bool {
	if w[i].priority != w[j].priority {
		return w[i].priority > w[j].priority
	}
	return w[i].seq < w[j].seq
}
func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}
func (w *waiters) Push(x any) {
	e := x.(*waiter) //nolint:errcheck,forcetypeassert // only enter pushes
	e.index = len(*w)
	*w = append(*w, e)
}
func (w *waiters) Pop() any {
	old := *w
	e := old[len(old)-1]
	*w = old[:len(old)-1]
	e.index = -1
	return e
}
