// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const (
	maxText        = 40_000
	maxAttachments = 100
	// maxBlocks is where msg_blocks_too_long begins, in bytes of JSON, tables
	// left out; Slack does not publish it, people measured about 13,200.
	maxBlocks   = 13_000
	maxMetadata = 8_000
)

func (s *Server) chatMethods() {
	s.register("chat.postMessage", method{scopes: []string{"chat:write"}, json: true, writes: true, do: postMessage,
		args: "channel text blocks attachments metadata thread_ts reply_broadcast unfurl_links unfurl_media mrkdwn parse link_names username icon_url icon_emoji"})
	s.register("chat.update", method{tier: 3, scopes: []string{"chat:write"}, json: true, writes: true, do: updateMessage,
		args: "channel ts text blocks attachments metadata parse link_names reply_broadcast file_ids"})
	s.register("chat.delete", method{tier: 3, scopes: []string{"chat:write"}, json: true, do: deleteMessage, args: "channel ts"})
}

// content reads and checks what a message is made of.
func content(args map[string]string) (*Message, reply) {
	m := &Message{Text: args["text"], ThreadTS: args["thread_ts"], Username: args["username"], Icon: args["icon_url"] + args["icon_emoji"], args: args}
	if utf8.RuneCountInString(m.Text) > maxText {
		m.Text = string([]rune(m.Text)[:maxText])
	}
	if text := args["blocks"]; text != "" && json.Unmarshal([]byte(text), &m.Blocks) != nil {
		return nil, refuse("invalid_blocks_format")
	}
	if text := args["attachments"]; text != "" && json.Unmarshal([]byte(text), &m.Attachments) != nil {
		return nil, refuse("invalid_attachments")
	}
	if strings.TrimSpace(m.Text) == "" && len(m.Blocks) == 0 && len(m.Attachments) == 0 {
		return nil, refuse("no_text")
	}
	if len(m.Attachments) > maxAttachments {
		return nil, refuse("too_many_attachments")
	}
	if wrong := CheckBlocks(m.Blocks, maxMessageBlocks, "/blocks"); len(wrong) > 0 {
		return nil, refuseBecause("invalid_blocks", wrong...)
	}
	if wrong := checkAttachments(m.Attachments); len(wrong) > 0 {
		return nil, refuseBecause("invalid_attachments", wrong...)
	}
	if tables(m.Blocks)+tables(m.Attachments) > 1 {
		return nil, refuseBecause("invalid_attachments", "only_one_table_allowed")
	}
	if encodedLength(m.Blocks)+encodedLength(m.Attachments) > maxBlocks {
		return nil, refuse("msg_blocks_too_long")
	}
	if tables(m.Blocks) > 0 {
		// Slack's reference shows tables in attachments only; elsewhere some were refused.
		return nil, refuseBecause("invalid_blocks", "[ERROR] unsupported type: table")
	}
	return m, readMetadata(m, args["metadata"])
}

func readMetadata(m *Message, text string) reply {
	if text == "" {
		return nil
	}
	var meta struct {
		EventType string         `json:"event_type"`
		Payload   map[string]any `json:"event_payload"`
	}
	switch {
	case len(text) > maxMetadata:
		return refuse("metadata_too_large")
	case json.Unmarshal([]byte(text), &meta) != nil:
		return refuse("invalid_metadata_format")
	case meta.EventType == "" && text != "{}" || meta.EventType != "" && meta.Payload == nil:
		return refuse("invalid_metadata_schema")
	}
	m.EventType, m.Payload = meta.EventType, meta.Payload
	return nil
}

// place finds the channel that somebody may write to.
func place(q *request, write bool) (*Channel, reply) {
	c := q.channelNamed(q.args["channel"])
	switch {
	case c == nil, c.Private && !c.Members[BotUser]:
		return nil, refuse("channel_not_found")
	case !write:
		return c, nil
	case c.Archived:
		return nil, refuse("is_archived")
	case !c.Members[BotUser] && !q.scopes["chat:write.public"]:
		return nil, refuse("not_in_channel")
	case c.refuses != "":
		return nil, refuse(c.refuses)
	}
	return c, nil
}

