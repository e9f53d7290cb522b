// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// waits is how long Slack waits for an answer to anything, by the workspace's
// clock: where that is turned by hand a busy machine is not late.
const waits = 3 * time.Second

// inTime is over when Slack waits no longer.
func (s *Server) inTime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	late := s.clock.After(waits)
	go func() { // ends with the wait
		select {
		case <-late:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Paths below a Request URL that Belfry's manifest names.
const (
	PathInteractive = "/interactive"
	PathEvents      = "/events"
	PathCommand     = "/command"
)

// Signature is what Slack writes into X-Slack-Signature over a body at a time.
func Signature(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// Signed returns a request as Slack sends it, signed now.
func (s *Server) Signed(path, contentType string, body []byte) *http.Request {
	return s.SignedAt(path, contentType, body, s.clock.Now())
}

// SignedAt is Signed with another time.
func (s *Server) SignedAt(path, contentType string, body []byte, at time.Time) *http.Request {
	s.mu.Lock()
	base, secret := s.inbox.request, s.secret
	s.mu.Unlock()
	stamp := strconv.FormatInt(at.Unix(), 10)
	req, err := http.NewRequest(http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		s.fatalf("no request: %v", err)
		return nil
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", Signature(secret, stamp, body))
	return req
}

// CallAt has Slack call a Request URL that begins with base instead of Socket
// Mode; "" switches back.
func (s *Server) CallAt(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.request = strings.TrimRight(base, "/")
}

// ChangeSigningSecret gives the app another one, as its settings can.
func (s *Server) ChangeSigningSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// Answered is what came back to something that was delivered.
type Answered struct {
	// Status is the HTTP status; 200 for what was acknowledged over a socket, 0
	// for what nobody took within 3 s.
	Status int
	Body   []byte
}

func (a Answered) ok() bool { return a.Status == http.StatusOK }

// deliver brings something to the app: over HTTP where there is a Request URL,
// else over one of its sockets.
func (s *Server) deliver(kind string, payload map[string]any, answers bool) Answered {
	s.mu.Lock()
	base := s.inbox.request
	s.mu.Unlock()
	if base == "" {
		return s.overSocket(kind, payload, answers, 0)
	}
	switch kind {
	case "events_api":
		raw, err := json.Marshal(payload)
		if err != nil {
			s.fatalf("no payload: %v", err)
		}
		return s.Post(s.Signed(PathEvents, "application/json", raw))
	case "slash_commands":
		form := url.Values{}
		for k, v := range payload {
			form.Set(k, fmt.Sprint(v))
		}
		return s.Post(s.Signed(PathCommand, "application/x-www-form-urlencoded", []byte(form.Encode())))
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		s.fatalf("no payload: %v", err)
	}
	form := url.Values{"payload": {string(raw)}}
	return s.Post(s.Signed(PathInteractive, "application/x-www-form-urlencoded", []byte(form.Encode())))
}

// Post sends a request to the app and waits as long as Slack does.
func (s *Server) Post(req *http.Request) Answered {
	ctx, cancel := s.inTime()
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return Answered{Body: []byte(err.Error())}
	}
	defer func() { _ = res.Body.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return Answered{Body: []byte(err.Error())}
	}
	return Answered{Status: res.StatusCode, Body: raw}
}
