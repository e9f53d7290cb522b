// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/config/secrettest"
	"belfry/fault"
	"belfry/seal"
)

// patience bounds every call of the suite: it only ends tests that hang.
const patience = 20 * time.Second

// ways says which platforms a part of the suite is for.
type ways int

const (
	both ways = iota
	twoWay
	oneWay
)

// part is one part of the suite.
type part struct {
	name string
	ways ways
	run  func(*room)
}

func parts() []part {
	return []part{
		{"Switches", both, checkSwitches},
		{"PostThenUpdateInPlace", twoWay, checkUpdateInPlace},
		{"UpdateWithoutButtons", twoWay, checkNoButtonsLeft},
		{"CutOutputIsCounted", both, checkCut},
		{"SameKeyIsOneMessage", twoWay, checkSameKey},
		{"SameKeyAtOnce", twoWay, checkSameKeyAtOnce},
		{"ManyAtOnce", both, checkManyAtOnce},
		{"Find", twoWay, checkFind},
		{"FindDeleted", twoWay, checkFindDeleted},
		{"Thread", twoWay, checkThread},
		{"Table", twoWay, checkTable},
		{"HostileTable", twoWay, checkHostileTable},
		{"Mentions", both, checkMentions},
		{"Priority", both, checkPriority},
		{"UnknownChannel", both, checkUnknownChannel},
		{"LostAnswer", twoWay, checkLostAnswer},
		{"ServerErrorBefore", twoWay, checkFailBefore},
		{"ServerErrorAfter", twoWay, checkFailAfter},
		{"RateLimit", twoWay, checkRateLimit},
		{"Revoked", twoWay, checkRevoked},
		{"Deleted", twoWay, checkDeleted},
		{"Archived", twoWay, checkArchived},
		{"Slow", twoWay, checkSlow},
		{"Cancelled", twoWay, checkCancelled},
		{"Down", twoWay, checkDown},
		{"Press", twoWay, checkPress},
		{"PressByStranger", twoWay, checkStranger},
		{"Whisper", twoWay, checkWhisper},
		{"Dialog", twoWay, checkDialog},
		{"DialogCancelled", twoWay, checkDialogCancel},
		{"DialogFieldErrors", twoWay, checkDialogErrors},
		{"DialogChoices", twoWay, checkDialogChoices},
		{"DialogManyChoices", twoWay, checkDialogManyChoices},
		{"DialogRefused", twoWay, checkDialogRefused},
		{"HostileCard", twoWay, checkHostileCard},
		{"HostileNote", twoWay, checkHostileNote},
		{"HostileLinks", both, checkHostileLinks},
		{"HostileWhisper", twoWay, checkHostileWhisper},
		{"Oversized", twoWay, checkOversized},
		{"OneWayPost", oneWay, checkOneWay},
		{"OneWayNote", oneWay, checkOneWayNote},
		{"OneWayRepetition", oneWay, checkOneWayRepetition},
		{"OneWayRefusals", oneWay, checkOneWayRefusals},
		{"OneWayHostile", oneWay, checkOneWayHostile},
		{"OneWayOversized", oneWay, checkOneWayOversized},
	}
}

// Run holds a platform to the contract of package chat. One that declares that
// it lacks TwoWay is held to what is left of it, and to pretending no more.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, p := range parts() {
		t.Run(p.name, func(t *testing.T) {
			rec := &Recorder{}
			r := &room{T: t, Harness: open(t, rec), rec: rec}
			lack := r.Lacks[TwoWay]
			switch {
			case p.ways == twoWay && lack != "":
				t.Skipf("declared: %s", lack)
			case p.ways == oneWay && lack == "":
				t.Skip("for platforms that are one-way")
			}
			p.run(r)
		})
	}
}

// room is one open harness with the words the suite is written in.
type room struct {
	*testing.T
	*Harness
	rec *Recorder
}

