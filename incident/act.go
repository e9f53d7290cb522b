// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"belfry/alert"
)

// Limits, in characters and counts.
const (
	MaxTitle = 200
	// MaxLine bounds what is said in one line, MaxText what takes several.
	MaxLine   = 500
	MaxText   = 4000
	MaxTasks  = 200
	MaxAlerts = 200
	MaxPeople = 500
	// MaxLinks bounds sub-incidents and duplicates.
	MaxLinks    = 100
	MaxChannels = 8
	// MaxEntries bounds a timeline. The lifecycle goes on beyond it.
	MaxEntries = 10_000
)

// ErrFull says that the timeline is full.
var ErrFull = fmt.Errorf("the timeline has %d entries and is full; resolve this incident and declare another", MaxEntries)

// Errors about what was said. Their texts are shown to people.
var (
	ErrNoText = errors.New("nothing is written")
	// ErrSame: it is so already.
	ErrSame = errors.New("that is so already")
)

// room says whether the timeline takes more of what people add at will.
func (i *Incident) room() error {
	if i.Entries >= MaxEntries {
		return ErrFull
	}
	return nil
}

// fit returns text as it is kept, or says that it is too long.
func fit(text, what string, most int) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"))
	if n := utf8.RuneCountInString(text); n > most {
		return "", fmt.Errorf("%s has %d characters; at most %d fit", what, n, most)
	}
	return text, nil
}

