// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"context"
	"slices"
	"strings"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
)

const (
	// maxQuote bounds what of a message stands in the form: a line of Slack's
	// forms takes 3000 characters, and the link follows.
	maxQuote = 2000
	maxLink  = 500
)

var _ chat.Declarer = (*Commands)(nil)

// DeclareAbout implements chat.Declarer. Only what the person leaves in the form
// becomes the summary.
func (c *Commands) DeclareAbout(ctx context.Context, who chat.Actor, m chat.Quoted) chat.Answer {
	if c.Gate != nil {
		if no := c.Gate.May(ctx, who); no != nil {
			return *no
		}
	}
	if c.Sealer == nil || !c.Response.Announces() {
		return chat.Answer{Whisper: sayNowhere}
	}
	link := m.Link
	if len(link) > maxLink {
		link = ""
	}
	d, err := c.form(who, formClaim{Kind: incident.Normal, Quoted: true, Link: link})
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	d.Intro = "The message of " + message.Short(m.Author.Name, maxName) + " becomes the summary, as you leave it here."
	if at := slices.IndexFunc(d.Fields, func(f chat.Field) bool { return f.Name == incident.FieldSummary }); at >= 0 {
		d.Fields[at].Value = quote(m, link)
		return chat.Answer{Dialog: &d}
	}
	// One more than other forms have: who declares about messages takes that.
	d.Fields = append(d.Fields, chat.Field{Name: incident.FieldSummary, Label: "Summary", Value: quote(m, link), Multiline: true, Optional: true, MaxLength: incident.MaxText})
	return chat.Answer{Dialog: &d}
}

// quote is what a message says, with the link to it.
func quote(m chat.Quoted, link string) string {
	text := strings.Trim(chat.Clean(m.Text), "\n\t ")
	if r := []rune(text); len(r) > maxQuote {
		text = strings.TrimRight(string(r[:maxQuote-1]), " \n\t") + "…"
	}
	return strings.TrimSpace(text + "\n\n" + link)
}
