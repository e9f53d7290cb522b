// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
)

// Limits of what is read from Slack.
const (
	maxAnswer   = 16 << 20 // a page of messages with their blocks
	maxComplain = 64 << 10
	maxSaid     = 300 // characters of what Slack says that are shown
	maxWait     = 10 * time.Minute
)

// client calls the Web API. slack-go's own caller drops what decides here:
// whether a request left at all, the message that chat.postMessage gives back
// (a note that lost its thread shows only there), and the bodies of refusals.
type client struct {
	base    string
	token   config.Secret
	secrets []config.Secret
	// installed has the bot's token where the app is installed from Belfry's
	// pages; nil: it is token.
	installed *tokens
	timeout   time.Duration
	http      *http.Client
	clock     clock.Clock
	// behind is how far Slack's clock was behind ours at the last answer, in ns.
	behind atomic.Int64
}

func newClient(base string, timeout time.Duration, transport http.RoundTripper, now clock.Clock, secrets ...config.Secret) *client {
	c := &client{base: base, timeout: timeout, clock: now, secrets: secrets, http: &http.Client{
		Transport: transport,
		// A redirect would lose the body and may lead elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if len(secrets) > 0 {
		c.token = secrets[0]
	}
	return c
}

// refused is an answer of Slack other than success: ok:false (with 200), or
// another status.
type refused struct {
	Method string
	Status int
	// Code is Slack's word for it, "channel_not_found"; empty when something
	// else answered. Body is what was said instead, or by a webhook.
	Code, Body string
	// Messages are Slack's details on blocks and arguments.
	Messages []string
	// Needed and Provided are the scopes of missing_scope.
	Needed, Provided string
	// Errors is Slack's list of what was wrong with each item, as it came.
	Errors json.RawMessage
	// After is the wait that was asked for.
	After time.Duration
}

// Error implements error.
func (r *refused) Error() string {
	switch {
	case r.Code != "" && r.Needed != "":
		return fmt.Sprintf("%s (%s needs the scope %s; granted: %s)", r.Code, r.Method, r.Needed, r.Provided)
	case r.Code != "" && len(r.Messages) > 0:
		return r.Code + ": " + strings.Join(r.Messages, "; ")
	case r.Code != "":
		return r.Code
	case r.Body != "":
		return fmt.Sprintf("%d %s", r.Status, r.Body)
	}
	return strings.ToLower(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)))
}

// broken is a call that got no answer that counts.
type broken struct {
	// Sent is true when the request, or part of it, may have reached Slack.
	Sent bool
	Err  error
}

// Error implements error.
func (b *broken) Error() string { return b.Err.Error() }

// Unwrap returns the cause.
func (b *broken) Unwrap() error { return b.Err }

// answer is what every answer of the Web API has.
type answer struct {
	OK       bool            `json:"ok"`
	Error    string          `json:"error"`
	Needed   string          `json:"needed"`
	Errors   json.RawMessage `json:"errors"`
	Provided string          `json:"provided"`
	Metadata struct {
		Messages []string `json:"messages"`
	} `json:"response_metadata"`
}

// call calls a method of the Web API with the bot's token, its arguments as a
// form, which every method takes. into, if it isn't nil, gets the answer. It
// returns a *refused or a *broken.
func (c *client) call(ctx context.Context, method string, args url.Values, into any) error {
	_, err := c.callBot(ctx, method, args, into)
	return err
}

// callBot is call, and returns the answer's header.
func (c *client) callBot(ctx context.Context, method string, args url.Values, into any) (http.Header, error) {
	if c.installed == nil {
		return c.callAs(ctx, c.token, method, args, into)
	}
	token, err := c.installed.bot(ctx)
	if err != nil {
		return nil, &broken{Err: err}
	}
	header, err := c.callAs(ctx, token, method, args, into)
	if r, ok := errors.AsType[*refused](err); ok && r.Code == "token_expired" {
		c.installed.expired()
	}
	return header, err
}