// excerpt is what fits of a text that nobody can be asked to shorten.
func excerpt(text string, most int) string {
	text, err := fit(text, "", 1<<30)
	if r := []rune(text); err == nil && len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// need is fit for what must not be empty.
func need(text, what string, most int) (string, error) {
	text, err := fit(text, what, most)
	if err == nil && text == "" {
		return "", fmt.Errorf("%w: say %s", ErrNoText, what)
	}
	return text, err
}

// SetSummary replaces the summary; an empty one takes it away.
func (i *Incident) SetSummary(text string, by Person, at time.Time) (Entry, error) {
	text, err := fit(text, "the summary", MaxText)
	if err != nil {
		return Entry{}, err
	}
	if text == i.Summary {
		return Entry{}, fmt.Errorf("the summary of %s reads so already: %w", i.Ref(), ErrSame)
	}
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	e := i.touch(EntrySummary, by, at, text)
	i.Summary = text
	i.takesPart(by)
	return e, nil
}

// SetSeverity gives it a severity of s.
func (i *Incident) SetSeverity(s *Settings, word string, by Person, at time.Time, why string) (Entry, error) {
	v, err := s.FindSeverity(word)
	if err != nil {
		return Entry{}, err
	}
	if why, err = fit(why, "the reason", MaxLine); err != nil {
		return Entry{}, err
	}
	if v.Name == i.Severity {
		return Entry{}, fmt.Errorf("%s has severity %s already", i.Ref(), v.Name)
	}
	was := i.Severity
	e := i.touch(EntrySeverity, by, at, why)
	e.Was, e.Is = was, v.Name
	i.Severity = v.Name
	// Once private it stays so: what was said in private must not come out.
	i.Private = i.Private || v.Private
	i.takesPart(by)
	return e, nil
}

// Rename gives it another title.
func (i *Incident) Rename(title string, by Person, at time.Time) (Entry, error) {
	title, err := need(oneLine(title), "the title", MaxTitle)
	if err != nil {
		return Entry{}, err
	}
	if title == i.Title {
		return Entry{}, fmt.Errorf("%s is called so already", i.Ref())
	}
	e := i.touch(EntryRenamed, by, at, "")
	e.Was, e.Is = i.Title, title
	i.Title = title
	i.takesPart(by)
	return e, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Say tells everybody how it stands.
func (i *Incident) Say(text string, by Person, at time.Time) (Entry, error) {
	text, err := need(text, "how it stands", MaxText)
	if err != nil {
		return Entry{}, err
	}
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	e := i.touch(EntryUpdate, by, at, text)
	i.Update, i.Updated = text, Moment{At: e.At, By: by}
	i.takesPart(by)
	return e, nil
}

// Note keeps something that a person said; Happened notes what happened at a
// moment, which may lie in the past but neither in the future nor more than a
// year back.
func (i *Incident) Note(text string, by Person, at time.Time) (Entry, error) {
	text, err := need(text, "what to keep", MaxText)
	if err != nil {
		return Entry{}, err
	}
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	i.takesPart(by)
	return i.touch(EntryNote, by, at, text), nil
}

// ErrWhen says that an event lies in the future or too far back.
var ErrWhen = errors.New("an event lies in the past, and not more than a year back")

// Happened notes what happened at a moment. See Note.
func (i *Incident) Happened(text string, when time.Time, by Person, at time.Time) (Entry, error) {
	text, err := need(text, "what happened", MaxText)
	if err != nil {
		return Entry{}, err
	}
	if when.IsZero() {
		when = at
	}
	if when.After(at) || at.Sub(when) > 366*24*time.Hour {
		return Entry{}, ErrWhen
	}
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	e := i.touch(EntryEvent, by, at, text)
	e.At = when
	i.takesPart(by)
	return e, nil
}

// Assign gives a role to a person.
func (i *Incident) Assign(s *Settings, word string, who, by Person, at time.Time) (Entry, error) {
	role, err := s.FindRole(word)
	if err != nil {
		return Entry{}, err
	}
	if who.Name == "" {
		return Entry{}, fmt.Errorf("say who is to be %s", role)
	}
	was := i.Roles[role]
	if was.Name != "" && was.Same(who) && (was.ID != "" || who.ID == "") {
		return Entry{}, fmt.Errorf("%s is %s of %s already", who.Name, role, i.Ref())
	}
	e := i.touch(EntryRole, by, at, "")
	e.What, e.Was, e.Is = role, was.Name, who.Name
	if i.Roles == nil {
		i.Roles = map[string]Person{}
	}
	i.Roles[role] = who
	i.takesPart(who)
	i.takesPart(by)
	return e, nil
}

// Join notes that somebody takes part.
func (i *Incident) Join(who Person, at time.Time) (Entry, error) {
	if i.Takes(who) {
		return Entry{}, fmt.Errorf("you take part in %s already", i.Ref())
	}
	if len(i.People) >= MaxPeople {
		return Entry{}, fmt.Errorf("%s has %d people already, more are not kept", i.Ref(), MaxPeople)
	}
	e := i.touch(EntryJoined, who, at, "")
	i.takesPart(who)
	return e, nil
}

// Invite notes that somebody is asked to come.
func (i *Incident) Invite(who, by Person, at time.Time) (Entry, error) {
	if i.Takes(who) {
		return Entry{}, fmt.Errorf("%s takes part in %s already", who.Name, i.Ref())
	}
	if len(i.People) >= MaxPeople {
		return Entry{}, fmt.Errorf("%s has %d people already, more are not kept", i.Ref(), MaxPeople)
	}
	e := i.touch(EntryInvited, by, at, "")
	e.Is = who.Name
	i.takesPart(who)
	i.takesPart(by)
	return e, nil
}

// Attach adds an alert.
func (i *Incident) Attach(a *alert.Alert, by Person, at time.Time) (Entry, error) {
	if slices.ContainsFunc(i.Alerts, func(x Attached) bool { return x.Alert == a.ID }) {
		return Entry{}, fmt.Errorf("alert #%d is attached to %s already", a.Number, i.Ref())
	}
	if len(i.Alerts) >= MaxAlerts {
		return Entry{}, fmt.Errorf("%s has %d alerts already, more are not kept", i.Ref(), MaxAlerts)
	}
	e := i.touch(EntryAttached, by, at, "")
	e.Alert, e.Is = a.Number, a.Name()
	i.Alerts = append(i.Alerts, attach(a, Moment{At: e.At, By: by}))
	i.takesPart(by)
	return e, nil
}

// Run makes a channel the incident's own.
//
// Who makes a channel a private incident's says that those in it may know. One
// that was chosen before the incident was private was not chosen for that: it is
// taken for public until it is chosen again.
func (i *Incident) Run(c Channel, by Person, at time.Time) (Entry, error) {
	if !c.Ours {
		c.Public = !i.Private
	}
	if n := slices.IndexFunc(i.Channels, func(x Channel) bool { return x.Connection == c.Connection && x.ID == c.ID }); n >= 0 {
		if x := &i.Channels[n]; !x.Ours && !i.Shows(*x) {
			e := i.touch(EntryChannel, by, at, "")
			e.What, e.Is, x.Public = x.Connection, x.Name, false
			i.takesPart(by)
			return e, nil
		}
		return Entry{}, fmt.Errorf("this is the channel of %s already", i.Ref())
	}
	if len(i.Channels) >= MaxChannels {
		return Entry{}, fmt.Errorf("%s has %d channels already, more are not kept", i.Ref(), MaxChannels)
	}
	e := i.touch(EntryChannel, by, at, "")
	e.What, e.Is = c.Connection, c.Name
	i.Channels = append(i.Channels, c)
	i.takesPart(by)
	return e, nil
}

// maxTold bounds the troubles that are told once each.
const maxTold = 200

// Trouble notes that chat did not let Belfry do something; key is the same for
// the same trouble, which is told once. ok is false when it was told, or when
// there is no room to tell it.
func (i *Incident) Trouble(key, text string, at time.Time) (e Entry, ok bool) {
	if slices.Contains(i.Told, key) || len(i.Told) >= maxTold || i.room() != nil {
		return e, false
	}
	i.Told = append(i.Told, key)
	return i.touch(EntryTrouble, Belfry(), at, excerpt(text, MaxLine)), true
}

// TakeChannel notes that Belfry made a channel; it is the incident's own from now
// on. ok is false when that is known.
func (i *Incident) TakeChannel(c Channel, at time.Time) (e Entry, ok bool) {
	if _, there := i.Own(c.Connection); there {
		return e, false
	}
	e = i.touch(EntryChannel, Belfry(), at, "")
	e.What, e.Is = c.Connection, c.Name
	c.Ours = true
	i.Channels = append(i.Channels, c)
	return e, true
}

// Keep replaces what is known of the channel that Belfry made on a connection;
// false: nothing is new.
func (i *Incident) Keep(c Channel, at time.Time) bool {
	for n, was := range i.Channels {
		if was.Ours && was.Connection == c.Connection && was.ID == c.ID && was != c {
			i.Channels[n] = c
			i.touch(EntryChannel, Belfry(), at, "") // no entry: only the cards show it
			i.Entries--
			return true
		}
	}
	return false
}

// Part notes that sub is a part of i; sub must be new.
func (i *Incident) Part(sub *Incident, by Person, at time.Time) (Entry, error) {
	if len(i.Subs) >= MaxLinks {
		return Entry{}, fmt.Errorf("%s has %d sub-incidents already, more are not kept", i.Ref(), MaxLinks)
	}
	e := i.touch(EntryHasSub, by, at, "")
	e.Other = sub.Number
	if i.Private || !sub.Private { // who reads this may not know of that
		e.Is = sub.Title
	}
	i.Subs = append(i.Subs, sub.Number)
	i.takesPart(by)
	return e, nil
}
