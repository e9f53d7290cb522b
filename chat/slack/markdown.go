// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"html"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
)

// markdown reads what administrators write: CommonMark with tables and
// strikethrough, without HTML, and without link definitions, which would
// swallow a value that stands in one.
var markdown = sync.OnceValue(func() parser.Parser {
	return goldmark.New(goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
	)), goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()
})

// A value stands in the Markdown as one rune that nothing else is written with
// (Unicode's private plane 15), so the parser never sees it: it can neither
// begin nor end any markup.
const (
	firstValue = 0xF0000
	lastValue  = 0xFFFFD
)

// source puts parts together; values[i] is what the rune firstValue+i stands for.
func source(parts []chat.Part) (markup string, values []chat.Part) {
	var b strings.Builder
	for _, p := range parts {
		if p.Markup != "" {
			b.WriteString(strings.Map(func(r rune) rune {
				if r >= firstValue && r <= lastValue {
					return -1
				}
				return r
			}, strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(p.Markup)))
			continue
		}
		if firstValue+len(values) > lastValue {
			b.WriteString("…")
			break
		}
		mark := string(rune(firstValue + len(values)))
		if p.Table != nil || p.Block != "" {
			mark = "\n\n" + mark + "\n\n"
		}
		b.WriteString(mark)
		values = append(values, p)
	}
	return b.String(), values
}

var emojiWord = regexp.MustCompile(`:[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:`)

// inline writes what stands on a node's lines.
func (c *composer) inline(n ast.Node, style slackgo.RichTextSectionTextStyle) {
	for child := n.FirstChild(); child != nil && !c.full; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			c.trusted(unescaped(string(child.Value(c.src))), style)
			if child.SoftLineBreak() || child.HardLineBreak() {
				c.put("\n", style)
			}
		case *ast.String:
			c.trusted(string(child.Value), style)
		case *ast.CodeSpan:
			code := style
			code.Code = true
			c.put(strings.ReplaceAll(c.expand(plainOf(child, c.src)), "\n", " "), code)
		case *ast.Emphasis:
			strong := style
			strong.Bold, strong.Italic = style.Bold || child.Level == 2, style.Italic || child.Level == 1
			c.inline(child, strong)
		case *east.Strikethrough:
			struck := style
			struck.Strike = true
			c.inline(child, struck)
		case *ast.Link:
			c.link(child, string(child.Destination), style)
		case *ast.Image:
			c.link(child, string(child.Destination), style)
		case *ast.AutoLink:
			c.lead(string(child.URL(c.src)), string(child.Label(c.src)), style)
		default:
			c.inline(child, style)
		}
	}
}

// plainOf is the text within a node as it was written.
func plainOf(n ast.Node, src []byte) string {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			b.Write(t.Value(src))
			continue
		}
		b.WriteString(plainOf(child, src))
	}
	return b.String()
}

// unescaped resolves what Markdown's authors escape.
func unescaped(s string) string {
	if !strings.ContainsAny(s, `\&`) {
		return s
	}
	return html.UnescapeString(string(util.UnescapePunctuations([]byte(s))))
}

// link writes the administrator's link. An address with a value in it leads
// nowhere: the value would say where.
func (c *composer) link(n ast.Node, address string, style slackgo.RichTextSectionTextStyle) {
	if strings.ContainsFunc(address, c.isValue) {
		c.inline(n, style)
		return
	}
	c.lead(unescaped(address), c.expand(unescaped(plainOf(n, c.src))), style)
}

func (c *composer) lead(address, label string, style slackgo.RichTextSectionTextStyle) {
	label = cut(chat.CleanLine(c.expand(label)), maxLine)
	if to := safeURL(address); to != "" && strings.TrimSpace(label) != "" && !strings.ContainsFunc(address, c.isValue) {
		if label = c.take(label); label != "" {
			c.here.link(label, to, styled(style))
		}
		return
	}
	c.put(label, style)
}

// trusted writes the administrator's own text, and the values in it.
func (c *composer) trusted(s string, style slackgo.RichTextSectionTextStyle) {
	for s != "" && !c.full {
		i := strings.IndexFunc(s, c.isValue)
		if i < 0 {
			c.emoji(s, style)
			return
		}
		c.emoji(s[:i], style)
		r, size := utf8.DecodeRuneInString(s[i:])
		if p, ok := c.valueOf(r); ok {
			c.insert(p, style)
		}
		s = s[i+size:]
	}
}

// emoji writes text in which the administrator may have named emoji.
func (c *composer) emoji(s string, style slackgo.RichTextSectionTextStyle) {
	for s != "" && !c.full {
		at := emojiWord.FindStringIndex(s)
		if at == nil {
			c.put(s, style)
			return
		}
		c.put(s[:at[0]], style)
		piece := c.take(s[at[0]:at[1]])
		if piece == s[at[0]:at[1]] {
			c.here.elements = append(c.here.elements, slackgo.NewRichTextSectionEmojiElement(piece[1:len(piece)-1], 0, nil))
		} else {
			c.here.text(piece, styled(style), maxPiece)
		}
		s = s[at[1]:]
	}
}

// insert writes a value within a line.
func (c *composer) insert(p chat.Part, style slackgo.RichTextSectionTextStyle) {
	shown := oneLine(p)
	switch {
	case strings.TrimSpace(shown) == "":
		return
	case p.Link != "":
		if to := safeURL(p.Link); to != "" {
			if shown = c.take(shown); shown != "" {
				c.here.link(shown, to, styled(style))
			}
			return
		}
	case p.Code, p.Block != "":
		style.Code = true
	case p.Bold:
		style.Bold = true
	}
	c.put(shown, style)
}

// oneLine is a value on one line.
func oneLine(p chat.Part) string {
	switch {
	case p.Table != nil:
		return cut(chat.CleanLine(strings.ReplaceAll(grid(p.Table), "\n", " · ")), maxLine)
	case p.Block != "":
		return cut(chat.CleanLine(p.Block), maxLine)
	}
	return cut(chat.CleanLine(p.Text), maxLine)
}

func (c *composer) isValue(r rune) bool { return r >= firstValue && r <= lastValue }

func (c *composer) valueOf(r rune) (chat.Part, bool) {
	if i := int(r) - firstValue; r >= firstValue && i < len(c.values) {
		return c.values[i], true
	}
	return chat.Part{}, false
}

// expand puts the values into text that takes no looks.
func (c *composer) expand(s string) string {
	if !strings.ContainsFunc(s, c.isValue) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		p, ok := c.valueOf(r)
		switch {
		case !ok:
			b.WriteRune(r)
		case p.Block != "":
			b.WriteString(p.Block)
		default:
			b.WriteString(oneLine(p))
		}
	}
	return b.String()
}
