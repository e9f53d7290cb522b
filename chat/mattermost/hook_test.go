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
		faults := faultsOf(t, h.fake, h.Platform.(chat.Closer))
		faults.Revoke = func() { h.fake.RemoveIncoming(h.url) }
		return &chattest.Harness{
			Platform: h.Platform, Connection: "main", Channel: "ops",
			Secrets: []string{h.url[strings.LastIndexByte(h.url, '/')+1:]}, Now: time.Now, Room: room{t, h.fake},
			Lacks:   map[chattest.Ability]string{chattest.TwoWay: "an incoming webhook answers ok, and nothing else"},
			Faults:  faults,
			Without: map[string]string{"Archive": "what a webhook answers for an archived channel is not known"},
		}
	})
}
