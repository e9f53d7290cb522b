// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/itchyny/gojq"

	"belfry/monitor"
)

// Limits of a program and of one run.
const (
	MaxProgram = 64 << 10
	MaxOutputs = 1000
	MaxOutput  = 4 << 20
	MaxTime    = time.Second
	MaxMemory  = 256 << 20
	// lookEvery is how often a run's memory is looked at.
	lookEvery = 5 * time.Millisecond
)

// Program is a jq program that makes alerts and messages of a payload. It is
// safe for concurrent use; its runs take turns, so that they don't add up.
type Program struct {
	code  *gojq.Code
	asks  []ask
	turn  sync.Mutex
	limit struct {
		time   time.Duration
		memory uint64
	}
	heap func() uint64 // how many bytes the process's objects take now
}

// Compile makes a program of jq's source. The error names the place.
func Compile(source string) (*Program, error) {
	if len(source) > MaxProgram {
		return nil, fmt.Errorf("the program has %d bytes, more than %d", len(source), MaxProgram)
	}
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("the program is empty")
	}
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, notJQ(source, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, fmt.Errorf("the program does not compile: %s", plainError(err))
	}
	p := &Program{code: code, asks: asksOf(query)}
	p.limit.time, p.limit.memory, p.heap = MaxTime, MaxMemory, heap
	return p, nil
}

// notJQ says on which line of the source the syntax breaks.
func notJQ(source string, err error) error {
	parse, ok := errors.AsType[*gojq.ParseError](err)
	if !ok {
		return fmt.Errorf("the program is not jq: %s", plainError(err))
	}
	at := max(0, min(parse.Offset-len(parse.Token), len(source)))
	if parse.Token == "" {
		return fmt.Errorf("the program is not jq: it ends too soon, on line %d", 1+strings.Count(source, "\n"))
	}
	return fmt.Errorf("the program is not jq: line %d, near %s", 1+strings.Count(source[:at], "\n"), monitor.Quote(parse.Token))
}

// Run turns one value as Input returns it into reports. Errors say which key
// of the output or which path of the payload is wrong.
//
// A run that took too much is made once more: time and memory are the whole
// process's, so that in a storm a good program can be charged with what
// everybody else did.
func (p *Program) Run(ctx context.Context, input any) (monitor.Decoded, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	d, over, err := p.run(ctx, input)
	if over {
		d, _, err = p.run(ctx, input)
	}
	return d, err
}

// run is one run; over says that it took too much.
func (p *Program) run(outer context.Context, input any) (d monitor.Decoded, over bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			d, over, err = monitor.Decoded{}, false, fmt.Errorf("the program broke jq itself: %.200s", plain(fmt.Sprint(r)))
		}
	}()
	ctx, stop := context.WithTimeoutCause(outer, p.limit.time, fmt.Errorf("the program took longer than %v", p.limit.time))
	defer stop()
	ctx, unguard := p.guard(ctx)
	defer unguard()
	out := outputs{input: input, asks: p.asks}
	results := p.code.RunWithContext(ctx, input)
	for {
		v, more := results.Next()
		if !more {
			return out.decoded, false, nil
		}
		if failed, ok := v.(error); ok {
			if halt, ok := errors.AsType[*gojq.HaltError](failed); ok && halt.Value() == nil {
				return out.decoded, false, nil
			}
			return monitor.Decoded{}, ctx.Err() != nil && outer.Err() == nil, p.failed(ctx, input, failed)
		}
		if err := out.take(v); err != nil {
			return monitor.Decoded{}, false, err
		}
	}
}

// failed says why a run ended, and what of the payload may be behind it.
func (p *Program) failed(ctx context.Context, input any, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w on this payload; mend it", context.Cause(ctx))
	}
	text := "the program failed: " + plainError(err)
	if said, ok := errors.AsType[gojq.ValueError](err); ok {
		if s, ok := said.Value().(string); ok {
			text = "the program refuses the payload: " + bounded(s)
		}
	}
	return errors.New(text + behind(missing(p.asks, "", input)))
}

// plainError is an error's text on one line.
func plainError(err error) string { return bounded(err.Error()) }

func bounded(s string) string {
	s = plain(s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// plain is a text without control characters, on one line.
func plain(s string) string { return strings.Join(strings.Fields(monitor.Printable(s)), " ") }

// guard ends the returned context when the heap has grown by more than is allowed.
func (p *Program) guard(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	begin, done, most := p.heap(), make(chan struct{}), p.limit.memory
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if now := p.heap(); now > begin && now-begin > most {
					cancel(fmt.Errorf("the program took more than %d MB of memory", most>>20))
					return
				}
			}
		}
	})
	return ctx, func() { close(done); wg.Wait(); cancel(nil) }
}

// heap is how many bytes the process's objects take now.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
