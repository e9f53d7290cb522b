// SPDX-License-Identifier: Apache-2.0

// Package trial proves that a channel works in both directions: it posts a
// test card, waits until somebody presses its button, and edits the card.
//
// A trial is known in the database while it waits, so that the press may
// arrive at any node: Run notes it, Press takes the note away (only one press
// gets it) and leaves who pressed, Run finds that and edits the card. The
// button's token is sealed, and counts only on the connection and, once it is
// known, the message that it was made for.
package trial

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/fault"
	"belfry/seal"
)

// Marks keep what a trial waits for. *store.Store is one.
type Marks interface {
	Setting(ctx context.Context, name string) (value string, ok bool, err error)
	SetSetting(ctx context.Context, name, value string) error
	TakeSetting(ctx context.Context, name string) (value string, ok bool, err error)
}

// Target is where a test card goes.
type Target struct {
	// Connection and Channel are as configured.
	Connection, Channel string
	Platform            chat.Platform
}

// String is the target as people write it: connection/channel.
func (t Target) String() string { return t.Connection + "/" + t.Channel }

// Stage is how far a trial has come.
type Stage string

// The stages, in their order.
const (
	// Posted: the card stands in the channel, and the trial waits.
	Posted Stage = "posted"
	// Pressed: somebody pressed the button.
	Pressed Stage = "pressed"
	// Updated: the card was edited and says so. The channel works.
	Updated Stage = "updated"
)

// Event tells that a trial has come to a stage.
type Event struct {
	Stage Stage `json:"stage"`
	// Took is how long it took: the post, the wait for the press, the edit.
	Took time.Duration `json:"took_ns"`
	// By is who pressed.
	By string `json:"by,omitempty"`
}

// ErrNobody is returned when nobody pressed in time.
var ErrNobody = errors.New("nobody pressed the button")

// IsNobody says whether err is that nobody pressed.
func IsNobody(err error) bool { return errors.Is(err, ErrNobody) }

// Bounds of a wait.
const (
	MinWait = time.Second
	MaxWait = time.Hour
)

const (
	purpose = "trial"
	// action is the button's; letters and digits only.
	action = "trial"
	// lookEvery is how often the database is asked for a press at another node.
	lookEvery = 500 * time.Millisecond
	// lastWords bounds the edit that ends a trial nobody waits for any more.
	lastWords = 10 * time.Second
	// attempts is how often a call is made that asks to be made again.
	attempts = 3
)

// claim is what the button's token says.
type claim struct {
	ID         string `json:"i"`
	Connection string `json:"c"`
}

// Trials runs trials. It is safe for concurrent use.
type Trials struct {
	sealer *seal.Sealer
	marks  Marks
	clock  clock.Clock

	mu      sync.Mutex
	running map[string]*run
}

// run is a trial of this node.
type run struct {
	pressed chan struct{} // woken at a press
	ref     chat.Ref      // where the card stands; empty until it is known
}

// New returns Trials without any.
func New(s *seal.Sealer, m Marks, c clock.Clock) *Trials {
	return &Trials{sealer: s, marks: m, clock: c, running: map[string]*run{}}
}

func waiting(id string) string { return "trial." + id + ".waiting" }
func pressed(id string) string { return "trial." + id + ".pressed" }

// Run posts a test card for by to t, waits for its press as long as told, and
// edits the card. It calls tell at every stage. Errors are ErrNobody, those of
// the platform (package fault), of the database, and ctx's. However it ends,
// the card says so and its button is gone, as far as the platform allows.
func (t *Trials) Run(ctx context.Context, at Target, by string, wait time.Duration, tell func(Event)) error {
	id := seal.Random()
	token, err := t.sealer.Seal(purpose, claim{ID: id, Connection: at.Connection})
	if err != nil {
		return err
	}
	r := &run{pressed: make(chan struct{}, 1)}
	t.mu.Lock()
	t.running[id] = r
	t.mu.Unlock()
	defer t.forget(ctx, id)
	if err := t.marks.SetSetting(ctx, waiting(id), at.String()); err != nil {
		return err
	}
	card := card{target: at, key: seal.Random(), by: by, token: token}
	began := t.clock.Now()
	if card.ref, err = t.post(ctx, card); err != nil {
		return err
	}
	t.mu.Lock()
	r.ref = card.ref
	t.mu.Unlock()
	posted := t.clock.Now()
	tell(Event{Stage: Posted, Took: posted.Sub(began)})
	who, err := t.await(ctx, id, r, wait)
	if err != nil {
		t.conclude(ctx, card, err, wait)
		return err
	}
	clicked := t.clock.Now()
	tell(Event{Stage: Pressed, Took: clicked.Sub(posted), By: who})
	if err := t.edit(ctx, card, worked(card, who, clicked.Sub(posted))); err != nil {
		return fmt.Errorf("the press arrived, but the card can't be edited: %w", err)
	}
	tell(Event{Stage: Updated, Took: t.clock.Now().Sub(clicked), By: who})
	return nil
}

