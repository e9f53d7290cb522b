// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How long look-ups are believed, and how many are kept.
const (
	channelsKept = 10 * time.Minute
	peopleKept   = 10 * time.Minute
	maxCached    = 10_000
)

// cache keeps look-ups for a while. What was looked up in vain is not kept.
type cache[T any] struct {
	mu   sync.Mutex
	kept time.Duration
	most int
	all  map[string]cached[T]
}

type cached[T any] struct {
	value T
	until time.Time
}

func newCache[T any](kept time.Duration, most int) *cache[T] {
	return &cache[T]{kept: kept, most: most, all: map[string]cached[T]{}}
}

func (c *cache[T]) get(key string, now time.Time) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.all[key]
	if !ok || now.After(got.until) {
		var none T
		return none, false
	}
	return got.value, true
}

func (c *cache[T]) put(key string, value T, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= c.most {
		clear(c.all) // cheaper than any bookkeeping, and rare
	}
	c.all[key] = cached[T]{value, now.Add(c.kept)}
}

// drop forgets every entry for which lost holds.
func (c *cache[T]) drop(lost func(key string, value T) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, got := range c.all {
		if lost(key, got.value) {
			delete(c.all, key)
		}
	}
}

// any returns one value for which fits holds, expired or not.
func (c *cache[T]) any(fits func(T) bool) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, got := range c.all {
		if fits(got.value) {
			return key, true
		}
	}
	return "", false
}

// newLookups bounds how many unknown people are looked up: anybody who reaches
// our callback address can name user ids, and the server's rate limit is one
// for all our traffic.
func newLookups() *rate.Limiter { return rate.NewLimiter(20, 40) }