func postMessage(q *request) reply {
	c, no := place(q, true)
	if no != nil {
		return no
	}
	if q.args["username"] != "" || q.args["icon_url"] != "" || q.args["icon_emoji"] != "" {
		if no := q.needs("chat:write.customize"); no != nil {
			return no
		}
	}
	m, no := content(q.args)
	if no != nil {
		return no
	}
	if m.ThreadTS != "" {
		if !isTS(m.ThreadTS) {
			return refuseBecause("invalid_thread_ts", "[ERROR] "+m.ThreadTS+" is not a valid thread_ts")
		}
		// Slack does not refuse an answer to what is gone: it stands in the channel then.
		if c.message(m.ThreadTS) == nil {
			m.ThreadTS = ""
		}
	}
	m.User, m.BotID = BotUser, BotID
	q.keep(c, m)
	q.args["\x00posted"] = m.Text
	return reply{"channel": c.ID, "ts": m.TS, "message": q.show(m, true)}
}

// keep stores a new message and notes whom it rings. s.mu must be held.
func (s *Server) keep(c *Channel, m *Message) {
	m.TS, m.Channel = s.stamp(), c.ID
	m.rings = s.ringing(c, m)
	c.messages = append(c.messages, m)
}

func updateMessage(q *request) reply {
	c, no := place(q, false)
	if no != nil {
		return no
	}
	old := c.message(q.args["ts"])
	switch {
	case old == nil:
		return refuse("message_not_found")
	case old.BotID != BotID || old.Hooked:
		return refuse("cant_update_message")
	case c.Archived:
		return refuse("is_inactive")
	}
	m, no := content(q.args)
	if no != nil {
		return no
	}
	if hasType(old.Blocks, "rich_text") && len(m.Blocks) > 0 && !hasType(m.Blocks, "rich_text") {
		return refuse("block_mismatch")
	}
	old.Text = m.Text
	// What is not given stays as it was.
	if q.args["blocks"] != "" {
		old.Blocks = m.Blocks
	}
	if q.args["attachments"] != "" {
		old.Attachments = m.Attachments
	}
	if q.args["metadata"] != "" {
		old.EventType, old.Payload = m.EventType, m.Payload
	}
	old.Edited, old.args = true, q.args
	return reply{"channel": c.ID, "ts": old.TS, "text": old.Text, "message": q.show(old, true)}
}

func deleteMessage(q *request) reply {
	c, no := place(q, false)
	if no != nil {
		return no
	}
	m := c.message(q.args["ts"])
	switch {
	case m == nil:
		return refuse("message_not_found")
	case m.BotID != BotID:
		return refuse("cant_delete_message")
	}
	m.Deleted = true
	return reply{"channel": c.ID, "ts": m.TS}
}

// show is a message as the API gives it back.
func (s *Server) show(m *Message, withMetadata bool) map[string]any {
	out := map[string]any{"type": "message", "ts": m.TS, "text": m.Text, "team": TeamID}
	if m.BotID != "" {
		out["bot_id"], out["app_id"], out["user"] = m.BotID, AppID, m.User
	} else {
		out["user"] = m.User
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
		out["parent_user_id"] = BotUser
	}
	switch {
	case len(m.Blocks) > 0:
		out["blocks"] = m.Blocks
	case m.BotID == "" && m.Subtype == "": // what people's clients send comes twice
		out["blocks"] = []any{map[string]any{"type": "rich_text", "block_id": "b0", "elements": []any{map[string]any{
			"type": "rich_text_section", "elements": []any{map[string]any{"type": "text", "text": m.Text}}}}}}
	}
	if len(m.Attachments) > 0 {
		out["attachments"] = m.Attachments
	}
	if m.EventType != "" && withMetadata {
		out["metadata"] = map[string]any{"event_type": m.EventType, "event_payload": m.Payload}
	}
	if m.Subtype != "" {
		out["subtype"] = m.Subtype
	}
	if m.Username != "" {
		out["username"] = m.Username
	}
	if m.Edited {
		out["edited"] = map[string]any{"user": m.User, "ts": m.TS}
	}
	return out
}

// isTS holds for a message's ts.
func isTS(s string) bool {
	sec, frac, ok := strings.Cut(s, ".")
	return ok && len(frac) == 6 && len(sec) >= 9 && strings.Trim(sec+frac, "0123456789") == ""
}
