// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Reading is a message as people see it.
type Reading struct {
	// Text is what is read, without the markup that became looks.
	Text string
	// Links are the addresses that text leads to.
	Links []string
	// Looks is what is shown formatted: "bold: x", "code: y", "emoji: tada".
	Looks []string
	// Rings are ids of people and groups and words for a channel that the text names.
	Rings []string
}

// reader puts a Reading together.
type reader struct {
	Reading
	b strings.Builder
}

func (r *reader) look(kind, text string) { r.Looks = append(r.Looks, kind+": "+text) }

// line begins a new line, unless nothing was written yet.
func (r *reader) line() {
	if r.b.Len() > 0 && !strings.HasSuffix(r.b.String(), "\n") {
		r.b.WriteByte('\n')
	}
}

func (r *reader) done() Reading {
	r.Text = strings.TrimRight(r.b.String(), "\n")
	return r.Reading
}

// read is what people see of a message: its blocks, or else its text, and its
// attachments below. Buttons are not text.
func (m *Message) read() Reading {
	var r reader
	if len(m.Blocks) > 0 {
		r.blocks(m.Blocks)
	} else {
		r.mrkdwn(m.Text, false)
	}
	for _, a := range m.Attachments {
		att, _ := a.(map[string]any)
		r.line()
		if blocks, ok := att["blocks"].([]any); ok {
			r.blocks(blocks)
			continue
		}
		for _, name := range []string{"pretext", "title", "text"} {
			if text, _ := att[name].(string); text != "" {
				r.line()
				r.mrkdwn(text, false)
			}
		}
	}
	return r.done()
}

// rings is whom a message rings: what stands in its attachments rings nobody.
func (m *Message) ringsOf() []string {
	var r reader
	if len(m.Blocks) > 0 {
		r.blocks(m.Blocks)
	} else {
		r.mrkdwn(m.Text, false)
	}
	return r.Rings
}