// forget takes away what is known of a trial.
func (t *Trials) forget(ctx context.Context, id string) {
	t.mu.Lock()
	delete(t.running, id)
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	for _, name := range []string{waiting(id), pressed(id)} {
		_, _, _ = t.marks.TakeSetting(ctx, name) // what stays is a line nobody reads
	}
}

// await waits for the press and returns who did it.
func (t *Trials) await(ctx context.Context, id string, r *run, wait time.Duration) (string, error) {
	over := t.clock.After(wait)
	for {
		who, ok, err := t.marks.Setting(ctx, pressed(id))
		if err != nil || ok {
			return who, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-over:
			return "", ErrNobody
		case <-r.pressed:
		case <-t.clock.After(lookEvery):
		}
	}
}

// What people read who press a test card's button and are not the first.
const (
	sayOver    = "This test is over; somebody was quicker, or nobody waited any longer. Nothing was done."
	sayTrouble = "I could not note that, so nothing was done. Please try again in a moment."
	sayForged  = "That button is not one of mine, so I did nothing."
)

// Genuine says whether a token is a test card's.
func (t *Trials) Genuine(sealed string) bool {
	var c claim
	return t.sealer.Open(purpose, sealed, &c) == nil
}

// Press takes a press if it is one of a test card; ok is false when it is not.
func (t *Trials) Press(ctx context.Context, p chat.Press) (answer chat.Answer, ok bool) {
	var c claim
	if err := t.sealer.Open(purpose, p.Token, &c); err != nil {
		return chat.Answer{}, false
	}
	t.mu.Lock()
	r := t.running[c.ID]
	elsewhere := r != nil && r.ref != (chat.Ref{}) && r.ref != p.Ref
	t.mu.Unlock()
	if c.Connection != p.Actor.Connection || elsewhere {
		return chat.Answer{Whisper: sayForged}, true
	}
	_, first, err := t.marks.TakeSetting(ctx, waiting(c.ID))
	switch {
	case err != nil:
		return chat.Answer{Whisper: sayTrouble}, true
	case !first:
		return chat.Answer{Whisper: sayOver}, true
	}
	if err := t.marks.SetSetting(ctx, pressed(c.ID), p.Actor.Name); err != nil {
		return chat.Answer{Whisper: sayTrouble}, true
	}
	if r != nil {
		select {
		case r.pressed <- struct{}{}:
		default:
		}
	}
	return chat.Answer{}, true
}

// post puts the card up. After a post of unknown outcome it looks whether the
// card is there.
func (t *Trials) post(ctx context.Context, c card) (ref chat.Ref, err error) {
	began := t.clock.Now()
	err = t.insist(ctx, func() error {
		ref, err = c.target.Platform.Post(ctx, chat.Post{Channel: c.target.Channel, Key: c.key, Message: asks(c)})
		if decision, _ := fault.Of(err); decision != fault.Unknown {
			return err
		}
		found, ok, lost := c.target.Platform.Find(ctx, c.target.Channel, c.key, began.Add(-chat.FindMargin))
		if lost != nil || !ok {
			return err
		}
		ref = found
		return nil
	})
	return ref, err
}

func (t *Trials) edit(ctx context.Context, c card, m chat.Message) error {
	return t.insist(ctx, func() error {
		err := c.target.Platform.Update(ctx, c.ref, c.key, m)
		if decision, _ := fault.Of(err); decision == fault.Unknown {
			return fault.NewRetry(err) // to edit twice does no harm
		}
		return err
	})
}

// conclude says on the card that the trial ended without a press.
func (t *Trials) conclude(ctx context.Context, c card, why error, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	text := "Nobody waits for this test any more."
	if errors.Is(why, ErrNobody) {
		text = fmt.Sprintf("Nobody pressed the button within %v.", wait)
	}
	_ = t.edit(ctx, c, ended(c, text)) // the one who ran it is told what matters
}

// insist makes a call again that asks for it.
func (t *Trials) insist(ctx context.Context, call func() error) error {
	for n := 1; ; n++ {
		err := call()
		decision, after := fault.Of(err)
		if decision != fault.Retry && decision != fault.RetryAfter || n == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-t.clock.After(max(after, time.Second)):
		}
	}
}
