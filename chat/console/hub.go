// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"belfry/alert"
	"belfry/seal"
	"belfry/store"
)

// Change says that a card looks different now: itself, its notes, or that it
// is gone. Whoever gets one reads the card as it is.
type Change struct {
	// Position is where the listener stands once it has shown this change.
	Position string
	Channel  string
	// Card is the message at the top of the thread; 0: the channel itself
	// changed, what stands above it or who may see it.
	Card alert.ID
}

// ErrCrowded is returned when more listen than the room can serve.
var ErrCrowded = errors.New("too many pages are open on this room; close some and try again")

// Limits of the hub. A listener that is further behind than its buffer reads
// the page anew, which costs less than catching up.
const (
	maxListeners = 1000
	listenBuffer = 256
	kept         = 1024
)

// hub passes changes to the open pages. It runs no goroutine: publish never
// waits for a listener.
type hub struct {
	mu sync.Mutex
	// epoch tells this run of the program from others: positions of another
	// run mean nothing here.
	epoch     string
	seq       uint64
	recent    []Change
	listeners map[*Subscription]struct{}
}

func newHub() *hub {
	return &hub{epoch: seal.Random()[:10], listeners: map[*Subscription]struct{}{}}
}

// Subscription is one open page's ear.
type Subscription struct {
	hub *hub
	ch  chan Change
}

// Changes returns the changes in order. It is closed when the listener was too
// slow: then the page must be read anew.
func (s *Subscription) Changes() <-chan Change { return s.ch }

// Close ends the subscription. It may be called twice.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.drop(s)
}

// Position is where the room stands now: what a page remembers when it is
// rendered, before it reads its cards.
func (r *Room) Position() string {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	return r.hub.position()
}

// Subscribe listens for changes after the given position. ok is false when the
// room can't tell what happened since (it was restarted, or it is too long
// ago): the page must be read anew. It returns ErrCrowded when too many listen.
func (r *Room) Subscribe(after string) (s *Subscription, ok bool, err error) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	missed, ok := h.since(after)
	if !ok {
		return nil, false, nil
	}
	if len(h.listeners) >= maxListeners {
		return nil, false, ErrCrowded
	}
	s = &Subscription{hub: h, ch: make(chan Change, listenBuffer)}
	for _, c := range missed {
		s.ch <- c
	}
	h.listeners[s] = struct{}{}
	return s, true, nil
}

// since returns what was published after a position; ok is false when that is
// not known or too much.
func (h *hub) since(after string) ([]Change, bool) {
	epoch, number, _ := strings.Cut(after, "-")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != h.epoch || seq > h.seq {
		return nil, false
	}
	missed := h.seq - seq
	if missed > uint64(len(h.recent)) || missed > listenBuffer {
		return nil, false
	}
	return h.recent[uint64(len(h.recent))-missed:], true
}

// publish tells every listener that m changed.
func (h *hub) publish(m store.RoomMessage) {
	card := m.ID
	if m.Thread != 0 {
		card = m.Thread
	}
	h.pass(m.Channel, card)
}

// tell tells every listener that a channel itself changed.
func (h *hub) tell(channel string) { h.pass(channel, 0) }

func (h *hub) pass(channel string, card alert.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	c := Change{Position: h.position(), Channel: channel, Card: card}
	if len(h.recent) >= 2*kept {
		h.recent = append(h.recent[:0:0], h.recent[len(h.recent)-kept:]...)
	}
	h.recent = append(h.recent, c)
	for s := range h.listeners {
		select {
		case s.ch <- c:
		default:
			h.drop(s)
		}
	}
}

func (h *hub) drop(s *Subscription) {
	if _, on := h.listeners[s]; on {
		delete(h.listeners, s)
		close(s.ch)
	}
}

func (h *hub) position() string { return fmt.Sprintf("%s-%d", h.epoch, h.seq) }
