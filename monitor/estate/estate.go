// SPDX-License-Identifier: Apache-2.0

// Package estate is a small simulated estate of hosts and services that fails
// and recovers by itself, for `belfry demo`: a monitoring system without
// anything to install.
//
// The flow: Run turns the wheel (run.go): at each turn something fails, gets
// worse or recovers (wheel.go, with the cast in cast.go), and the reports go to
// the function that Run was given, in order, again until they were taken. What
// people decide comes in through the monitor contract (commands.go), takes
// effect after a moment, as it would in a real core, and is reported like one
// reports it.
package estate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/monitor"
)

// Options set the pace. The zero value is right for a demo.
type Options struct {
	// Seed decides what happens; the same seed, the same story.
	Seed uint64
	// Pace is the mean time from one change to the next; 5s if zero.
	Pace time.Duration
	// Delay is how long a command takes until it is confirmed; 700ms if zero.
	Delay time.Duration
	Clock clock.Clock
}

// mostOpen is how many problems there are at a time at most: more would hide
// what the demo is to show.
const mostOpen = 6

// Estate is the estate. It is safe for use by several goroutines.
type Estate struct {
	pace, delay time.Duration
	clock       clock.Clock
	// wake tells Run that reports wait.
	wake chan struct{}

	mu      sync.Mutex
	chance  *rand.Rand
	things  []*thing
	waiting []alert.Report
	// epoch and problems make problem ids that no other run has.
	epoch    int64
	problems int
}

// thing is one host or service and how it stands.
type thing struct {
	object alert.Object
	labels alert.Labels
	part

	// state is the state's word, severity zero while all is well.
	state     string
	severity  alert.Severity
	output    string
	problem   string
	since     time.Time
	acked     bool
	author    string
	comment   string
	downUntil time.Time
	// remarks are the comments, oldest first.
	remarks []string
}

func (t *thing) ok() bool { return t.severity == alert.SeverityOK }

// The abilities that the demo shows.
var (
	_ monitor.Monitor      = (*Estate)(nil)
	_ monitor.Acknowledger = (*Estate)(nil)
	_ monitor.Commenter    = (*Estate)(nil)
	_ monitor.Downtimer    = (*Estate)(nil)
	_ monitor.Checker      = (*Estate)(nil)
	_ monitor.StatusReader = (*Estate)(nil)
)

// New returns an estate in which all is well.
func New(o Options) *Estate {
	if o.Pace <= 0 {
		o.Pace = 5 * time.Second
	}
	if o.Delay <= 0 {
		o.Delay = 700 * time.Millisecond
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	e := &Estate{
		pace: o.Pace, delay: o.Delay, clock: o.Clock,
		wake: make(chan struct{}, 1),
		// Nothing secret is drawn: the same seed is to tell the same story.
		chance: rand.New(rand.NewPCG(o.Seed, 0x62656c667279)), //nolint:gosec // see above
		things: cast(), epoch: o.Clock.Now().UnixMilli(),
	}
	for _, t := range e.things {
		t.calm()
	}
	return e
}

// Decode implements monitor.Monitor: the estate reports by itself and takes
// nothing over HTTP.
func (*Estate) Decode(string, []byte) (monitor.Decoded, error) {
	return monitor.Decoded{}, errors.New("the demo's estate reports by itself; nothing is handed over to it")
}

// calm makes all well with t.
func (t *thing) calm() {
	t.state, t.severity, t.output = "OK", alert.SeverityOK, t.fine
	if t.object.Kind == alert.KindHost {
		t.state = "UP"
	}
	t.problem, t.acked, t.author, t.comment = "", false, "", ""
}

// report says how t stands.
func (t *thing) report(kind alert.ReportKind, now time.Time) alert.Report {
	return alert.Report{
		Kind: kind, Object: t.object, Labels: t.labels, State: t.state, Severity: t.severity,
		Output: t.output, ProblemID: t.problem, At: now, Contact: t.labels["team"] + "-duty",
	}
}

// find returns the thing that o names. The caller holds the lock.
func (e *Estate) find(o alert.Object) (*thing, error) {
	for _, t := range e.things {
		if t.object.Kind == o.Kind && t.object.Host == o.Host && t.object.Service == o.Service {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the demo's estate has no %s", monitor.Quote(o.Name()))
}
