// SPDX-License-Identifier: Apache-2.0

package message

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
	"belfry/incident"
)

// Limits of what an incident's messages show.
const (
	maxIncidentSummary = 1500
	maxUpdate          = 600
)

// Incident is an incident's card: how it stands now.
func Incident(i *incident.Incident, o Options) chat.Message {
	m := chat.Message{Color: incidentColor(i), Icon: incidentIcon(i), State: incidentState(i), Title: short(i.Ref()+" "+i.Title, maxTitle), Open: i.Status.Open()}
	var first line
	if i.Severity != "" {
		first.span(chat.Span{Text: short(i.Severity, maxName), Bold: true})
	}
	first.span(since(i, o)...)
	for _, list := range [][]string{i.Types, i.Services, i.Environments} {
		if len(list) > 0 {
			first.text(short(strings.Join(list, ", "), maxComment))
		}
	}
	if i.Parent != 0 {
		first.text(fmt.Sprintf("part of #%d", i.Parent))
	}
	if i.DuplicateOf != 0 {
		first.text(fmt.Sprintf("duplicate of #%d", i.DuplicateOf))
	}
	m.Lines = append(m.Lines, first.spans)
	for _, name := range sortedKeys(i.Fields) {
		m.Lines = append(m.Lines, chat.Line{{Text: short(name, maxName) + ": " + short(i.Fields[name], maxComment)}})
	}
	if roles := incidentRoles(i); len(roles) > 0 {
		m.Lines = append(m.Lines, roles)
	}
	if i.Update != "" {
		m.Lines = append(m.Lines, chat.Line{{Text: "Latest ("}, moment(i.Updated.At, o), {Text: ", " + person(i.Updated.By.Name) + "): "}, {Text: short(i.Update, maxUpdate)}})
	}
	if counts := incidentCounts(i); counts != "" {
		m.Lines = append(m.Lines, chat.Line{{Text: counts}})
	}
	for _, c := range i.Channels {
		if c.URL != "" {
			m.Lines = append(m.Lines, chat.Line{{Text: "Channel: "}, {Text: short(c.Name, maxName), Link: link(c.URL)}})
		}
	}
	m.Output, m.Cut = shortText(i.Summary, maxIncidentSummary)
	m.Summary = short(IncidentLine(i), maxSummary)
	return m
}

// IncidentHidden is the card of an incident that became private, where others
// can see it.
func IncidentHidden(i *incident.Incident) chat.Message {
	return chat.Message{Color: grey, Icon: "🔒", State: "private", Title: i.Ref(), Open: i.Status.Open(),
		Lines:   []chat.Line{{{Text: "This incident is private now. Who takes part in it sees it with “status " + i.Ref() + "”, and makes a private channel its own by typing “convert " + i.Ref() + "” there."}}},
		Summary: i.Ref() + " is private"}
}

// IncidentLine is an incident in one plain line.
func IncidentLine(i *incident.Incident) string {
	text := i.Ref()
	if i.Severity != "" {
		text += " " + i.Severity
	}
	return oneLine(text + " " + incidentState(i) + ": " + i.Title)
}

