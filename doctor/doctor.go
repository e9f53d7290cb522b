// SPDX-License-Identifier: Apache-2.0

// Package doctor says how well a Belfry is: findings, each with what was seen
// and what cures it.
//
// Whoever knows a part (a chat connection, a monitoring source, Belfry itself)
// is its Examiner and returns Findings. Run asks all of them at once, each
// within its time, and makes one Report, which is written as text for people
// (text.go) or as JSON for programs. Probes (probe.go) prove that somebody
// really reached us: a chat server is made to send one back.
//
// Findings are shown to administrators: no secret may be in one.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"belfry/chat"
)

// Level is how bad something is.
type Level string

// The levels, from the best to the worst.
const (
	// OK: it was looked at and is right.
	OK Level = "ok"
	// Warn: it works, but not well, not for long, or nobody could see.
	Warn Level = "warn"
	// Fail: something does not work.
	Fail Level = "fail"
)

func (l Level) rank() int {
	switch l {
	case OK:
		return 0
	case Warn:
		return 1
	}
	return 2
}

// Finding is what one check came to.
type Finding struct {
	// Subject is what was examined: "belfry", "connection chat", "source
	// nagios". Run fills it in.
	Subject string `json:"subject"`
	// Check names the check for people and programs: short, always the same,
	// such as "token" or "channel ops".
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Seen is one plain line: what is so.
	Seen string `json:"seen"`
	// Remedy is what to do, exact enough to be done without asking further: a
	// command, or a place and a value. Every finding but an ok has one.
	Remedy string `json:"remedy,omitempty"`
}

// Good is a finding that all is right.
func Good(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, Seen: fmt.Sprintf(format, args...)}
}

// Doubt is a warning with its remedy.
func Doubt(check, remedy, format string, args ...any) Finding {
	return Finding{Check: check, Level: Warn, Seen: fmt.Sprintf(format, args...), Remedy: remedy}
}

// Bad is a failure with its remedy.
func Bad(check, remedy, format string, args ...any) Finding {
	return Finding{Check: check, Level: Fail, Seen: fmt.Sprintf(format, args...), Remedy: remedy}
}

// Secret is a token that doesn't print; config.Secret is one.
type Secret interface{ Reveal() string }

// Lent is an administrator's token of one connection's server. It must reach no
// other server.
type Lent struct {
	// Connection is whose server it is; empty: the only one that could be meant.
	Connection string
	// Token is nil where nothing was lent.
	Token Secret
}

// Visit is what an Examiner is given beside what it knows of itself.
type Visit struct {
	// Channels are those of this connection that the configuration names, as
	// written there; empty for sources.
	Channels []string
	// CallbackURL is the address at which a chat platform reaches this
	// connection, without a slash at its end.
	CallbackURL string
	// Probes prove that the other side reaches us; nil when no server runs,
	// so that nothing could arrive.
	Probes *Probes
	// Admin is a token of the other side's administrator, if one was lent for
	// this visit; else nil. It is not kept.
	Admin Secret
}

// Examiner looks into one connection or source. A chat.Platform or a
// monitor.Monitor may be one; it is optional.
type Examiner interface {
	// Examine returns what was found, in the order in which it is best read.
	// It changes nothing that people see, and ends with ctx.
	Examine(ctx context.Context, v Visit) []Finding
}

// Patient is something to be examined.
type Patient struct {
	Subject  string
	Examiner Examiner
	Visit    Visit
}

// Report is what all examinations came to.
type Report struct {
	// At is when it was made.
	At time.Time `json:"at"`
	// Version is Belfry's.
	Version string `json:"version"`
	// Level is the worst of the findings'.
	Level    Level     `json:"level"`
	Findings []Finding `json:"findings"`
}

// grace is how long an examiner may go on after its time was over.
const grace = 2 * time.Second

// Run examines all patients at once, each no longer than within, and returns
// their findings in the patients' order: the worst of each first.
func Run(ctx context.Context, patients []Patient, within time.Duration) []Finding {
	found := make([][]Finding, len(patients))
	var wg sync.WaitGroup
	for i, p := range patients {
		wg.Go(func() { found[i] = examine(ctx, p, within) })
	}
	wg.Wait()
	return slices.Concat(found...)
}

// examine asks one examiner. One that breaks down or doesn't end is a finding
// itself, and takes none of the others with it.
func examine(ctx context.Context, p Patient, within time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() {
		defer func() {
			if broke := recover(); broke != nil {
				done <- []Finding{Bad("examination", "report this as a fault of belfry, with this text", "the examination broke down: %v", broke)}
			}
		}()
		done <- p.Examiner.Examine(ctx, p.Visit)
	}()
	over := time.NewTimer(within + grace)
	defer over.Stop()
	var list []Finding
	select {
	case list = <-done:
	case <-over.C:
		list = []Finding{Bad("examination", "look whether what is examined hangs, and run belfry doctor again", "the examination did not end within %v", within)}
	}
	for i := range list {
		f := &list[i]
		f.Subject = p.Subject
		f.Check, f.Seen, f.Remedy = chat.CleanLine(f.Check), chat.CleanLine(f.Seen), chat.Clean(f.Remedy)
	}
	Sort(list)
	return list
}

// Sort puts the worst first and leaves equals as they stand.
func Sort(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int { return b.Level.rank() - a.Level.rank() })
}

// NewReport makes a report of findings.
func NewReport(at time.Time, version string, findings []Finding) Report {
	r := Report{At: at.UTC(), Version: version, Level: OK, Findings: findings}
	for _, f := range findings {
		if f.Level.rank() > r.Level.rank() {
			r.Level = f.Level
		}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	return r
}

// Count returns how many findings are of a level.
func (r Report) Count(l Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// ExitCode is that of a monitoring plugin: 0 all is well, 1 warnings, 2
// failures. (3, unknown, is for those who could not make a report.)
func (r Report) ExitCode() int { return r.Level.rank() }
