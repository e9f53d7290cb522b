// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"fmt"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
)

const (
	// Slack takes 20 columns and 100 rows, the head among them
	// (https://docs.slack.dev/reference/block-kit/blocks/table-block); more
	// than eight columns nobody reads.
	maxColumns = 8
	maxRows    = min(chat.MaxRows, 100-1)
	maxCell    = 120
)

// tableBlocks is a table in Slack's own form, and the count of what is missing.
// Its cells are rich text, so nothing in them is markup. It belongs into an
// attachment, and all cells are of that kind, because there are reports that
// Slack refuses others, whatever its reference says.
func tableBlocks(t *chat.Table, room int) []slackgo.Block {
	if t == nil || len(t.Head) == 0 {
		return nil
	}
	columns := min(len(t.Head), maxColumns)
	out := slackgo.TableBlock{Type: slackgo.MBTTable}
	var head []slackgo.TableCell
	for _, name := range t.Head[:columns] {
		c, cost := cell(chat.Line{{Text: name, Bold: true}})
		head, room = append(head, c), room-cost
		out.ColumnSettings = append(out.ColumnSettings, slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft, IsWrapped: true})
	}
	out.Rows = append(out.Rows, head)
	left := len(t.Rows) + max(0, t.More)
	for i, cells := range t.Rows {
		if i == maxRows {
			break
		}
		var row []slackgo.TableCell
		for j := range columns {
			var l chat.Line
			if j < len(cells) {
				l = cells[j]
			}
			c, cost := cell(l)
			row, room = append(row, c), room-cost
		}
		if room < 0 {
			break
		}
		out.Rows = append(out.Rows, row)
		left--
	}
	blocks := []slackgo.Block{&out}
	if left > 0 {
		var r rich
		r.text(fmt.Sprintf("… and %d more", left), nil, maxLine)
		blocks = append(blocks, r.block())
	}
	return blocks
}

// cell is one cell and how many characters it takes.
func cell(l chat.Line) (slackgo.TableCell, int) {
	var r rich
	cost := r.line(l, maxCell)
	if len(r.elements) == 0 || cost == 0 {
		r.elements = nil
		r.text(" ", nil, 1) // Slack takes no empty ones
		cost = 1
	}
	return slackgo.NewTableRichTextCell(slackgo.NewRichTextSection(r.elements...)), cost
}
