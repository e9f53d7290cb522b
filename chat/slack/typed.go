// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"strings"
)

// typed is what Slack sends for a slash command (docs.slack.dev, "Implementing
// slash commands"): a form over HTTP, an object over the socket.
type typed struct {
	Command    string `json:"command"`
	Text       string `json:"text"`
	User       string `json:"user_id"`
	Channel    string `json:"channel_id"`
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
	App        string `json:"api_app_id"`
	Trigger    string `json:"trigger_id"`
	Response   string `json:"response_url"`
}

// readTyped decodes the form of a slash command.
func readTyped(contentType string, body []byte) (typed, error) {
	form, err := readForm(contentType, body)
	if err != nil {
		return typed{}, err
	}
	t := typed{
		Command: form.Get("command"), Text: form.Get("text"), User: form.Get("user_id"), Channel: form.Get("channel_id"),
		Team: form.Get("team_id"), Enterprise: form.Get("enterprise_id"), App: form.Get("api_app_id"),
		Trigger: form.Get("trigger_id"), Response: form.Get("response_url"),
	}
	return t, t.check()
}

// decodeTyped decodes a slash command's JSON.
func decodeTyped(raw []byte) (typed, error) {
	var t typed
	if err := json.Unmarshal(raw, &t); err != nil {
		return typed{}, errPayload
	}
	return t, t.check()
}

func (t *typed) check() error {
	if !isSlackID(t.User) || !isSlackID(t.Channel) || !optional(t.Team) || !optional(t.Enterprise) || !optional(t.App) ||
		!strings.HasPrefix(t.Command, "/") || len(t.Command) > maxActionID || len(t.Text) > maxTypedRaw ||
		len(t.Trigger) > maxTrigger || len(t.Response) > maxAddress {
		return errPayload
	}
	return nil
}

// plain turns a text as Slack delivers it into what was typed: "&", "<" and
// ">" come escaped, and what was recognized as a person, channel, group or
// address comes in angle brackets. should_escape and the Events API both do so.
func plain(text string) string { return written(text, unwrapped) }

// lineOf is plain for a line to Belfry, and tells who is mentioned in it (see
// chat.Command): <@U012AB3CD|anna> is written "@anna". A label that is no
// handle, or stands for two people, is left out, and the id is written instead.
func lineOf(text string) (line string, mentions map[string]string) {
	mentions = map[string]string{}
	line = written(text, func(inside string) string {
		id, label, _ := strings.Cut(strings.TrimPrefix(inside, "@"), "|")
		if !strings.HasPrefix(inside, "@") || !isUserID(id) {
			return unwrapped(inside)
		}
		word := strings.ToLower(label)
		if known, taken := mentions[word]; !isHandle(label) || taken && known != id {
			label, word = id, strings.ToLower(id)
		}
		mentions[word] = id
		return "@" + label
	})
	return line, mentions
}

// written turns a text as Slack delivers it into what was typed; unwrap says
// what is written for what stands in brackets.
func written(text string, unwrap func(inside string) string) string {
	var b strings.Builder
	for text != "" {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '>')
		if end < 0 {
			break
		}
		b.WriteString(text[:open])
		b.WriteString(unwrap(text[open+1 : open+end]))
		text = text[open+end+1:]
	}
	b.WriteString(text)
	return unescape.Replace(b.String())
}

// unescape is applied once, after brackets are gone: "&amp;lt;" was typed as "&lt;".
var unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// unwrapped is what stood where Slack put something in brackets.
func unwrapped(inside string) string {
	ref, label, named := strings.Cut(inside, "|")
	if ref == "" {
		return inside
	}
	switch ref[0] {
	case '@', '#':
		if named && label != "" {
			return ref[:1] + label
		}
		return ref
	case '!':
		if named && label != "" {
			return label
		}
		return "@" + strings.TrimPrefix(ref, "!")
	}
	// An address: people typed "web01.example.org" and Slack made
	// "<http://web01.example.org|web01.example.org>" of it.
	if named && label != "" {
		return label
	}
	return ref
}
