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
	m.Mentions = m.Mentions[:min(len(m.Mentions), maxMentions)]
	m.Buttons = m.Buttons[:min(len(m.Buttons), maxButtons)]
	left := len(m.Lines) - maxLines
	m.Lines = slices.Clone(m.Lines[:min(len(m.Lines), maxLines)])
	for i, l := range m.Lines {
		l = slices.Clone(l[:min(len(l), maxSpans)])
		for j := range l {
			l[j].Text = short(l[j].Text, maxSpan)
			if len(l[j].Link) > maxLink {
				l[j].Link = ""
			}
		}
		m.Lines[i] = l
	}
	if left > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "…"}})
	}
	return m
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
