// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
)

// Hook is a connection that has nothing but an incoming webhook.
type Hook struct {
	chat.OneWay
	name           string
	client         *client
	log            *slog.Logger
	team           *Platform // for rendering and deciding only; it is never called
	username, icon string

	loudness *loudness
}

var (
	_ chat.Platform    = (*Hook)(nil)
	_ chat.SelfChecker = (*Hook)(nil)
	_ chat.Closer      = (*Hook)(nil)
)

// hookBody is what an incoming webhook takes.
type hookBody struct {
	Channel     string       `json:"channel,omitempty"`
	Text        string       `json:"text,omitempty"`
	Attachments []attachment `json:"attachments,omitempty"`
	Username    string       `json:"username,omitempty"`
	IconURL     string       `json:"icon_url,omitempty"`
	// Priority is taken by servers that know it; others pass over it.
	Priority *postPriority `json:"priority,omitempty"`
}

func (c *Config) validateHook(add func(field, format string, args ...any)) {
	switch {
	case c.WebhookURL != "" && c.WebhookURLFile != "":
		add("webhook_url", "is given beside webhook_url_file; keep one of them")
	case c.WebhookURL != "":
		if _, text := hookURL(c.WebhookURL); text != "" {
			add("webhook_url", "%s", text)
		}
	}
	for field, set := range map[string]bool{"token": c.Token != "", "token_file": c.TokenFile != "", "login_id": c.LoginID != "",
		"password": c.Password != "", "password_file": c.PasswordFile != "", "websocket": c.Websocket, "buttons": c.Buttons,
		"command_word": c.Word != "", "reactions": c.Reactions != nil, "callback_url": c.CallbackURL != "",
		"command_tokens": len(c.CommandTokens) > 0, "command_token_file": c.CommandTokenFile != "",
		"outgoing_tokens": len(c.OutgoingTokens) > 0, "outgoing_token_file": c.OutgoingTokenFile != ""} {
		if set {
			add(field, "is given beside webhook_url, which is one-way; keep one of them")
		}
	}
	if c.URL != "" {
		add("url", "is given beside webhook_url, which has the address in it; leave it out")
	}
	if c.OAuth != nil {
		add("oauth", "is given beside webhook_url, which is one-way; leave it out")
	}
	c.validateLooks(add)
}

// hookURL splits a webhook's address, or says in plain words what is wrong
// with it and nothing of the text: it is a secret.
func hookURL(secret config.Secret) (u *url.URL, wrong string) {
	u, err := url.Parse(strings.TrimSpace(secret.Reveal()))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, "is no webhook's address: it looks like https://chat.example.org/hooks/ and 26 letters and digits"
	case path.Base(path.Dir(u.Path)) != "hooks" || !isID(path.Base(u.Path)):
		return nil, "does not end in /hooks/ and 26 letters and digits: copy it from Integrations → Incoming Webhooks"
	}
	return u, ""
}

func (c *Config) openHook(o Options) (*Hook, error) {
	secret, err := config.ReadSecret(c.WebhookURL, c.WebhookURLFile)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	u, wrong := hookURL(secret)
	if wrong != "" {
		return nil, fmt.Errorf("connection %s: the webhook's address %s", o.Name, wrong)
	}
	transport, err := c.transport()
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	id := config.Secret(path.Base(u.Path))
	h := &Hook{OneWay: chat.OneWay{Server: "Mattermost"}, name: o.Name, log: o.Log, username: c.Username, icon: c.IconURL, loudness: &loudness{clock: o.Clock}}
	h.client = newClient(clientOptions{base: strings.TrimSuffix(u.String(), "/"+id.Reveal()), token: id, timeout: timeout,
		perSecond: c.RequestsPerSecond, transport: transport, clock: o.Clock})
	h.team = &Platform{name: o.Name, clock: o.Clock, log: o.Log, client: h.client, way: way{c.Proxy, c.Insecure}}
	return h, nil
}

