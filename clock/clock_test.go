// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestManualFiresWhatFallsDueAndNothingElse(t *testing.T) {
	m := NewManual(time.Date(2026, 1, 1, 0, 0, 0, 999, time.UTC))
	now, soon, late := m.After(0), m.After(time.Second), m.After(time.Hour)
	fired := func(ch <-chan time.Time) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	if !fired(now) || fired(soon) {
		t.Error("only what is due at once must fire at once")
	}
	m.Advance(time.Second)
	if !fired(soon) || fired(late) {
		t.Error("only what is due after a second must fire after a second")
	}
	if got := m.Now(); got.Nanosecond() != 0 || got.Second() != 1 {
		t.Errorf("the clock stands at %s", got)
	}
}

func TestSystemFollowsTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := System{}.Now()
		<-System{}.After(time.Minute)
		if d := (System{}).Now().Sub(start); d != time.Minute {
			t.Errorf("a minute took %s", d)
		}
	})
}
