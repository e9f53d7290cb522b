// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func roomCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"a message is posted once, changed and deleted": roomMessage,
		"pages and threads":                             roomPages,
		"many posts of one key make one message":        roomOnce,
		"a channel is made once, by its key":            roomOpened,
		"a private channel is its members'":             roomPrivate,
		"what stands above a channel":                   roomAbove,
		"an archived channel takes nothing":             roomArchived,
	}
}

func roomMessage(t *testing.T, w *world) {
	posted, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "town", Key: "k1", Thread: 7, Body: json.RawMessage(`{"title":"x"}`)})
	want := store.RoomMessage{ID: posted.ID, Channel: "town", Key: "k1", Thread: 7, Body: json.RawMessage(`{"title":"x"}`), Version: 1, CreatedAt: day(), UpdatedAt: day()}
	if diff := cmp.Diff(want, posted); err != nil || diff != "" || posted.ID == 0 {
		t.Fatalf("posted: %v\n%s", err, diff)
	}
	again, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "ops", Key: "k1", Body: json.RawMessage(`{}`)})
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Errorf("posted again: %v\n%s", err, diff)
	}
	w.clock.Advance(time.Second)
	changed, err := w.RoomUpdate(w.ctx, posted.ID, json.RawMessage(`{"title":"y"}`))
	want.Body, want.Version, want.UpdatedAt = json.RawMessage(`{"title":"y"}`), 2, w.clock.Now()
	if diff := cmp.Diff(want, changed); err != nil || diff != "" {
		t.Errorf("changed: %v\n%s", err, diff)
	}
	found, ok, err := w.RoomFind(w.ctx, "town", "k1")
	if diff := cmp.Diff(want, found); !ok || err != nil || diff != "" {
		t.Errorf("found: %v, %v\n%s", ok, err, diff)
	}
	if _, ok, err := w.RoomFind(w.ctx, "ops", "k1"); ok || err != nil {
		t.Errorf("found in another channel: %v, %v", ok, err)
	}
	if err := w.RoomDelete(w.ctx, posted.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := w.RoomMessage(w.ctx, posted.ID); err != nil || !got.Deleted || got.Version != 3 {
		t.Errorf("deleted: %+v, %v", got, err)
	}
	if _, err := w.RoomUpdate(w.ctx, posted.ID, json.RawMessage(`{}`)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("change after delete: %v", err)
	}
	if err := w.RoomDelete(w.ctx, posted.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("delete after delete: %v", err)
	}
	if _, err := w.RoomMessage(w.ctx, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func roomPages(t *testing.T, w *world) {
	var ids []alert.ID
	post := func(channel string, thread alert.ID) alert.ID {
		m, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: channel, Key: fmt.Sprint("k", len(ids)), Thread: thread, Body: json.RawMessage(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
		return m.ID
	}
	list := func(list []store.RoomMessage, err error) []alert.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var got []alert.ID
		for _, m := range list {
			got = append(got, m.ID)
		}
		return got
	}
	a, b, c := post("town", 0), post("town", 0), post("town", 0)
	x, y, z := post("town", a), post("town", b), post("town", a)
	o := post("ops", 0)
	check := func(what string, want, got []alert.ID) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("first page", []alert.ID{c, b}, list(w.RoomMessages(w.ctx, "town", 0, 2)))
	check("second page", []alert.ID{a}, list(w.RoomMessages(w.ctx, "town", b, 2)))
	check("other channel", []alert.ID{o}, list(w.RoomMessages(w.ctx, "ops", 0, 0)))
	check("thread", []alert.ID{x, z}, list(w.RoomThread(w.ctx, a)))
	check("no thread", nil, list(w.RoomThread(w.ctx, 0)))
	threads, err := w.RoomThreads(w.ctx, a, b, c)
	check("threads", []alert.ID{x, z}, list(threads[a], err))
	check("threads", []alert.ID{y}, list(threads[b], err))
	if err := errors.Join(w.RoomDelete(w.ctx, b), w.RoomDelete(w.ctx, x)); err != nil {
		t.Fatal(err)
	}
	check("without deleted", []alert.ID{c, a}, list(w.RoomMessages(w.ctx, "town", 0, 0)))
	check("without deleted", []alert.ID{z}, list(w.RoomThread(w.ctx, a)))
	channels, err := w.RoomChannels(w.ctx)
	if diff := cmp.Diff([]string{"ops", "town"}, channels); err != nil || diff != "" {
		t.Errorf("channels: %v\n%s", err, diff)
	}
}

func roomOnce(t *testing.T, w *world) {
	var wait sync.WaitGroup
	ids := make([]alert.ID, 20)
	for i := range ids {
		wait.Go(func() {
			m, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "town", Key: "k", Body: json.RawMessage(`{}`)})
			if err != nil {
				t.Error(err)
			}
			ids[i] = m.ID
		})
	}
	wait.Wait()
	for _, id := range ids {
		if id != ids[0] || id == 0 {
			t.Errorf("ids: %v", ids)
			break
		}
	}
}
