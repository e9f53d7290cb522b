// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Events of the websocket that count.
const (
	eventHello   = "hello"
	eventPosted  = "posted"
	eventReacted = "reaction_added"
)

// frame is anything the server sends over the websocket: an event, or the
// answer to a request of ours.
type frame struct {
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Broadcast struct {
		Channel string `json:"channel_id"`
	} `json:"broadcast"`
	// Seq counts the events of a connection, from 0.
	Seq int64 `json:"seq"`

	// Status, Reply and Error are an answer's: "OK" or "FAIL", to which request.
	Status string `json:"status"`
	Reply  int64  `json:"seq_reply"`
	Error  struct {
		ID string `json:"id"`
	} `json:"error"`
}

// readFrame decodes a frame; ok is false for what is none of Mattermost's.
func readFrame(raw []byte) (f frame, ok bool) {
	err := json.Unmarshal(raw, &f)
	return f, err == nil && (f.Event != "" || f.Status != "")
}

// said is a post that somebody wrote.
type said struct {
	ID       string                     `json:"id"`
	CreateAt int64                      `json:"create_at"`
	DeleteAt int64                      `json:"delete_at"`
	User     string                     `json:"user_id"`
	Channel  string                     `json:"channel_id"`
	Root     string                     `json:"root_id"`
	Message  string                     `json:"message"`
	Type     string                     `json:"type"`
	Props    map[string]json.RawMessage `json:"props"`
}

// byPerson is false for what a program wrote in somebody's name: a webhook's
// posts are stored as its owner's, and who can post to it is nobody we know.
func (s *said) byPerson() bool {
	for _, mark := range []string{"from_webhook", "from_bot", "from_plugin", "from_oauth_app", "override_username"} {
		if value, there := s.Props[mark]; there && string(value) != `"false"` && string(value) != "false" && string(value) != "null" {
			return false
		}
	}
	return s.Type == "" && s.DeleteAt == 0
}

func (s *said) valid() bool {
	return isID(s.ID) && isID(s.User) && isID(s.Channel) && (s.Root == "" || isID(s.Root)) && s.CreateAt > 0
}

// root is the post at the head of the thread that s belongs to.
func (s *said) root() string {
	if s.Root != "" {
		return s.Root
	}
	return s.ID
}

// reacted is an emoji that somebody put on a post.
type reacted struct {
	User     string `json:"user_id"`
	Post     string `json:"post_id"`
	Emoji    string `json:"emoji_name"`
	CreateAt int64  `json:"create_at"`
}

func (r *reacted) valid() bool {
	return isID(r.User) && isID(r.Post) && r.Emoji != "" && len(r.Emoji) <= 64
}

// post decodes what was posted: a JSON text inside the JSON.
func (f *frame) post() (s said, ok bool) {
	var data struct {
		Post string `json:"post"`
	}
	if json.Unmarshal(f.Data, &data) != nil || json.Unmarshal([]byte(data.Post), &s) != nil {
		return said{}, false
	}
	return s, s.valid()
}

// reaction decodes a reaction, and the channel, which stands outside of it.
func (f *frame) reaction() (r reacted, channel string, ok bool) {
	var data struct {
		Reaction string `json:"reaction"`
	}
	if json.Unmarshal(f.Data, &data) != nil || json.Unmarshal([]byte(data.Reaction), &r) != nil {
		return reacted{}, "", false
	}
	return r, f.Broadcast.Channel, r.valid() && isID(f.Broadcast.Channel)
}

// connection decodes the id that the server gives the connection in its hello.
func (f *frame) connection() string {
	var data struct {
		ID string `json:"connection_id"`
	}
	if json.Unmarshal(f.Data, &data) != nil || !isID(data.ID) {
		return "" // then every reconnect begins anew
	}
	return data.ID
}

// commandOf returns what follows the command word; ok is false for a message
// that is none. A word that ends in a letter or digit is followed by a space
// ("belfry ack 42"), another one by a letter at once ("!ack 42"), so that "!"
// and "!!!" are left alone.
func commandOf(word, message string) (text string, ok bool) {
	rest, ok := strings.CutPrefix(message, word)
	if !ok || word == "" {
		return "", false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	if last, _ := utf8.DecodeLastRuneInString(word); unicode.IsLetter(last) || unicode.IsDigit(last) {
		return strings.TrimLeftFunc(rest, unicode.IsSpace), rest == "" || unicode.IsSpace(next)
	}
	return rest, unicode.IsLetter(next)
}
