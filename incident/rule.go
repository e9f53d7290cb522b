// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"belfry/alert"
)

// Rule is how a route declares incidents of its alerts.
type Rule struct {
	// Route is the route's name; it declares as Machine.
	Route string
	// Title may hold labels of the alert, as {host}; empty: it is made of what
	// is known.
	Title    string
	Severity string
	// Triage begins it as in triage.
	Triage                        bool
	Types, Services, Environments []string
	// Group are labels: alerts that are alike in all of them belong to one
	// incident; none: all alerts of the route do.
	Group []string
	// CoolDown is for how long after the end of an incident no other one is
	// declared for the same group.
	CoolDown time.Duration
	// Limit is how many incidents it declares within LimitSpan at most.
	Limit int
}

// LimitSpan is what Rule.Limit is about.
const LimitSpan = time.Hour

// machines is before the connection of what is no person; no configured
// connection has it in its name.
const machines = ":"

// Machine is a part of Belfry, or a program, that acts: "route shop". It takes
// no part in incidents as people do.
func Machine(what, name string) Person {
	return Person{Connection: machines + what, Name: what + " " + name}
}

// IsMachine says whether p is no person, but a route or a program with a token.
func (p Person) IsMachine() bool { return strings.HasPrefix(p.Connection, machines) }

// By is who declares.
func (r *Rule) By() Person { return Machine("route", r.Route) }

// Key tells the incidents of a rule apart: it is the same for alerts of one group.
func (r *Rule) Key(l alert.Labels) string {
	if len(r.Group) == 0 {
		return "all"
	}
	h := sha256.New()
	for _, name := range r.Group {
		value := l[name]
		_, _ = fmt.Fprintf(h, "%s\x00%d\x00%s\x00", name, len(value), value) // a hash takes all
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Declaration is what it declares of an alert.
func (r *Rule) Declaration(a *alert.Alert) Declaration {
	return Declaration{Triage: r.Triage, Title: r.title(a), Severity: r.Severity, Types: r.Types, Services: r.Services, Environments: r.Environments,
		Alert: a, By: r.By()}
}

// labelled finds the labels of a title. Two braces are no way to write one: of
// {{host}} the label is "{host", which the configuration finds fault with.
var labelled = regexp.MustCompile(`\{([^}]*)\}`)

// title puts the alert's labels into the title; what is too long is cut.
func (r *Rule) title(a *alert.Alert) string {
	labels := a.MatchLabels()
	title := labelled.ReplaceAllStringFunc(r.Title, func(m string) string { return labels[m[1:len(m)-1]] })
	return excerpt(oneLine(title), MaxTitle)
}

// Placeholders returns the labels that Title wants.
func (r *Rule) Placeholders() (names []string) {
	for _, m := range labelled.FindAllStringSubmatch(r.Title, -1) {
		names = append(names, m[1])
	}
	return names
}

// Catch notes, once, that alerts of other groups are attached to i because the
// rule's limit is reached; ok is false when that was noted before.
func (i *Incident) Catch(r *Rule, at time.Time) (e Entry, ok bool) {
	return i.Trouble("limit of route "+r.Route, fmt.Sprintf("route %s has declared %d incidents within an hour, which is its limit; further alerts are attached here", r.Route, r.Limit), at)
}

// Overflow notes, once, that i takes no more of a rule's alerts.
func (i *Incident) Overflow(r *Rule, at time.Time) (e Entry, ok bool) {
	return i.Trouble("alerts of route "+r.Route, fmt.Sprintf("%d alerts are attached, and no more are kept; further ones of route %s have their cards alone", MaxAlerts, r.Route), at)
}

// Ended is when i came to an end; zero while it is open.
func (i *Incident) Ended() time.Time {
	if i.Status.Open() {
		return time.Time{}
	}
	if m, ok := i.Moments[Resolved]; ok {
		return m.At
	}
	return i.Moments[i.Status].At
}
