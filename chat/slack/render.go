// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"belfry/chat"
	"belfry/fault"

	slackgo "github.com/slack-go/slack"
)

// Slack's limits, in characters (https://docs.slack.dev/reference/block-kit);
// a message that exceeds one is refused as a whole.
const (
	maxLabel    = 75
	maxValue    = 2000
	maxActionID = 255
	maxButtons  = 5 // a row on a phone; Slack takes 25
)

// What a card shows at most. Slack refuses a message whose blocks are too long
// (msg_blocks_too_long) without saying how long that is; people met it at about
// 13,200 bytes of encoded blocks. Tables, which may have a hundred rows of
// twenty cells, can't be counted in there: they have a limit of their own.
const (
	maxTitle   = 250
	maxState   = 60
	maxSummary = 300
	maxLine    = 1000
	maxLines   = 15
	linesRoom  = 4000
	tableRoom  = 4000
	maxOutput  = 2900
	maxEncoded = 12_000
	// mostShort is how often the texts are halved at most to get there.
	mostShort = 16
)

// payload is a message as the Web API takes it.
type payload struct {
	// Text is what notifications and screen readers say; mrkdwn.
	Text        string
	Blocks      []slackgo.Block
	Attachments []attachment
	// The two as JSON.
	blocks, attachments []byte
}

// attachment carries what stands beside the coloured bar.
type attachment struct {
	Color    string          `json:"color,omitempty"`
	Fallback string          `json:"fallback,omitempty"`
	Blocks   []slackgo.Block `json:"blocks"`
}

// render makes a message. The title stands above the bar, because only what
// stands there rings people and leaves the notification to Text; the rest of a
// card stands beside the bar. Buttons come before the output: Slack folds
// attachments that are long, and buttons must not be in the fold. A note,
// which has neither colour, title nor buttons, has no bar.
func render(m chat.Message, who []mention) (*payload, error) {
	for short := 1; ; short *= 2 {
		out, err := renderShort(m, who, short)
		if err != nil {
			return nil, err
		}
		size, err := out.encode()
		if err != nil || size <= maxEncoded || short >= mostShort {
			return out, err
		}
	}
}

// renderShort renders within the limits divided by short.
func renderShort(m chat.Message, who []mention, short int) (*payload, error) {
	out := &payload{Text: fallback(m)}
	table := tableBlocks(m.Table, tableRoom/short)
	if m.Color == "" && m.Title == "" && len(m.Buttons) == 0 {
		out.Blocks = note(m, who, short)
		if table != nil {
			out.Attachments = []attachment{{Fallback: out.Text, Blocks: table}}
		}
		return out, nil
	}
	buttons, err := actions(m.Buttons)
	if err != nil {
		return nil, err
	}
	out.Blocks = []slackgo.Block{head(m, who)}
	var body []slackgo.Block
	if block := richLines(nil, m.Lines, nil, linesRoom/short); block != nil {
		body = append(body, block)
	}
	if buttons != nil {
		body = append(body, buttons)
	}
	body = append(body, table...)
	if block := output(m, maxOutput/short); block != nil {
		body = append(body, block)
	}
	if len(body) > 0 {
		out.Attachments = []attachment{{Color: color(m.Color), Fallback: out.Text, Blocks: body}}
	} else if m.Color != "" {
		// The bar alone needs something to stand beside.
		var r rich
		r.text(chat.CleanLine(m.Summary), nil, maxSummary)
		out.Attachments = []attachment{{Color: color(m.Color), Fallback: out.Text, Blocks: []slackgo.Block{r.block()}}}
	}
	return out, nil
}

// args are the payload as arguments of a method.
func (p *payload) args() url.Values {
	out := url.Values{"text": {p.Text}, "attachments": {"[]"}, "unfurl_links": {"false"}, "unfurl_media": {"false"}}
	out.Set("blocks", string(p.blocks))
	if len(p.Attachments) > 0 {
		out.Set("attachments", string(p.attachments))
	}
	return out
}

