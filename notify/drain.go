// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"belfry/fault"
	"belfry/monitor/notification"
)

// How much is handed over at once and in one call. A call of the core must
// end soon; --drain has the time that its timer gives it.
const (
	callBatch  = 100
	callMost   = 2000
	drainBatch = 500
	// drainPatience bounds each hand-over of --drain.
	drainPatience = 30 * time.Second
	// maxBatchBytes leaves room under notification.MaxBody for the array around.
	maxBatchBytes = notification.MaxBody - 64<<10
)

// drainer hands the spool over, in order. The spool is locked meanwhile.
type drainer struct {
	spool  *spool
	server server
	// batch and most bound one hand-over and all of them; most 0: no bound.
	batch, most int
	// patience bounds one hand-over within the context; 0: only the context.
	patience time.Duration
	// progress is told after each hand-over; it may be nil.
	progress func(drained)
}

// drained is what a drainer did.
type drained struct {
	handed int
	// rejected has one line for each notification that will never be taken.
	rejected []string
	// stopped is why something is left; nil when the spool is empty.
	stopped error
}

// errEnough stops a drain that did its share.
var errEnough = errors.New("more are waiting than one call hands over")

// run hands over until the spool is empty or something stops it.
func (d drainer) run(ctx context.Context) drained {
	var done drained
	for {
		waiting, err := d.spool.entries()
		if err != nil || len(waiting) == 0 {
			done.stopped = err
			return done
		}
		if d.most > 0 && done.handed >= d.most {
			done.stopped = errEnough
			return done
		}
		batch, err := d.load(waiting, &done)
		if err == nil && len(batch) > 0 {
			err = d.send(ctx, batch, &done)
		}
		if d.progress != nil {
			d.progress(done)
		}
		if err != nil {
			done.stopped = err
			return done
		}
	}
}

// loaded is an entry with what it holds.
type loaded struct {
	entry
	n notification.Notification
}

// load reads the oldest entries that fit into one hand-over. What is no
// notification goes to rejected.
func (d drainer) load(waiting []entry, done *drained) ([]loaded, error) {
	var batch []loaded
	size := 0
	for _, e := range waiting[:min(len(waiting), d.batch)] {
		n, err := d.spool.read(e)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err // somebody takes files away without the lock
		}
		if err != nil {
			// One file that can't be read must not hold up those behind it.
			if err := d.reject(e, err, done); err != nil {
				return nil, err
			}
			continue
		}
		b, err := encode(n)
		if err != nil {
			return nil, err
		}
		if size += len(b) + 1; size > maxBatchBytes && len(batch) > 0 {
			break
		}
		batch = append(batch, loaded{e, n})
	}
	return batch, nil
}

// send hands batch over. Where the server will not take all of it, the halves
// are tried, until those that it will not take stand alone.
func (d drainer) send(ctx context.Context, batch []loaded, done *drained) error {
	names := make([]entry, len(batch))
	all := make([]notification.Notification, len(batch))
	for i, l := range batch {
		names[i], all[i] = l.entry, l.n
	}
	err := d.post(ctx, all, func() error {
		for i := range batch {
			batch[i].entry = batch[i].tried()
		}
		return d.spool.markTried(names)
	})
	switch decision, _ := fault.Of(err); {
	case decision == fault.None:
		for _, l := range batch {
			if err := d.spool.remove(l.entry); err != nil {
				return err
			}
			done.handed++
		}
		return nil
	case decision != fault.Permanent:
		return err
	case len(batch) == 1:
		return d.reject(batch[0].entry, err, done)
	}
	// All of it was sent: some of it may have been taken.
	for i := range batch {
		batch[i].n.Repeated = true
	}
	half := len(batch) / 2
	if err := d.send(ctx, batch[:half], done); err != nil {
		return err
	}
	return d.send(ctx, batch[half:], done)
}

func (d drainer) post(ctx context.Context, all []notification.Notification, connected func() error) error {
	if d.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.patience)
		defer cancel()
	}
	if len(all) == 1 {
		return d.server.post(ctx, all[0], connected)
	}
	return d.server.post(ctx, all, connected)
}

func (d drainer) reject(e entry, reason error, done *drained) error {
	path, err := d.spool.rejectEntry(e, reason)
	if err != nil {
		return fmt.Errorf("%w; and it can't be put aside: %w", reason, err)
	}
	done.rejected = append(done.rejected, rejected(path, reason))
	return nil
}

// drain carries out --drain: everything, with progress, for a timer.
func (c Call) drain(ctx context.Context, s settings) int {
	spool, err := openSpool(s.spool, c.Clock)
	if err != nil {
		c.say("can't use the spool: %v", err)
		return ExitLeft
	}
	defer spool.close()
	locking, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if !spool.lockWhile(locking, func() bool { return true }) {
		c.say("another belfry notify is handing %s over; nothing done", spool.dir)
		return ExitLeft
	}
	spool.sweep()
	waiting, err := spool.entries()
	if err != nil {
		c.say("can't read the spool: %v", err)
		return ExitLeft
	}
	if len(waiting) == 0 {
		c.tell("nothing waits in %s", spool.dir)
		return ExitDone
	}
	total := len(waiting)
	d := drainer{spool: spool, server: s.server, batch: drainBatch, patience: drainPatience}
	d.progress = func(so drained) {
		if sum := so.handed + len(so.rejected); sum < total {
			c.tell("handed over %d of %d", so.handed, total)
		}
	}
	return c.report(spool, d.run(ctx))
}

// report says what --drain did.
func (c Call) report(spool *spool, done drained) int {
	for _, line := range done.rejected {
		c.say("%s", line)
	}
	left, err := spool.entries()
	if err == nil && len(left) == 0 {
		c.tell("handed over %d, put aside %d, none left", done.handed, len(done.rejected))
		return ExitDone
	}
	c.tell("handed over %d, put aside %d, %d left", done.handed, len(done.rejected), len(left))
	c.say("%d left in %s: %v", len(left), spool.dir, errors.Join(done.stopped, err))
	return ExitLeft
}

func (c Call) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Stdout, format+"\n", args...)
}
