// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"belfry/trial"
)

// Tester posts test cards. *app.App is one.
type Tester interface {
	// TestChannels lists the channels that the configuration names, as
	// connection/channel.
	TestChannels() []string
	// Test posts a test card to a channel for by, waits for its press and edits it.
	Test(ctx context.Context, channel, by string, wait time.Duration, tell func(trial.Event)) error
}

// testWait is how long a test that was begun on the page waits for a press.
const testWait = 5 * time.Minute

// channelTest is the last test of a channel.
type channelTest struct {
	By      string
	Began   time.Time
	Running bool
	Passed  bool
	// Text says how far it has come, or how it ended.
	Text string
}

// channelTests are the last tests since the start, by channel.
type channelTests struct {
	mu   sync.Mutex
	last map[string]channelTest
}

// begin notes a new test; false when one is running already.
func (c *channelTests) begin(channel string, t channelTest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last[channel].Running {
		return false
	}
	if c.last == nil {
		c.last = map[string]channelTest{}
	}
	c.last[channel] = t
	return true
}

func (c *channelTests) change(channel string, f func(*channelTest)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.last[channel]
	f(&t)
	c.last[channel] = t
}

type channelRow struct {
	Name string
	Test channelTest
}

type channelsPage struct {
	Rows []channelRow
	// Running is true while a test waits: the page then loads itself again.
	Running bool
}

// listChannels shows the channels and their last tests.
func (w *Web) listChannels(rw http.ResponseWriter, r *http.Request) {
	var p channelsPage
	if w.o.Tester != nil {
		for _, name := range w.o.Tester.TestChannels() {
			p.Rows = append(p.Rows, channelRow{Name: name})
		}
	}
	w.tests.mu.Lock()
	for i := range p.Rows {
		p.Rows[i].Test = w.tests.last[p.Rows[i].Name]
		p.Running = p.Running || p.Rows[i].Test.Running
	}
	w.tests.mu.Unlock()
	w.show(rw, r, http.StatusOK, "channels", "Channels", p)
}

// testChannel begins a test: the page tells how it goes on.
func (w *Web) testChannel(rw http.ResponseWriter, r *http.Request) {
	channel, by := r.PostFormValue("channel"), person(r.Context()).Name
	if w.o.Tester == nil || !slices.Contains(w.o.Tester.TestChannels(), channel) {
		w.fail(rw, r, http.StatusNotFound, "There is no such channel in the configuration any more. Go back and reload the page.")
		return
	}
	if w.tests.begin(channel, channelTest{By: by, Began: w.clock.Now(), Running: true, Text: "posting the card…"}) {
		w.log.InfoContext(r.Context(), "a channel is tested", "channel", channel, "by", by)
		go w.runTest(context.WithoutCancel(r.Context()), channel, by)
	}
	back := "/channels"
	if r.PostFormValue("back") == "connections" {
		back = "/connections"
	}
	http.Redirect(rw, r, back, http.StatusSeeOther)
}

// runTest carries a test out. It ends with the pages.
func (w *Web) runTest(ctx context.Context, channel, by string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	tell := func(e trial.Event) {
		w.tests.change(channel, func(t *channelTest) {
			took := e.Took.Round(time.Millisecond)
			switch e.Stage {
			case trial.Posted:
				t.Text = fmt.Sprintf("posted in %v: press Acknowledge on the card in the channel, within %v", took, testWait)
			case trial.Pressed:
				t.Text = fmt.Sprintf("%s pressed after %v", e.By, took)
			case trial.Updated:
				t.Text += fmt.Sprintf(", and the card was edited %v later: it works in both directions", took)
			}
		})
	}
	err := w.o.Tester.Test(ctx, channel, by, testWait, tell)
	w.tests.change(channel, func(t *channelTest) {
		t.Running, t.Passed = false, err == nil
		switch {
		case trial.IsNobody(err):
			t.Text = fmt.Sprintf("posted, and nobody pressed within %v. If somebody did, the chat server does not reach Belfry: see the log", testWait)
		case err != nil:
			t.Text = "failed: " + err.Error()
		}
	})
}
