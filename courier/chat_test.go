// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/courier"
	"belfry/delivery"
	"belfry/desk"
	"belfry/fault"
	"belfry/message"
	"belfry/store"
	"belfry/store/opentest"
)

// board is a chat platform that forgets keys after a while, as Mattermost
// does: until then a repeat gets the first message back, unchanged.
type board struct {
	mu    sync.Mutex
	posts []*pinned
	// next are what becomes of the next posts: "lost" (put up, but the answer
	// is lost), "slow" (the same, and it can't be seen yet), "busy" (still
	// writing an earlier one).
	next []string
	// forgotten: keys are no longer recognised.
	forgotten bool
}

type pinned struct {
	ref             chat.Ref
	key, text, root string
	hidden, deleted bool
}

func (b *board) Post(_ context.Context, p chat.Post) (chat.Ref, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	what := ""
	if len(b.next) > 0 {
		what, b.next = b.next[0], b.next[1:]
	}
	if what == "busy" {
		return chat.Ref{}, fault.NewRetryAfter(errors.New("still writing"), time.Millisecond)
	}
	for _, q := range b.posts {
		if q.key == p.Key && !b.forgotten {
			return q.ref, nil
		}
	}
	q := &pinned{ref: chat.Ref{Channel: p.Channel, Post: fmt.Sprint(len(b.posts) + 1)}, key: p.Key, text: textOf(p.Message), hidden: what == "slow"}
	if p.Thread != nil {
		q.root = p.Thread.Post
		if at := b.at(*p.Thread); at == nil || at.deleted {
			return chat.Ref{}, fault.NewGone(errors.New("no such thread"))
		}
	}
	b.posts = append(b.posts, q)
	if what == "lost" || what == "slow" {
		return chat.Ref{}, fault.NewUnknown(errors.New("no answer"))
	}
	return q.ref, nil
}

func (b *board) Update(_ context.Context, ref chat.Ref, _ string, m chat.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.at(ref)
	if q == nil || q.deleted {
		return fault.NewGone(errors.New("somebody deleted it"))
	}
	q.text = textOf(m)
	return nil
}

func (b *board) Find(_ context.Context, _, key string, _ time.Time) (chat.Ref, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.posts {
		if q.key == key && !q.hidden {
			return q.ref, true, nil
		}
	}
	return chat.Ref{}, false, nil
}

func (b *board) at(ref chat.Ref) *pinned {
	i := slices.IndexFunc(b.posts, func(q *pinned) bool { return q.ref == ref })
	if i < 0 {
		return nil
	}
	return b.posts[i]
}

// cards returns the texts of the cards that stand there, notes those of the notes.
func (b *board) cards() []string { return b.texts(func(q *pinned) bool { return q.root == "" }) }
func (b *board) notes() []string { return b.texts(func(q *pinned) bool { return q.root != "" }) }
func (b *board) texts(which func(*pinned) bool) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.posts {
		if which(q) && !q.deleted {
			out = append(out, q.text)
		}
	}
	return out
}

func textOf(m chat.Message) string { return strings.TrimSpace(m.State + " " + m.Summary) }

// hall is a desk, an engine and a board.
type hall struct {
	*board
	t     *testing.T
	store *store.Store
	desk  *desk.Desk
}

func newHall(t *testing.T) *hall {
	t.Helper()
	s := opentest.Open(t, store.Options{})
	h := &hall{board: &board{}, t: t, store: s}
	h.desk = desk.New(s, nowhere{}, func(string, desk.Ability) bool { return false }, clock.System{})
	return h
}

// deliver runs an engine until ok holds.
func (h *hall) deliver(ok func() bool) {
	h.t.Helper()
	sender := courier.NewChat(h.board, h.store, func(*alert.Alert, store.Duty) message.Options { return message.Options{} }, func() message.Options { return message.Options{} }, courier.Rooms{})
	e := delivery.New(h.store, delivery.Options{
		Senders: func(string) (delivery.Sender, bool) { return sender, true }, Poll: 10 * time.Millisecond,
		Backoff: func(store.DutyKind, int) time.Duration { return 20 * time.Millisecond },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("it never came; cards %q, notes %q, dead %+v", h.cards(), h.notes(), h.dead())
		}
	}
}

