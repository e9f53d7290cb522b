// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"belfry/chat"
	"belfry/config"
	"belfry/fault"
)

// Hook is a connection that has nothing but an incoming webhook. It leads to one
// channel, whatever a route says.
type Hook struct {
	chat.OneWay
	name   string
	client *client
	secret config.Secret
	pace   *pace
	words  map[string]string
}

var (
	_ chat.Platform    = (*Hook)(nil)
	_ chat.SelfChecker = (*Hook)(nil)
	_ chat.Closer      = (*Hook)(nil)
)

const hookPath = "/services/"

func (c *Config) validateHook(add func(field, format string, args ...any)) {
	switch {
	case c.WebhookURL != "" && c.WebhookURLFile != "":
		add("webhook_url", "is given beside webhook_url_file; keep one of them")
	case c.WebhookURL != "":
		if text := wrongHook(c.WebhookURL); text != "" {
			add("webhook_url", "%s", text)
		}
	}
	for field, set := range map[string]bool{
		"token": c.Token != "", "token_file": c.TokenFile != "", "app_token": c.AppToken != "", "app_token_file": c.AppTokenFile != "",
		"signing_secret": c.SigningSecret != "", "signing_secret_file": c.SigningSecretFile != "", "url": c.URL != "",
		"username": c.Username != "", "icon_url": c.IconURL != "", "icon_emoji": c.IconEmoji != "",
	} {
		if set {
			add(field, "is given beside a webhook, which can't use it; leave one of them out")
		}
	}
}

// wrongHook says what is wrong with a webhook's address, and nothing of it.
func wrongHook(s config.Secret) string {
	u, err := url.Parse(s.Reveal())
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "is no webhook's address: it looks like https://hooks.slack.com/services/T…/B…/…"
	case !strings.Contains(u.Path, hookPath) || strings.HasSuffix(u.Path, hookPath):
		return "has no /services/T…/B…/… in it: copy it from Incoming Webhooks in your Slack app"
	}
	return ""
}

func (c *Config) openHook(o Options) (*Hook, error) {
	o.fill()
	secret, err := config.ReadSecret(c.WebhookURL, c.WebhookURLFile)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	if wrong := wrongHook(secret); wrong != "" {
		return nil, fmt.Errorf("connection %s: the webhook's address %s", o.Name, wrong)
	}
	transport, err := c.Transport()
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	// Transport errors name the address, or its path alone.
	_, path, _ := strings.Cut(secret.Reveal(), hookPath)
	h := &Hook{OneWay: chat.OneWay{Server: "Slack"}, name: o.Name, secret: secret, words: c.Mentions,
		client: c.client(transport, o.Clock, "", secret, config.Secret(path)),
		pace:   newPace(o.Clock, or(c.MessagesPerSecond, defaultPerSecond), or(c.MessagesPerMinute, defaultPerMinute))}
	return h, nil
}

// hookBody is what an incoming webhook takes.
type hookBody struct {
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
	UnfurlLinks bool            `json:"unfurl_links"`
	UnfurlMedia bool            `json:"unfurl_media"`
}

// Post implements chat.Platform.
func (h *Hook) Post(ctx context.Context, o chat.Post) (chat.Ref, error) {
	doing := "post to " + o.Channel + " by webhook"
	m := h.Shape(o)
	made, err := render(m, h.mentions(m.Mentions))
	if err != nil {
		return chat.Ref{}, err
	}
	body := hookBody{Text: made.Text, Blocks: made.blocks}
	if len(made.Attachments) > 0 {
		body.Attachments = made.attachments
	}
	if err := h.pace.post(""); err != nil {
		return chat.Ref{}, fmt.Errorf("can't %s: %w", doing, err)
	}
	if err := h.send(ctx, &body); err != nil {
		return chat.Ref{}, h.refused(err, doing)
	}
	return h.Posted(o), nil
}

// mentions resolves words as far as ids are known without asking anybody.
func (h *Hook) mentions(words []string) []mention {
	var out []mention
	for _, w := range words {
		if !isHandle(w) || len(out) == maxMentions {
			continue
		}
		m := mention{word: w, broadcast: broadcasts[w], id: h.words[w]}
		if len(w) >= 8 && (isUserID(w) || isGroupID(w)) {
			m.id = w
		}
		out = append(out, m)
	}
	return out
}

