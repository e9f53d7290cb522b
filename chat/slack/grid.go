// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
	east "github.com/yuin/goldmark/extension/ast"
)

// table writes a table of the administrator's. Slack shows one in a message;
// others are written as text.
func (c *composer) table(n *east.Table) {
	var rows [][]slackgo.TableCell
	settings, missing := []slackgo.ColumnSetting(nil), 0
	if c.tabled {
		c.verbatim(c.written(n))
		return
	}
	c.endBlock()
	for row := n.FirstChild(); row != nil && !c.full; row = row.NextSibling() {
		if len(rows) > rowsRoom-1 {
			missing++
			continue
		}
		_, isHead := row.(*east.TableHeader)
		var cells []slackgo.TableCell
		for cell := row.FirstChild(); cell != nil && len(cells) < columnsRoom; cell = cell.NextSibling() {
			c.here = rich{}
			c.inline(cell, slackgo.RichTextSectionTextStyle{Bold: isHead})
			if len(c.here.elements) == 0 { // Slack takes no empty ones
				c.here.elements = append(c.here.elements, slackgo.NewRichTextSectionTextElement(" ", nil))
				c.room--
			}
			cells = append(cells, slackgo.NewTableRichTextCell(slackgo.NewRichTextSection(c.here.elements...)))
			c.spaced()
		}
		rows = append(rows, cells)
	}
	c.here = rich{}
	if len(rows) == 0 {
		return
	}
	for i := range rows[0] {
		settings = append(settings, slackgo.ColumnSetting{Align: alignment(n, i), IsWrapped: true})
	}
	c.tabled = true
	c.blocks = append(c.blocks, &slackgo.TableBlock{Type: slackgo.MBTTable, Rows: rows, ColumnSettings: settings})
	if missing > 0 {
		c.put(fmt.Sprintf("… and %d more", missing), slackgo.RichTextSectionTextStyle{})
	}
}

// spaced keeps cells apart in what is said of them.
func (c *composer) spaced() {
	if c.said.Len() > 0 {
		c.said.WriteByte(' ')
	}
}

func alignment(n *east.Table, column int) slackgo.ColumnAlignment {
	if column < len(n.Alignments) {
		switch n.Alignments[column] {
		case east.AlignRight:
			return slackgo.ColumnAlignmentRight
		case east.AlignCenter:
			return slackgo.ColumnAlignmentCenter
		}
	}
	return slackgo.ColumnAlignmentLeft
}

// written is a table of the administrator's as text in columns.
func (c *composer) written(n *east.Table) string {
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, chat.CleanLine(c.expand(unescaped(plainOf(cell, c.src)))))
		}
		rows = append(rows, cells)
	}
	return columned(rows)
}

// grid is a table of values as text in columns.
func grid(t *chat.Table) string {
	rows := [][]string{t.Head}
	for _, r := range t.Rows {
		var cells []string
		for _, l := range r {
			cells = append(cells, chat.CleanLine(l.Plain()))
		}
		rows = append(rows, cells)
	}
	text := columned(rows)
	if t.More > 0 {
		text += fmt.Sprintf("\n… and %d more", t.More)
	}
	return text
}

// columned sets cells below one another.
func columned(rows [][]string) string {
	var wide []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], min(utf8.RuneCountInString(cell), maxCell))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		for j, cell := range row {
			cell = cut(cell, maxCell)
			b.WriteString(cell)
			if j < len(row)-1 {
				b.WriteString(strings.Repeat(" ", wide[j]-utf8.RuneCountInString(cell)+2))
			}
		}
	}
	return b.String()
}
