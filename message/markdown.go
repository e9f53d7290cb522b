// SPDX-License-Identifier: Apache-2.0

package message

import (
	"fmt"
	"strings"
	"time"

	"belfry/chat"
	"belfry/incident"
)

// IncidentMarkdown is the whole of an incident as Markdown (CommonMark with
// tables). All that people and monitoring wrote is escaped: none of it becomes
// a heading, a link or an image.
func IncidentMarkdown(i *incident.Incident, entries []incident.Entry, o Options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n", i.Ref(), escaped(i.Title))
	fmt.Fprintf(&b, "- Status: %s\n", incidentState(i))
	fact := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", label, escaped(value))
		}
	}
	fact("Severity", i.Severity)
	fact("Types", strings.Join(i.Types, ", "))
	fact("Services", strings.Join(i.Services, ", "))
	fact("Environments", strings.Join(i.Environments, ", "))
	for _, name := range sortedKeys(i.Fields) {
		fact(name, i.Fields[name])
	}
	for _, role := range sortedKeys(i.Roles) {
		fact(role, i.Roles[role].Name)
	}
	for _, s := range incident.Statuses() {
		if m := i.Since(s); !m.At.IsZero() {
			fmt.Fprintf(&b, "- Since %s: %s, by %s\n", s, stamp(m.At, o), escaped(m.By.Name))
		}
	}
	if began, ended := i.Since(incident.Started).At, i.Since(incident.Resolved).At; !began.IsZero() && !ended.IsZero() {
		fact("Time to mitigate", lasted(i.Since(incident.Mitigated).At.Sub(began)))
		fact("Time to resolve", lasted(ended.Sub(began)))
	}
	if i.Summary != "" {
		fmt.Fprintf(&b, "\n## Summary\n\n%s\n", escapedText(i.Summary))
	}
	if len(i.Tasks) > 0 {
		b.WriteString("\n## Tasks and follow-ups\n\n")
	}
	for n := range i.Tasks {
		t := &i.Tasks[n]
		mark := " "
		if !t.Open() {
			mark = "x"
		}
		fmt.Fprintf(&b, "- [%s] %d. %s", mark, t.Number, escaped(t.Text))
		if t.Owner.Name != "" {
			b.WriteString(" – " + escaped(t.Owner.Name))
		}
		if t.Kind == incident.FollowUp {
			b.WriteString(" (follow-up)")
		}
		b.WriteString("\n")
	}
	if len(i.Alerts) > 0 {
		b.WriteString("\n## Alerts\n\n")
	}
	for _, a := range i.Alerts {
		fmt.Fprintf(&b, "- #%d %s (%s, %s)\n", a.Number, escaped(a.Name), a.Severity, escaped(a.Source))
	}
	b.WriteString("\n## Timeline\n\n| When | Who | What |\n|---|---|---|\n")
	for n := range entries {
		e := &entries[n]
		words := entryWords(e)
		if text := oneLine(e.Text); text != "" {
			words = strings.TrimPrefix(words+": "+text, ": ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", stamp(e.At, o), escaped(e.By.Name), escaped(words))
	}
	return b.String()
}

// stamp is a moment with its date and zone: what is taken along is read elsewhere.
func stamp(t time.Time, o Options) string {
	loc := o.Location
	if loc == nil {
		loc = time.Local
	}
	return t.In(loc).Format("2006-01-02 15:04:05 MST")
}

// escaped is a text on one line that Markdown shows as it is.
func escaped(text string) string { return escapeMarkdown(oneLine(text)) }

// escapedText is escaped for several lines.
func escapedText(text string) string {
	lines := strings.Split(strings.Trim(chat.Clean(text), "\n\t "), "\n")
	for n := range lines {
		lines[n] = escapeMarkdown(strings.TrimLeft(lines[n], " \t"))
	}
	return strings.Join(lines, "\n")
}

// escapeMarkdown puts a backslash before all that can mean something; CommonMark
// allows that for every punctuation mark of ASCII.
func escapeMarkdown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#+-!|~&:@=", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
