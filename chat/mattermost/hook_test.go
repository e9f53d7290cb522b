// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
)

func TestContractByWebhook(t *testing.T) {
	chattest.Run(t, func(t *testing.T, _ chat.Responder) *chattest.Harness {
		h := openHook(t, false)
		return &chattest.Harness{
			Platform: h.Platform, Connection: "main", Channel: "ops",
			Secrets: []string{h.url[strings.LastIndexByte(h.url, '/')+1:]}, Now: time.Now, Room: room{t, h.fake},
			Lacks: map[chattest.Ability]string{chattest.TwoWay: "an incoming webhook answers ok, and nothing else"},
			Faults: chattest.Faults{
				RateLimit:  func() func() { h.fake.RateLimit(0, 0); return h.fake.Unlimited },
				LoseAnswer: func() { h.fake.TimeoutAfterAccepting(1) },
				FailBefore: func() { h.fake.Fail5xxBefore(1) },
				FailAfter:  func() { h.fake.Fail5xxAfter(1) },
				Revoke:     func() { h.fake.RemoveIncoming(h.url) },
				Slow:       h.fake.Slow,
				Down: func() func() {
					h.fake.Stop()
					_ = h.Platform.(chat.Closer).Close(t.Context()) // no idle connection is left that could look alive
					return h.fake.Restart
				},
			},
			Without: map[string]string{"Archive": "what a webhook answers for an archived channel is not known"},
		}
	})
}
