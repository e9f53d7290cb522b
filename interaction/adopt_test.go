// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat"
	"belfry/store"
)

// open is a Finder.
type open struct {
	list []*alert.Alert
	err  error
}

func (o open) Alerts(_ context.Context, f store.Filter) ([]*alert.Alert, error) {
	if f.Status != alert.Firing || f.Topic != alert.TopicProblem {
		return nil, errors.New("only open problems can be acknowledged")
	}
	return o.list, o.err
}

const (
	hostUUID    = "c36b8048-93ce-4385-ac19-ab5c90574b77"
	serviceUUID = "74fd8f59-1348-4e16-85f0-4a5c57c7dd62"
	otherUUID   = "74f14950-a58f-4f18-b6c3-5cfa9dffef4e"
)

func problems() []*alert.Alert {
	return []*alert.Alert{
		{ID: 1, Object: alert.Object{Kind: alert.KindHost, Host: hostUUID, HostDisplay: "web01"}},
		{ID: 2, Object: alert.Object{Kind: alert.KindService, Host: hostUUID, HostDisplay: "web01", Service: serviceUUID, ServiceDisplay: "Ping"}},
		{ID: 3, Object: alert.Object{Kind: alert.KindService, Host: otherUUID, HostDisplay: "web02", Service: "a2-service", ServiceDisplay: "Ping"}},
		{ID: 4, Object: alert.Object{Kind: alert.KindRule, Rule: "web01"}},
	}
}

func TestAForeignCardFindsItsAlert(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		want  []string
	}{
		"a service by UUIDs":      {[]string{"ack", serviceUUID, hostUUID}, []string{"ack 2 gen -1 by alice: "}},
		"a host by UUID":          {[]string{"x", hostUUID}, []string{"ack 1 gen -1 by alice: "}},
		"a service by its names":  {[]string{"PROBLEM", "ping", "on", "WEB02"}, []string{"ack 3 gen -1 by alice: "}},
		"a service of nowhere":    {[]string{"Ping"}, nil},
		"nothing known":           {[]string{"db07", otherUUID}, nil},
		"no words at all":         {nil, nil},
		"two services":            {[]string{"Ping", "web01", "web02"}, nil},
		"an empty word":           {[]string{""}, nil},
		"a rule is not found so":  {[]string{"rule"}, nil},
		"a service not open":      {[]string{"services", "CPU", "web01"}, nil},
		"another object's UUID":   {[]string{"11111111-2222-3333-4444-555555555555", hostUUID}, nil},
		"half a name":             {[]string{"web0"}, nil},
		"a service and its host":  {[]string{"web01", "Ping"}, []string{"ack 2 gen -1 by alice: "}},
		"UUIDs in other capitals": {[]string{"C36B8048-93CE-4385-AC19-AB5C90574B77"}, []string{"ack 1 gen -1 by alice: "}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			r.TakeForeign(open{list: problems()})
			got := r.Adopt(t.Context(), chat.Foreign{Actor: alice, Names: c.names})
			if !slices.Equal(r.acts, c.want) || strings.Contains(got.Whisper, "taken as an acknowledgement of alert #") != (len(c.want) == 1) {
				t.Errorf("acts %q, said %q", r.acts, got.Whisper)
			}
		})
	}
}

// TestWhoPressesAForeignCardIsToldWhatWasTaken: the card itself shows nothing,
// and what monitoring wrote on it may name something else.
func TestWhoPressesAForeignCardIsToldWhatWasTaken(t *testing.T) {
	r := newRoom(t)
	list := problems()
	list[2].Number = 42
	r.TakeForeign(open{list: list})
	got := r.Adopt(t.Context(), chat.Foreign{Actor: alice, Names: []string{"Ping", "web02"}})
	if !strings.Contains(got.Whisper, "#42") || !strings.Contains(got.Whisper, "Ping") || !strings.Contains(got.Whisper, "web02") {
		t.Errorf("told %q", got.Whisper)
	}
}

func TestAForeignCardPassesTheGate(t *testing.T) {
	r := newRoom(t)
	r.TakeForeign(open{list: problems()})
	r.SetGate(&closed{})
	if got := r.Adopt(t.Context(), chat.Foreign{Actor: alice, Names: []string{hostUUID}}); got.Whisper != "not you" || len(r.acts) > 0 {
		t.Errorf("%+v, %q", got, r.acts)
	}
}

func TestForeignCardsWithoutAStore(t *testing.T) {
	r := newRoom(t)
	if got := r.Adopt(t.Context(), chat.Foreign{Actor: alice, Names: []string{hostUUID}}); got.Whisper != sayForged {
		t.Errorf("%+v", got)
	}
	r.TakeForeign(open{err: errors.New("the disk is full")})
	if got := r.Adopt(t.Context(), chat.Foreign{Actor: alice, Names: []string{hostUUID}}); got.Whisper != sayTrouble || len(r.acts) > 0 {
		t.Errorf("%+v, %q", got, r.acts)
	}
}

// TestAWithdrawnReactionTakesBackOnlyOnesOwn: bob's ✅ that he takes away
// again leaves alice's acknowledgement alone.
func TestAWithdrawnReactionTakesBackOnlyOnesOwn(t *testing.T) {
	r := newRoom(t)
	r.TakeReactions(r)
	r.alert.Ack.By = "alice"
	bob := chat.Actor{Connection: "chat", ID: "u2", Name: "bob"}
	for _, who := range []chat.Actor{bob, alice} {
		if got := r.React(t.Context(), chat.Reaction{Actor: who, Ref: where, Act: chat.ReactUnack, Withdrawn: true}); got.Whisper != "" {
			t.Errorf("%+v", got)
		}
	}
	if want := []string{"unack 5 gen -1 by alice"}; !slices.Equal(r.acts, want) {
		t.Errorf("%q", r.acts)
	}
}
