// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"

	"golang.org/x/time/rate"
)

// Limits of what is read from the server.
const (
	maxAnswer   = 16 << 20 // a page of posts with long texts
	maxComplain = 64 << 10 // an error body
	maxSaid     = 300      // characters of it that are shown
	maxWait     = 5 * time.Minute
	// longestQueue is how long a call waits for our own rate limit before it is
	// handed back with the time it would have had to wait.
	longestQueue = 500 * time.Millisecond
)

// client speaks the few parts of API v4 that are needed.
type client struct {
	base  string
	auth  []string
	token config.Secret
	// others are further secrets that a server could repeat.
	others  []config.Secret
	account *account // nil: the token is lasting
	timeout time.Duration
	http    *http.Client
	limit   *rate.Limiter
	clock   clock.Clock
	// behind is how far the server's clock was behind ours at the last answer,
	// in ns; never negative.
	behind  atomic.Int64
	version atomic.Pointer[string]
}

type clientOptions struct {
	base      string
	token     config.Secret
	timeout   time.Duration
	perSecond float64
	transport http.RoundTripper
	clock     clock.Clock
}

// apiPath follows a server's address where its API begins.
const apiPath = "/api/v4"

// site is where browsers find the server, without a slash at its end.
func (c *client) site() string { return strings.TrimSuffix(c.base, apiPath) }

func newClient(o clientOptions) *client {
	c := &client{
		base: o.base, token: o.token, auth: []string{"Bearer " + o.token.Reveal()}, timeout: o.timeout, clock: o.clock,
		http: &http.Client{
			Transport: o.transport,
			// A redirect would lose the body of a post and may lead elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if o.perSecond > 0 {
		c.limit = rate.NewLimiter(rate.Limit(o.perSecond), max(1, int(o.perSecond)))
	}
	return c
}

// refused is an answer of the server other than success.
type refused struct {
	Status int
	// ID and Message are Mattermost's; empty when something else answered.
	ID, Message string
	// After is the wait that a 429 asks for.
	After time.Duration
	// To is where a redirect leads.
	To string
}

// Error implements error.
func (r *refused) Error() string {
	switch {
	case r.Message != "":
		return fmt.Sprintf("%d %s (%s)", r.Status, r.Message, r.ID)
	case r.ID != "":
		return fmt.Sprintf("%d %s", r.Status, r.ID)
	}
	return strings.ToLower(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)))
}

// broken is a call that got no answer that counts.
type broken struct {
	// Sent is true when the request, or part of it, may have reached the server.
	Sent bool
	Err  error
}

// Error implements error.
func (b *broken) Error() string { return b.Err.Error() }

// Unwrap returns the cause.
func (b *broken) Unwrap() error { return b.Err }

// do makes one call: body is encoded, and a successful answer decoded to into,
// either may be nil. It returns a *refused or a *broken. A session that ended
// is opened anew, once.
func (c *client) do(ctx context.Context, method, path string, body, into any) error {
	return c.doAnd(ctx, method, path, body, into, nil)
}

// doAnd is do; header gets the answer's, if it isn't nil.
func (c *client) doAnd(ctx context.Context, method, path string, body, into any, header *http.Header) error {
	defer c.begin(ctx)()
	auth, err := c.authorization(ctx)
	if err != nil {
		return err
	}
	err = c.call(ctx, method, path, body, into, auth, header)
	if r, ok := refusal(err); c.account == nil || !ok || r.Status != http.StatusUnauthorized {
		return err
	}
	c.account.expired(auth)
	if auth, err = c.authorization(ctx); err != nil {
		return err
	}
	return c.call(ctx, method, path, body, into, auth, header)
}

