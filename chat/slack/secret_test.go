// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config/secrettest"
	"belfry/doctor"
)

// TestSecretsStayHere: what stands before Slack and echoes everything it is
// shown does not get a secret into an error, a finding, an answer or a log line.
func TestSecretsStayHere(t *testing.T) {
	const (
		bot    = "xoxb-1-botbotbotbot42"
		app    = "xapp-1-A0-1-appappapp42"
		sign   = "5ec3e75ec3e75ec3e75ec3e75ec3e7ab"
		client = "c11e57c11e57c11e57c11e57c11e57c1"
	)
	var status atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		sent, _ := url.QueryUnescape(string(raw))
		echo := "no: " + r.Header.Get("Authorization") + " " + sent
		w.Header().Set("Location", "https://login.example/?"+echo)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": echo, "needed": echo, "response_metadata": map[string]any{"messages": []string{echo}}})
	}))
	defer srv.Close()
	var log bytes.Buffer
	c := &slack.Config{URL: srv.URL, Token: bot, AppToken: app, SigningSecret: sign, Timeout: time.Second,
		Receiving: slack.Receiving{OAuth: &slack.OAuth{ClientID: "1.2", ClientSecret: client}}}
	p, err := c.Open(slack.Options{Name: "main", Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(context.Background()) }()
	var seen []any
	for _, code := range []int{200, 302, 400, 401, 404, 429, 500} {
		status.Store(int32(code)) //nolint:gosec // three digits
		_, person := p.Person(t.Context(), "U0123456789")
		_, check := p.SelfCheck(t.Context())
		_, who := p.Identify(t.Context(), "https://belfry.example/oauth/main/personal", "code", "verifier")
		if person == nil || check == nil || who == nil {
			t.Errorf("%d: nonsense was taken for an answer", code)
		}
		seen = append(seen, person, check, who)
		for _, f := range p.Examine(t.Context(), doctor.Visit{Channels: []string{"ops"}, CallbackURL: "https://belfry.example/chat/main"}) {
			seen = append(seen, f.Seen+f.Remedy)
		}
		body := `payload={"type":"block_actions","user":{"id":"U0123456789"},"channel":{"id":"C0123456789"},"message_ts":"1548261231.000200",` +
			`"response_url":"` + srv.URL + `/response/secret","actions":[{"type":"button","value":"t"}]}`
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/interactive", strings.NewReader(body))
		r.Header.Set("Content-Type", form)
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", slacktest.Signature(sign, stamp, []byte(body)))
		p.Handler(&office{}).ServeHTTP(w, r)
		p.Idle()
		seen = append(seen, w.Body.String())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Listen(ctx, &office{}); err != nil {
		t.Error(err)
	}
	if log.Len() == 0 {
		t.Error("nothing was logged, so nothing was shown")
	}
	seen = append(seen, log.String(), *c)
	for _, secret := range []string{bot, app, sign, client} {
		for _, v := range seen {
			secrettest.Check(t, secret, v)
		}
	}
	if strings.Contains(log.String(), "/response/secret") {
		t.Error("a response_url stands in the log")
	}
}
