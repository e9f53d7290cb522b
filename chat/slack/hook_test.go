// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/fault"
	"belfry/seal"
)

// hooked is a one-way connection and its workspace.
type hooked struct {
	chat.Platform
	fake  *slacktest.Server
	clock *clock.Manual
	url   string
}

func openHook(t *testing.T) *hooked {
	t.Helper()
	h := &hooked{clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))}
	h.fake = slacktest.Start(t, slacktest.Options{Clock: h.clock})
	h.fake.AddChannel("ops")
	h.url = h.fake.AddHook("ops")
	cfg := &slack.Config{WebhookURL: config.Secret(h.url), MessagesPerSecond: 1000, MessagesPerMinute: 60_000,
		Mentions: map[string]string{"alice": h.fake.UserID("alice")}}
	if wrong := cfg.Validate(); len(wrong) != 0 {
		t.Fatalf("the configuration is wrong: %v", wrong)
	}
	var err error
	if h.Platform, err = cfg.OpenChat(slack.Options{Name: "main", Clock: h.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func (h *hooked) close() { _ = h.Platform.(chat.Closer).Close(context.Background()) } //nolint:errcheck,forcetypeassert // it only lets go of idle connections

func TestContractByWebhook(t *testing.T) {
	chattest.Run(t, func(t *testing.T, _ chat.Responder) *chattest.Harness {
		h := openHook(t)
		return &chattest.Harness{
			Platform: h.Platform, Connection: "main", Channel: "ops",
			Secrets: []string{h.url[strings.LastIndexByte(h.url, '/')+1:]}, Now: h.clock.Now, Room: room{t, &connection{fake: h.fake, clock: h.clock}},
			Lacks: map[chattest.Ability]string{
				chattest.TwoWay:     "an incoming webhook answers ok, and nothing else",
				chattest.Address:    "an incoming webhook leads to its own channel, whatever a route says",
				chattest.Prioritize: "messages have no priority in Slack",
			},
			Faults: chattest.Faults{
				RateLimit: func() func() {
					h.fake.RateLimit(time.Second)
					return func() { h.fake.Unlimited(); h.clock.Advance(2 * time.Second) }
				},
				LoseAnswer: func() { h.fake.TimeoutAfterAccepting(1) },
				FailBefore: func() { h.fake.Fail5xxBefore(1) },
				FailAfter:  func() { h.fake.Fail5xxAfter(1) },
				Revoke:     func() { h.fake.KillHooks(404, "no_service") },
				Archive:    func() { h.fake.ArchiveChannel("ops") },
				Slow:       h.fake.Slow,
				Down: func() func() {
					h.fake.Stop()
					h.close() // no idle connection is left that could look alive
					return h.fake.Restart
				},
			},
		}
	})
}

// TestAWebhooksRefusalIsShownAsItIs: the words are those of Slack's
// "Sending messages using incoming webhooks", section "Handling errors". They
// are what administrators look up, so each stands in the error.
func TestAWebhooksRefusalIsShownAsItIs(t *testing.T) {
	for word, status := range map[string]int{
		"invalid_payload": 400, "user_not_found": 400, "no_text": 400, "too_many_attachments": 400, "invalid_blocks": 400,
		"action_prohibited": 403, "invalid_token": 403, "posting_to_general_channel_denied": 403,
		"channel_not_found": 404, "no_service": 404, "no_service_id": 404, "no_active_hooks": 404, "no_team": 404, "team_disabled": 404,
		"channel_is_archived": 410, "something_new": 403,
	} {
		h := openHook(t)
		h.fake.KillHooks(status, word)
		_, err := h.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["card"]})
		if d, _ := fault.Of(err); d != fault.Permanent {
			t.Errorf("%s is %v: %v", word, d, err)
		}
		if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "main") {
			t.Errorf("%s is told as %v", word, err)
		}
		secrettest.Check(t, h.url[strings.Index(h.url, "/services/")+len("/services/"):], err)
	}
}

// TestAWebhookIsTriedWithoutPosting: an empty message tells whether it lives.
func TestAWebhookIsTriedWithoutPosting(t *testing.T) {
	h := openHook(t)
	check := h.Platform.(chat.SelfChecker) //nolint:errcheck,forcetypeassert // it is one
	report, err := check.SelfCheck(t.Context())
	if err != nil || !strings.Contains(report, "the webhook is there") || !strings.Contains(report, "one-way") {
		t.Errorf("it says %q, %v", report, err)
	}
	if n := len(h.fake.Room("ops").Cards()); n != 0 {
		t.Errorf("%d messages were posted", n)
	}
	h.fake.KillHooks(404, "no_service")
	if _, err := check.SelfCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "no_service") {
		t.Errorf("a dead webhook: %v", err)
	}
}

func TestAWebhookRingsWhoseIdsAreConfigured(t *testing.T) {
	h := openHook(t)
	m := golden["card"]
	m.Mentions = []string{"alice", "here", "nobody-known"}
	if _, err := h.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: m}); err != nil {
		t.Fatal(err)
	}
	if rings := strings.Join(h.fake.Room("ops").Rings(), " "); rings != "alice here" {
		t.Errorf("it rings %q", rings)
	}
}
