// SPDX-License-Identifier: Apache-2.0

package alert

import "maps"

// Labeled is what routes match on.
type Labeled interface {
	// Label returns a label's value; a label that is missing is empty.
	Label(name string) string
}

// Labels are labels by their names.
type Labels map[string]string

// Label implements Labeled.
func (l Labels) Label(name string) string { return l[name] }

// Label implements Labeled: an alert has its own labels and the ones every
// alert has: source, kind, host, service, rule, severity, state, status, topic.
// Its own label wins over a built-in of the same name, but for source, which
// decides who may be trusted.
func (a *Alert) Label(name string) string {
	if name == "source" {
		return a.Source
	}
	if own, ok := a.Labels[name]; ok {
		return own
	}
	return a.builtIn(name)
}

func (a *Alert) builtIn(name string) string {
	switch name {
	case "kind":
		return string(a.Object.Kind)
	case "host":
		return a.Object.HostName()
	case "service":
		return a.Object.ServiceName()
	case "rule":
		return a.Object.Rule
	case "severity":
		return a.Severity.String()
	case "state":
		return a.State
	case "status":
		return string(a.Status)
	case "topic":
		return string(a.Topic)
	}
	return ""
}

var (
	// always are the built-in labels that no alert is without, maybe those that
	// an alert has if its object does.
	always = [...]string{"kind", "severity", "state", "status", "topic"}
	maybe  = [...]string{"host", "service", "rule"}
)

// MatchLabels returns everything that Label knows.
func (a *Alert) MatchLabels() Labels {
	l := make(Labels, len(a.Labels)+len(always)+len(maybe)+1)
	for _, name := range always {
		l[name] = a.builtIn(name)
	}
	for _, name := range maybe {
		if value := a.builtIn(name); value != "" {
			l[name] = value
		}
	}
	maps.Copy(l, a.Labels)
	l["source"] = a.Source
	return l
}