// call is do with a given authorization; header gets the answer's, if it isn't nil.
func (c *client) call(ctx context.Context, method, path string, body, into any, auth []string, header *http.Header) error {
	if err := c.queue(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return &broken{Err: fmt.Errorf("can't encode a request: %w", err)}
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return &broken{Err: c.clean(err)}
	}
	if auth != nil {
		req.Header["Authorization"] = auth
	}
	req.Header["User-Agent"] = userAgent
	req.Header["Accept"] = jsonType
	if body != nil {
		req.Header["Content-Type"] = jsonType
	}
	res, err := c.http.Do(req)
	if err != nil {
		return &broken{Sent: sent.Load(), Err: c.clean(err)}
	}
	defer func() { _ = res.Body.Close() }() // only read from
	c.note(res.Header)
	if header != nil {
		*header = res.Header
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return c.complaint(res)
	}
	if into == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be used again
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return &broken{Sent: true, Err: c.clean(err)}
	}
	if len(raw) > maxAnswer {
		return &broken{Sent: true, Err: fmt.Errorf("the answer is longer than %d MB", maxAnswer>>20)}
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &broken{Sent: true, Err: errors.New("the answer is not Mattermost's JSON; does url lead to a Mattermost, and is there a login page before it?")}
	}
	return nil
}

var (
	userAgent = []string{"Belfry"}
	jsonType  = []string{"application/json"}
)

// queue keeps to our own rate limit. What would wait long is handed back.
func (c *client) queue(ctx context.Context) error {
	if c.limit == nil {
		return nil
	}
	r := c.limit.Reserve()
	d := r.Delay()
	if d > longestQueue {
		r.Cancel()
		return &refused{Status: http.StatusTooManyRequests, Message: "our own limit of requests per second", After: d}
	}
	if d <= 0 {
		return nil
	}
	select {
	case <-c.clock.After(d):
		return nil
	case <-ctx.Done():
		r.Cancel()
		return &broken{Err: ctx.Err()}
	}
}

// note learns what every answer tells: the version and the server's clock.
func (c *client) note(h http.Header) {
	if v := h["X-Version-Id"]; len(v) == 1 {
		if old := c.version.Load(); old == nil || *old != v[0] {
			c.version.Store(&v[0])
		}
	}
	if date := h["Date"]; len(date) == 1 {
		if t, err := http.ParseTime(date[0]); err == nil {
			c.behind.Store(int64(max(0, c.clock.Now().Sub(t))))
		}
	}
}

// complaint reads an answer that is not a success.
func (c *client) complaint(res *http.Response) *refused {
	r := &refused{Status: res.StatusCode, To: c.hide(res.Header.Get("Location"))}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxComplain))
	var body struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	if err == nil && json.Unmarshal(raw, &body) == nil {
		r.ID, r.Message = c.hide(body.ID), c.hide(body.Message)
	}
	if res.StatusCode == http.StatusTooManyRequests {
		r.After = waitAsked(res.Header, c.clock.Now())
	}
	return r
}

// waitAsked reads Retry-After (seconds or a date) or X-Ratelimit-Reset (seconds).
func waitAsked(h http.Header, now time.Time) time.Duration {
	wait := time.Second
	if text := h.Get("Retry-After"); text != "" {
		if s, err := strconv.Atoi(text); err == nil {
			wait = time.Duration(s) * time.Second
		} else if t, err := http.ParseTime(text); err == nil {
			wait = t.Sub(now)
		}
	} else if s, err := strconv.Atoi(h.Get("X-Ratelimit-Reset")); err == nil {
		wait = time.Duration(s) * time.Second
	}
	return min(max(wait, 100*time.Millisecond), maxWait)
}

// secrets are all that must not be seen in a text.
func (c *client) secrets() []config.Secret {
	all := append(slices.Clone(c.others), c.token)
	if c.account != nil {
		all = append(all, c.account.secrets()...)
	}
	return all
}

// hide cuts a text of the server to one short line without our token.
func (c *client) hide(text string) string {
	return cut(chat.CleanLine(config.Hide(text, c.secrets()...)), maxSaid)
}

// clean makes a transport's error safe to show: its text names the address but
// never the token, unless somebody wrote it into the address.
func (c *client) clean(err error) error {
	text := err.Error()
	for _, s := range c.secrets() {
		if s != "" && strings.Contains(text, s.Reveal()) {
			return errors.New(c.hide(text))
		}
	}
	return err
}
