// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"strings"
	"unicode/utf8"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

const (
	// elementsRoom is how many pieces of rich text an answer has at most.
	elementsRoom = 450
	// itemsRoom is how many entries one list has, rowsRoom how many rows one table.
	itemsRoom = 100
	rowsRoom  = 99
	// columnsRoom is Slack's limit.
	columnsRoom = 20
	// partsRoom is how many lists, quotes and the like one block has.
	partsRoom = 90
	maxPiece  = 2900
	maxIndent = 8
)

// composer turns Markdown with values into blocks.
type composer struct {
	src    []byte
	values []chat.Part
	// room and left are the characters and pieces that still fit; full: the
	// ellipsis was written.
	room, left int
	full       bool
	// tabled: the message has its table; Slack takes one.
	tabled bool

	blocks []slackgo.Block
	parts  []slackgo.RichTextElement
	here   rich
	said   strings.Builder
}

// compose makes blocks of parts, and says what stands in them.
func compose(parts []chat.Part, room int, tabled bool) (blocks []slackgo.Block, said string) {
	markup, values := source(parts)
	c := &composer{src: []byte(markup), values: values, room: max(room, 0), left: elementsRoom, tabled: tabled}
	c.children(markdown().Parse(text.NewReader(c.src)))
	c.endBlock()
	return c.blocks, c.said.String()
}

// take returns as much of s as still fits.
func (c *composer) take(s string) string {
	switch {
	case c.full || s == "":
		return ""
	case c.left <= 1 || c.room <= 0:
		c.full = true
		return "…"
	}
	c.left--
	out := s
	if n := utf8.RuneCountInString(s); n > c.room {
		out, c.full = cut(s, max(c.room, 1)), true
	}
	c.room -= utf8.RuneCountInString(out)
	if c.said.Len() < 4*maxSummary {
		c.said.WriteString(out)
	}
	return out
}

// put writes text with a look.
func (c *composer) put(s string, style slackgo.RichTextSectionTextStyle) {
	for s != "" && !c.full {
		piece := firstRunes(s, maxPiece)
		s = s[len(piece):]
		if piece = c.take(piece); piece != "" {
			c.here.text(piece, styled(style), maxPiece)
		}
	}
}

func styled(s slackgo.RichTextSectionTextStyle) *slackgo.RichTextSectionTextStyle {
	if s == (slackgo.RichTextSectionTextStyle{}) {
		return nil
	}
	return &s
}

// endSection closes the lines being written, endBlock the rich text.
func (c *composer) endSection() {
	if len(c.here.elements) > 0 {
		c.add(slackgo.NewRichTextSection(c.here.elements...))
	}
	c.here = rich{}
}

// add puts a part of rich text up; a block takes only so many.
func (c *composer) add(part slackgo.RichTextElement) {
	if len(c.parts) == partsRoom {
		c.blocks = append(c.blocks, slackgo.NewRichTextBlock("", c.parts...))
		c.parts = nil
	}
	c.parts = append(c.parts, part)
	c.spaced()
}

func (c *composer) endBlock() {
	c.endSection()
	if len(c.parts) > 0 {
		c.blocks = append(c.blocks, slackgo.NewRichTextBlock("", c.parts...))
	}
	c.parts = nil
}

// apart begins a new line, or a new paragraph, if something stands before.
func (c *composer) apart(by string) {
	if len(c.here.elements) > 0 {
		c.put(by, slackgo.RichTextSectionTextStyle{})
	}
}

// children writes the blocks within a node.
func (c *composer) children(n ast.Node) {
	for child := n.FirstChild(); child != nil && !c.full; child = child.NextSibling() {
		c.block(child)
	}
}

func (c *composer) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		c.apart("\n\n")
		c.inline(n, slackgo.RichTextSectionTextStyle{Bold: true})
	case *ast.ThematicBreak:
		c.apart("\n")
		c.put("———", slackgo.RichTextSectionTextStyle{})
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		c.verbatim(c.expand(string(n.Lines().Value(c.src))))
	case *ast.Blockquote:
		inner := c.within(n)
		c.endSection()
		if len(inner) > 0 {
			c.add(&slackgo.RichTextQuote{Type: slackgo.RTEQuote, Elements: inner})
		}
	case *ast.List:
		c.endSection()
		c.list(n, 0)
	case *east.Table:
		c.table(n)
	default:
		if p, ok := c.alone(n); ok {
			c.value(p)
			return
		}
		c.apart("\n\n")
		c.inline(n, slackgo.RichTextSectionTextStyle{})
	}
}

