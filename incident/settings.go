// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Severity is one of the severities that may be chosen.
type Severity struct {
	// Name is short: "SEV1".
	Name string
	// About says what it means.
	About string
	// Private makes every incident of this severity private.
	Private bool
}

// Role is something that one person does in an incident.
type Role struct {
	// Name is one word: "commander".
	Name string
	// About says what they do.
	About string
}

// Field is a custom field.
type Field struct {
	// Name is one word, Label what people read.
	Name, Label string
	// Options are what may be chosen; none: any text.
	Options []string
}

// Settings are what may be chosen in incidents. The zero Settings allow
// nothing; Defaults are what holds without a configuration.
type Settings struct {
	// Severities, the worst first.
	Severities []Severity
	// Severity is what an incident has at first; empty: none.
	Severity                      string
	Types, Services, Environments []string
	Fields                        []Field
	Roles                         []Role
	// Form are the fields of the form by which incidents are declared, in
	// order; none: title, severity, service, summary.
	Form []FormField
	// Reactions are the emoji with which people keep a message of an incident's
	// channel, by their names without colons.
	Reactions map[Keep][]string
	// Reminders are what people are reminded of.
	Reminders Reminders
	// Channel are the rules for incidents' own channels.
	Channel ChannelRules
	// Silent are the entries that are not told in the threads of cards although
	// they are notable; with EntryDeclared an incident is not announced before
	// there is something else to tell.
	Silent []EntryKind
}

// Defaults are the settings without a configuration.
func Defaults() Settings {
	return Settings{
		Reactions: DefaultReactions(),
		Severities: []Severity{
			{Name: "SEV0", About: "everything is down"},
			{Name: "SEV1", About: "many people can't work"},
			{Name: "SEV2", About: "some people are held up"},
			{Name: "SEV3", About: "hardly anybody notices"},
		},
		Roles: []Role{
			{Name: "commander", About: "leads and decides"},
			{Name: "communications", About: "tells everybody else how it stands"},
			{Name: "scribe", About: "writes down what happens"},
		},
		Reminders: Reminders{Commander: 10 * time.Minute, Update: 30 * time.Minute, Triage: 15 * time.Minute, Tasks: true},
		Channel:   DefaultChannelRules(),
	}
}

// UnknownError says that something is not among what may be chosen.
type UnknownError struct {
	// What is the noun: "severity".
	What string
	// Word is what was asked for, Known what there is.
	Word  string
	Known []string
}

// Error implements error.
func (e *UnknownError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no %s is configured; they are set under incidents in the configuration file", e.What)
	}
	return fmt.Sprintf("there is no %s %q; there are %s", e.What, e.Word, strings.Join(e.Known, ", "))
}

// SeverityNames are the severities' names, the worst first.
func (s *Settings) SeverityNames() []string {
	names := make([]string, len(s.Severities))
	for i, v := range s.Severities {
		names[i] = v.Name
	}
	return names
}

// RoleNames are the roles' names.
func (s *Settings) RoleNames() []string {
	names := make([]string, len(s.Roles))
	for i, v := range s.Roles {
		names[i] = v.Name
	}
	return names
}

// FindSeverity returns the severity that a word names: "SEV1", "sev 1", or its
// number alone. An *UnknownError names those there are.
func (s *Settings) FindSeverity(word string) (Severity, error) {
	names := s.SeverityNames()
	if i := find(names, word); i >= 0 {
		return s.Severities[i], nil
	}
	if digits := strings.TrimSpace(word); digits != "" && strings.Trim(digits, "0123456789") == "" {
		at := -1
		for i, name := range names {
			if strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.IsDigit(r) }) == digits {
				if at >= 0 {
					at = -1 // two end so
					break
				}
				at = i
			}
		}
		if at >= 0 {
			return s.Severities[at], nil
		}
	}
	return Severity{}, &UnknownError{"severity", word, names}
}

// Rank is how bad a severity is: the higher, the worse; 0 for none.
func (s *Settings) Rank(name string) int {
	if i := slices.IndexFunc(s.Severities, func(v Severity) bool { return v.Name == name }); i >= 0 {
		return len(s.Severities) - i
	}
	return 0
}

// FindRole returns the name of the role that a word names.
func (s *Settings) FindRole(word string) (string, error) {
	return choose("role", s.RoleNames(), word)
}

// FindService returns the name of the service that a word names.
func (s *Settings) FindService(word string) (string, error) {
	return choose("service", s.Services, word)
}

// FindField returns the custom field that a word names.
func (s *Settings) FindField(word string) (Field, bool) {
	for _, f := range s.Fields {
		if alike(f.Name, word) || alike(f.Label, word) {
			return f, true
		}
	}
	return Field{}, false
}

// choose returns the known word that word is, but for capitals and spaces.
func choose(what string, known []string, word string) (string, error) {
	if i := find(known, word); i >= 0 {
		return known[i], nil
	}
	return "", &UnknownError{what, word, known}
}

func find(known []string, word string) int {
	return slices.IndexFunc(known, func(k string) bool { return alike(k, word) })
}

// alike compares as people type: without capitals, spaces, dashes.
func alike(a, b string) bool { return plain(a) != "" && plain(a) == plain(b) }

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
