// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"strings"
	"unicode/utf8"

	"belfry/chat"
)

// renderReply makes a post's text and props of a reply. What does not fit is
// left out and shown by an ellipsis.
func (p *Platform) renderReply(key string, r chat.Reply) (string, props, error) {
	m := r.Message
	m.Mentions, m.Buttons = nil, nil // everybody reads it, and nobody asked to be rung
	text, out, err := p.render(key, m)
	if err != nil {
		return "", props{}, err
	}
	if r.Username != "" || r.IconURL != "" {
		out.Username, out.Icon, out.Hook = r.Username, r.IconURL, "true"
	}
	if len(r.Body) == 0 {
		return text, out, nil
	}
	into, room := &text, maxMessage-utf8.RuneCountInString(text)
	if len(out.Attachments) > 0 {
		a := &out.Attachments[0]
		into, room = &a.Text, maxProps-len(key)-200-a.cost()-cost(a.Text)-cost(r.Username)-cost(r.IconURL)
	}
	lead := ""
	if *into != "" {
		lead = "\n\n"
	}
	*into += lead + body(r.Body, room-cost(lead))
	return text, out, nil
}

// body writes parts in at most room of encoded text.
func body(parts []chat.Part, room int) string {
	w := &writer{escaper: escaper{inCell: true}}
	room -= cost("\n…")
	var b strings.Builder
	for _, part := range parts {
		text := w.part(part, room-cost("\n\n\n\n"))
		if cost(text) <= room {
			room -= cost(text)
			b.WriteString(text)
			continue
		}
		if part.Markup != "" {
			for line := range strings.Lines(text) {
				if cost(line) > room {
					break
				}
				room -= cost(line)
				b.WriteString(line)
			}
		}
		return strings.TrimRight(b.String(), "\n") + "\n…"
	}
	return strings.Trim(b.String(), "\n")
}

// writer writes parts one after the other. A value knows what stands before it:
// together they must not become what neither is.
type writer struct {
	escaper
	// line is what stands before the next part on its line, token the same since
	// the last white space; valued is true when it ends in a value.
	line, token string
	valued      bool
}

// part returns one part as Markdown; blocks and tables are cut to room.
func (w *writer) part(p chat.Part, room int) string {
	w.b.Reset()
	switch {
	case p.Markup != "":
		w.trusted(strings.ReplaceAll(strings.ReplaceAll(p.Markup, "\r\n", "\n"), "\r", "\n"))
		return w.b.String()
	case p.Table != nil:
		w.block(table(p.Table, false, room))
	case p.Block != "":
		text, ok := output(chat.Message{Output: breakCalls(p.Block)}, false, room)
		if ok {
			w.block(text)
		}
	case p.Code:
		w.apart()
		w.markup(codeSpan(p.Text))
		w.wrote(p.Text)
	case p.Text != "":
		w.apart()
		text := cut(oneLine(p.Text), maxLine)
		switch {
		case p.Link != "":
			w.link(text, p.Link)
		case p.Bold:
			w.bold(text, "")
		default:
			w.text(text)
		}
		w.wrote(text)
	}
	return w.b.String()
}

// trusted writes the administrator's own Markdown.
func (w *writer) trusted(s string) {
	if w.valued && strings.HasPrefix(s, "/") {
		w.markup(zero) // "example.com" and "/" are an address together
	}
	w.markup(s)
	if i := strings.LastIndexAny(s, " \t\n"); i >= 0 {
		w.token = s[i+1:]
	} else {
		w.token += s
	}
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		w.line = s[i+1:]
	} else {
		w.line += s
	}
	// Behind the marks of lists and quotations a block can begin, too.
	w.begun = strings.Trim(w.line, " \t>*-+#.)0123456789") != ""
	w.valued = false
}

// wrote notes a value.
func (w *writer) wrote(text string) {
	w.token, w.line, w.valued = w.token+text, w.line+"x", true
}

// apart keeps a value from what stands right before it, where the two could
// ring, link or become a picture together.
func (w *writer) apart() {
	t := strings.ToLower(w.token)
	last, _ := utf8.DecodeLastRuneInString(t)
	if strings.Contains(t, "://") || strings.Contains(t, "www") || strings.Contains(t, "mailto") {
		w.markup(" ") // an address would lead where a value says
		return
	}
	if w.valued || !w.begun && w.token != "" || strings.ContainsRune("@<:#~&$\\", last) && last != utf8.RuneError || strings.Contains(t, "](") {
		begun := w.begun
		w.markup(zero)
		w.begun = begun
	}
}

// block writes something that needs lines of its own.
func (w *writer) block(text string) {
	if text == "" {
		return
	}
	if w.begun {
		w.newline()
	}
	w.newline()
	w.markup(text)
	w.newline()
	w.newline()
	w.token, w.line, w.valued = "", "", false
}

// codeSpan shows text as code on one line. It can't ring even where the
// administrator's text left a backtick open before it, nor end a table's cell.
func codeSpan(text string) string {
	text = strings.ReplaceAll(breakCalls(breakRuns(cut(oneLine(text), maxLine))), "|", "¦")
	if strings.TrimSpace(text) == "" {
		return text
	}
	ticks := strings.Repeat("`", longest(text)+1)
	if ticks == "`" {
		return ticks + strings.TrimSpace(text) + ticks
	}
	return ticks + " " + strings.TrimSpace(text) + " " + ticks
}

// breakCalls makes text that rings nobody even where it is not seen to be code:
// the server reads Slack's <!channel> in an answer wherever it stands.
func breakCalls(text string) string {
	return strings.NewReplacer("@", "@"+zero, "<!", "<"+zero+"!").Replace(text)
}

// PreviewReply returns a reply as Mattermost would get it, in Markdown.
func PreviewReply(r chat.Reply) (string, error) {
	text, props, err := new(Platform).renderReply(strings.Repeat("x", 26), r)
	if err != nil {
		return "", err
	}
	return preview(text, props), nil
}