func (r *room) context() context.Context {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

// need skips the part when the platform declared that it can not suffer the fault.
func (r *room) need(name string, present bool) {
	r.Helper()
	if !present {
		r.Skipf("declared: %s", r.Without[name])
	}
}

// post puts m up under a new key and fails the test if it can't.
func (r *room) post(m chat.Message) (chat.Ref, string) {
	r.Helper()
	key := seal.Random()
	ref, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Key: key, Message: m})
	if err != nil {
		r.Fatalf("can't post: %v", err)
	}
	if ref.Channel == "" || ref.Post == "" {
		r.Fatalf("the reference of a posted message lacks something: %+v", ref)
	}
	return ref, key
}

func (r *room) update(ref chat.Ref, key string, m chat.Message) {
	r.Helper()
	if err := r.Platform.Update(r.context(), ref, key, m); err != nil {
		r.Fatalf("can't update: %v", err)
	}
}

// only returns the one message in the channel.
func (r *room) only() Seen {
	r.Helper()
	seen := r.Room.Messages()
	if len(seen) != 1 {
		r.Fatalf("%d messages stand in the channel, not one: %+v", len(seen), seen)
	}
	return seen[0]
}

// decided checks that err carries one of the decisions and no secret, and
// returns its text.
func (r *room) decided(err error, want ...fault.Decision) string {
	r.Helper()
	got, after := fault.Of(err)
	if err == nil || !slices.Contains(want, got) {
		r.Fatalf("the outcome is %q (%v), not one of %v", got, err, want)
	}
	if _, ok := errors.AsType[*fault.Error](err); !ok {
		r.Errorf("the error carries no decision: %v", err)
	}
	if got == fault.RetryAfter && after <= 0 {
		r.Errorf("asked to wait %v", after)
	}
	for _, secret := range r.Secrets {
		secrettest.Check(r.T, secret, err)
	}
	return err.Error()
}

// find asks for key in the channel, of an attempt that began a minute ago.
func (r *room) find(key string) (chat.Ref, bool) {
	r.Helper()
	ref, ok, err := r.Platform.Find(r.context(), r.Channel, key, r.Now().Add(-chat.FindMargin-time.Minute))
	if err != nil {
		r.Fatalf("can't look for a key: %v", err)
	}
	return ref, ok
}

// findNote is find for a note in a thread.
func (r *room) findNote(thread chat.Ref, key string) (chat.Ref, bool) {
	r.Helper()
	f, ok := r.Platform.(chat.ThreadFinder)
	if !ok {
		return r.find(key)
	}
	ref, ok, err := f.FindReply(r.context(), thread, key, r.Now().Add(-chat.FindMargin-time.Minute))
	if err != nil {
		r.Fatalf("can't look for a note's key: %v", err)
	}
	return ref, ok
}

// reads checks that want can be read on the message, modulo what can not be
// seen: zero width characters and the amount of white space.
func (r *room) reads(s Seen, want ...string) {
	r.Helper()
	for _, w := range want {
		if !strings.Contains(visible(s.Text), visible(w)) {
			r.Errorf("%q can not be read in %q", w, s.Text)
		}
	}
}

func (r *room) readsNot(s Seen, not ...string) {
	r.Helper()
	for _, w := range not {
		if strings.Contains(visible(s.Text), visible(w)) {
			r.Errorf("%q should not be read in %q", w, s.Text)
		}
	}
}

// visible is text without zero width characters, white space folded.
func visible(text string) string {
	text = strings.Map(func(c rune) rune {
		switch c {
		case 0x200b, 0x2060, 0xfeff:
			return -1
		case 0xa0, 0x200a:
			return ' '
		}
		return c
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// checkSwitches holds the harness itself to its contract: what a platform can
// not suffer is declared, so that nothing is left out silently.
func checkSwitches(r *room) {
	faults := reflect.ValueOf(r.Faults)
	for i := range faults.NumField() {
		name := faults.Type().Field(i).Name
		why, declared := r.Without[name]
		if faults.Field(i).IsNil() && (!declared || why == "") {
			r.Errorf("the fault %s is neither there nor declared in Without", name)
		}
		if !faults.Field(i).IsNil() && declared {
			r.Errorf("the fault %s is declared in Without but there", name)
		}
	}
	if r.Channel == "" || r.Connection == "" || r.Now == nil {
		r.Error("the harness lacks a channel, a connection's name or a clock")
	}
	if n := len(r.Room.Messages()); n != 0 {
		r.Errorf("a fresh channel has %d messages", n)
	}
}
