// SPDX-License-Identifier: Apache-2.0

package retrospective

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"belfry/incident"
)

// JSON is the document as JSON, ended by a line end.
func (d *Document) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("can't write the retrospective of #%d as JSON: %w", d.Number, err)
	}
	return append(b, '\n'), nil
}

// Markdown is the document as Markdown (CommonMark with GitHub's tables and task
// lists): what people made of it, or else Draft.
func (d *Document) Markdown() string {
	if d.Edited != nil {
		return strings.TrimRight(d.Edited.Text, "\n") + "\n"
	}
	return d.markdown(d.Timeline)
}

// Draft is what people begin to edit: the record as Markdown, whoever edited it
// before. A timeline with which it would be too long to be edited has only what
// everybody was told.
func (d *Document) Draft() string {
	text := d.markdown(d.Timeline)
	if utf8.RuneCountInString(text) <= incident.MaxRetrospective/2 {
		return text
	}
	var told []Entry
	for _, e := range d.Timeline {
		if e.Notable && len(told) < 200 {
			told = append(told, e)
		}
	}
	return d.markdown(told) + fmt.Sprintf("\nThe whole timeline has %d entries.\n", len(d.Timeline))
}

// markdown writes the record down. All that people and monitoring wrote is
// escaped: none of it becomes a heading, a link or an image.
func (d *Document) markdown(timeline []Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# #%d %s\n\n- Status: %s\n", d.Number, escape(d.Title), d.Status)
	for _, f := range d.facts() {
		fmt.Fprintf(&b, "- %s: %s\n", escape(f.Name), escape(f.Value))
	}
	for _, s := range d.Steps {
		fmt.Fprintf(&b, "- Since %s: %s, by %s\n", s.Status, stamp(s.At), escape(s.By))
	}
	for _, x := range d.Durations {
		fmt.Fprintf(&b, "- Time to %s: %s\n", x.What, x.Words())
	}
	if d.Summary != "" {
		b.WriteString("\n## Summary\n\n")
		for line := range strings.SplitSeq(d.Summary, "\n") {
			b.WriteString(escape(strings.TrimLeft(line, " \t")) + "\n")
		}
	}
	b.WriteString("\n## People\n\n")
	for _, p := range d.People {
		b.WriteString("- " + escape(p.Name))
		if p.Role != "" {
			b.WriteString(" – " + escape(p.Role))
		}
		b.WriteString("\n")
	}
	writeTasks(&b, "Tasks", d.Tasks)
	writeTasks(&b, "Follow-ups", d.FollowUps)
	if len(d.Alerts) > 0 {
		b.WriteString("\n## Alerts\n\n")
	}
	for _, a := range d.Alerts {
		fmt.Fprintf(&b, "- \\#%d %s (%s, %s)\n", a.Number, escape(a.Name), a.Severity, escape(a.Source))
	}
	b.WriteString("\n## Timeline\n\n| When | Who | What |\n|---|---|---|\n")
	for _, e := range timeline {
		fmt.Fprintf(&b, "| %s | %s | %s%s |\n", stamp(e.At), escape(e.Who), escape(e.What), linked(e.Link))
	}
	return b.String()
}

// facts are what is said about the incident in one line each.
func (d *Document) facts() []Field {
	var list []Field
	add := func(name, value string) {
		if value != "" {
			list = append(list, Field{name, value})
		}
	}
	if d.Exercise {
		add("Kind", "an exercise")
	}
	add("Severity", d.Severity)
	add("Types", strings.Join(d.Types, ", "))
	add("Services", strings.Join(d.Services, ", "))
	add("Environments", strings.Join(d.Env, ", "))
	list = append(list, d.Fields...)
	if d.Parent != 0 {
		add("Part of", fmt.Sprintf("#%d", d.Parent))
	}
	if d.DuplicateOf != 0 {
		add("Duplicate of", fmt.Sprintf("#%d", d.DuplicateOf))
	}
	if d.Reopened > 0 {
		add("Reopened", fmt.Sprintf("%d times", d.Reopened))
	}
	return list
}

func writeTasks(b *strings.Builder, title string, list []Task) {
	if len(list) > 0 {
		b.WriteString("\n## " + title + "\n\n")
	}
	for _, t := range list {
		mark := " "
		if !t.Done.IsZero() {
			mark = "x"
		}
		fmt.Fprintf(b, "- [%s] %d. %s%s", mark, t.Number, escape(t.Text), linked(t.Link))
		if t.Owner != "" {
			b.WriteString(" – " + escape(t.Owner))
		}
		if t.Done.IsZero() && !t.Due.IsZero() {
			b.WriteString(", due " + stamp(t.Due))
		}
		b.WriteString("\n")
	}
}

// linked leads to the message that something came from.
func linked(address string) string {
	if address == "" {
		return ""
	}
	// In angle brackets only these could end it; | would end the table's cell.
	return " [message](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", "\\", "%5C").Replace(address) + ">)"
}

// stamp is a moment with its date and zone: what is taken along is read elsewhere.
func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }

// escape puts a backslash before all that can mean something; CommonMark allows
// that for every punctuation mark of ASCII.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#+-!|~&:@=", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