// callAs is call with another token; it also returns the answer's header.
func (c *client) callAs(ctx context.Context, token config.Secret, method string, args url.Values, into any) (http.Header, error) {
	header := http.Header{"Content-Type": formType, "Accept": jsonType, "User-Agent": userAgent}
	if token != "" {
		header["Authorization"] = []string{"Bearer " + token.Reveal()}
	}
	status, answered, raw, err := c.send(ctx, c.base+"/"+method, header, args.Encode())
	if err != nil {
		return nil, err
	}
	var a answer
	decoded := json.Unmarshal(raw, &a) == nil
	switch {
	case status >= 200 && status <= 299 && decoded && a.OK:
		if into == nil {
			return answered, nil
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return answered, &broken{Sent: true, Err: errors.New("the answer is not what Slack's " + method + " gives")}
		}
		return answered, nil
	case status >= 200 && status <= 299 && !decoded:
		return answered, &broken{Sent: true, Err: errors.New("the answer is not Slack's JSON; is there a proxy with a page of its own in between?")}
	}
	r := &refused{Method: method, Status: status, Code: c.hide(a.Error), Needed: c.hide(a.Needed), Provided: c.hide(a.Provided), Errors: a.Errors}
	for _, m := range a.Metadata.Messages {
		r.Messages = append(r.Messages, c.hide(m))
	}
	if !decoded || a.Error == "" {
		r.Code, r.Body = "", c.hide(string(raw))
	}
	if status == http.StatusTooManyRequests || a.Error == "ratelimited" || a.Error == "rate_limited" {
		r.After = waitAsked(answered, c.clock.Now())
	}
	return answered, r
}

// send makes one POST and reads the answer whole.
func (c *client) send(ctx context.Context, address string, header http.Header, body string) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, &broken{Err: c.clean(err)}
	}
	req.Header = header
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, &broken{Sent: sent.Load(), Err: c.clean(err)}
	}
	defer func() { _ = res.Body.Close() }() // only read from
	c.note(res.Header)
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, nil, &broken{Sent: true, Err: c.clean(err)}
	case len(raw) > maxAnswer:
		return 0, nil, nil, &broken{Sent: true, Err: fmt.Errorf("the answer is longer than %d MB", maxAnswer>>20)}
	}
	return res.StatusCode, res.Header, raw, nil
}

var (
	userAgent = []string{"Belfry"}
	jsonType  = []string{"application/json"}
	formType  = []string{"application/x-www-form-urlencoded; charset=utf-8"}
)

// note learns Slack's clock.
func (c *client) note(h http.Header) {
	if date := h["Date"]; len(date) == 1 {
		if t, err := http.ParseTime(date[0]); err == nil {
			c.behind.Store(int64(max(0, c.clock.Now().Sub(t))))
		}
	}
}

// waitAsked reads Retry-After: seconds, or a date where a proxy sent it.
func waitAsked(h http.Header, now time.Time) time.Duration {
	wait := time.Second
	if text := h.Get("Retry-After"); text != "" {
		if s, err := strconv.Atoi(text); err == nil {
			wait = time.Duration(s) * time.Second
		} else if t, err := http.ParseTime(text); err == nil {
			wait = t.Sub(now)
		}
	}
	return min(max(wait, 100*time.Millisecond), maxWait)
}

// known are all secrets that must not be shown.
func (c *client) known() []config.Secret {
	if c.installed == nil {
		return c.secrets
	}
	return append(c.installed.secrets(), c.secrets...)
}

// hide cuts a text of the other side to one short line without our secrets.
func (c *client) hide(text string) string {
	return cut(chat.CleanLine(config.Hide(text, c.known()...)), maxSaid)
}

// clean makes a transport's error safe to show.
func (c *client) clean(err error) error {
	text := err.Error()
	for _, s := range c.known() {
		if s != "" && strings.Contains(text, s.Reveal()) {
			return errors.New(c.hide(text))
		}
	}
	return err
}
