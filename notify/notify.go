// SPDX-License-Identifier: Apache-2.0

// Package notify is the client side of `belfry notify`: what a monitoring core
// runs for every notification.
//
// The flow: arguments.go turns the command line into a notification.Notification,
// settings.go finds out where it goes, handover.go posts it. What the server
// did not take is kept in the spool directory (spool.go) and handed over in
// order by the next call or by --drain (drain.go). One process at a time holds
// the spool's lock and sends; whoever finds it held puts its notification at
// the end of the spool and waits, so that order holds between concurrent calls.
//
// A call never takes much longer than Patience, whatever the server does: the
// core kills slow commands and does not repeat them.
package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"belfry/clock"
	"belfry/fault"
	"belfry/monitor/notification"
	"belfry/seal"

	"github.com/spf13/pflag"
)

// Exit codes of `belfry notify`.
const (
	// ExitDone: handed over, or kept in the spool.
	ExitDone = 0
	// ExitLeft: --drain left notifications in the spool.
	ExitLeft = 1
	// ExitLost: neither handed over nor kept.
	ExitLost = 2
	// ExitUsage: wrong usage; nothing was tried.
	ExitUsage = 3
)

// Patience bounds a whole hand-over: connecting, sending and the answer.
const Patience = 2 * time.Second

// DefaultConfig is the file that is read when --config names none.
const DefaultConfig = "/etc/belfry/notify.conf"

// Call is one run of the command.
type Call struct {
	// Args are the arguments after "notify".
	Args []string
	// Getenv looks up the environment; cores run commands with an empty one.
	Getenv         func(string) string
	Stdout, Stderr io.Writer
	Clock          clock.Clock
	// Config is the settings' file where no --config is given; it may be missing.
	Config string
}

// Run carries one call out and returns the exit code.
func Run(ctx context.Context, c Call) int {
	// A core that restarts closes the other end of our output: a word to nobody
	// would end us before the notification is handed over.
	signal.Ignore(syscall.SIGPIPE)
	a, err := parse(c.Args)
	if errors.Is(err, pflag.ErrHelp) {
		_, _ = io.WriteString(c.Stdout, Usage())
		return ExitDone
	}
	if err != nil {
		return c.wrongUsage(err)
	}
	n, err := a.notification()
	if err != nil && !a.drain {
		return c.wrongUsage(err)
	}
	s, warnings, err := a.settings(c.Getenv, c.Config)
	if err != nil {
		return c.wrongUsage(err)
	}
	for _, w := range warnings {
		c.say("%s", w)
	}
	if a.drain {
		return c.drain(ctx, s)
	}
	n.ID, n.SentAt = seal.Random(), c.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	return c.handOver(ctx, s, n)
}

// handOver gets n to the server or into the spool.
func (c Call) handOver(ctx context.Context, s settings, n notification.Notification) int {
	spool, err := openSpool(s.spool, c.Clock)
	if err != nil {
		return c.withoutSpool(ctx, s, n, err)
	}
	defer spool.close()
	d := drainer{spool: spool, server: s.server, batch: callBatch, most: callMost}
	locked := spool.tryLock()
	if locked {
		if waiting, err := spool.entries(); err == nil && len(waiting) == 0 {
			return c.settle(spool, n, s.server.post(ctx, n, nil))
		}
	}
	mine, err := spool.add(n)
	if err != nil {
		return c.withoutSpool(ctx, s, n, err)
	}
	if !locked && !spool.lockWhile(ctx, func() bool { return spool.has(mine) }) {
		if spool.has(mine) {
			c.kept(spool, errors.New("others are being handed over before it"))
		}
		return ExitDone
	}
	done := d.run(ctx)
	for _, r := range done.rejected {
		c.say("%s", r)
	}
	if spool.has(mine) {
		c.kept(spool, done.stopped)
	}
	return ExitDone
}

// settle acts on the server's answer to a notification that is not in the
// spool yet.
func (c Call) settle(spool *spool, n notification.Notification, answer error) int {
	decision, _ := fault.Of(answer)
	switch decision {
	case fault.None:
		return ExitDone
	case fault.Permanent:
		path, err := spool.reject(n, answer)
		if err != nil {
			c.say("lost: %v; and it can't be kept: %v", answer, err)
			return ExitLost
		}
		c.say("%s", rejected(path, answer))
		return ExitDone
	case fault.Unknown:
		n.Repeated = true
	}
	if _, err := spool.add(n); err != nil {
		c.say("lost: %v; and it can't be kept: %v", answer, err)
		return ExitLost
	}
	c.kept(spool, answer)
	return ExitDone
}

// withoutSpool hands n over where the spool can't be used: the last chance.
func (c Call) withoutSpool(ctx context.Context, s settings, n notification.Notification, trouble error) int {
	if err := s.server.post(ctx, n, nil); err != nil {
		c.say("lost: %v; and it can't be kept: %v", err, trouble)
		return ExitLost
	}
	c.say("handed over, but it could not have been kept: %v", trouble)
	return ExitDone
}

// kept tells that a notification waits in the spool.
func (c Call) kept(spool *spool, reason error) {
	waiting, _ := spool.entries()
	many := fmt.Sprintf("%d notifications wait", len(waiting))
	if len(waiting) == 1 {
		many = "1 notification waits"
	}
	c.say("kept in %s, where %s for the next call to hand over: %v", spool.dir, many, reason)
}

// rejected tells where a notification is that the server will never take.
func rejected(path string, reason error) string {
	return fmt.Sprintf("the server will never take this notification, it is kept in %s: %v", path, reason)
}

func (c Call) wrongUsage(err error) int {
	c.say("%v", err)
	return ExitUsage
}

func (c Call) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Stderr, "belfry notify: "+format+"\n", args...)
}
