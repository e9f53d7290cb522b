// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat"
)

func TestHowAnObjectStandsForEverybody(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.report("nagios", host("fridge1"))
	shows := func(text string, want ...string) {
		t.Helper()
		m := b.Live(t.Context(), text)
		got := read(chat.Answer{Reply: &m})
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q reads %q, without %q", text, got, w)
			}
		}
		if len(m.Buttons)+len(m.Mentions) > 0 || m.Color != "" {
			t.Errorf("%q is a card: %+v", text, m)
		}
	}
	shows("", "6 problems open", "nagios | 5")
	shows("fridge1", "1 problem open for “fridge1”", "DOWN | fridge1", "nagios says of fridge1: OK, as of 12:00 UTC")
	shows("web01 Disk /var", "1 problem open for “web01/Disk /var”: 1 critical", "Disk /var on web01")
	shows("web01", "2 problems open")
	shows("1", "Disk /var on web01", "known as #1")
	shows("999", "There is no alert 999")
	shows("nosuch", "No open problem is called “nosuch”")
	listed := b.Problems(t.Context(), `severity="critical"`)
	if got := read(chat.Answer{Reply: &listed}); !strings.Contains(got, "3 problems open") {
		t.Errorf("%q", got)
	}
	listed = b.Problems(t.Context(), `a=`)
	if got := read(chat.Answer{Reply: &listed}); !strings.Contains(got, "not understood") {
		t.Errorf("%q", got)
	}
	open, err := b.Open(t.Context())
	if err != nil || len(open) != 6 || open[0].Severity != alert.SeverityCritical {
		t.Errorf("%v %v", open, err)
	}
}
