// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

const (
	roomSamples = 120
	roomReach   = 300 * time.Millisecond
	roomMiddle  = 100 * time.Millisecond
	// roomGuests are in the group of people that is brought in every time,
	// besides who declares it.
	roomGuests = 5
)

// called is a call that the chat carried out.
type called struct {
	what       string
	began, end time.Time
}

// witness stands before a chat and notes when each call began and ended: what
// lies between is the chat's own time.
type witness struct {
	*httptest.Server
	mu    sync.Mutex
	calls []called
	more  chan struct{}
}

func watchCalls(address string) (*witness, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	w := &witness{more: make(chan struct{}, 1)}
	proxy := httputil.NewSingleHostReverseProxy(target)
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := called{what: r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v4"), began: time.Now()}
		proxy.ServeHTTP(rw, r)
		c.end = time.Now()
		w.mu.Lock()
		w.calls = append(w.calls, c)
		w.mu.Unlock()
		select {
		case w.more <- struct{}{}:
		default:
		}
	}))
	return w, nil
}

// forget forgets the calls so far.
func (w *witness) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = nil
}

// complete returns when the last of what makes a channel complete was done, and
// how much of the time since began the chat was at work; ok is false before.
func (w *witness) complete(began time.Time) (end time.Time, chat time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	made, people, posts, pinned := 0, 0, 0, 0
	for _, c := range w.calls {
		counted := true
		switch {
		case c.what == "POST /channels":
			made++
		case strings.HasPrefix(c.what, "POST /channels/") && strings.HasSuffix(c.what, "/members"):
			people++
		case c.what == "POST /posts":
			posts++
		case strings.HasSuffix(c.what, "/pin"):
			pinned++
		default:
			counted = false
		}
		if counted && c.end.After(end) {
			end = c.end
		}
	}
	if made < 1 || people < 1+roomGuests || posts < 2 || pinned < 1 {
		return end, 0, false
	}
	return end, busy(w.calls, began, end), true
}

// busy is how much of the time between two moments lies within calls.
func busy(calls []called, from, to time.Time) (sum time.Duration) {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b called) int { return a.began.Compare(b.began) })
	for _, c := range calls {
		if c.began.Before(from) {
			c.began = from
		}
		if c.end.After(to) {
			c.end = to
		}
		if c.end.After(c.began) {
			sum += c.end.Sub(c.began)
			from = c.end
		}
	}
	return sum
}

// rooms measures from the line that declares an incident to the moment when its
// channel is made, people are in, its card is pinned, and it is announced:
// without the time for which the chat was at work, which is the floor.
func (b *bench) rooms(ctx context.Context) (out []row, err error) {
	chat, err := startChat("alerts")
	if err != nil {
		return nil, err
	}
	defer chat.Close()
	w, err := watchCalls(chat.URL())
	if err != nil {
		return nil, err
	}
	defer w.Close()
	var guests []string
	for n := range roomGuests {
		name := fmt.Sprintf("guest%d", n)
		chat.AddUser(name)
		guests = append(guests, "chat/@"+name)
	}
	token := chat.AddCommand("incident", "http://not.yet.example/")
	p, err := b.belfry(ctx, "rooms", fmt.Sprintf("connections: [{name: chat, kind: mattermost, url: %q, token: %s, team: %s, command_tokens: [%s]}]\ndefault: {channels: [chat/alerts]}\n"+
		"incidents: {announce: [chat/alerts], channel: {on: [chat], invite: {always: [%s]}}}\n", w.URL, chat.Token(), mattermosttest.Team, token, strings.Join(guests, ", ")))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	chat.MoveCommand("incident", p.url+"/chat/chat/command")
	var took, floor, whole []time.Duration
	for n := range roomSamples + 5 {
		w.forget()
		began := time.Now()
		if seen := chat.Type("alice", "alerts", fmt.Sprintf("/incident new SEV1 trouble %d", n)); seen.Failed != "" {
			return nil, fmt.Errorf("an incident could not be declared: %s", seen.Failed)
		}
		all, own, err := w.wait(ctx, began)
		if err != nil {
			return nil, err
		}
		time.Sleep(20 * pause) // the topic, and the card that is edited, are on their way
		if n >= 5 {
			took, floor, whole = append(took, all-own), append(floor, own), append(whole, all)
		}
	}
	return []row{latency("incident declared → channel complete", took, floor, roomMiddle, roomReach,
		fmt.Sprintf("channel made, %d people brought in, card pinned, announced; without the time for which the fake Mattermost was at work, which is the floor", 1+roomGuests),
		fmt.Sprintf("with it: p50 %s, p99 %s", ms(quantile(whole, 0.50)), ms(quantile(whole, 0.99))))}, nil
}

// wait waits until a channel is complete, and returns how long that took and
// for how much of it the chat was at work.
func (w *witness) wait(ctx context.Context, began time.Time) (all, chat time.Duration, err error) {
	late := time.After(patience)
	for {
		if end, chat, ok := w.complete(began); ok {
			return end.Sub(began), chat, nil
		}
		select {
		case <-w.more:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-late:
			return 0, 0, errors.New("waited in vain for an incident's channel")
		}
	}
}
