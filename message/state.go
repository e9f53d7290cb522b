// SPDX-License-Identifier: Apache-2.0

package message

import (
	"strings"

	"belfry/alert"
)

// openITCOCKPIT's colours for host and service states, so that a card looks
// like the page it leads to.
const (
	green  = "#5cb85c" // host 0, service 0
	orange = "#f0ad4e" // service 1
	red    = "#d9534f" // host 1, service 2
	grey   = "#adadad" // host 2, service 3
	blue   = "#1895f5" // everything else
)

// superseded is the state of an alert that ended because its successor came:
// nobody said that it recovered (alert.Apply).
const superseded = "superseded"

// color returns the bar's colour.
func color(a *alert.Alert) string {
	if a.Topic != alert.TopicProblem {
		return blue
	}
	switch state := strings.ToUpper(a.State); {
	case a.State == superseded:
		return grey
	case a.Object.Kind == alert.KindRule:
		return severityColor(a)
	case state == "OK" || state == "UP":
		return green
	case state == "WARNING":
		return orange
	case state == "CRITICAL" || state == "DOWN":
		return red
	case state == "UNKNOWN" || state == "UNREACHABLE":
		return grey
	}
	return severityColor(a)
}

func severityColor(a *alert.Alert) string {
	if a.Status == alert.Resolved {
		return green
	}
	switch a.Severity {
	case alert.SeverityCritical:
		return red
	case alert.SeverityWarning:
		return orange
	case alert.SeverityUnknown:
		return grey
	}
	return blue
}

// icon returns the emoji that people scan a channel for: what is open, how bad
// it is, and what somebody has already taken (the colour still tells how bad).
func icon(a *alert.Alert) string {
	if a.NoEmoji {
		return ""
	}
	switch {
	case a.Topic == alert.TopicDowntime:
		return "🔧"
	case a.Topic == alert.TopicFlapping:
		return "🔁"
	case a.Topic == alert.TopicCustom:
		return "💬"
	case a.State == superseded:
		return "⚪"
	case a.Status == alert.Resolved:
		return "✅"
	case acknowledged(a):
		return "👀"
	}
	switch color(a) {
	case red:
		return "🔴"
	case orange:
		return "🟠"
	case grey:
		return "⚪"
	case green:
		return "🟢"
	}
	return "🔵"
}

// acknowledged says whether the monitoring system has an acknowledgement: it
// still has one while the removal is on its way.
func acknowledged(a *alert.Alert) bool {
	return a.Ack.Phase == alert.AckSet || a.Ack.Phase == alert.AckRemoving
}

// stateWord returns the word before the title: the monitoring system's own
// for hosts and services, the severity for rules, which only ever "fire".
func stateWord(a *alert.Alert) string {
	over := a.Status == alert.Resolved
	switch {
	case a.Topic == alert.TopicDowntime && over:
		return "DOWNTIME OVER"
	case a.Topic == alert.TopicDowntime:
		return "DOWNTIME"
	case a.Topic == alert.TopicFlapping && over:
		return "FLAPPING OVER"
	case a.Topic == alert.TopicFlapping:
		return "FLAPPING"
	case a.Topic == alert.TopicCustom:
		return "NOTICE"
	case a.State == superseded:
		return "OVER"
	}
	return stateName(a.Object.Kind, a.State, a.Severity, over)
}

func stateName(kind alert.Kind, state string, severity alert.Severity, over bool) string {
	if over && (kind == alert.KindRule || state == "") {
		return "RESOLVED"
	}
	if kind == alert.KindRule || state == "" {
		if severity == alert.SeverityOK {
			return "PROBLEM"
		}
		return strings.ToUpper(severity.String())
	}
	return strings.ToUpper(short(state, maxName))
}
