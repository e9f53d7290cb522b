// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"fmt"
	"sync"
	"time"

	"belfry/chat"
	"belfry/clock"
)

// Breaker ends conversations that no person has. Programs are told from people
// by their platform where it knows; this is for those that use a person's
// account: two programs that answer each other through it are silenced after a
// few rounds, and slow ones after a few hours.
type Breaker struct {
	clock clock.Clock

	mu   sync.Mutex
	asks map[chat.Actor]*asker
	all  []time.Time
}

// asker is what is remembered of an account.
type asker struct {
	times  []time.Time
	silent time.Time // until when it is not answered
}

// limit is how many questions within a span are a person's.
type limit struct {
	most   int
	within time.Duration
	words  string
}

func limits() []limit {
	return []limit{{8, time.Minute, "a minute"}, {60, time.Hour, "an hour"}, {200, 24 * time.Hour, "a day"}}
}

const (
	// quiet is how long an account must not ask to be answered again.
	quiet = 10 * time.Minute
	// allWithin and mostOfAll bound all accounts together.
	allWithin = time.Minute
	mostOfAll = 120
	maxAskers = 2000
)

// NewBreaker returns one that remembers nothing yet.
func NewBreaker(c clock.Clock) *Breaker {
	return &Breaker{clock: c, asks: map[chat.Actor]*asker{}}
}

// ask notes a question. notice is said instead of an answer, once; afterwards
// nothing is said until the account was quiet for a while.
func (b *Breaker) ask(who chat.Actor) (goOn bool, notice string) {
	who.Name = "" // it may change
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	b.all = since(b.all, now.Add(-allWithin))
	if len(b.all) >= mostOfAll {
		return false, ""
	}
	b.all = append(b.all, now)
	a := b.asks[who]
	if a == nil {
		b.forget(now)
		a = &asker{}
		b.asks[who] = a
	}
	if now.Before(a.silent) {
		a.silent = now.Add(quiet)
		return false, ""
	}
	a.times = append(since(a.times, now.Add(-24*time.Hour)), now)
	for _, l := range limits() {
		if len(since(a.times, now.Add(-l.within))) > l.most {
			a.silent = now.Add(quiet)
			return false, fmt.Sprintf("Those were more than %d questions within %s, which looks like two programs that answer each other. "+
				"I answer this account again when it has not asked for %d minutes.", l.most, l.words, int(quiet.Minutes()))
		}
	}
	return true, ""
}

// since returns those of times that are not before a moment.
func since(times []time.Time, from time.Time) []time.Time {
	i := 0
	for i < len(times) && times[i].Before(from) {
		i++
	}
	return times[i:]
}

// forget drops accounts that nothing needs to be known of, and if there still
// are too many, those that asked the longest ago.
func (b *Breaker) forget(now time.Time) {
	if len(b.asks) < maxAskers {
		return
	}
	var oldest chat.Actor
	var at time.Time
	for who, a := range b.asks {
		last := a.times[len(a.times)-1]
		if now.Sub(last) > 24*time.Hour && now.After(a.silent) {
			delete(b.asks, who)
			continue
		}
		if at.IsZero() || last.Before(at) {
			oldest, at = who, last
		}
	}
	if len(b.asks) >= maxAskers {
		delete(b.asks, oldest)
	}
}
