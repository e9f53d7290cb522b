// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Engine runs the lanes. Make it with New, start it with Run.
type Engine struct {
	queue Queue
	opt   Options

	mu      sync.Mutex
	running context.Context // nil before Run and after its end
	lanes   map[string]*lane
	gates   map[string]*gate
	wg      sync.WaitGroup
	look    chan struct{}
}

// New returns an engine that is not running yet.
func New(queue Queue, o Options) *Engine {
	return &Engine{queue: queue, opt: o.withDefaults(), lanes: map[string]*lane{}, gates: map[string]*gate{},
		look: make(chan struct{}, 1)}
}

// Run works until ctx ends. Then errands on their way are finished and
// settled, what was claimed but not sent goes back, and leases are released.
func (e *Engine) Run(ctx context.Context) {
	e.mu.Lock()
	e.running = ctx
	e.mu.Unlock()
	for ctx.Err() == nil {
		e.sweep(ctx)
		select {
		case <-ctx.Done():
		case <-e.look:
		case <-e.opt.Clock.After(e.opt.Poll):
		}
	}
	e.mu.Lock()
	e.running = nil
	e.mu.Unlock()
	e.wg.Wait()
}

// sweep wakes every destination that has work: at the start for what an
// earlier life left behind, later as the safety net.
func (e *Engine) sweep(ctx context.Context) {
	due, err := e.queue.Due(ctx, e.opt.Clock.Now())
	if err != nil {
		if ctx.Err() == nil {
			e.opt.Log.Error("can't look for due deliveries, will look again", "err", err)
		}
		return
	}
	names := make([]string, 0, len(due)) // never nil: that would mean any
	soon := e.opt.Clock.Now().Add(e.opt.Poll)
	for _, d := range due {
		if !d.At.After(soon) { // what comes later is found by a later sweep
			names = append(names, d.Name)
		}
	}
	e.Wake(names)
}

// Wake tells the engine that these destinations may have new work; nil means
// that any may. It does not block.
func (e *Engine) Wake(destinations []string) {
	if destinations == nil {
		select {
		case e.look <- struct{}{}:
		default:
		}
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil || e.running.Err() != nil {
		return
	}
	for _, name := range destinations {
		l := e.lanes[name]
		if l == nil {
			if _, ok := e.opt.Senders(name); !ok {
				continue
			}
			l = &lane{engine: e, name: name, gate: e.gateOf(name), wake: make(chan struct{}, 1)}
			e.lanes[name] = l
			e.wg.Add(1)
			go l.run(e.running)
			continue
		}
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// gateOf returns the gate of a destination's connection; the caller holds mu.
func (e *Engine) gateOf(destination string) *gate {
	connection, _, _ := strings.Cut(destination, "/")
	if connection == "monitor" {
		connection = destination // monitoring systems share no limits
	}
	g := e.gates[connection]
	if g == nil {
		g = newGate(e.opt.Clock, e.opt.InFlight)
		e.gates[connection] = g
	}
	return g
}

// retire takes an idle lane out, unless somebody woke it in the meantime.
func (e *Engine) retire(l *lane) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-l.wake:
		return false
	default:
	}
	delete(e.lanes, l.name)
	return true
}

// Quiet returns how long the platform of a destination asked to be left
// alone; zero when it did not.
func (e *Engine) Quiet(destination string) time.Duration {
	e.mu.Lock()
	g := e.gateOf(destination)
	e.mu.Unlock()
	return max(0, g.quietFor())
}
