// SPDX-License-Identifier: Apache-2.0

package slack

import (
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
// (msg_blocks_too_long) without saying how long that is; about 13,000
// characters are known to pass, and all of this together is below.
const (
	maxTitle   = 250
	maxState   = 60
	maxSummary = 300
	maxLine    = 1000
	maxLines   = 15
	linesRoom  = 4000
	tableRoom  = 4000
	maxOutput  = 2900
)

// payload is a message as the Web API takes it.
type payload struct {
	// Text is what notifications and screen readers say; mrkdwn.
	Text        string
	Blocks      []slackgo.Block
	Attachments []attachment
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
	out := &payload{Text: fallback(m)}
	if m.Color == "" && m.Title == "" && len(m.Buttons) == 0 {
		out.Blocks = note(m, who)
		return out, nil
	}
	buttons, err := actions(m.Buttons)
	if err != nil {
		return nil, err
	}
	out.Blocks = []slackgo.Block{head(m, who)}
	var body []slackgo.Block
	if block := richLines(nil, m.Lines, nil); block != nil {
		body = append(body, block)
	}
	if buttons != nil {
		body = append(body, buttons)
	}
	body = append(body, tableBlocks(m.Table)...)
	if block := output(m); block != nil {
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
func (p *payload) args() (url.Values, error) {
	out := url.Values{"text": {p.Text}, "attachments": {"[]"}, "unfurl_links": {"false"}, "unfurl_media": {"false"}}
	blocks, err := json.Marshal(p.Blocks)
	if err != nil {
		return nil, fault.NewPermanent(fmt.Errorf("can't encode a message: %w", err))
	}
	out.Set("blocks", string(blocks))
	if len(p.Attachments) > 0 {
		more, err := json.Marshal(p.Attachments)
		if err != nil {
			return nil, fault.NewPermanent(fmt.Errorf("can't encode a message: %w", err))
		}
		out.Set("attachments", string(more))
	}
	return out, nil
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
func richLines(who []mention, lines []chat.Line, lead *rich) slackgo.Block {
	r := rich{}
	if lead != nil {
		r = *lead
	}
	for _, w := range who {
		r.elements = append(r.elements, w.element())
		r.text(" ", nil, 1)
	}
	room := linesRoom
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
func note(m chat.Message, who []mention) []slackgo.Block {
	var lead rich
	if icon := chat.CleanLine(m.Icon); icon != "" {
		lead.text(icon+" ", nil, maxState)
	}
	lines := m.Lines
	if len(lines) == 0 {
		lines = []chat.Line{{{Text: m.Summary}}}
	}
	var out []slackgo.Block
	if block := richLines(who, lines, &lead); block != nil {
		out = append(out, block)
	}
	out = append(out, tableBlocks(m.Table)...)
	if block := output(m); block != nil {
		out = append(out, block)
	}
	if len(out) == 0 {
		out = append(out, (&rich{elements: []slackgo.RichTextSectionElement{slackgo.NewRichTextSectionTextElement("…", nil)}}).block())
	}
	return out
}

// output is the block with what the check said, and the count of what is
// missing; nil when there is nothing.
func output(m chat.Message) slackgo.Block {
	text := strings.Trim(chat.Clean(m.Output), "\n")
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	missing := m.Cut
	if n := utf8.RuneCountInString(text); n > maxOutput {
		kept := strings.TrimRight(firstRunes(text, maxOutput), "\n")
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
