// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Verb says what a step means.
type Verb string

// The verbs, as they are printed.
const (
	// Found: it is there already.
	Found Verb = "ok"
	// Make and Change are what Apply does.
	Make   Verb = "make"
	Change Verb = "change"
	// Blocked: somebody else must do something first.
	Blocked Verb = "blocked"
	// Note: nothing is in the way, and somebody should know.
	Note Verb = "note"
)

// Step is one thing that a connection needs.
type Step struct {
	Verb Verb
	// Text names it; Who says who can help, and how (Blocked, or after a refusal).
	Text, Who string
	// do makes it so; nil where there is nothing to do.
	do func(context.Context) error
}

// Plan is what stands between a server and a connection that works.
type Plan struct {
	// URL, Team and As say where, and as whom it was read.
	URL, Team, As string
	Steps         []Step
}

// Plan reads the server and says what Apply will do. It changes nothing.
func (s *Setup) Plan(ctx context.Context) (*Plan, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	p := &Plan{URL: s.wish.URL, Team: s.wish.Team, As: s.known.me.Username}
	if s.wish.Insecure {
		p.Steps = append(p.Steps, Step{Verb: Note, Text: SayInsecure})
	}
	for _, steps := range []func() []Step{s.settingSteps, s.botSteps, s.channelSteps, s.commandSteps, s.outgoingSteps, s.oauthSteps} {
		p.Steps = append(p.Steps, steps()...)
	}
	return p, nil
}

// Print writes a plan for people.
func (p *Plan) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "plan for team %s of %s, as @%s:\n", p.Team, p.URL, p.As); err != nil {
		return err
	}
	for _, st := range p.Steps {
		if err := st.print(w); err != nil {
			return err
		}
	}
	return nil
}

func (st Step) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "  %-8s%s\n", st.Verb, st.Text)
	if err == nil && st.Who != "" && (st.Verb == Blocked || st.Verb == Note) {
		_, err = fmt.Fprintf(w, "          %s\n", st.Who)
	}
	return err
}

// Todo counts the steps that Apply would make or change something with.
func (p *Plan) Todo() int { return p.count(Make) + p.count(Change) }

// Blocked counts the steps that somebody else must help with.
func (p *Plan) Blocked() int { return p.count(Blocked) }

func (p *Plan) count(v Verb) int {
	n := 0
	for _, st := range p.Steps {
		if st.Verb == v {
			n++
		}
	}
	return n
}

// Outcome is what became of a step.
type Outcome struct {
	Step Step
	// Err is why it could not be done; nil when it was.
	Err error
}

// errNeeds is a step that waits for another one.
var errNeeds = errors.New("waits for what could not be done above")

// errKept is a setting that did not change.
var errKept = errors.New("the server kept the old value, so its environment sets it")

// Apply carries a plan's steps out and tells what became of each that does
// something. What the server refuses is told and passed over; left counts it,
// together with what the plan says is blocked. An error ends it at that step:
// the same set-up goes on from there when it is run again.
func (s *Setup) Apply(ctx context.Context, p *Plan, tell func(Outcome)) (left int, err error) {
	left = p.Blocked()
	for _, st := range p.Steps {
		if st.do == nil {
			continue
		}
		err := st.do(ctx)
		_, no := refused(err)
		switch {
		case err == nil:
		case no || errors.Is(err, errNeeds) || errors.Is(err, errKept):
			left++
		default:
			return left, fmt.Errorf("can't %s %s: %w", st.Verb, st.Text, err)
		}
		if st.Verb != Found {
			tell(Outcome{Step: st, Err: err})
		}
	}
	return left, nil
}

// make notes that something is about to be made, makes it, and notes what it is.
func (s *Setup) make(n receipt, call func() (id string, err error)) error {
	n.Begun = s.opt.Clock.Now()
	old := s.receipts.find(n.Kind, n.Name)
	if err := s.receipts.begin(n); err != nil {
		return err
	}
	id, err := call()
	if err == nil {
		return s.receipts.done(n.Kind, n.Name, id, s.opt.Clock.Now())
	}
	if _, no := refused(err); no && old == nil {
		// Nothing was made, for sure.
		return errors.Join(err, s.receipts.drop(n.Kind, n.Name))
	}
	return err
}

// adopt returns what completes the note of something that an earlier run made
// without hearing the answer; nil where there is no such note.
func (s *Setup) adopt(k kind, name, id string) func(context.Context) error {
	n := s.receipts.find(k, name)
	if n == nil || !n.Done.IsZero() {
		return nil
	}
	return func(context.Context) error { return s.receipts.done(k, name, id, s.opt.Clock.Now()) }
}

// systemAdmin is who can do what an ordinary account may not.
const systemAdmin = "who can: a system administrator, who can run this command with a token of theirs"
