// SPDX-License-Identifier: Apache-2.0

package message

import (
	"time"

	"belfry/alert"
	"belfry/chat"
)

// List returns a table of alerts, one row each: number, state, what, since
// when. more counts those that are not among them.
func List(alerts []*alert.Alert, more int, o Options) *chat.Table {
	t := &chat.Table{Head: []string{"#", "State", "What", "Since"}, More: more}
	for _, a := range alerts {
		what := chat.Line{{Text: short(a.Name(), maxTitle)}}
		if extra := aside(a); extra != "" {
			what = append(what, chat.Span{Text: " · " + extra})
		}
		t.Rows = append(t.Rows, []chat.Line{
			{{Text: Number(a), Link: o.page(a.ID)}},
			{{Text: State(a)}},
			what,
			{moment(a.StartsAt, o)},
		})
	}
	return t
}

// aside is what must be known of an alert besides its state.
func aside(a *alert.Alert) string {
	switch {
	case a.Topic != alert.TopicProblem:
	case a.Ack.Phase == alert.AckPending:
		return "being acknowledged for " + person(a.Ack.By)
	case acknowledged(a):
		return "acknowledged by " + person(a.Ack.By)
	case a.InDowntime:
		return "in downtime"
	}
	return ""
}

// State returns a's icon and its state in one word: "🔴 CRITICAL".
func State(a *alert.Alert) string {
	word := stateWord(a)
	if i := icon(a); i != "" {
		return i + " " + word
	}
	return word
}

// Moment returns a span that shows t in the time zone of o, with the date where
// it is not today's.
func Moment(t time.Time, o Options) chat.Span { return moment(t, o) }

// Lasted says how long something takes, in one or two units: "3 h 5 min".
func Lasted(d time.Duration) string { return lasted(d) }

// Short returns text from outside cleaned, on one line, with at most most characters.
func Short(text string, most int) string { return short(text, most) }
