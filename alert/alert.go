// SPDX-License-Identifier: Apache-2.0

// Package alert holds what everything else is about: an alert (one problem of
// one object), the reports that monitoring systems send about it, and the
// history of what happened to it. It does no I/O and imports nothing of ours.
//
// The flow: a decoder makes a Report; Apply takes the alert that is open for
// the same object (or none) and the report, and says what the alert is now and
// which events that makes. People's acts go through the methods in ack.go. The
// rules are pure: the caller stores what they return, in one transaction.
package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// ID identifies an alert, event or delivery within one Belfry: a positive
// number that grows with time (see store).
type ID int64

// Status says whether the problem is there.
type Status string

// The two statuses of an alert.
const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
)

// Severity orders alerts: the higher, the sooner it is delivered.
type Severity int

// Severities, lowest first.
const (
	SeverityOK Severity = iota
	SeverityInfo
	SeverityUnknown
	SeverityWarning
	SeverityCritical
)

var severityNames = [...]string{"ok", "info", "unknown", "warning", "critical"}

// String returns the name used in labels and matchers: ok, info, unknown,
// warning or critical.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return "unknown"
	}
	return severityNames[s]
}

// ParseSeverity reads a severity label in the words that are common in the
// field; anything else is SeverityUnknown with ok false.
func ParseSeverity(word string) (s Severity, ok bool) {
	switch strings.ToLower(word) {
	case "critical", "crit", "page", "error", "emergency", "fatal", "disaster", "high", "down", "unreachable":
		return SeverityCritical, true
	case "warning", "warn", "average", "minor", "medium":
		return SeverityWarning, true
	case "info", "informational", "information", "none", "notice", "low":
		return SeverityInfo, true
	case "ok", "up", "resolved":
		return SeverityOK, true
	case "unknown":
		return SeverityUnknown, true
	}
	return SeverityUnknown, false
}

// Kind says what sort of object has a problem.
type Kind string

// The kinds of objects.
const (
	KindHost    Kind = "host"
	KindService Kind = "service"
	KindRule    Kind = "rule"
)

// Object is what has a problem, by the names that its monitoring system uses.
type Object struct {
	Kind Kind `json:"kind"`
	// Host and Service are the identifying names (in openITCOCKPIT: UUIDs).
	Host    string `json:"host,omitempty"`
	Service string `json:"service,omitempty"`
	// HostDisplay and ServiceDisplay are for people; empty means the same as above.
	HostDisplay    string `json:"host_display,omitempty"`
	ServiceDisplay string `json:"service_display,omitempty"`
	// Address is the host's network address where known.
	Address string `json:"address,omitempty"`
	// Rule is the alerting rule's name (KindRule).
	Rule string `json:"rule,omitempty"`
	// Key is the system's own identity of the alert where it has one
	// (Alertmanager's fingerprint). When set it alone identifies the object.
	Key string `json:"key,omitempty"`
}

// Fingerprint identifies an object within its source: 32 hexadecimal digits.
type Fingerprint string

// Fingerprint returns the identity of o. Display names and addresses do not
// count: they may change while a problem lasts.
func (o Object) Fingerprint() Fingerprint {
	b := make([]byte, 0, 256) // most names fit; the others make it grow
	parts := [...]string{string(o.Kind), o.Host, o.Service, o.Rule, ""}
	if o.Key != "" {
		// Its title may change while a problem lasts: "web is down", "web is up".
		parts = [...]string{"", "", "", "", o.Key}
	}
	for _, part := range parts {
		b = append(b, part...)
		b = append(b, 0)
	}
	sum := sha256.Sum256(b)
	return Fingerprint(hex.EncodeToString(sum[:16]))
}

// HostName returns the host's name for people.
func (o Object) HostName() string { return cmp.Or(o.HostDisplay, o.Host) }

// ServiceName returns the service's name for people.
func (o Object) ServiceName() string { return cmp.Or(o.ServiceDisplay, o.Service) }

// Name returns the object for people: "Disk /var on web01", "web01", or the
// rule with its host.
func (o Object) Name() string {
	what := cmp.Or(o.ServiceName(), o.Rule)
	switch {
	case what != "" && o.HostName() != "":
		return what + " on " + o.HostName()
	case what != "":
		return what
	default:
		return o.HostName()
	}
}

// Topic tells apart what can go on with one object at the same time. Each
// topic has at most one open alert per object.
type Topic string

// The topics.
const (
	TopicProblem  Topic = "problem"
	TopicDowntime Topic = "downtime"
	TopicFlapping Topic = "flapping"
	TopicCustom   Topic = "custom"
)

// Alert is one problem of one object, from its first report to its end.
type Alert struct {
	ID ID `json:"-"`
	// Number is short, for people to say and type: #42. The store gives it, in
	// the order in which alerts came in, each once; 0 before.
	Number      int64       `json:"-"`
	Source      string      `json:"-"`
	Fingerprint Fingerprint `json:"-"`
	Topic       Topic       `json:"-"`
	Status      Status      `json:"-"`
	Severity    Severity    `json:"-"`
	// Revision grows by one with every change that a card can show.
	Revision int64 `json:"-"`
	// StartsAt is when the problem began, EndsAt when it was over (zero while firing).
	StartsAt  time.Time `json:"-"`
	EndsAt    time.Time `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Object Object `json:"object"`
	Labels Labels `json:"labels,omitempty"`
	// State is the monitoring system's own word: CRITICAL, DOWN, firing.
	State string `json:"state"`
	// Output is the whole text of the check, first line and long output.
	Output string `json:"output,omitempty"`
	// Link leads to the object in its monitoring system.
	Link string `json:"link,omitempty"`
	// ProblemID is the system's own number of this problem; empty if it has none.
	ProblemID string `json:"problem_id,omitempty"`
	// Contacts were notified by the monitoring system, in order, each once.
	Contacts []string `json:"contacts,omitempty"`
	// Mentions are handles that reports asked to ring, in every channel.
	Mentions []string `json:"mentions,omitempty"`
	// Rings is how cards are announced, by destination, as the routes wanted
	// when the card was made; a destination that is absent is silent.
	Rings map[string]Ring `json:"rings,omitempty"`
	// Channels are those that reports named in addition to what routes say.
	Channels []string `json:"channels,omitempty"`
	Ack      Ack      `json:"ack"`
	// Cards are the destinations ("connection/channel") that have a card.
	Cards []string `json:"cards,omitempty"`
	// Called are the routes by which it called for an incident, each once.
	Called []string `json:"called,omitempty"`
	// NoEmoji is true when the sender wants cards without emoji.
	NoEmoji bool `json:"no_emoji,omitempty"`
	// InDowntime and Flapping are what was last reported.
	InDowntime bool `json:"in_downtime,omitempty"`
	Flapping   bool `json:"flapping,omitempty"`
	// Said is the last custom notification: it comes once for every contact.
	Said Said `json:"said,omitzero"`
}

// Said is what somebody said with a custom notification.
type Said struct {
	By   string    `json:"by,omitempty"`
	Text string    `json:"text,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// Name returns the alert's object for people.
func (a *Alert) Name() string { return a.Object.Name() }

// Clone returns a copy that shares nothing with a.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Labels = maps.Clone(a.Labels)
	c.Contacts = slices.Clone(a.Contacts)
	c.Mentions = slices.Clone(a.Mentions)
	c.Rings = cloneRings(a.Rings)
	c.Channels = slices.Clone(a.Channels)
	c.Cards = slices.Clone(a.Cards)
	c.Called = slices.Clone(a.Called)
	return &c
}
