// SPDX-License-Identifier: Apache-2.0

package answer_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"belfry/answer"
	"belfry/chat"
	"belfry/clock"
)

// TestNobodyIsAnsweredForEver: however an account spaces its questions, it gets
// at most 200 answers a day, 60 an hour and 8 a minute; others are not held back.
func TestNobodyIsAnsweredForEver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		b := answer.NewBreaker(c)
		who := chat.Actor{Connection: "chat", ID: "parrot", Name: "parrot"}
		var answered []time.Time
		notices, silentSince := 0, time.Time{}
		for i := range rapid.IntRange(1, 400).Draw(t, "questions") {
			c.Advance(rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, 11 * time.Minute}).Draw(t, "pause"))
			who.Name = fmt.Sprint("parrot", i%2) // a new name is no new account
			goOn, notice := answer.Ask(b, who)
			switch {
			case goOn:
				answered = append(answered, c.Now())
				if !silentSince.IsZero() && c.Now().Sub(silentSince) < 10*time.Minute {
					t.Fatalf("answered again after %v", c.Now().Sub(silentSince))
				}
				silentSince = time.Time{}
			case notice != "":
				notices++
				silentSince = c.Now()
			default:
				silentSince = c.Now() // asking goes on, and so does the silence
			}
			for within, most := range map[time.Duration]int{time.Minute: 8, time.Hour: 60, 24 * time.Hour: 200} {
				n := 0
				for _, at := range answered {
					if c.Now().Sub(at) <= within {
						n++
					}
				}
				if n > most {
					t.Fatalf("%d answers within %v", n, within)
				}
			}
		}
		if goOn, _ := answer.Ask(b, chat.Actor{Connection: "chat", ID: "alice"}); !goOn {
			t.Fatal("somebody else is not answered")
		}
	})
}

func TestAllTogetherHaveALimit(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	b := answer.NewBreaker(c)
	answered := 0
	for i := range 5000 { // more accounts than are remembered
		if goOn, _ := answer.Ask(b, chat.Actor{ID: fmt.Sprint(i)}); goOn {
			answered++
		}
		if i == 2500 {
			c.Advance(2 * time.Minute)
		}
	}
	if answered != 240 {
		t.Errorf("%d answers within two minutes", answered)
	}
	for i := range 5000 {
		c.Advance(time.Second)
		if goOn, _ := answer.Ask(b, chat.Actor{ID: fmt.Sprint(i)}); !goOn && i > 120 {
			t.Fatalf("account %d is not answered", i)
		}
	}
}
