// SPDX-License-Identifier: Apache-2.0

package console

import (
	"slices"
	"unicode/utf8"

	"belfry/chat"
)

// What a card can hold, in characters, so that neither a row nor a page grows
// without bounds. Package message stays far below; this is the last line.
const (
	maxWord     = 100
	maxTitle    = 300
	maxSummary  = 500
	maxLines    = 20
	maxSpans    = 40
	maxSpan     = 500
	maxOutput   = 20_000
	maxLink     = 2000
	maxMentions = 20
	maxButtons  = 5
	maxColumns  = 8
)

// fit returns m cut to what a card can hold. What is cut from the output is
// counted; other texts end with an ellipsis.
func fit(m chat.Message) chat.Message {
	m.Icon, m.State = short(m.Icon, maxWord), short(m.State, maxWord)
	m.Title, m.Summary = short(m.Title, maxTitle), short(m.Summary, maxSummary)
	if len(m.Link) > maxLink {
		m.Link = ""
	}
	if n := utf8.RuneCountInString(m.Output); n > maxOutput {
		m.Output = string([]rune(m.Output)[:maxOutput])
		m.Cut += n - maxOutput
	}
	if m.Priority != chat.PriorityImportant && m.Priority != chat.PriorityUrgent {
		m.Priority = chat.PriorityStandard
	}
	m.Mentions = m.Mentions[:min(len(m.Mentions), maxMentions)]
	m.Buttons = m.Buttons[:min(len(m.Buttons), maxButtons)]
	left := len(m.Lines) - maxLines
	m.Lines = slices.Clone(m.Lines[:min(len(m.Lines), maxLines)])
	for i, l := range m.Lines {
		m.Lines[i] = fitLine(l)
	}
	if left > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "…"}})
	}
	if m.Table != nil {
		m.Table = fitTable(*m.Table)
	}
	return m
}

func fitLine(l chat.Line) chat.Line {
	l = slices.Clone(l[:min(len(l), maxSpans)])
	for j := range l {
		l[j].Text = short(l[j].Text, maxSpan)
		if len(l[j].Link) > maxLink {
			l[j].Link = ""
		}
	}
	return l
}

// fitTable returns t with a cell for each column in every row.
func fitTable(t chat.Table) *chat.Table {
	out := chat.Table{Head: slices.Clone(t.Head[:min(len(t.Head), maxColumns)]), More: max(0, t.More)}
	for i := range out.Head {
		out.Head[i] = short(out.Head[i], maxWord)
	}
	rows := min(len(t.Rows), chat.MaxRows)
	out.More += len(t.Rows) - rows
	for _, r := range t.Rows[:rows] {
		cells := make([]chat.Line, len(out.Head))
		for i := range min(len(r), len(cells)) {
			cells[i] = fitLine(r[i])
		}
		out.Rows = append(out.Rows, cells)
	}
	return &out
}

func short(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// isHandle says whether a mention names a person or a group; anything else is
// shown as text and rings nobody.
func isHandle(name string) bool {
	ok := name != "" && len(name) <= maxChannel
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
	}
	return ok
}
