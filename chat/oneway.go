// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"sync"
	"time"
)

// OneWay is what incoming webhooks have in common, on whatever platform: no
// message's id comes back, so a card is posted once and never edited, nothing can
// be pressed, and nothing can be asked. What happens to a problem after its card
// is posted as one line of its own, with the problem's name.
//
// An attempt whose outcome nobody knows is repeated: a problem told of twice
// does less harm than one that nobody is told of. The repetition says what it
// may be. It is safe for concurrent use.
type OneWay struct {
	// Server is whose webhook it is: "Slack".
	Server string

	mu      sync.Mutex
	repeats map[string]bool // keys that were asked for, see Find
}

// OneWayIs is what a connection with nothing but an incoming webhook is, in one
// line for administrators.
const OneWayIs = "an incoming webhook is one-way: cards are posted once and never brought up to date, changes follow as lines of their own, " +
	"nothing can be acknowledged from chat, and after a failure a message may come twice; use a bot's token where you can"

// maxRepeats is how many keys are known as asked for.
const maxRepeats = 1000

// Shape returns a post's message as it is said one way.
func (w *OneWay) Shape(p Post) Message {
	m := p.Message
	m.Buttons = nil // nothing would come of pressing one
	if p.Thread != nil && m.Summary != "" {
		m.Lines = []Line{{{Text: m.Summary}}} // there is no thread: it must name what it is about
	}
	if w.repeated(p.Key) {
		m.Lines = append(append([]Line{}, m.Lines...), Line{{Text: "Perhaps a repetition: " + w.Server + " did not say whether it took this message before."}})
	}
	return m
}

// Posted is where a message stands that was posted one way: the place is made
// up, because nobody tells it.
func (w *OneWay) Posted(p Post) Ref { return Ref{Channel: p.Channel, Post: "hook-" + p.Key} }

// Update implements Platform: what was posted stands as it is. What happened
// since is a line of its own, by Post.
func (w *OneWay) Update(context.Context, Ref, string, Message) error { return nil }

// Find implements Platform. Nobody can tell whether it arrived; so it is said
// that it did not, and its repetition says that it may be one.
func (w *OneWay) Find(_ context.Context, _, key string, _ time.Time) (Ref, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.repeats == nil || len(w.repeats) >= maxRepeats {
		w.repeats = map[string]bool{}
	}
	w.repeats[key] = true
	return Ref{}, false, nil
}

// repeated says whether Find was asked for the key.
func (w *OneWay) repeated(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.repeats[key]
}
