// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
)

// halting is a Memory whose first notes of some kind fail.
type halting struct {
	chat.Memory
	mu   sync.Mutex
	kind string
	left int
}

func (h *halting) UseOnce(ctx context.Context, token string, until time.Time) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left > 0 && strings.Contains(token, h.kind) {
		h.left--
		return false, errors.New("the disk is full")
	}
	return h.Memory.UseOnce(ctx, token, until)
}

// TestAnEventThatCouldNotBeNotedIsDoneWhenItComesAgain: Slack repeats it at
// once, and so perhaps with the same time and signature.
func TestAnEventThatCouldNotBeNotedIsDoneWhenItComesAgain(t *testing.T) {
	for _, kind := range []string{" event ", " message "} {
		c := connect(t)
		o := &office{open: map[chat.Ref]bool{}}
		p, err := c.config.Open(slack.Options{Name: "main", Clock: c.clock, Memory: &halting{Memory: chat.NewForgetful(), kind: kind, left: 1}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close(t.Context()) })
		server := httptest.NewServer(p.Handler(o))
		t.Cleanup(server.Close)
		c.fake.CallAt(server.URL)
		me, err := p.SelfCheck(t.Context())
		if err != nil {
			t.Fatal(err, me)
		}
		body := []byte(`{"type":"event_callback","event_id":"Ev08MFMKH6","team_id":"T0SLACKTEST","event_time":1772359200,"event":{"type":"app_mention","user":"` +
			c.fake.UserID("alice") + `","text":"<@` + slacktest.BotUser + `> ack 7","ts":"1772359200.000100","channel":"` + c.fake.Look("ops").ID + `"}}`)
		var last slacktest.Answered
		for n := range 3 {
			r := c.fake.Signed(slacktest.PathEvents, "application/json", body)
			if n > 0 {
				r.Header.Set("X-Slack-Retry-Num", strconv.Itoa(n))
			}
			last = c.fake.Post(r)
		}
		(&desk{connection: &connection{fake: c.fake, clock: c.clock, Platform: p, config: c.config}, office: o}).Idle()
		if got := o.done(); last.Status != http.StatusOK || !slices.Equal(got, []string{"alice: ack 7"}) {
			t.Errorf("with the note of the%sfailing once: answered %d, done %q", kind, last.Status, got)
		}
	}
}
