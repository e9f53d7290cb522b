// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/extcmd"
	"belfry/monitor/notification"
)

// commandLag is how long a core may take from the pipe to its tables. What is
// read within that time proves nothing about a command that does not show.
const commandLag = 5 * time.Second

// Options are what a core is opened with.
type Options struct {
	// Name is the source's, for messages.
	Name  string
	Clock clock.Clock
	Log   *slog.Logger
}

// way carries one command line to the core. The result is true when the core
// itself said that it did it.
type way interface {
	send(ctx context.Context, line string) (bool, error)
}

// reader fills in how objects stand and says when that was so.
type reader interface {
	read(ctx context.Context, wanted map[target]*monitor.Status) (asOf time.Time, err error)
}

// target identifies a host (service empty) or a service to the core.
type target struct{ host, service string }

// Source takes what a core notifies.
type Source struct {
	links   notification.Links
	checkup checkup
}

// Commander can tell a core what to do.
type Commander struct {
	name  string
	way   way
	eyes  reader
	said  language
	clock clock.Clock
	log   *slog.Logger
}

// Observer can say how a core's objects stand.
type Observer struct{ eyes reader }

// What each part can do, checked here because Open only shows monitor.Monitor.
var (
	_ monitor.Monitor      = (*Source)(nil)
	_ monitor.Acknowledger = (*Commander)(nil)
	_ monitor.Commenter    = (*Commander)(nil)
	_ monitor.Downtimer    = (*Commander)(nil)
	_ monitor.Checker      = (*Commander)(nil)
	_ monitor.Notifier     = (*Commander)(nil)
	_ monitor.StatusReader = (*Observer)(nil)
)

// Open returns the configured core. The result implements exactly what the
// configuration allows: without a way for commands it is no Acknowledger,
// without status_file and livestatus no StatusReader. Nothing is contacted: a
// core that is down is no reason not to start.
func (c *Config) Open(o Options) (monitor.Monitor, error) {
	if err := errors.Join(c.Validate()...); err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	timeout := cmp.Or(c.Timeout, defaultTimeout)
	src := &Source{links: notification.Links{Host: c.HostURL, Service: c.ServiceURL}}
	var eyes reader
	var through way
	if c.Livestatus != "" {
		l := livestatus{newSocket("livestatus", c.Livestatus, timeout), o.Clock}
		eyes, through = l, l
	}
	if c.StatusFile != "" {
		eyes = &statusFile{path: c.StatusFile}
	}
	if c.CommandPipe != "" {
		through = pipe{c.CommandPipe}
	}
	if c.QuerySocket != "" {
		through = queryHandler{newSocket("the query socket", "unix:"+c.QuerySocket, timeout)}
	}
	src.checkup = checkup{through, eyes, o.Clock.Now}
	cmd := &Commander{name: o.Name, way: through, eyes: eyes, clock: o.Clock, log: o.Log,
		said: language{sticky: c.sticky(), notify: on(c.Notify), persistent: on(c.Persistent)}}
	switch {
	case through == nil && eyes == nil:
		return src, nil
	case through == nil:
		return struct {
			*Source
			*Observer
		}{src, &Observer{eyes}}, nil
	case eyes == nil:
		return struct {
			*Source
			*Commander
		}{src, cmd}, nil
	}
	return struct {
		*Source
		*Commander
		*Observer
	}{src, cmd, &Observer{eyes}}, nil
}

// Decode implements monitor.Monitor for what `belfry notify` hands over.
func (s *Source) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	return notification.Decode(contentType, body, s.links)
}

// Acknowledge implements monitor.Acknowledger.
func (c *Commander) Acknowledge(ctx context.Context, a monitor.Acknowledgement) (monitor.Receipt, error) {
	s, err := c.said.acknowledge(a, c.clock.Now())
	// Somebody else's acknowledgement that was there before is not this one.
	return c.tell(ctx, s, err, a.Object, func(s monitor.Status) bool {
		return s.Acknowledged && alert.SamePerson(s.Author, extcmd.Author(a.Author))
	})
}

// Unacknowledge implements monitor.Acknowledger. No core notifies of it, so
// where nothing else could confirm it, it is refused rather than left open.
func (c *Commander) Unacknowledge(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	if _, silent := c.way.(pipe); silent && c.eyes == nil {
		return monitor.Receipt{}, fault.NewPermanent(errors.New("nagios tells nobody when an acknowledgement is removed: set status_file or livestatus for " + c.name + ", or remove it in nagios"))
	}
	s, err := c.said.unacknowledge(o, c.clock.Now())
	return c.tell(ctx, s, err, o, func(s monitor.Status) bool { return s.Known && !s.Acknowledged })
}

// Comment implements monitor.Commenter.
func (c *Commander) Comment(ctx context.Context, o alert.Object, author, text string) (monitor.Receipt, error) {
	s, err := c.said.comment(o, author, text, c.clock.Now())
	return c.tell(ctx, s, err, o, nil)
}

// Downtime implements monitor.Downtimer.
func (c *Commander) Downtime(ctx context.Context, d monitor.Downtime) (monitor.Receipt, error) {
	s, err := c.said.downtime(d, c.clock.Now())
	return c.tell(ctx, s, err, d.Object, nil)
}

// CheckNow implements monitor.Checker.
func (c *Commander) CheckNow(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	s, err := c.said.check(o, c.clock.Now())
	return c.tell(ctx, s, err, o, nil)
}

// Notifications implements monitor.Notifier.
func (c *Commander) Notifications(ctx context.Context, o alert.Object, on bool) (monitor.Receipt, error) {
	s, err := c.said.notifications(o, on, c.clock.Now())
	return c.tell(ctx, s, err, o, nil)
}

// tell sends a line. Livestatus answers "taken" before it is done: one look at
// the status right after saves the caller from waiting for the next.
func (c *Commander) tell(ctx context.Context, line string, err error, o alert.Object, shows func(monitor.Status) bool) (monitor.Receipt, error) {
	if err != nil {
		return monitor.Receipt{}, err
	}
	confirmed, err := c.way.send(ctx, line)
	if err != nil {
		return monitor.Receipt{}, err
	}
	if l, ok := c.way.(livestatus); ok && shows != nil {
		t := targetOf(o)
		s := &monitor.Status{}
		if _, err := l.read(ctx, map[target]*monitor.Status{t: s}); err != nil {
			c.log.Debug("the command was taken, but could not be seen yet", "object", o.Name(), "error", err)
			return monitor.Receipt{}, nil
		}
		confirmed = shows(*s)
	}
	return monitor.Receipt{Confirmed: confirmed}, nil
}

// Status implements monitor.StatusReader. AsOf is earlier than the answer by
// what a core may need to carry out a command that it already has.
func (r *Observer) Status(ctx context.Context, objects []alert.Object) ([]monitor.Status, error) {
	wanted := make(map[target]*monitor.Status, len(objects))
	for _, o := range objects {
		if extcmd.CheckObject(o) == nil {
			wanted[targetOf(o)] = &monitor.Status{}
		}
	}
	asOf, err := r.eyes.read(ctx, wanted)
	if err != nil {
		return nil, err
	}
	out := make([]monitor.Status, len(objects))
	for i, o := range objects {
		if s, ok := wanted[targetOf(o)]; ok && extcmd.CheckObject(o) == nil {
			out[i] = *s
		}
		out[i].AsOf = asOf.Add(-commandLag)
	}
	return out, nil
}
