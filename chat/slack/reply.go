// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"slices"
	"strings"
	"unicode/utf8"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
)

// replyRoom is what an answer shows at most, in characters, leastRoom where
// shortening it ends; see maxEncoded.
const (
	replyRoom = 11_000
	leastRoom = 100
)

// renderReply makes a message of a reply: the administrator's Markdown becomes
// rich text, and the values in it are elements of their own, which nobody
// parses. What does not fit is left out and shown by an ellipsis.
func renderReply(r chat.Reply) (*payload, error) {
	m := r.Message
	m.Mentions, m.Buttons = nil, nil // everybody reads it, and nobody asked to be rung
	for room := replyRoom - length(m); ; room = room * 3 / 4 {
		made, err := render(m, nil)
		if err != nil || len(r.Body) == 0 {
			return made, err
		}
		body, said := compose(r.Body, room, m.Table != nil)
		if len(body) == 0 {
			return made, nil
		}
		if strings.TrimSpace(m.Summary+m.Title) == "" && len(m.Lines) == 0 {
			if made.Text = strings.TrimSpace(literal(cut(chat.CleanLine(said), maxSummary))); made.Text == "" {
				made.Text = "…"
			}
		}
		made.place(m, body)
		size, err := made.encode()
		if err != nil || size <= maxEncoded || room <= leastRoom {
			return made, err
		}
	}
}

// place puts an answer's blocks below a message.
func (p *payload) place(m chat.Message, body []slackgo.Block) {
	// Where there is nothing else, render filled the place.
	empty := len(m.Lines) == 0 && m.Table == nil && m.Output == "" && m.Cut == 0
	switch {
	case len(p.Attachments) > 0 && empty:
		p.Attachments[0].Blocks = body
	case len(p.Attachments) > 0:
		p.Attachments[0].Blocks = append(p.Attachments[0].Blocks, body...)
	default:
		if empty && m.Title == "" && strings.TrimSpace(m.Summary) == "" {
			p.Blocks = nil
		}
		p.below(body)
	}
	for i := range p.Attachments {
		p.Attachments[i].Fallback = p.Text
	}
}

// below puts blocks below those there are; tables stand in attachments only,
// and what follows them with them.
func (p *payload) below(body []slackgo.Block) {
	i := slices.IndexFunc(body, func(b slackgo.Block) bool { return b.BlockType() == slackgo.MBTTable })
	if i < 0 {
		p.Blocks = append(p.Blocks, body...)
		return
	}
	p.Blocks = append(p.Blocks, body[:i]...)
	if len(p.Blocks) == 0 { // or Slack shows the notification's text in their place
		var r rich
		r.text("▾", nil, 1)
		p.Blocks = []slackgo.Block{r.block()}
	}
	p.Attachments = []attachment{{Blocks: body[i:]}}
}

// length is how many characters a message's own parts take at most.
func length(m chat.Message) int {
	n := maxTitle + maxState
	for _, l := range m.Lines {
		n += min(utf8.RuneCountInString(l.Plain()), maxLine)
	}
	n = min(n, maxTitle+maxState+linesRoom) + min(utf8.RuneCountInString(m.Output), maxOutput)
	if m.Table != nil {
		n += tableRoom
	}
	return n
}
