// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"belfry/chat"
)

const (
	// maxNames is how many words of a foreign card are looked at, maxName how
	// long one may be.
	maxNames = 200
	maxName  = 256
)

// foreignMessage is a message that another program posted with attachments
// ("Legacy: Message attachments", docs.slack.dev).
type foreignMessage struct {
	Text        string              `json:"text"`
	Attachments []foreignAttachment `json:"attachments"`
}

type foreignAttachment struct {
	Callback  string `json:"callback_id"`
	Fallback  string `json:"fallback"`
	Pretext   string `json:"pretext"`
	Title     string `json:"title"`
	TitleLink string `json:"title_link"`
	Text      string `json:"text"`
	Fields    []struct {
		Value string `json:"value"`
	} `json:"fields"`
}

// foreign hands a button of the older kind to the Responder. Belfry's own cards
// have none; another program's have, such as those of openITCOCKPIT's module:
// while people move from it to Belfry its cards are still pressed. Where its
// button carries a token of ours, it is a press like any other.
func (p *Platform) foreign(r chat.Responder, i interaction) error {
	b := i.Actions[0]
	if v, ok := r.(chat.Verifier); ok && b.Value != "" && v.Genuine(b.Value) {
		return p.press(r, i)
	}
	adopter, ok := r.(chat.Adopter)
	return p.act(i, func(ctx context.Context) chat.Answer {
		if !ok {
			return chat.Answer{Whisper: sayNoForeign}
		}
		who, say := p.actor(ctx, i)
		if say != "" {
			return chat.Answer{Whisper: say}
		}
		at := i.ref()
		return adopter.Adopt(ctx, chat.Foreign{Actor: who, Ref: chat.Ref{Channel: at.channel, Post: at.ts}, Names: i.names()})
	})
}

// names is what a press of another program's button and its message name, the
// most telling first: what the button carries, and then the words of the card.
func (i *interaction) names() []string {
	var out []string
	add := func(texts ...string) {
		for _, t := range texts {
			t = strings.TrimSpace(t)
			if t != "" && len(t) <= maxName && len(out) < maxNames && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	words := func(texts ...string) {
		for _, t := range texts {
			add(t)
			add(strings.FieldsFunc(t, apart)...)
		}
	}
	words(i.Actions[0].Value, i.Callback, i.Actions[0].Name)
	var m foreignMessage
	if json.Unmarshal(i.Original, &m) != nil {
		return out
	}
	for _, a := range m.Attachments[:min(len(m.Attachments), 20)] {
		words(a.Callback, a.TitleLink, plain(a.Title), plain(a.Pretext))
		for _, f := range a.Fields[:min(len(a.Fields), 20)] {
			words(plain(f.Value))
		}
		words(linksIn(a.Title)...)
		words(linksIn(a.Text)...)
		words(plain(a.Text), plain(a.Fallback))
	}
	words(plain(m.Text))
	return out
}

// apart holds for what stands between words: an id, a UUID or a host's name
// stays in one piece.
func apart(c rune) bool { return strings.ContainsRune(" \t\r\n/;,|:#?&=\"'()[]{}<>!", c) }

// linksIn returns the addresses of a text's links: "<https://…|web01>".
func linksIn(text string) []string {
	var out []string
	for len(out) < 20 {
		open := strings.Index(text, "<http")
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '>')
		if end < 0 {
			break
		}
		address, _, _ := strings.Cut(text[open+1:open+end], "|")
		out = append(out, address)
		text = text[open+end:]
	}
	return out
}