// shortText is a text of several lines, cut, and how many characters that left out.
func shortText(text string, most int) (string, int) {
	clean := strings.Trim(chat.Clean(text), "\n\t ")
	r := []rune(clean)
	if len(r) <= most {
		return clean, 0
	}
	return strings.TrimRight(string(r[:most]), "\n\t "), len(r) - most
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// incidentState is its status in words, marked when it is an exercise.
func incidentState(i *incident.Incident) string {
	if i.Kind == incident.Test {
		return "TEST, " + i.Status.String()
	}
	return i.Status.String()
}

func incidentIcon(i *incident.Incident) string {
	switch i.Status {
	case incident.InTriage:
		return "🔎"
	case incident.Started:
		return "🚨"
	case incident.Mitigated:
		return "🩹"
	case incident.Cancelled:
		return "🚫"
	}
	return "✅"
}

func incidentColor(i *incident.Incident) string {
	switch i.Status {
	case incident.InTriage:
		return blue
	case incident.Started:
		return red
	case incident.Mitigated:
		return orange
	case incident.Cancelled:
		return grey
	}
	return green
}

// since says since when it stands as it does, and by whom; what is over says
// how long it took.
func since(i *incident.Incident, o Options) []chat.Span {
	m := i.Since(i.Status)
	if m.At.IsZero() {
		m = incident.Moment{At: i.CreatedAt, By: i.CreatedBy}
	}
	spans := []chat.Span{{Text: i.Status.String() + " "}, moment(m.At, o), {Text: " by "}, {Text: person(m.By.Name), Bold: true}}
	if began := i.Since(incident.Started).At; !i.Status.Open() && !began.IsZero() {
		end := m.At
		if at := i.Since(incident.Resolved).At; !at.IsZero() {
			end = at
		}
		spans = append(spans, chat.Span{Text: ", after " + lasted(end.Sub(began))})
	}
	return spans
}

// incidentRoles says who holds which role.
func incidentRoles(i *incident.Incident) chat.Line {
	var b line
	for _, role := range sortedKeys(i.Roles) {
		b.span(chat.Span{Text: short(role, maxName) + ": "}, chat.Span{Text: person(i.Roles[role].Name), Bold: true})
	}
	return b.spans
}

// incidentCounts says how much there is of what a card does not list.
func incidentCounts(i *incident.Incident) string {
	var parts []string
	add := func(n int, what string) {
		if n == 1 {
			parts = append(parts, "1 "+what)
		} else if n > 1 {
			parts = append(parts, strconv.Itoa(n)+" "+what+"s")
		}
	}
	open, follow := 0, 0
	for n := range i.Tasks {
		switch t := &i.Tasks[n]; {
		case !t.Open():
		case t.Kind == incident.FollowUp:
			follow++
		default:
			open++
		}
	}
	add(open, "open task")
	add(follow, "open follow-up")
	add(len(i.Alerts), "alert")
	if over := alertsOver(i); over > 0 {
		parts[len(parts)-1] += fmt.Sprintf(", %d over", over)
	}
	add(len(i.Subs), "sub-incident")
	add(len(i.Duplicates), "duplicate")
	return strings.Join(parts, " · ")
}

// Incidents is a table of incidents; more counts those that are not among them.
func Incidents(list []*incident.Incident, more int, o Options) *chat.Table {
	t := &chat.Table{Head: []string{"#", "Severity", "What", "Since"}, More: more}
	for _, i := range list {
		m := i.Since(i.Status)
		t.Rows = append(t.Rows, []chat.Line{{{Text: i.Ref()}}, {{Text: incidentIcon(i) + " " + short(i.Severity, maxName)}},
			{{Text: short(i.Title, maxTitle)}, {Text: " · " + incidentState(i)}}, {moment(m.At, o)}})
	}
	return t
}

// Tasks is a table of an incident's tasks and follow-ups, in their order.
func Tasks(list []incident.Task, o Options) *chat.Table {
	t := &chat.Table{Head: []string{"Task", "What", "Who", "Due"}}
	for n := range list {
		x := &list[n]
		what := chat.Line{{Text: short(x.Text, maxTitle)}}
		if x.Kind == incident.FollowUp {
			what = append(what, chat.Span{Text: " · follow-up"})
		}
		if to := TaskLink(x); to != "" {
			what = append(what, chat.Span{Text: " "}, chat.Span{Text: "message", Link: to})
		}
		due := chat.Line{}
		switch {
		case !x.Open():
			due = chat.Line{{Text: "✓ "}, moment(x.Done.At, o), {Text: " " + person(x.Done.By.Name)}}
		case !x.Due.IsZero():
			due = chat.Line{moment(x.Due, o)}
			if x.Due.Before(o.Now) {
				due = append(due, chat.Span{Text: " overdue", Bold: true})
			}
		}
		who := "nobody yet"
		if x.Owner.Name != "" {
			who = person(x.Owner.Name)
		}
		t.Rows = append(t.Rows, []chat.Line{{{Text: strconv.Itoa(x.Number)}}, what, {{Text: who}}, due})
	}
	return t
}

// Timeline is a table of entries.
func Timeline(entries []incident.Entry, o Options) *chat.Table {
	t := &chat.Table{Head: []string{"When", "Who", "What"}}
	for n := range entries {
		e := &entries[n]
		what := chat.Line{{Text: EntryWords(e)}}
		if to := link(e.Link); to != "" {
			what = append(what, chat.Span{Text: " "}, chat.Span{Text: "message", Link: to})
		}
		t.Rows = append(t.Rows, []chat.Line{{moment(e.At, o)}, {{Text: person(e.By.Name)}}, what})
	}
	return t
}

// EntryWords says in one plain line what an entry tells, without who and when.
func EntryWords(e *incident.Entry) string {
	words, text := entryWords(e), short(e.Text, maxUpdate)
	if by := KeptBy(e); by != "" {
		text += " (" + by + ")"
	}
	switch {
	case text == "":
		return words
	case words == "":
		return text
	}
	return words + ": " + text
}

// KeptBy says who had a message kept that somebody else wrote; else "".
func KeptBy(e *incident.Entry) string {
	if e.KeptBy.Name == "" || e.KeptBy.Same(e.By) {
		return ""
	}
	return "kept by " + person(e.KeptBy.Name)
}

// EntryLink is the address of the message that an entry came from, or "".
func EntryLink(e *incident.Entry) string { return link(e.Link) }

// TaskLink is the address of the message that a task was made of, or "".
func TaskLink(t *incident.Task) string { return link(t.Link) }

func entryWords(e *incident.Entry) string {
	is, was, what := short(e.Is, maxTitle), short(e.Was, maxTitle), short(e.What, maxName)
	switch e.Kind {
	case incident.EntryDeclared:
		if e.Other != 0 {
			return fmt.Sprintf("declared “%s”, a part of #%d", is, e.Other)
		}
		return "declared “" + is + "”"
	case incident.EntryUpdate, incident.EntryNote, incident.EntryEvent, incident.EntrySaid, incident.EntryTrouble:
		return ""
	case incident.EntryAlert:
		return alertWords(e)
	case incident.EntrySummary:
		if e.Text == "" {
			return "took the summary away"
		}
		return "wrote the summary"
	case incident.EntrySeverity:
		if was == "" {
			return "set the severity to " + is
		}
		return "changed the severity from " + was + " to " + is
	case incident.EntryRenamed:
		return "renamed it to “" + is + "”"
	case incident.EntryField:
		if is == "" {
			return "took " + what + " away, was " + was
		}
		return "set " + what + " to " + is
	case incident.EntryRole:
		return "made " + is + " " + what
	case incident.EntryInvited:
		return "invited " + is
	case incident.EntryTask, incident.EntryFollowUp:
		kind := map[incident.EntryKind]string{incident.EntryTask: "task ", incident.EntryFollowUp: "follow-up "}[e.Kind]
		if is != "" {
			return "added " + kind + what + " for " + is
		}
		return "added " + kind + what
	case incident.EntryDone:
		return "finished task " + what
	case incident.EntryReminder:
		return reminderWords(e, is, was)
	case incident.EntryAttached:
		return fmt.Sprintf("attached alert #%d, %s", e.Alert, is)
	case incident.EntryHasSub:
		if e.Other == 0 || is == "" {
			return "declared a part of this that is private"
		}
		return fmt.Sprintf("declared #%d, a part of this: “%s”", e.Other, is)
	case incident.EntryDuplicate:
		if e.Other == 0 {
			return "noted that this repeats another, which is private"
		}
		return fmt.Sprintf("noted that this repeats #%d", e.Other)
	case incident.EntryHasDuplicate:
		if e.Other == 0 {
			return "noted that another, which is private, repeats this"
		}
		return fmt.Sprintf("noted that #%d repeats this", e.Other)
	case incident.EntryChannel:
		if is == "" {
			return "made the channel that it was said in its own"
		}
		return "made " + is + " its channel"
	}
	return string(e.Kind) + " it" // the lifecycle's, and joined
}

// IncidentNote is what is said in a card's thread about one entry.
func IncidentNote(i *incident.Incident, e incident.Entry, o Options) chat.Message {
	l := chat.Line{{Text: person(e.By.Name), Bold: true}, {Text: " "}, {Text: short(entryNote(&e), maxUpdate)}}
	m := chat.Message{Lines: []chat.Line{l}}
	if e.At.Before(e.RecordedAt.Add(-time.Minute)) {
		m.Lines[0] = append(m.Lines[0], chat.Span{Text: ", at "}, moment(e.At, o))
	}
	m.Summary = short(i.Ref()+" "+i.Title+": "+l.Plain(), maxSummary)
	return m
}

// entryNote is EntryWords where who did it stands before.
func entryNote(e *incident.Entry) string {
	if entryWords(e) == "" {
		return "says: " + e.Text
	}
	return EntryWords(e)
}
