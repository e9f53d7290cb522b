// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"net/url"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

// directory knows the ids of people and groups by the words that routes use.
type directory struct {
	mu    sync.Mutex // held over a walk
	ids   map[string]string
	read  time.Time // when the lists were had
	tried time.Time // when they were last asked for
}

// lookAgain is how soon the lists are asked for anew because of a word that is
// not in them, or because they could not be had.
const lookAgain = time.Minute

func newDirectory() *directory { return &directory{ids: map[string]string{}} }

// member is a person as users.list shows them.
type member struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted"`
	IsBot   bool   `json:"is_bot"`
	Profile struct {
		DisplayName string `json:"display_name"`
	} `json:"profile"`
}

// usergroup is a group as usergroups.list shows it.
type usergroup struct {
	ID         string `json:"id"`
	Handle     string `json:"handle"`
	DateDelete int64  `json:"date_delete"`
}

// broadcasts are the words that ring a whole channel.
var broadcasts = map[string]string{"here": "here", "channel": "channel", "everyone": "everyone", "all": "channel"}

const maxMentions = 10

// mention is one word of a route as Slack rings it.
type mention struct {
	word string
	// id is a person's or a group's; broadcast a whole channel's. Both are
	// empty where nobody is known by that word: then it is shown as text.
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

// lookUp finds a person or a group by handle, "" when there is none or Slack
// can't be asked.
func (p *Platform) lookUp(ctx context.Context, word string) string {
	d := p.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	now := p.clock.Now()
	id, ok := d.ids[word]
	if ok && now.Sub(d.read) < listKept || !d.tried.IsZero() && now.Sub(d.tried) < lookAgain {
		return id
	}
	d.tried = now
	ids := map[string]string{}
	people := p.walk(ctx, "users.list", url.Values{}, "list the people", func(page *page) {
		for _, m := range page.Members {
			if m.Deleted || !isUserID(m.ID) {
				continue
			}
			// A handle is somebody's alone; a display name is not, so it never takes one's place.
			ids[m.Name] = m.ID
			if _, taken := ids[m.Profile.DisplayName]; !taken && m.Profile.DisplayName != "" {
				ids[m.Profile.DisplayName] = m.ID
			}
		}
	})
	var got page
	groups := p.read(ctx, "usergroups.list", url.Values{}, "list the user groups", &got)
	for _, g := range got.Usergroups {
		if g.DateDelete == 0 && isGroupID(g.ID) {
			ids[g.Handle] = g.ID
		}
	}
	for what, err := range map[string]error{"people": people, "user groups": groups} {
		if err != nil {
			p.log.Warn("mentions can't be looked up; name their ids in mention_ids", "of", what, "err", err)
		}
	}
	if people != nil && groups != nil {
		return id // what we knew
	}
	d.ids, d.read = ids, now
	return ids[word]
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
