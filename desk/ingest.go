// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"belfry/alert"
	"belfry/fault"
	"belfry/store"
)

// Limits of what a report may bring along; what is longer is cut, with a word
// that it was.
const (
	maxOutput = 256 << 10
	maxText   = 4 << 10
	maxName   = 1 << 10
)

// Ingest takes reports of one source in, in their order. When it returns nil
// they are stored for good, with everything that follows from them. The
// warnings name what was not taken as it was sent. An error is Permanent
// (package fault) when some report can never be taken, because it makes our own
// rules break down: the others are stored all the same.
func (d *Desk) Ingest(ctx context.Context, source string, reports []alert.Report) (warnings []string, err error) {
	changes := make([]store.Change, len(reports))
	for i := range reports {
		r := reports[i]
		warnings = append(warnings, d.tame(&r)...)
		changes[i] = d.intake(source, r)
	}
	errs, err := d.store.Change(ctx, changes...)
	if err != nil {
		return warnings, err
	}
	var never error
	for i, e := range errs {
		if e == nil {
			continue
		}
		e = fmt.Errorf("can't take report %d about %s in: %w", i+1, reports[i].Object.Name(), e)
		if !errors.Is(e, errBroke) {
			return warnings, e
		}
		never = fault.NewPermanent(e)
	}
	return warnings, never
}

var errBroke = errors.New("the rules broke down inside, please report this")

// unbroken keeps one report that our rules break down over from holding up
// those behind it: its sender must not repeat it for ever.
func unbroken(apply func(store.View) ([]store.Effect, error)) func(store.View) ([]store.Effect, error) {
	return func(v store.View) (effects []store.Effect, err error) {
		defer func() {
			if broke := recover(); broke != nil {
				effects, err = nil, fmt.Errorf("%w: %v\n%s", errBroke, broke, debug.Stack())
			}
		}()
		return apply(v)
	}
}

func (d *Desk) intake(source string, r alert.Report) store.Change {
	c := store.Change{Source: source, Fingerprint: r.Object.Fingerprint()}
	if r.Repeated {
		c.Intake = r.Intake
	}
	c.Apply = unbroken(func(v store.View) ([]store.Effect, error) {
		if v.Seen {
			return nil, nil
		}
		topic := r.Kind.Topic()
		problem, notice := clone(v.Open[alert.TopicProblem]), (*alert.Alert)(nil)
		if topic != alert.TopicProblem {
			notice = clone(v.Open[topic])
		}
		applied := alert.Apply(source, problem, notice, r, d.clock.Now())
		effects := make([]store.Effect, len(applied.Alerts))
		for i, a := range applied.Alerts {
			effects[i] = d.effect(a, applied.Events[i])
		}
		return effects, nil
	})
	return c
}

func clone(a *alert.Alert) *alert.Alert {
	if a == nil {
		return nil
	}
	return a.Clone()
}

// tame cuts what is too long and drops what must not be believed: a handle
// that would ring a whole channel comes from configuration alone.
func (d *Desk) tame(r *alert.Report) (warnings []string) {
	cut := func(s *string, most int, what string) {
		if len(*s) > most {
			warnings = append(warnings, fmt.Sprintf("%s has %d bytes, kept %d", what, len(*s), most))
			*s = strings.ToValidUTF8((*s)[:most], "")
		}
	}
	cut(&r.Output, maxOutput, "output")
	cut(&r.Comment, maxText, "comment")
	cut(&r.Author, maxName, "author")
	cut(&r.Contact, maxName, "contact")
	cut(&r.Link, maxText, "link")
	cut(&r.ProblemID, maxName, "problem id")
	if r.Mention = strings.TrimPrefix(r.Mention, "@"); r.Mention != "" && !validHandle(r.Mention) {
		warnings = append(warnings, fmt.Sprintf("mention %.64q is not a person's or group's handle (a-z 0-9 . - _), nobody is rung", r.Mention))
		r.Mention = ""
	}
	if r.Channel != "" {
		if _, ok := d.router.Named(r.Channel); !ok {
			warnings = append(warnings, fmt.Sprintf("channel %.64q is on no configured connection; the routes decide alone", r.Channel))
			r.Channel = ""
		}
	}
	return warnings
}

// validHandle accepts one person's or group's handle. Words that ring a whole
// channel are refused: monitoring must not be able to. Chat platforms read a
// handle without the punctuation at its end, so "here." rings as "here" does.
func validHandle(h string) bool {
	switch strings.ToLower(strings.Trim(h, "._-")) {
	case "", "channel", "all", "here", "everyone":
		return false
	}
	if len(h) > 64 {
		return false
	}
	for _, r := range h {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	return true
}
