// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"

	"belfry/chat"
	"belfry/fault"
)

// Rendered is a message as the Web API gets it.
type Rendered struct {
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
}

// Render renders m; mentions are resolved by ids.
func Render(m chat.Message, ids map[string]string) (Rendered, error) {
	made, err := render(m, (&Hook{words: ids}).mentions(m.Mentions))
	if err != nil {
		return Rendered{}, err
	}
	args := made.args()
	return Rendered{args.Get("text"), json.RawMessage(args.Get("blocks")), json.RawMessage(args.Get("attachments"))}, nil
}

// Literal, MrkdwnLine and SafeURL are what untrusted text goes through.
func Literal(text string) string       { return literal(text) }
func MrkdwnLine(l chat.Line) string    { return mrkdwnLine(l, maxLine) }
func SafeURL(text string) string       { return safeURL(text) }
func ChannelName(wish string) string   { return channelName(wish, 0) }
func Header(text string, n int) string { return header(text, n) }

// Decisions are the codes of Slack that are known, with what is decided.
func Decisions() map[string]fault.Decision {
	out := map[string]fault.Decision{}
	for code, m := range meanings {
		out[code] = m.decision
	}
	return out
}

// RenderReply renders r.
func RenderReply(r chat.Reply) (Rendered, error) {
	made, err := renderReply(r)
	if err != nil {
		return Rendered{}, err
	}
	args := made.args()
	return Rendered{args.Get("text"), json.RawMessage(args.Get("blocks")), json.RawMessage(args.Get("attachments"))}, nil
}
