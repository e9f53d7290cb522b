// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"belfry/chat"
	"belfry/fault"
)

// The server's limits, in runes; a post that exceeds one is refused.
const (
	maxMessage = 16383
	// maxProps is 8000 less what the server adds on its own.
	maxProps = 7600
)

// What a card shows at most. Text that is cut ends in "…"; only the output is
// counted, since it is kept whole elsewhere.
const (
	maxTitle    = 250
	maxSummary  = 300
	maxLine     = 1000
	maxLines    = 15
	maxLabel    = 60
	maxButtons  = 5
	maxMentions = 10
	// longestRun bounds runs of backticks, and with them the fence around.
	longestRun = 20
)

type attachment struct {
	Fallback  string   `json:"fallback,omitempty"`
	Color     string   `json:"color,omitempty"`
	Title     string   `json:"title,omitempty"`
	TitleLink string   `json:"title_link,omitempty"`
	Text      string   `json:"text,omitempty"`
	Actions   []action `json:"actions,omitempty"`
}

type action struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Style       string      `json:"style"`
	Integration integration `json:"integration"`
}

// integration stays on the server: people never see it.
type integration struct {
	URL     string        `json:"url"`
	Context buttonContext `json:"context"`
}

// buttonContext comes back with a press.
type buttonContext struct {
	Token string `json:"belfry"`
}

// render makes a post's text and props. A card is an attachment, with the
// mentions in the text, for only there do they surely ring; a note, which has
// neither colour, title nor buttons, is text alone.
func (p *Platform) render(key string, m chat.Message) (string, props, error) {
	m = p.withHint(m)
	out := props{Key: key, Username: p.username, Icon: p.icon}
	if p.username != "" || p.icon != "" {
		out.Hook = "true" // clients look at the other two only then
	}
	if m.Color == "" && m.Title == "" && len(m.Buttons) == 0 {
		return note(m), out, nil
	}
	actions, err := p.actions(m.Buttons)
	if err != nil {
		return "", out, err
	}
	// First the output gives way, then the other texts.
	for short := 1; short <= 32; short *= 2 {
		a := head(m, short)
		a.Actions = actions
		text := lines(m.Lines, short)
		room := maxProps - len(key) - 60 - a.cost() - cost(text)
		rows := table(m.Table, text != "", room/2)
		text, room = text+rows, room-cost(rows)
		if rows != "" && m.Output != "" {
			text, room = text+"\n", room-2
		}
		body, ok := output(m, text != "", room)
		if ok {
			a.Text = text + body
			out.Attachments = []attachment{a}
			return mentions(m.Mentions), out, nil
		}
	}
	return "", out, fault.NewPermanent(errors.New("a card's buttons and links alone exceed what Mattermost takes"))
}

// head is all of the attachment but its text. short divides the limits.
func head(m chat.Message, short int) attachment {
	a := attachment{
		Fallback: cut(breakAt(oneLine(m.Summary)), maxSummary/short),
		Color:    color(m.Color),
	}
	title := strings.TrimSpace(cut(oneLine(m.Title), maxTitle/short))
	if state := strings.TrimSpace(cut(oneLine(m.State), maxLabel/short)); state != "" {
		title = strings.TrimSuffix(state+" · "+title, " · ")
	}
	icon := oneLine(m.Icon)
	if icon != "" {
		icon += " "
	}
	if a.TitleLink = safeURL(m.Link); a.TitleLink != "" {
		a.Title = icon + titled(title)
	} else {
		var e escaper
		e.markup(icon)
		e.text(title)
		a.Title = e.b.String()
	}
	return a
}

// breakAt makes text that no client can ring with.
func breakAt(s string) string { return strings.ReplaceAll(s, "@", "@"+zero) }

