// SPDX-License-Identifier: Apache-2.0

package incidents_test

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
	"belfry/store"
)

// burns has so many hosts down, attached to incident 1, and returns who was
// acknowledged by whom.
func (b *booth) burns(n int) (acked func() []string) {
	b.t.Helper()
	for i := range n {
		a := &alert.Alert{Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical, Revision: 1, State: "DOWN",
			Object: alert.Object{Kind: alert.KindHost, Host: fmt.Sprintf("web%02d", i)}, StartsAt: b.clock.Now(), UpdatedAt: b.clock.Now()}
		a.Fingerprint = a.Object.Fingerprint()
		if errs, err := b.store.Change(b.t.Context(), store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
			return []store.Effect{{Alert: a}}, nil
		}}); err != nil || errs[0] != nil {
			b.t.Fatal(errs, err)
		}
		b.types(fmt.Sprintf("attach #1 %d", a.Number))
	}
	var mu sync.Mutex
	var list []string
	b.Response.AcknowledgeWith(func(ctx context.Context, id alert.ID, by, comment string) error {
		errs, err := b.store.Change(ctx, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
			a := v.Alert.Clone()
			e, err := a.RequestAck(by, comment, false, b.clock.Now())
			return []store.Effect{{Alert: a, Events: []alert.Event{e}}}, err
		}})
		if err := errors.Join(append(errs, err)...); err != nil {
			return err
		}
		a, err := b.store.Alert(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		list = append(list, a.Object.Host+" by "+by+": "+comment)
		return err
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Sorted(slices.Values(list))
	}
}

func (b *booth) resolves() *chat.Message {
	b.t.Helper()
	m := b.Command(b.t.Context(), chat.Command{Actor: anna, Channel: "town", Word: "incident", Text: "resolve #1"}).Reply
	if m == nil {
		b.t.Fatal("no answer")
	}
	return m
}

func TestWhoResolvesIsAskedAboutWhatStillFires(t *testing.T) {
	b := newBooth(t)
	b.want("new x")
	if m := b.resolves(); len(m.Buttons) != 0 || strings.Contains(m.Lines[1].Plain(), "firing") {
		t.Errorf("nothing fires, and yet: %+v", m)
	}
	b.want("reopen #1")
	acked := b.burns(12)
	m := b.resolves()
	text := read(chat.Answer{Reply: m})
	if len(m.Buttons) != 2 || !strings.Contains(text, "12 attached alerts still firing") || !strings.Contains(text, "web09") || strings.Contains(text, "web10") || !strings.Contains(text, "and 2 more") {
		t.Fatalf("%s %+v", text, m.Buttons)
	}
	press := func(who chat.Actor, n int) string {
		t.Helper()
		if !b.Genuine(m.Buttons[n].Token) {
			t.Error("the button is not known again")
		}
		a, ok := b.Press(t.Context(), chat.Press{Actor: who, Token: m.Buttons[n].Token})
		if !ok {
			t.Fatal("the press is not taken")
		}
		return a.Whisper
	}
	if got := press(bert, 0); got != "Somebody else was asked that, so I did nothing." {
		t.Error(got)
	}
	if got := press(anna, 1); got != "I left them as they are." || len(acked()) != 0 {
		t.Error(got, acked())
	}
	if got := press(anna, 0); !strings.HasPrefix(got, "Acknowledging 12 alerts. Their cards say so when") || len(acked()) != 12 || acked()[0] != "web00 by anna: incident #1" {
		t.Error(got, acked())
	}
	if got := press(anna, 0); !strings.HasPrefix(got, "Of the alerts attached to it none fires") || len(acked()) != 12 {
		t.Error(got)
	}
	b.clock.Advance(25 * time.Hour)
	if got := press(anna, 0); !strings.Contains(got, "grown too old") {
		t.Error(got)
	}
	b.Gate = no{}
	b.clock.Advance(-25 * time.Hour)
	if got := press(anna, 0); strings.Contains(got, "Acknowledging") || got == "" || strings.Contains(got, "none fires") {
		t.Error("who may not act: ", got)
	}
	for _, token := range []string{"", "x", m.Buttons[0].Token + "x"} {
		if _, ok := b.Press(t.Context(), chat.Press{Actor: anna, Token: token}); ok || b.Genuine(token) {
			t.Errorf("%q is taken", token)
		}
	}
}

func TestAcknowledgingByTyping(t *testing.T) {
	b := newBooth(t)
	b.want("new x")
	b.want("ack #1", "Of the alerts attached to it none fires that nobody has acknowledged. Nothing was changed.")
	acked := b.burns(2)
	b.want("ack #1 a disk  comes", "Acknowledging 2 alerts.", "#1 DOWN web00")
	if got := acked(); len(got) != 2 || !strings.Contains(got[1], "web01 by anna: a disk") {
		t.Error(got)
	}
	b.Response.AcknowledgeWith(func(context.Context, alert.ID, string, string) error { return errors.New("disk full") })
	b.want("ack #1", "none fires")
}
