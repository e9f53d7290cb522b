// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"strconv"
	"strings"

	"belfry/chat"
)

const (
	maxColumns = 8
	// maxCell bounds the text of a cell, in runes.
	maxCell = 120
)

// table writes t as Markdown in at most room runes of encoded text, after
// what stands before it; rows that do not fit are counted. "" when there is
// none or not even the head fits.
func table(t *chat.Table, after bool, room int) string {
	if t == nil || len(t.Head) == 0 {
		return ""
	}
	columns := min(len(t.Head), maxColumns)
	var b strings.Builder
	if after {
		b.WriteString("\n\n")
	}
	head := make([]chat.Line, columns)
	for i := range head {
		head[i] = chat.Line{{Text: t.Head[i]}}
	}
	b.WriteString(row(head, columns) + "|" + strings.Repeat(":--|", columns) + "\n")
	left := len(t.Rows) + max(0, t.More)
	room -= cost(b.String()) + len("\n… and 9999999 more")
	if room < 0 {
		return ""
	}
	for i, cells := range t.Rows {
		text := row(cells, columns)
		if room -= cost(text); room < 0 || i == chat.MaxRows {
			break
		}
		b.WriteString(text)
		left--
	}
	if left > 0 {
		// A line right below the last row would be one more row.
		b.WriteString("\n… and " + strconv.Itoa(left) + " more")
	}
	return strings.TrimRight(b.String(), "\n")
}

// row writes one line of a table. A "|" in a cell is a character reference:
// old clients take an escaped one for the end of the cell.
func row(cells []chat.Line, columns int) string {
	e := escaper{inCell: true}
	for i := range columns {
		e.markup("| ")
		if i < len(cells) {
			e.line(cells[i], maxCell)
		}
		e.markup(" ")
	}
	e.markup("|\n")
	return e.b.String()
}