// encode makes the JSON, and says how long it is without a table.
func (p *payload) encode() (size int, err error) {
	if p.blocks, err = encoded(p.Blocks); err == nil {
		p.attachments, err = encoded(p.Attachments)
	}
	size = len(p.blocks) + len(p.attachments)
	for _, a := range p.Attachments {
		for _, b := range a.Blocks {
			if t, ok := b.(*slackgo.TableBlock); ok && err == nil {
				var table []byte
				table, err = encoded(t)
				size -= len(table)
			}
		}
	}
	if err != nil {
		return 0, fault.NewPermanent(fmt.Errorf("can't encode a message: %w", err))
	}
	return size, nil
}

// encoded is JSON with < > & as they are: each would count six times.
func encoded(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// fallback is the message in one line.
func fallback(m chat.Message) string {
	text := m.Summary
	if strings.TrimSpace(text) == "" {
		text = strings.TrimSpace(m.State + " " + m.Title)
	}
	if strings.TrimSpace(text) == "" {
		for _, l := range m.Lines {
			text += l.Plain() + " "
		}
	}
	if text = strings.TrimSpace(literal(cut(chat.CleanLine(text), maxSummary))); text == "" {
		return "…" // Slack takes no message without a text
	}
	return text
}

// head is the line above the bar: icon, state, title, and who is rung.
func head(m chat.Message, who []mention) slackgo.Block {
	var r rich
	strong := &slackgo.RichTextSectionTextStyle{Bold: true}
	if icon := chat.CleanLine(m.Icon); icon != "" {
		r.text(icon+" ", nil, maxState)
	}
	state := strings.TrimSpace(cut(chat.CleanLine(m.State), maxState))
	title := strings.TrimSpace(cut(chat.CleanLine(m.Title), maxTitle))
	r.text(state, strong, maxState)
	if state != "" && title != "" {
		r.text(" · ", nil, 3)
	}
	if link := safeURL(m.Link); link != "" && title != "" {
		r.link(title, link, strong)
	} else {
		r.text(title, strong, maxTitle)
	}
	for i, w := range who {
		if i == 0 && len(r.elements) > 0 {
			r.newline()
		} else if i > 0 {
			r.text(" ", nil, 1)
		}
		r.elements = append(r.elements, w.element())
	}
	if len(r.elements) == 0 {
		r.text("…", nil, 1)
	}
	return r.block()
}

// color lets only #rrggbb through.
func color(s string) string {
	if len(s) != 7 || s[0] != '#' || strings.Trim(s[1:], "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return s
}

// rich is a section of rich text being written. What is in its text is shown
// as it is: Slack parses none of it.
type rich struct {
	elements []slackgo.RichTextSectionElement
}

func (r *rich) block() *slackgo.RichTextBlock {
	return slackgo.NewRichTextBlock("", slackgo.NewRichTextSection(r.elements...))
}

// text adds at most limit characters of one line.
func (r *rich) text(s string, style *slackgo.RichTextSectionTextStyle, limit int) {
	if s = breakEmoji(cut(s, limit)); s != "" {
		r.elements = append(r.elements, slackgo.NewRichTextSectionTextElement(s, style))
	}
}

func (r *rich) newline() {
	r.elements = append(r.elements, slackgo.NewRichTextSectionTextElement("\n", nil))
}

func (r *rich) link(text, address string, style *slackgo.RichTextSectionTextStyle) {
	r.elements = append(r.elements, slackgo.NewRichTextSectionLinkElement(address, breakEmoji(text), style))
}

// line adds a line's spans, at most limit characters, and returns how many it took.
func (r *rich) line(l chat.Line, limit int) int {
	took := 0
	for _, s := range l {
		if took >= limit {
			break
		}
		text := cut(chat.CleanLine(s.Text), limit-took)
		took += utf8.RuneCountInString(text)
		link := safeURL(s.Link)
		switch {
		case !s.Time.IsZero():
			r.elements = append(r.elements, slackgo.NewRichTextSectionDateElement(s.Time.Unix(), dateFormat, nil, &text))
		case link != "" && strings.TrimSpace(text) != "":
			r.link(text, link, nil)
		case s.Bold:
			r.text(text, &slackgo.RichTextSectionTextStyle{Bold: true}, limit)
		default:
			r.text(text, nil, limit)
		}
	}
	return took
}

// richLines makes one block of lead, who and the lines, nil when all are empty.
func richLines(who []mention, lines []chat.Line, lead *rich, room int) slackgo.Block {
	r := rich{}
	if lead != nil {
		r = *lead
	}
	for _, w := range who {
		r.elements = append(r.elements, w.element())
		r.text(" ", nil, 1)
	}
	for i, l := range lines {
		if i > 0 {
			r.newline()
		}
		if i == maxLines || room <= 0 {
			r.text("…", nil, 1)
			break
		}
		room -= r.line(l, min(maxLine, room))
	}
	blank := true
	for _, e := range r.elements {
		t, ok := e.(*slackgo.RichTextSectionTextElement)
		blank = blank && ok && strings.TrimSpace(t.Text) == ""
	}
	if blank {
		return nil
	}
	return r.block()
}

// note is a message that is text alone.
func note(m chat.Message, who []mention, short int) []slackgo.Block {
	var lead rich
	if icon := chat.CleanLine(m.Icon); icon != "" {
		lead.text(icon+" ", nil, maxState)
	}
	lines := m.Lines
	if len(lines) == 0 {
		lines = []chat.Line{{{Text: m.Summary}}}
	}
	var out []slackgo.Block
	if block := richLines(who, lines, &lead, linesRoom/short); block != nil {
		out = append(out, block)
	}
	if block := output(m, maxOutput/short); block != nil {
		out = append(out, block)
	}
	if len(out) == 0 {
		out = append(out, (&rich{elements: []slackgo.RichTextSectionElement{slackgo.NewRichTextSectionTextElement("…", nil)}}).block())
	}
	return out
}

// output is the block with what the check said, and the count of what is
// missing; nil when there is nothing.
func output(m chat.Message, limit int) slackgo.Block {
	text := strings.Trim(chat.Clean(m.Output), "\n")
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	missing := m.Cut
	if n := utf8.RuneCountInString(text); n > limit {
		kept := strings.TrimRight(firstRunes(text, limit), "\n")
		missing += n - utf8.RuneCountInString(kept)
		text = kept
	}
	var parts []slackgo.RichTextElement
	if text != "" {
		parts = append(parts, &slackgo.RichTextPreformatted{Type: slackgo.RTEPreformatted,
			Elements: []slackgo.RichTextSectionElement{slackgo.NewRichTextSectionTextElement(text, nil)}})
	}
	if missing > 0 {
		var r rich
		unit := "more characters"
		if missing == 1 {
			unit = "more character"
		}
		r.text(fmt.Sprintf("… %d %s", missing, unit), nil, maxLine)
		if page := safeURL(m.More); page != "" {
			r.text(": ", nil, 2)
			r.link("all of it", page, nil)
		}
		parts = append(parts, slackgo.NewRichTextSection(r.elements...))
	}
	if len(parts) == 0 {
		return nil
	}
	return slackgo.NewRichTextBlock("", parts...)
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// actions is the row of buttons; nil when there are none.
func actions(buttons []chat.Button) (slackgo.Block, error) {
	if len(buttons) == 0 {
		return nil, nil //nolint:nilnil // no buttons, no row
	}
	var row []slackgo.BlockElement
	for _, b := range buttons[:min(len(buttons), maxButtons)] {
		switch {
		case b.Action == "" || len(b.Action) > maxActionID:
			return nil, fault.NewPermanent(fmt.Errorf("the button %q has an action of %d characters: Slack takes 1 to %d", b.Label, len(b.Action), maxActionID))
		case len(b.Token) > maxValue:
			return nil, fault.NewPermanent(fmt.Errorf("the button %q carries %d characters: Slack takes %d", b.Label, len(b.Token), maxValue))
		}
		label := strings.TrimSpace(cut(chat.CleanLine(b.Label), maxLabel))
		if label == "" {
			return nil, fault.NewPermanent(errors.New("a button has no label"))
		}
		never := false
		e := slackgo.NewButtonBlockElement(b.Action, b.Token, slackgo.NewTextBlockObject(slackgo.PlainTextType, breakEmoji(label), false, false))
		e.Text.Emoji = &never
		if b.Style == chat.StylePrimary || b.Style == chat.StyleDanger {
			e.Style = slackgo.Style(b.Style)
		}
		row = append(row, e)
	}
	return slackgo.NewActionBlock("", row...), nil
}