// send hands a body to the webhook. Its refusals are plain text, one word
// each, kept as they are: they are what administrators look up.
func (h *Hook) send(ctx context.Context, body *hookBody) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fault.NewPermanent(fmt.Errorf("can't encode a message: %w", err))
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": userAgent}
	status, answered, said, err := h.client.send(ctx, h.secret.Reveal(), header, string(raw))
	switch {
	case err != nil:
		return err
	case status >= 200 && status <= 299 && strings.TrimSpace(string(said)) == "ok":
		return nil
	case status >= 200 && status <= 299:
		return &broken{Sent: true, Err: errors.New("what answers is not Slack's webhook: it says " + h.client.hide(string(said)))}
	}
	r := &refused{Method: "the webhook", Status: status, Body: h.client.hide(strings.TrimSpace(string(said)))}
	if status == http.StatusTooManyRequests {
		r.After = waitAsked(answered, h.client.clock.Now())
	}
	return r
}

// hookMeanings are the bodies of a webhook's refusals
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors).
var hookMeanings = map[string]string{ //nolint:gosec // these are Slack's words, no credentials
	"invalid_payload":                   "Slack can't read the message, please report this",
	"invalid_blocks":                    "Slack does not take its blocks, please report this",
	"no_text":                           "it is empty",
	"too_many_attachments":              "it has too many attachments",
	"user_not_found":                    "it names somebody who does not exist",
	"channel_not_found":                 "the webhook's channel does not exist any more; make a new webhook",
	"channel_is_archived":               "the webhook's channel is archived; un-archive it or make a new webhook",
	"action_prohibited":                 "an administrator does not allow it in the webhook's channel",
	"posting_to_general_channel_denied": "an administrator does not allow it in the webhook's channel",
	"invalid_token":                     "the webhook is not valid any more; make a new one",
	"no_service":                        "the webhook was removed or switched off; make a new one",
	"no_service_id":                     "the webhook was removed or switched off; make a new one",
	"no_active_hooks":                   "the webhook was removed or switched off; make a new one",
	"no_team":                           "the webhook's workspace does not exist any more",
	"team_disabled":                     "the webhook's workspace is switched off",
}

// refused explains what a webhook answered.
func (h *Hook) refused(err error, doing string) error {
	r, ok := refusal(err)
	if !ok {
		return decide(err, writes, doing, h.name)
	}
	if r.After > 0 {
		h.pace.asked("", r.After)
		return fault.NewRetryAfter(fmt.Errorf("can't %s: slack of connection %s asks to wait %v: %w", doing, h.name, r.After, &r), r.After)
	}
	why, known := hookMeanings[r.Body]
	switch {
	case known:
		return fault.NewPermanent(fmt.Errorf("can't %s of connection %s: %s: %w", doing, h.name, why, &r))
	case r.Status == http.StatusForbidden || r.Status == http.StatusNotFound || r.Status == http.StatusGone:
		return fault.NewPermanent(fmt.Errorf("can't %s of connection %s: the webhook is dead: %w", doing, h.name, &r))
	}
	return decide(err, writes, doing, h.name)
}

// SelfCheck implements chat.SelfChecker. It hands the webhook an empty message:
// nothing is delivered, and the refusal tells.
func (h *Hook) SelfCheck(ctx context.Context) (string, error) {
	err := h.send(ctx, &hookBody{})
	r, ok := refusal(err)
	switch {
	case err == nil:
		return "", fault.NewPermanent(errors.New("what answers at webhook_url takes anything; is it Slack?"))
	case !ok:
		return "", decide(err, reads, "try the webhook", h.name)
	case r.Body == "no_text" || r.Body == "invalid_payload":
		return "the webhook is there; " + chat.OneWayIs, nil
	}
	return "", h.refused(err, "try the webhook")
}

// Close implements chat.Closer.
func (h *Hook) Close(context.Context) error {
	h.client.http.CloseIdleConnections()
	return nil
}
