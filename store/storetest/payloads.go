// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/store"
)

func payloadCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"a payload comes back whole":          payloadComesBack,
		"the oldest of a source make room":    payloadsBounded,
		"a payload is blamed anew and goes":   payloadChanges,
		"texts are made fit, bodies bounded":  payloadFits,
		"ids grow on after a restart as well": payloadIDs,
	}
}

func payloadComesBack(t *testing.T, w *world) {
	body := []byte("\x00\xff{\"a\":1}\r\n")
	kept, dropped, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma", ContentType: "application/json", Fault: "a is a number", Body: body})
	if err != nil || dropped != 0 {
		t.Fatal(dropped, err)
	}
	want := store.Payload{ID: kept.ID, Source: "kuma", ReceivedAt: day(), ContentType: "application/json", Fault: "a is a number", Size: len(body), Body: body}
	got, err := w.Payload(w.ctx, kept.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	want.Body = nil
	list, err := w.Payloads(w.ctx, 0)
	if diff := cmp.Diff([]store.Payload{want}, list); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := w.Payload(w.ctx, kept.ID+1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func payloadsBounded(t *testing.T, w *world) {
	keep := func(source string) (store.Payload, int) {
		p, dropped, err := w.KeepPayload(w.ctx, store.Payload{Source: source, Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		return p, dropped
	}
	other, _ := keep("other")
	first, _ := keep("kuma")
	for range store.MaxPayloads - 1 {
		if _, dropped := keep("kuma"); dropped != 0 {
			t.Fatal("dropped too soon")
		}
	}
	if _, dropped := keep("kuma"); dropped != 1 {
		t.Errorf("%d dropped", dropped)
	}
	if _, err := w.Payload(w.ctx, first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the oldest is still there: %v", err)
	}
	if _, err := w.Payload(w.ctx, other.ID); err != nil {
		t.Errorf("another source's is gone: %v", err)
	}
	if list, err := w.Payloads(w.ctx, 7); err != nil || len(list) != 7 || list[0].ID < list[6].ID {
		t.Errorf("%d listed, %v", len(list), err)
	}
}

func payloadChanges(t *testing.T, w *world) {
	p, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma", Fault: "old", Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.BlamePayload(w.ctx, p.ID, "new"); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Payload(w.ctx, p.ID); err != nil || got.Fault != "new" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := w.DropPayload(w.ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{w.DropPayload(w.ctx, p.ID), w.BlamePayload(w.ctx, p.ID, "x")} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("one that is gone: %v", err)
		}
	}
}

func payloadFits(t *testing.T, w *world) {
	p, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma", ContentType: "a\x00\xff", Fault: strings.Repeat("ü", 1000), Body: bytes.Repeat([]byte{0}, store.MaxPayload)})
	if err != nil || p.ContentType != "a\ufffd\ufffd" || len(p.Fault) > 1024 {
		t.Errorf("%q, %d, %v", p.ContentType, len(p.Fault), err)
	}
	if _, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma", Body: make([]byte, store.MaxPayload+1)}); err == nil {
		t.Error("a body that is too large was kept")
	}
}

func payloadIDs(t *testing.T, w *world) {
	before, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma"})
	if err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	after, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "kuma"})
	if err != nil || after.ID <= before.ID {
		t.Errorf("%d after %d, %v", after.ID, before.ID, err)
	}
}
