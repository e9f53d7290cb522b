// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/store"
)

// prompt answers at once, so that what is measured is our own part: reading,
// verifying, noting the signature on disk, naming the person.
type prompt struct{}

func (prompt) Press(context.Context, chat.Press) chat.Answer   { return chat.Answer{} }
func (prompt) Submit(context.Context, chat.Submit) chat.Answer { return chat.Answer{} }
func (prompt) Command(context.Context, chat.Command) chat.Answer {
	return chat.Answer{Whisper: "7 problems are open."}
}

// BenchmarkCallback measures signed requests from their arrival to their
// answer, with the database on disk; p99-ms is to be at most 10.
func BenchmarkCallback(b *testing.B) {
	fake, err := slacktest.New(slacktest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer fake.Close()
	fake.AddChannel("ops")
	memory, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "belfry.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	cfg := &slack.Config{URL: fake.URL(), Token: config.Secret(fake.Token()), SigningSecret: config.Secret(fake.SigningSecret())}
	p, err := cfg.Open(slack.Options{Name: "main", Memory: memory})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close(context.Background()) }()
	handler := p.Handler(prompt{})
	user, channel := fake.UserID("alice"), fake.Look("ops").ID
	press := fmt.Sprintf(`{"type":"block_actions","user":{"id":%q},"team":{"id":%q},"channel":{"id":%q},"container":{"message_ts":"1548261231.000200"},`+
		`"trigger_id":"1.2.SERIAL","message":{"text":%q},"actions":[{"type":"button","value":"token-of.ack"}]}`,
		user, slacktest.TeamID, channel, strings.Repeat("x", 8000))
	bodies := map[string]func(n int64) string{
		slacktest.PathInteractive: func(n int64) string {
			return url.Values{"payload": {strings.Replace(press, "SERIAL", strconv.FormatInt(n, 10), 1)}}.Encode()
		},
		slacktest.PathCommand: func(n int64) string {
			return url.Values{"command": {"/belfry"}, "text": {"problems"}, "user_id": {user}, "channel_id": {channel}, "team_id": {slacktest.TeamID},
				"trigger_id": {strconv.FormatInt(n, 10)}}.Encode()
		},
	}
	var serial atomic.Int64
	for path, body := range bodies {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				text := body(serial.Add(1))
				stamp := strconv.FormatInt(time.Now().Unix(), 10)
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(text))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("X-Slack-Request-Timestamp", stamp)
				r.Header.Set("X-Slack-Signature", slacktest.Signature(fake.SigningSecret(), stamp, []byte(text)))
				w := httptest.NewRecorder()
				begun := time.Now()
				handler.ServeHTTP(w, r)
				took = append(took, time.Since(begun))
				if w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