func (h *hall) quiet() bool {
	counts, err := h.store.Counts(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return counts.Due == 0
}

func (h *hall) dead() []store.Duty {
	list, err := h.store.DeadDuties(context.Background(), 10)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *hall) take(kind alert.ReportKind, state string, severity alert.Severity) {
	h.t.Helper()
	r := alert.Report{Kind: kind, State: state, Severity: severity, Object: alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var"}}
	if _, err := h.desk.Ingest(h.t.Context(), "nagios", []alert.Report{r}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hall) critical() { h.take(alert.ReportProblem, "CRITICAL", alert.SeverityCritical) }
func (h *hall) recovers() { h.take(alert.ReportRecovery, "OK", alert.SeverityOK) }

func (h *hall) wantOneCard(says string) {
	h.t.Helper()
	if cards := h.cards(); len(cards) != 1 || !strings.Contains(cards[0], says) {
		h.t.Errorf("cards %q, want one that says %q", cards, says)
	}
}

// An earlier attempt put the card up as it was then. When the platform
// recognises the key, the repeat gets that old card back and must not take it
// for what it meant to show.
func TestACardThatWasPutUpByAnEarlierAttemptShowsTheNewestState(t *testing.T) {
	h := newHall(t)
	h.next = []string{"slow"}
	h.critical()
	h.deliver(func() bool { return len(h.cards()) == 1 })
	h.recovers()
	h.deliver(h.quiet)
	h.wantOneCard("resolved")
}

// While the platform is still writing an earlier attempt it asks to wait; that
// says nothing of whether that attempt arrives.
func TestACardThatIsStillBeingWrittenIsNotPutUpTwice(t *testing.T) {
	h := newHall(t)
	h.next = []string{"slow", "busy"}
	h.critical()
	h.deliver(func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.next) == 0 })
	h.mu.Lock()
	h.posts[0].hidden, h.forgotten = false, true
	h.mu.Unlock()
	h.deliver(h.quiet)
	h.wantOneCard("CRITICAL")
}

func TestANoteThatIsStillBeingWrittenIsNotSaidTwice(t *testing.T) {
	h := newHall(t)
	h.critical()
	h.deliver(h.quiet)
	h.mu.Lock()
	h.next = []string{"slow", "busy"}
	h.mu.Unlock()
	h.recovers()
	h.deliver(func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.next) == 0 })
	h.mu.Lock()
	h.posts[1].hidden, h.forgotten = false, true
	h.mu.Unlock()
	h.deliver(h.quiet)
	if notes := h.notes(); len(notes) != 1 {
		t.Errorf("notes %q", notes)
	}
}

func TestADeletedCardIsADeadLetterAndComesBackWhenItIsSentAgain(t *testing.T) {
	h := newHall(t)
	h.critical()
	h.deliver(h.quiet)
	h.mu.Lock()
	h.posts[0].deleted = true
	h.mu.Unlock()
	h.recovers()
	h.deliver(func() bool { return len(h.dead()) > 0 })
	if len(h.cards()) != 0 {
		t.Fatalf("cards %q", h.cards())
	}
	if err := h.store.Resend(t.Context(), h.dead()[0].ID); err != nil {
		t.Fatal(err)
	}
	h.deliver(func() bool { return h.quiet() && len(h.notes()) == 1 })
	h.wantOneCard("resolved")
}

func TestALostAnswerMakesNoSecondCard(t *testing.T) {
	h := newHall(t)
	h.next, h.forgotten = []string{"lost"}, true
	h.critical()
	h.deliver(h.quiet)
	h.wantOneCard("CRITICAL")
}
