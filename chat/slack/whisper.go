// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"belfry/chat"
)

// maxWhisper is what a section shows at most.
const maxWhisper = 3000

// whisperTo is where one person is told something that only they see.
type whisperTo struct {
	user, channel, thread string
	// response is a response_url: 5 uses in 30 minutes, also where we are not
	// in the channel. Empty: none came along.
	response string
}

// shown is a message for one person.
type shown struct {
	Kind    string `json:"response_type,omitempty"`
	Replace *bool  `json:"replace_original,omitempty"`
	// Text is the fallback; the blocks are what is seen.
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// whisper tells one person something. It tries the response_url first, and then
// the API, which needs us in the channel.
func (p *Platform) whisper(ctx context.Context, to whisperTo, a chat.Answer) {
	m, ok := p.shownOf(a)
	if !ok {
		return
	}
	if p.mayRespond(to.response) {
		err := p.respond(ctx, to.response, m)
		if err == nil {
			return
		}
		p.log.Warn("can't answer by response_url; trying the API", "err", err)
	}
	if !isChannelID(to.channel) {
		p.log.Warn("somebody could not be told what came of what they did")
		return
	}
	args := url.Values{"channel": {to.channel}, "user": {to.user}, "text": {m.Text}}
	for name, raw := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.Attachments} {
		if len(raw) > 0 {
			args.Set(name, string(raw))
		}
	}
	if to.thread != "" {
		args.Set("thread_ts", to.thread)
	}
	if err := p.client.call(ctx, "chat.postEphemeral", args, nil); err != nil {
		p.log.Warn("somebody could not be told what came of what they did", "err", p.decide(err, writes, "whisper"))
	}
}

// mayRespond holds for addresses of Slack itself (and of the API that is
// configured): a payload must not have us call anything else.
func (p *Platform) mayRespond(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	if own, err := url.Parse(p.client.base); err == nil && own.Scheme == u.Scheme && own.Host == u.Host {
		return true
	}
	host := u.Hostname()
	return u.Scheme == "https" && u.Port() == "" && (host == "hooks.slack.com" || host == "hooks.slack-gov.com")
}

// respond posts to a response_url. Its address is as good as a secret.
func (p *Platform) respond(ctx context.Context, address string, m shown) error {
	no := false
	m.Kind, m.Replace = "ephemeral", &no
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": jsonType, "Accept": jsonType, "User-Agent": userAgent}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	status, _, _, err := p.client.send(ctx, address, header, string(raw))
	if err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), address, "(the response_url)"))
	}
	if status != http.StatusOK {
		return &refused{Method: "response_url", Status: status}
	}
	return nil
}

// shownOf renders an answer; ok is false when there is nothing to say.
func (p *Platform) shownOf(a chat.Answer) (m shown, ok bool) {
	if a.Reply != nil {
		reply := *a.Reply
		reply.Mentions = nil // nobody is rung by what only one person sees
		if a.Whisper != "" {
			reply.Lines = append(linesOf(a.Whisper), reply.Lines...)
		}
		m, err := shownMessage(reply)
		if err == nil {
			return m, true
		}
		p.log.Warn("can't show an answer", "err", err)
		a.Whisper = fallback(reply)
	}
	if a.Whisper == "" {
		return shown{}, false
	}
	text := cut(chat.Clean(a.Whisper), maxWhisper)
	blocks := []map[string]any{{"type": "section", "text": viewText{Kind: "plain_text", Text: text}}}
	if address := ""; a.Link != nil {
		if address = safeURL(a.Link.URL); address != "" {
			blocks = append(blocks, map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "verbatim": true,
				"text": "<" + address + "|" + linkText(a.Link.Text) + ">"}})
		}
	}
	raw, err := json.Marshal(blocks)
	if err != nil {
		return shown{}, false // never: maps of strings
	}
	return shown{Text: literal(cut(text, maxSummary)), Blocks: raw}, true
}

// shownMessage renders a message for one person as any other.
func shownMessage(m chat.Message) (shown, error) {
	made, err := render(m, nil)
	if err != nil {
		return shown{}, err
	}
	out := shown{Text: made.Text}
	if out.Blocks, err = json.Marshal(made.Blocks); err != nil {
		return shown{}, err
	}
	if len(made.Attachments) > 0 {
		out.Attachments, err = json.Marshal(made.Attachments)
	}
	return out, err
}

// linesOf makes a message's lines of a text.
func linesOf(text string) []chat.Line {
	var out []chat.Line
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line != "" {
			out = append(out, chat.Line{{Text: line}})
		}
	}
	return out
}
