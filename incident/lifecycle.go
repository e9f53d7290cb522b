// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is where an incident stands in its life.
type Status string

// The statuses, in the order of an incident's life.
const (
	InTriage  Status = "in_triage"
	Started   Status = "started"
	Mitigated Status = "mitigated"
	Resolved  Status = "resolved"
	Closed    Status = "closed"
	Cancelled Status = "cancelled"
)

// Statuses are all of them, in the order of an incident's life.
func Statuses() []Status {
	return []Status{InTriage, Started, Mitigated, Resolved, Closed, Cancelled}
}

// String is how people read it: "in triage".
func (s Status) String() string { return strings.ReplaceAll(string(s), "_", " ") }

// Open says whether there is still something to do about the problem itself.
func (s Status) Open() bool { return s == InTriage || s == Started || s == Mitigated }

// Act is a step along the lifecycle.
type Act string

// The acts.
const (
	Start    Act = "start"
	Mitigate Act = "mitigate"
	Resolve  Act = "resolve"
	Close    Act = "close"
	Cancel   Act = "cancel"
	Reopen   Act = "reopen"
)

// Acts are all of them.
func Acts() []Act { return []Act{Start, Mitigate, Resolve, Close, Cancel, Reopen} }

// Transition is one line of the lifecycle.
type Transition struct {
	From Status
	Act  Act
	To   Status
}

// Lifecycle is the whole life of an incident, as one table: what is not in it
// can't be done. An incident begins as in triage or started.
//
// Nobody has to accept an incident in triage before it may be mitigated or
// resolved: then it started at that moment. One that is resolved without having
// been mitigated was mitigated when it was resolved. Reopening always leads to
// started and takes back all later moments.
func Lifecycle() []Transition {
	return []Transition{
		{InTriage, Start, Started},
		{InTriage, Mitigate, Mitigated},
		{InTriage, Resolve, Resolved},
		{InTriage, Cancel, Cancelled},
		{Started, Mitigate, Mitigated},
		{Started, Resolve, Resolved},
		{Started, Cancel, Cancelled},
		{Mitigated, Resolve, Resolved},
		{Mitigated, Cancel, Cancelled},
		{Mitigated, Reopen, Started},
		{Resolved, Close, Closed},
		{Resolved, Reopen, Started},
		{Closed, Reopen, Started},
		{Cancelled, Reopen, Started},
	}
}

// next returns where an act leads; ok is false when it is impossible.
func next(from Status, act Act) (to Status, ok bool) {
	for _, t := range Lifecycle() {
		if t.From == from && t.Act == act {
			return t.To, true
		}
	}
	return "", false
}

// Possible returns the acts that are possible from a status.
func Possible(from Status) []Act {
	var acts []Act
	for _, t := range Lifecycle() {
		if t.From == from {
			acts = append(acts, t.Act)
		}
	}
	return acts
}

// leads is the status that an act is for.
func (a Act) leads() Status {
	for _, t := range Lifecycle() {
		if t.Act == a {
			return t.To
		}
	}
	return ""
}

// ImpossibleError says that the lifecycle has no such transition.
type ImpossibleError struct {
	Ref    string
	Status Status
	// Since is when it came to stand so, by whom.
	Since Moment
	Act   Act
	// Possible are the acts that would do.
	Possible []Act
}

// Error implements error.
func (e *ImpossibleError) Error() string {
	text := fmt.Sprintf("%s is %s", e.Ref, e.Status)
	if e.Act.leads() == e.Status {
		text += " already"
		if e.Since.By.Name != "" {
			text += ", by " + e.Since.By.Name
		}
	}
	return text + ", so it can't " + e.Act.passive() + "; possible is: " + joinActs(e.Possible)
}

// passive is "be mitigated".
func (a Act) passive() string {
	switch a {
	case Start:
		return "be started"
	case Mitigate:
		return "be mitigated"
	case Resolve:
		return "be resolved"
	case Close:
		return "be closed"
	case Cancel:
		return "be cancelled"
	case Reopen:
		return "be reopened"
	}
	return string(a)
}

func joinActs(acts []Act) string {
	words := make([]string, len(acts))
	for i, a := range acts {
		words[i] = string(a)
	}
	return strings.Join(words, ", ")
}

