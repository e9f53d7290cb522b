// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"sync"
	"time"

	"belfry/clock"
)

// complaints bounds how often bad news are said in channels. They come before
// anybody knows who asks, so that a program that answers to them can't be told
// from a person: it must not keep us talking.
type complaints struct {
	clock clock.Clock

	mu   sync.Mutex
	said map[string]*complaint // by text
}

// complaint is when one text was said, and until when it is not said again.
type complaint struct {
	times  []time.Time
	silent time.Time
}

const (
	complainMost, complainWithin = 10, 10 * time.Minute
	complainADay                 = 50
)

// may says whether a text may be said once more. Who was told often enough is
// told again when nobody had to be told for a while.
func (c *complaints) may(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if c.said == nil {
		c.said = map[string]*complaint{}
	}
	one := c.said[text]
	if one == nil {
		one = &complaint{}
		c.said[text] = one
	}
	lately := 0
	for len(one.times) > 0 && now.Sub(one.times[0]) > 24*time.Hour {
		one.times = one.times[1:]
	}
	for _, at := range one.times {
		if now.Sub(at) <= complainWithin {
			lately++
		}
	}
	if now.Before(one.silent) || lately >= complainMost || len(one.times) >= complainADay {
		one.silent = now.Add(complainWithin)
		return false
	}
	one.times = append(one.times, now)
	return true
}

// complain is an answer of bad news, or silence.
func (p *Platform) complain(text string) outgoingAnswer {
	if !p.complaints.may(text) {
		return outgoingAnswer{}
	}
	text = literal(cut(text, maxMessage/8))
	return outgoingAnswer{Text: &text, Type: commentType}
}