// ringing names them as people do. s.mu must be held.
func (s *Server) ringing(_ *Channel, m *Message) []string {
	var out []string
	for _, id := range m.ringsOf() {
		name := id
		if u := s.users[id]; u != nil {
			name = u.Name
		} else if g := s.groups[id]; g != nil {
			name = g.Handle
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// ReadBlocks is what people see of blocks; for whispers and modals.
func ReadBlocks(blocks []any) Reading {
	var r reader
	r.blocks(blocks)
	return r.done()
}

// ReadText is what people see of mrkdwn.
func ReadText(text string) Reading {
	var r reader
	r.mrkdwn(text, false)
	return r.done()
}

func (r *reader) blocks(blocks []any) {
	for _, b := range blocks {
		m, _ := b.(map[string]any)
		r.line()
		switch m["type"] {
		case "rich_text":
			r.rich(m)
		case "section":
			r.object(m["text"])
			fields, _ := m["fields"].([]any)
			for _, f := range fields {
				r.line()
				r.object(f)
			}
		case "header":
			r.object(m["text"])
			r.look("heading", "")
		case "context":
			parts, _ := m["elements"].([]any)
			for _, p := range parts {
				r.object(p)
			}
		case "input":
			r.object(m["label"])
		case "table":
			r.table(m)
		}
	}
}

// object is a text object.
func (r *reader) object(v any) {
	m, _ := v.(map[string]any)
	text, _ := m["text"].(string)
	if m["type"] == "mrkdwn" {
		verbatim, _ := m["verbatim"].(bool)
		r.mrkdwn(text, verbatim)
		return
	}
	if emoji, set := m["emoji"].(bool); !set || emoji {
		r.emojis(text)
	}
	r.b.WriteString(text)
}

func (r *reader) rich(m map[string]any) {
	sections, _ := m["elements"].([]any)
	for _, s := range sections {
		sec, _ := s.(map[string]any)
		r.line()
		parts, _ := sec["elements"].([]any)
		if sec["type"] == "rich_text_preformatted" {
			from := r.b.Len()
			for _, p := range parts {
				part, _ := p.(map[string]any)
				text, _ := part["text"].(string)
				r.b.WriteString(text)
			}
			r.look("code", r.b.String()[from:])
			r.b.WriteByte('\n')
			continue
		}
		if sec["type"] == "rich_text_list" {
			r.look("list", "")
			r.rich(sec)
			continue
		}
		if sec["type"] == "rich_text_quote" {
			r.look("quote", "")
		}
		for _, p := range parts {
			part, _ := p.(map[string]any)
			r.part(part)
		}
	}
}

// part is one element of rich text. Its text is nobody's markup; but a name
// between colons is counted as an emoji, because some clients draw it.
func (r *reader) part(p map[string]any) {
	text, _ := p["text"].(string)
	id := func(field string) string { s, _ := p[field].(string); return s }
	switch p["type"] {
	case "text":
		r.b.WriteString(text)
		r.emojis(text)
	case "link":
		r.Links = append(r.Links, id("url"))
		if text == "" {
			text = id("url")
		}
		r.b.WriteString(text)
		r.emojis(text)
	case "user":
		r.ring(id("user_id"))
	case "usergroup":
		r.ring(id("usergroup_id"))
	case "broadcast":
		r.ring(id("range"))
	case "emoji":
		r.look("emoji", id("name"))
		r.b.WriteString(":" + id("name") + ":")
	case "date":
		text = id("fallback")
		r.b.WriteString(text)
	}
	style, _ := p["style"].(map[string]any)
	for _, name := range []string{"bold", "italic", "strike", "code"} {
		if on, _ := style[name].(bool); on {
			r.look(name, text)
		}
	}
}

func (r *reader) ring(id string) {
	r.Rings = append(r.Rings, id)
	r.b.WriteString("@" + id)
}

func (r *reader) table(m map[string]any) {
	rows, _ := m["rows"].([]any)
	from := r.b.Len()
	var inside reader
	for _, row := range rows {
		r.line()
		cells, _ := row.([]any)
		for i, c := range cells {
			cell, _ := c.(map[string]any)
			if i > 0 {
				r.b.WriteByte(' ')
			}
			if cell["type"] == "rich_text" {
				inside = reader{}
				inside.rich(cell)
				got := inside.done()
				r.b.WriteString(got.Text)
				r.Links, r.Looks, r.Rings = append(r.Links, got.Links...), append(r.Looks, got.Looks...), append(r.Rings, got.Rings...)
				continue
			}
			text, _ := cell["text"].(string)
			r.b.WriteString(text)
		}
	}
	r.look("table", fmt.Sprint(r.b.Len()-from))
}

var emojiName = regexp.MustCompile(`:[a-zA-Z0-9_+'-]+:`)

func (r *reader) emojis(text string) {
	for _, name := range emojiName.FindAllString(text, -1) {
		// 10:04:05 has no emoji of that name, and a client draws none.
		if strings.Trim(name, ":0123456789") != "" {
			r.look("emoji", strings.Trim(name, ":"))
		}
	}
}

// Buttons returns the labels of the buttons, in order.
func (m *Message) Buttons() []string {
	var out []string
	for _, e := range m.elements() {
		text, _ := e["text"].(map[string]any)
		label, _ := text["text"].(string)
		out = append(out, strings.ReplaceAll(label, "\u200b", ""))
	}
	return out
}

// elements are the interactive elements of a message, in order, each with the
// block_id of its block under "block_id".
func (m *Message) elements() []map[string]any {
	var out []map[string]any
	collect := func(blocks []any) {
		for _, b := range blocks {
			block, _ := b.(map[string]any)
			parts, _ := block["elements"].([]any)
			if block["type"] != "actions" {
				continue
			}
			for _, p := range parts {
				if e, ok := p.(map[string]any); ok && e["type"] == "button" {
					out = append(out, e)
				}
			}
		}
	}
	collect(m.Blocks)
	for _, a := range m.Attachments {
		att, _ := a.(map[string]any)
		blocks, _ := att["blocks"].([]any)
		collect(blocks)
	}
	return out
}

// Check says what people read of a message with this content, and why Slack
// would refuse it, or "".
func Check(text string, blocks, attachments []byte) (r Reading, wrong string) {
	m, no := content(map[string]string{"text": text, "blocks": string(blocks), "attachments": string(attachments)})
	if no != nil {
		return Reading{}, fmt.Sprint(no)
	}
	return m.read(), ""
}