// color lets only #rrggbb through.
func color(s string) string {
	if len(s) != 7 || s[0] != '#' || strings.Trim(s[1:], "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return s
}

// lines joins the lines of a message; each stays one.
func lines(all []chat.Line, short int) string {
	var e escaper
	e.b.Grow(512)
	for i, l := range all {
		if i == maxLines {
			e.newline()
			e.markup("…")
			break
		}
		if i > 0 {
			e.newline()
		}
		e.line(l, maxLine/short)
	}
	return strings.Trim(e.b.String(), "\n")
}

// line writes one line, at most limit runes of its text.
func (e *escaper) line(l chat.Line, limit int) {
	for i, s := range l {
		if limit <= 0 {
			return
		}
		text := cut(oneLine(s.Text), limit)
		limit -= utf8.RuneCountInString(text)
		following := ""
		if i+1 < len(l) {
			following = l[i+1].Text
		}
		switch {
		case s.Link != "":
			e.link(text, s.Link)
		case s.Bold:
			e.bold(text, following)
		default:
			e.text(text)
		}
	}
}

// output returns the block with what the check said and the count of what is
// missing, in at most room runes of encoded props; ok is false when not even
// the count fits.
func output(m chat.Message, after bool, room int) (string, bool) {
	text := strings.Trim(strings.ReplaceAll(chat.Clean(m.Output), "\u2424", "⏎"), "\n")
	missing := m.Cut
	lead := ""
	if after {
		lead = "\n"
	}
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	text = breakRuns(text)
	fence := strings.Repeat("`", max(3, longest(text)+1))
	frame := cost(lead+fence+"\n"+"\n"+fence) + 2
	if missing == 0 && (text == "" || frame+cost(text) <= room) {
		return block(lead, fence, text, ""), room >= 0
	}
	// The count only grows, by five digits at most: the longest is assumed.
	tail := cost(more(missing+utf8.RuneCountInString(text), m.More)) + 8
	kept, dropped := fit(text, room-frame-tail)
	missing += dropped
	if kept == "" {
		return lead + strings.TrimPrefix(more(missing, m.More), "\n"), room-tail >= 0
	}
	return block(lead, fence, kept, more(missing, m.More)), room-frame-tail >= 0
}

func block(lead, fence, text, tail string) string {
	if text == "" {
		return strings.TrimPrefix(tail, "\n")
	}
	return lead + fence + "\n" + text + "\n" + fence + tail
}

// more says how much of the output is missing and where it is; "" when none is.
func more(missing int, page string) string {
	if missing <= 0 {
		return ""
	}
	var e escaper
	unit := " more characters"
	if missing == 1 {
		unit = " more character"
	}
	e.markup("\n… " + strconv.Itoa(missing) + unit)
	if safeURL(page) != "" {
		e.markup(": ")
		e.link("all of it", page)
	}
	return e.b.String()
}

// longest returns the length of the longest run of backticks.
func longest(s string) int {
	most, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// breakRuns breaks runs of backticks that would need an absurd fence.
func breakRuns(s string) string {
	if longest(s) <= longestRun {
		return s
	}
	run := strings.Repeat("`", longestRun)
	for strings.Contains(s, run+"`") {
		s = strings.ReplaceAll(s, run+"`", run+zero+"`")
	}
	return s
}

// fit cuts text to a cost and returns how many runes were dropped, our own
// zero width spaces not counted.
func fit(text string, room int) (string, int) {
	for i, r := range text {
		if room -= runeCost(r); room < 0 {
			rest := text[i:]
			return strings.TrimRight(text[:i], "\n"), utf8.RuneCountInString(rest) - strings.Count(rest, zero) +
				len(text[:i]) - len(strings.TrimRight(text[:i], "\n"))
		}
	}
	return text, 0
}

// cut shortens text to limit runes, the last of them "…".
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	last := 0
	for i := range s {
		if n == limit-1 {
			last = i
		}
		if n++; n > limit {
			return s[:last] + "…"
		}
	}
	return s
}

// runeCost is how many runes r takes in the encoded props.
func runeCost(r rune) int {
	switch {
	case r == '"' || r == '\\' || r == '\n' || r == '\t':
		return 2
	case r == '<' || r == '>' || r == '&' || r == 0x2028 || r == 0x2029 || r < 0x20:
		return 6
	}
	return 1
}

func cost(s string) int {
	n := 0
	for _, r := range s {
		n += runeCost(r)
	}
	return n
}

// cost of the attachment in the encoded props, its text left out, rounded up.
func (a *attachment) cost() int {
	n := 120 + cost(a.Fallback) + cost(a.Title) + cost(a.TitleLink)
	for _, b := range a.Actions {
		n += 140 + cost(b.ID) + cost(b.Name) + cost(b.Integration.URL) + cost(b.Integration.Context.Token)
	}
	return n
}

// actions makes the buttons.
func (p *Platform) actions(buttons []chat.Button) ([]action, error) {
	if len(buttons) > maxButtons {
		buttons = buttons[:maxButtons]
	}
	out := make([]action, 0, len(buttons))
	for _, b := range buttons {
		if !isAlnum(b.Action) {
			return nil, fault.NewPermanent(fmt.Errorf("the button %q has the action %q: Mattermost takes letters and digits only", b.Label, b.Action))
		}
		style := string(b.Style)
		if style == "" {
			style = "default"
		}
		out = append(out, action{
			ID: b.Action, Name: cut(oneLine(b.Label), maxLabel), Type: "button", Style: style,
			Integration: integration{URL: p.callback + "/action", Context: buttonContext{Token: b.Token}},
		})
	}
	return out, nil
}

// mentions is the text that rings. What is not a handle is left out.
func mentions(handles []string) string {
	var b strings.Builder
	for i, h := range handles {
		if i == maxMentions {
			break
		}
		if !isMention(h) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("@" + h)
	}
	return b.String()
}

// isMention holds for handles of people and groups, and channel, all and here:
// [a-z0-9][a-z0-9._-]{0,63}.
func isMention(h string) bool {
	if h == "" || len(h) > 64 || !isAlnumByte(h[0]) {
		return false
	}
	for _, c := range []byte(h) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// note is a message that is text alone.
func note(m chat.Message) string {
	var e escaper
	if who := mentions(m.Mentions); who != "" {
		e.markup(who + " ")
	}
	if m.Icon != "" {
		e.markup(oneLine(m.Icon) + " ")
	}
	if len(m.Lines) == 0 {
		e.text(cut(oneLine(m.Summary), maxLine))
	}
	for i, l := range m.Lines {
		if i == maxLines {
			break
		}
		if i > 0 {
			e.newline()
		}
		e.line(l, maxLine)
	}
	text := e.b.String()
	text += table(m.Table, text != "", maxMessage-cost(text))
	// Output of a note is rare; it gets what the message has left.
	body, ok := output(m, text != "", maxMessage-cost(text))
	if !ok {
		return text
	}
	return text + body
}