// entryKind is the kind of the entry that reaching a status makes.
func (a Act) entryKind() EntryKind {
	return map[Act]EntryKind{Start: EntryStarted, Mitigate: EntryMitigated, Resolve: EntryResolved, Close: EntryClosed,
		Cancel: EntryCancelled, Reopen: EntryReopened}[a]
}

// Move goes one step along the lifecycle. text is why, or how; may be empty.
// An *ImpossibleError says what would be possible.
func (i *Incident) Move(act Act, by Person, at time.Time, text string) (Entry, error) {
	text, err := fit(text, "the text", MaxText)
	if err != nil {
		return Entry{}, err
	}
	to, ok := next(i.Status, act)
	if !ok {
		return Entry{}, &ImpossibleError{Ref: i.Ref(), Status: i.Status, Since: i.Moments[i.Status], Act: act, Possible: Possible(i.Status)}
	}
	was := i.Status
	e := i.touch(act.entryKind(), by, at, text)
	e.Was, e.Is = was.String(), to.String()
	i.reach(to, Moment{At: e.At, By: by})
	if act == Reopen {
		i.Reopened++
		i.Opened = e.At
		i.DuplicateOf = 0
	}
	i.takesPart(by)
	return e, nil
}

// reach sets the status and the moments that go with it.
func (i *Incident) reach(to Status, m Moment) {
	if i.Moments == nil {
		i.Moments = map[Status]Moment{}
	}
	i.Status = to
	before := func(s Status) {
		if _, known := i.Moments[s]; !known {
			i.Moments[s] = m
		}
	}
	switch to {
	case Started:
		for _, s := range []Status{Mitigated, Resolved, Closed, Cancelled} {
			delete(i.Moments, s)
		}
		before(Started)
		return
	case Resolved:
		before(Mitigated)
		before(Started)
	case Mitigated:
		before(Started)
	}
	i.Moments[to] = m
}

// Since returns when and by whom a status was reached; zero when it was not.
func (i *Incident) Since(s Status) Moment { return i.Moments[s] }

// ErrDuplicateSelf says that an incident can't repeat itself.
var ErrDuplicateSelf = errors.New("an incident is no duplicate of itself; name the other one")

// Duplicate notes that i repeats other, and cancels it if it is still open.
// other gets an entry and names i. Neither may be i's own part.
func (i *Incident) Duplicate(other *Incident, by Person, at time.Time) (mine, theirs Entry, err error) {
	switch {
	case i.ID == other.ID:
		return mine, theirs, ErrDuplicateSelf
	case other.DuplicateOf == i.Number:
		return mine, theirs, fmt.Errorf("%s is a duplicate of %s already, and not the other way round", other.Ref(), i.Ref())
	case other.DuplicateOf != 0:
		return mine, theirs, fmt.Errorf("%s is itself a duplicate of #%d; name that one", other.Ref(), other.DuplicateOf)
	case i.DuplicateOf == other.Number:
		return mine, theirs, fmt.Errorf("%s is known as a duplicate of %s already", i.Ref(), other.Ref())
	case len(other.Duplicates) >= MaxLinks:
		return mine, theirs, fmt.Errorf("%s has %d duplicates already, more are not kept", other.Ref(), MaxLinks)
	}
	mine = i.touch(EntryDuplicate, by, at, "")
	mine.Was, mine.Other = i.Status.String(), other.Number
	i.DuplicateOf = other.Number
	if i.Status.Open() {
		i.reach(Cancelled, Moment{At: mine.At, By: by})
	}
	mine.Is = i.Status.String()
	if !slices.Contains(other.Duplicates, i.Number) {
		other.Duplicates = append(other.Duplicates, i.Number)
	}
	theirs = other.touch(EntryHasDuplicate, by, at, "")
	theirs.Other = i.Number
	return mine, theirs, nil
}

// Table is the lifecycle as Markdown, one row for each status.
func Table() string {
	var b strings.Builder
	b.WriteString("| |")
	for _, a := range Acts() {
		fmt.Fprintf(&b, " `%s` |", a)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Acts())) + "\n")
	for _, s := range Statuses() {
		fmt.Fprintf(&b, "| **%s** |", s)
		for _, a := range Acts() {
			to, ok := next(s, a)
			if !ok {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %s |", to)
		}
		b.WriteString("\n")
	}
	return b.String()
}
