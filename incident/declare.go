// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"belfry/alert"
)

// Declaration is what somebody says when they declare an incident. Everything
// may be left empty but By.
type Declaration struct {
	Kind Kind
	// Triage begins it as in triage instead of started.
	Triage                        bool
	Title, Summary                string
	Severity                      string
	Types, Services, Environments []string
	Fields                        map[string]string
	Private                       bool
	// Parent is the incident that it is part of (Kind Sub); nil: none.
	Parent *Incident
	// Link leads to the message that it is declared about; may be empty.
	Link string
	// Alert is attached to it; nil: none.
	Alert *alert.Alert
	By    Person
	// Invite take part from the beginning.
	Invite []Person
}

// Declare makes an incident. What may be chosen must be in s. A blank title is
// made of what is known. The entries are in the order of the timeline.
func Declare(s *Settings, d Declaration, at time.Time) (*Incident, []Entry, error) {
	i := &Incident{Kind: d.Kind, Status: Started, Private: d.Private, CreatedAt: at, UpdatedAt: at, CreatedBy: d.By, Fields: map[string]string{}}
	if i.Kind == "" {
		i.Kind = Normal
	}
	if d.Triage {
		i.Status = InTriage
	}
	if d.Parent != nil {
		i.Kind, i.Parent = Sub, d.Parent.Number
		i.Private = i.Private || d.Parent.Private
	}
	if err := i.choose(s, &d); err != nil {
		return nil, nil, err
	}
	var err error
	if i.Summary, err = fit(d.Summary, "the summary", MaxText); err != nil {
		return nil, nil, err
	}
	if i.Title, err = fit(oneLine(d.Title), "the title", MaxTitle); err != nil {
		return nil, nil, err
	}
	if i.Title == "" {
		i.Title = i.generated(d.Alert)
	}
	i.Moments = map[Status]Moment{i.Status: {At: at, By: d.By}}
	e := i.touch(EntryDeclared, d.By, at, i.Summary)
	e.Is, e.Other, e.Link = i.Title, i.Parent, d.Link
	i.takesPart(d.By)
	entries := []Entry{e}
	if d.Alert != nil {
		e, err := i.Attach(d.Alert, d.By, at)
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
	}
	for _, p := range d.Invite {
		e, err := i.Invite(p, d.By, at)
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
	}
	if i.Private && !slices.ContainsFunc(i.People, func(p Person) bool { return p.ID != "" }) {
		return nil, nil, ErrNobody
	}
	return i, entries, nil
}

// ErrNobody says that nobody could see a private incident: no account takes part.
var ErrNobody = errors.New("it would be private, and nobody takes part in it; name people who do, or take a severity that is not private")

// choose takes what must be among the settings.
func (i *Incident) choose(s *Settings, d *Declaration) error {
	word := d.Severity
	if word == "" {
		word = s.Severity
	}
	if word != "" {
		v, err := s.FindSeverity(word)
		if err != nil {
			return err
		}
		i.Severity, i.Private = v.Name, i.Private || v.Private
	}
	for _, list := range []struct {
		what         string
		known, words []string
		into         *[]string
	}{
		{"type", s.Types, d.Types, &i.Types},
		{"service", s.Services, d.Services, &i.Services},
		{"environment", s.Environments, d.Environments, &i.Environments},
	} {
		var err error
		if *list.into, err = chooseAll(list.what, list.known, strings.Join(list.words, ",")); err != nil {
			return err
		}
	}
	for name, value := range d.Fields {
		f, ok := s.FindField(name)
		if !ok {
			return &UnknownError{"field", name, s.fieldNames()}
		}
		value, err := fieldValue(f, value)
		if err != nil {
			return err
		}
		if value != "" {
			i.Fields[f.Name] = value
		}
	}
	return nil
}

// fieldValue returns the value of a custom field as it is kept.
func fieldValue(f Field, value string) (string, error) {
	value, err := fit(value, f.Label, MaxLine)
	if err != nil || value == "" || len(f.Options) == 0 {
		return value, err
	}
	return choose(f.Label, f.Options, value)
}

// generated is the title of an incident that nobody gave one.
func (i *Incident) generated(a *alert.Alert) string {
	title := ""
	switch {
	case a != nil:
		title = a.Name()
	case len(i.Services) > 0:
		title = "Trouble with " + strings.Join(i.Services, ", ")
	case len(i.Types) > 0:
		title = capital(i.Types[0]) + " of " + i.CreatedAt.UTC().Format("2 January, 15:04 UTC")
	default:
		title = "Incident of " + i.CreatedAt.UTC().Format("2 January, 15:04 UTC")
	}
	return excerpt(oneLine(title), MaxTitle)
}

func capital(s string) string {
	r := []rune(s)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// Set changes a type, service, environment or custom field after it was
// declared: what is "type", "service", "environment" or a field's name. Several
// values are parted by commas; an empty value takes it away.
func (i *Incident) Set(s *Settings, what, value string, by Person, at time.Time) (Entry, error) {
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	known := *s
	known.Severity = "" // no severity is asked for here
	trial := &Incident{Fields: map[string]string{}}
	for _, list := range []struct {
		name       string
		declared   Declaration
		mine, then *[]string
	}{
		{"type", Declaration{Types: values(value)}, &i.Types, &trial.Types},
		{"service", Declaration{Services: values(value)}, &i.Services, &trial.Services},
		{"environment", Declaration{Environments: values(value)}, &i.Environments, &trial.Environments},
	} {
		if !alike(strings.TrimSuffix(what, "s"), list.name) {
			continue
		}
		if err := trial.choose(&known, &list.declared); err != nil {
			return Entry{}, err
		}
		return i.changed(list.name, strings.Join(*list.mine, ", "), strings.Join(*list.then, ", "), by, at, func() { *list.mine = *list.then })
	}
	f, ok := s.FindField(what)
	if !ok {
		return Entry{}, &UnknownError{"field", what, append([]string{"type", "service", "environment"}, s.fieldNames()...)}
	}
	if err := trial.choose(&known, &Declaration{Fields: map[string]string{what: value}}); err != nil {
		return Entry{}, err
	}
	is := trial.Fields[f.Name]
	return i.changed(f.Name, i.Fields[f.Name], is, by, at, func() {
		if i.Fields == nil {
			i.Fields = map[string]string{}
		}
		i.Fields[f.Name] = is
		if is == "" {
			delete(i.Fields, f.Name)
		}
	})
}

// changed carries a change of a field out, if it is one.
func (i *Incident) changed(name, was, is string, by Person, at time.Time, change func()) (Entry, error) {
	if was == is {
		return Entry{}, fmt.Errorf("the %s of %s: %w", name, i.Ref(), ErrSame)
	}
	e := i.touch(EntryField, by, at, "")
	e.What, e.Was, e.Is = name, was, is
	change()
	i.takesPart(by)
	return e, nil
}

// values parts a list as people type it.
func values(text string) []string {
	var list []string
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}