// Post implements chat.Platform.
func (h *Hook) Post(ctx context.Context, o chat.Post) (chat.Ref, error) {
	m := h.Shape(o)
	text, p, err := h.team.render(o.Key, m)
	if err != nil {
		return chat.Ref{}, err
	}
	body := hookBody{Channel: hookChannel(o.Channel), Text: text, Attachments: p.Attachments, Username: h.username, IconURL: h.icon}
	if o.Thread == nil {
		body.Priority = h.loudness.of(o.Message)
	}
	err = h.sendLoud(ctx, &body)
	if err != nil {
		return chat.Ref{}, h.refused(err, o.Channel)
	}
	return h.Posted(o), nil
}

// perhapsForPriority says whether a webhook's refusal may be one of the
// priority. After any other trouble the message may have arrived.
func perhapsForPriority(err error) bool {
	r, _ := refusal(err)
	switch r.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotImplemented:
		return true
	}
	return false
}

// sendLoud sends body, and without its priority what is refused with it: from
// 10.4 on all refusals of a webhook look alike, and only so it shows whether it
// was for that.
func (h *Hook) sendLoud(ctx context.Context, body *hookBody) error {
	tried := body.Priority
	err := h.send(ctx, body)
	why := err
	for body.Priority != nil && perhapsForPriority(err) {
		body.Priority = body.Priority.less()
		err = h.send(ctx, body)
	}
	if err == nil && tried != body.Priority {
		h.loudness.taken(tried, body.Priority)
		h.log.Warn("the server takes no such priority from the webhook, cards are posted without it for a while", "err", why.Error())
	}
	return err
}

func (h *Hook) send(ctx context.Context, body *hookBody) error {
	return h.client.call(ctx, http.MethodPost, "/"+h.client.token.Reveal(), body, nil, nil, nil)
}

// hookChannel is how a webhook names a channel: by its handle alone, without the team.
func hookChannel(configured string) string {
	return strings.TrimPrefix(path.Base(configured), "~")
}

// refused explains what a webhook was answered. From 10.4 on all refusals have
// one id, and a text with the hook's own secret id in it, which is hidden.
func (h *Hook) refused(err error, channel string) error {
	doing := "post to " + channel + " by webhook"
	r, ok := refusal(err)
	if !ok {
		return h.team.decide(err, writes, doing)
	}
	why := ""
	switch {
	case r.Status == http.StatusNotImplemented:
		why = "incoming webhooks are switched off in Mattermost (System Console → Integrations → Integration Management)"
	case r.Status == http.StatusNotFound:
		why = fmt.Sprintf("Mattermost finds no channel %q in the webhook's team; use the handle from the channel's address", hookChannel(channel))
	case r.Status == http.StatusForbidden:
		why = fmt.Sprintf("the webhook is locked to another channel than %q, or its owner may not write there", hookChannel(channel))
	case r.Status == http.StatusBadRequest:
		why = "the webhook does not exist any more, or Mattermost could not take the message"
	case r.Status == http.StatusUnauthorized:
		why = "something before Mattermost asks for a sign-in"
	}
	if why != "" {
		return fault.NewPermanent(fmt.Errorf("can't %s of connection %s: %s: %w", doing, h.name, why, &r))
	}
	return h.team.decide(err, writes, doing)
}

// SelfCheck implements chat.SelfChecker. It asks the webhook to post to a
// channel that can't exist: nothing is delivered, and the refusal tells.
func (h *Hook) SelfCheck(ctx context.Context) (string, error) {
	body := hookBody{Text: "x", Channel: "belfry-probe-that-leads-nowhere"}
	err := h.send(ctx, &body)
	r, ok := refusal(err)
	switch {
	case err == nil:
		return "", fault.NewPermanent(errors.New("what answers at webhook_url takes anything; is it a Mattermost?"))
	case !ok:
		return "", h.team.decide(err, reads, "try the webhook")
	case r.Status == http.StatusNotFound, r.Status == http.StatusForbidden:
		if h.team.way.insecure {
			return "the webhook is there; " + chat.OneWayIs + "; " + sayInsecure, nil
		}
		return "the webhook is there; " + chat.OneWayIs, nil
	}
	return "", h.refused(err, "a channel")
}

// Close implements chat.Closer.
func (h *Hook) Close(context.Context) error {
	h.client.http.CloseIdleConnections()
	return nil
}
