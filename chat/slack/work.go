// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"sync"
	"time"
)

const (
	// atOnce is how many things that people did are worked on side by side.
	atOnce = 128
	// workTime bounds one of them: a response_url lives 30 minutes, people's
	// patience less.
	workTime = 30 * time.Second
)

// works are the goroutines that work on what people did. They outlive the
// request that started them, and end with the platform.
type works struct {
	mu     sync.Mutex
	closed bool
	slots  chan struct{}
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
}

func newWorks() *works {
	ctx, cancel := context.WithCancel(context.Background())
	return &works{slots: make(chan struct{}, atOnce), ctx: ctx, cancel: cancel}
}

// start runs do in a goroutine of its own; false when too many run, or the
// platform is being closed.
func (w *works) start(do func(ctx context.Context)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	select {
	case w.slots <- struct{}{}:
	default:
		return false
	}
	w.wg.Go(func() {
		defer func() { <-w.slots }()
		ctx, cancel := context.WithTimeout(w.ctx, workTime)
		defer cancel()
		do(ctx)
	})
	return true
}

// close takes nothing more, lets what runs come to its end as long as ctx
// lives, and then ends it.
func (w *works) close(ctx context.Context) {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	done := make(chan struct{})
	go func() { w.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	w.cancel()
	<-done
}
