// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/config"
	"belfry/trial"
)

// Test posts a test card to connection/channel for by, waits for its press and
// edits it; tell is called at every stage. It returns trial.ErrNobody when
// nobody pressed in time.
func (a *App) Test(ctx context.Context, channel, by string, wait time.Duration, tell func(trial.Event)) error {
	connection, rest, ok := strings.Cut(channel, "/")
	platform := a.parts.Load().platforms[connection]
	if !ok || rest == "" || platform == nil {
		return fmt.Errorf("there is no channel %q: write connection/channel; the configured ones are %s", channel, strings.Join(a.TestChannels(), ", "))
	}
	// A test ends with the server: it must not keep it from stopping, nor
	// outlive its database.
	a.wg.Add(1)
	defer a.wg.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.testing, cancel)()
	return a.trials.Run(ctx, trial.Target{Connection: connection, Channel: rest, Platform: platform}, by, wait, tell)
}

// TestChannels lists the channels that the configuration names, as
// connection/channel, and those that were set up since the start.
func (a *App) TestChannels() []string {
	p := a.parts.Load()
	out := slices.Clone(p.channels)
	for _, text := range a.made.all() {
		connection, _, _ := strings.Cut(text, "/")
		if p.platforms[connection] != nil && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// madeChannels are those that were set up on the pages, whether or not a route
// leads there yet.
type madeChannels struct {
	mu   sync.Mutex
	list []string
}

func (m *madeChannels) add(channels []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range channels {
		if !slices.Contains(m.list, c) {
			m.list = append(m.list, c)
		}
	}
}

func (m *madeChannels) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// channelsOf lists the channels that a configuration names, in their order.
func channelsOf(f *config.File) []string {
	var out []string
	add := func(text string) {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, r := range append(slices.Clone(f.Routes), f.Default) {
		for _, t := range r.Channels {
			add(t.String())
		}
	}
	for _, name := range f.Incidents.Announce {
		add(name)
	}
	for _, name := range roomChannels(f) {
		add(config.RoomName + "/" + name)
	}
	return out
}
