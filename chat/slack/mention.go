// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"strings"

	slackgo "github.com/slack-go/slack"
)

// broadcasts are the words that ring a whole channel.
var broadcasts = map[string]string{"here": "here", "channel": "channel", "everyone": "everyone", "all": "channel"}

const maxMentions = 10

// mention is one word of a route as Slack rings it.
type mention struct {
	word string
	// id is a person's or a group's; broadcast a whole channel's. Both are empty
	// where nobody is known by that word, or several are: then it is shown as text.
	id, broadcast string
}

// mentions resolves the words of a message. A word that nobody is known by
// rings nobody and does not keep the message back.
func (p *Platform) mentions(ctx context.Context, words []string) []mention {
	var out []mention
	for _, w := range words {
		if len(out) == maxMentions {
			break
		}
		m := mention{word: w}
		switch {
		case !isHandle(w):
			continue
		case broadcasts[w] != "":
			m.broadcast = broadcasts[w]
		case isUserID(w) && len(w) >= 8, isGroupID(w) && len(w) >= 8:
			m.id = w
		case p.words[w] != "":
			m.id = p.words[w]
		default:
			m.id = p.lookUp(ctx, w)
		}
		out = append(out, m)
	}
	return out
}

// isHandle holds for what a route's mention may be.
func isHandle(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlnumByte(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isAlnumByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// lookUp finds a group or a person by handle or display name, "" when there is
// none, when several people share the name, or when Slack can't be asked.
func (p *Platform) lookUp(ctx context.Context, word string) (id string) {
	var several []string
	err := p.consult(ctx, func(d *directory) bool {
		several = nil
		if id = d.groups[strings.ToLower(word)]; id == "" {
			id, several = d.called(word)
		}
		return id == "" && len(several) == 0
	})
	switch {
	case err != nil:
		p.log.Warn("a mention could not be looked up in time; name its id in mention_ids", "word", word, "err", err)
	case len(several) > 0:
		p.log.Warn("a mention is what several people are shown as, so it rings none of them; write whose handle is meant", "word", word, "people", someOf(several))
	}
	return id
}

// element is a mention as rich text.
func (m mention) element() slackgo.RichTextSectionElement {
	switch {
	case m.broadcast != "":
		return slackgo.NewRichTextSectionBroadcastElement(m.broadcast)
	case isGroupID(m.id):
		return slackgo.NewRichTextSectionUserGroupElement(m.id)
	case m.id != "":
		return slackgo.NewRichTextSectionUserElement(m.id, nil)
	}
	return slackgo.NewRichTextSectionTextElement("@"+m.word, nil)
}