// alone returns the table or block that a paragraph consists of.
func (c *composer) alone(n ast.Node) (chat.Part, bool) {
	lines := n.Lines()
	if n.Type() != ast.TypeBlock || lines == nil || lines.Len() != 1 {
		return chat.Part{}, false
	}
	line := strings.TrimSpace(string(lines.Value(c.src)))
	r, size := utf8.DecodeRuneInString(line)
	if p, ok := c.valueOf(r); ok && size == len(line) && (p.Table != nil || p.Block != "") {
		return p, true
	}
	return chat.Part{}, false
}

// value writes a table or block of values.
func (c *composer) value(p chat.Part) {
	switch {
	case p.Table == nil:
		c.verbatim(p.Block)
	case c.tabled:
		c.verbatim(grid(p.Table))
	default:
		blocks := tableBlocks(p.Table, tableRoom)
		if len(blocks) == 0 {
			return
		}
		if c.room < tableRoom {
			c.verbatim(grid(p.Table))
			return
		}
		c.endBlock()
		c.tabled = true
		c.room -= tableRoom
		c.blocks = append(c.blocks, blocks...)
		if c.said.Len() == 0 {
			c.said.WriteString(grid(p.Table))
		}
	}
}

// verbatim writes a block of text as it is.
func (c *composer) verbatim(s string) {
	s = strings.Trim(chat.Clean(s), "\n")
	if strings.TrimSpace(s) == "" {
		return
	}
	if utf8.RuneCountInString(s) > maxPiece {
		s = cut(s, maxPiece)
	}
	c.endSection()
	if s = c.take(s); s != "" {
		c.add(&slackgo.RichTextPreformatted{Type: slackgo.RTEPreformatted,
			Elements: []slackgo.RichTextSectionElement{slackgo.NewRichTextSectionTextElement(s, nil)}})
	}
}

// within returns the lines of a node's blocks as pieces of one section: the
// places that take no blocks.
func (c *composer) within(n ast.Node) []slackgo.RichTextSectionElement {
	outer := c.here
	c.here = rich{}
	c.flat(n)
	inner := c.here.elements
	c.here = outer
	return inner
}

func (c *composer) flat(n ast.Node) {
	for child := n.FirstChild(); child != nil && !c.full; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			c.apart("\n")
			c.put(strings.TrimRight(c.expand(string(child.Lines().Value(c.src))), "\n"), slackgo.RichTextSectionTextStyle{Code: true})
		case *ast.List, *ast.ListItem, *ast.Blockquote, *east.Table, *east.TableHeader, *east.TableRow:
			c.flat(child)
		default:
			c.apart("\n")
			c.inline(child, slackgo.RichTextSectionTextStyle{})
		}
	}
}

// list writes a list; one within another is a list of its own, further in.
func (c *composer) list(n *ast.List, indent int) {
	style, offset := slackgo.RTEListBullet, 0
	if n.IsOrdered() {
		style, offset = slackgo.RTEListOrdered, max(n.Start-1, 0)
	}
	var items []slackgo.RichTextElement
	end := func() {
		if len(items) > 0 {
			list := slackgo.NewRichTextList(style, min(indent, maxIndent), items...)
			list.Offset = offset
			c.add(list)
			if style == slackgo.RTEListOrdered {
				offset += len(items)
			}
		}
		items = nil
	}
	for item := n.FirstChild(); item != nil && !c.full; item = item.NextSibling() {
		outer := c.here
		c.here = rich{}
		inner := c.item(item)
		if len(c.here.elements) > 0 {
			items = append(items, slackgo.NewRichTextSection(c.here.elements...))
			c.spaced()
		}
		c.here = outer
		if len(inner) > 0 || len(items) == itemsRoom {
			end()
		}
		for _, l := range inner {
			c.list(l, indent+1)
		}
	}
	end()
}

// item writes what a list's entry says, and returns the lists within it.
func (c *composer) item(n ast.Node) (inner []*ast.List) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.List:
			inner = append(inner, child)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			c.apart("\n")
			c.put(strings.TrimRight(c.expand(string(child.Lines().Value(c.src))), "\n"), slackgo.RichTextSectionTextStyle{Code: true})
		case *ast.Blockquote, *east.Table:
			c.apart("\n")
			c.flat(child)
		default:
			c.apart("\n")
			c.inline(child, slackgo.RichTextSectionTextStyle{})
		}
	}
	return inner
}
