// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

// opened makes a channel.
func (w *world) opened(t *testing.T, c store.RoomChannel) store.RoomChannel {
	t.Helper()
	got, err := w.RoomOpen(w.ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// someone makes a person.
func (w *world) someone(t *testing.T, name string) alert.ID {
	t.Helper()
	p, err := w.CreatePerson(w.ctx, store.Person{Name: name, Role: store.RoleMember})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func roomOpened(t *testing.T, w *world) {
	want := store.RoomChannel{Name: "inc-1", Key: "k1", Title: "Disk full", Topic: "t", Purpose: "p", Links: json.RawMessage(`[1]`), CreatedAt: day()}
	got := w.opened(t, want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	again := w.opened(t, store.RoomChannel{Name: "other", Key: "k1"})
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("the same key: %s", diff)
	}
	if _, err := w.RoomOpen(w.ctx, store.RoomChannel{Name: "inc-1", Key: "k2"}); !errors.Is(err, store.ErrExists) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "ops", Key: "m1", Body: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RoomOpen(w.ctx, store.RoomChannel{Name: "ops", Key: "k3", Private: true}); !errors.Is(err, store.ErrExists) {
		t.Errorf("a name under which messages stand: %v", err)
	}
	for _, find := range []func() (store.RoomChannel, error){
		func() (store.RoomChannel, error) { return w.RoomChannel(w.ctx, "inc-1") },
		func() (store.RoomChannel, error) { return w.RoomChannelByKey(w.ctx, "k1") },
	} {
		if got, err := find(); err != nil || got.Name != "inc-1" || got.Key != "k1" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := w.RoomChannel(w.ctx, "ops"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a channel that nobody made: %v", err)
	}
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if got, err := w.RoomOpen(w.ctx, store.RoomChannel{Name: "inc-9", Key: "k9"}); err != nil || got.Name != "inc-9" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wait.Wait()
}

func roomPrivate(t *testing.T, w *world) {
	anna, bert := w.someone(t, "anna"), w.someone(t, "bert")
	w.opened(t, store.RoomChannel{Name: "secret", Key: "k1", Private: true})
	w.opened(t, store.RoomChannel{Name: "open", Key: "k2"})
	for range 2 {
		if err := w.RoomInvite(w.ctx, "secret", anna, anna); err != nil {
			t.Fatal(err)
		}
	}
	sees := func(person alert.ID) (names []string) {
		list, err := w.RoomChannelsOf(w.ctx, person, 10)
		if err != nil {
			t.Error(err)
		}
		for _, c := range list {
			names = append(names, c.Name)
		}
		for _, name := range []string{"open", "secret", "never made"} {
			hidden, err := w.RoomHides(w.ctx, name, person)
			if err != nil || hidden != (name == "secret" && !slices.Contains(names, name)) {
				t.Errorf("%s hidden for %d: %v, %v", name, person, hidden, err)
			}
		}
		return names
	}
	if diff := cmp.Diff([][]string{{"open", "secret"}, {"open"}, {"open"}}, [][]string{sees(anna), sees(bert), sees(0)}); diff != "" {
		t.Error(diff)
	}
	members, err := w.RoomMembers(w.ctx, "secret")
	if err != nil || len(members) != 1 || members[0].Name != "anna" {
		t.Errorf("%+v, %v", members, err)
	}
	if err := errors.Join(w.SetRole(w.ctx, bert, store.RoleAdmin), w.RemovePerson(w.ctx, anna)); err != nil {
		t.Fatal(err)
	}
	if members, err = w.RoomMembers(w.ctx, "secret"); err != nil || len(members) != 0 {
		t.Errorf("after anna was removed: %+v, %v", members, err)
	}
	if got := sees(anna); !slices.Equal(got, []string{"open"}) {
		t.Errorf("anna still sees %v", got)
	}
}

func roomAbove(t *testing.T, w *world) {
	w.opened(t, store.RoomChannel{Name: "inc-1", Key: "k1", Title: "old"})
	links := json.RawMessage(`[{"Text":"x"}]`)
	if err := errors.Join(w.RoomDescribe(w.ctx, "inc-1", "top\x00ic", "purpose"), w.RoomRetitle(w.ctx, "inc-1", "new"), w.RoomLinks(w.ctx, "inc-1", links)); err != nil {
		t.Fatal(err)
	}
	got, err := w.RoomChannel(w.ctx, "inc-1")
	if err != nil || got.Title != "new" || got.Purpose != "purpose" || string(got.Links) != string(links) || got.Topic == "" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, err := range []error{w.RoomDescribe(w.ctx, "no", "", ""), w.RoomRetitle(w.ctx, "no", ""), w.RoomLinks(w.ctx, "no", nil), w.RoomArchive(w.ctx, "no", true), w.RoomArchive(w.ctx, "no", false)} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a channel that is not there: %v", err)
		}
	}
	var ids []alert.ID
	for _, key := range []string{"a", "b", "c"} {
		m, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "inc-1", Key: key, Body: json.RawMessage(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	for _, i := range []int{2, 0, 1, 2} {
		if err := w.RoomPin(w.ctx, "inc-1", ids[i], true); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
	if err := errors.Join(w.RoomPin(w.ctx, "inc-1", ids[1], false), w.RoomPin(w.ctx, "inc-1", ids[1], false)); err != nil {
		t.Fatal(err)
	}
	pins := func() (out []alert.ID) {
		list, err := w.RoomPins(w.ctx, "inc-1")
		if err != nil {
			t.Error(err)
		}
		for _, m := range list {
			out = append(out, m.ID)
		}
		return out
	}
	if got := pins(); !slices.Equal(got, []alert.ID{ids[2], ids[0]}) {
		t.Errorf("pins %v of %v", got, ids)
	}
	if err := w.RoomDelete(w.ctx, ids[2]); err != nil {
		t.Fatal(err)
	}
	if got := pins(); !slices.Equal(got, []alert.ID{ids[0]}) {
		t.Errorf("pins %v of %v", got, ids)
	}
}

func roomArchived(t *testing.T, w *world) {
	w.opened(t, store.RoomChannel{Name: "inc-1", Key: "k1"})
	m, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "inc-1", Key: "m1", Body: json.RawMessage(`{"title":"x"}`)})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	for range 2 {
		if err := w.RoomArchive(w.ctx, "inc-1", true); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Hour)
	}
	c, err := w.RoomChannel(w.ctx, "inc-1")
	if err != nil || !c.ArchivedAt.Equal(day().Add(time.Hour)) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "inc-1", Key: "m2", Body: json.RawMessage(`{}`)}); !errors.Is(err, store.ErrArchived) {
		t.Errorf("a new message: %v", err)
	}
	if again, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "inc-1", Key: "m1", Body: json.RawMessage(`{}`)}); err != nil || again.ID != m.ID {
		t.Errorf("a message that stands already: %+v, %v", again, err)
	}
	if _, err := w.RoomUpdate(w.ctx, m.ID, json.RawMessage(`{}`)); !errors.Is(err, store.ErrArchived) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("an edit: %v", err)
	}
	if got, err := w.RoomMessages(w.ctx, "inc-1", 0, 0); err != nil || len(got) != 1 || string(got[0].Body) != `{"title":"x"}` {
		t.Errorf("what was said: %+v, %v", got, err)
	}
	for _, name := range []string{"a-1", "a-2", "a-3"} {
		w.clock.Advance(time.Hour)
		w.opened(t, store.RoomChannel{Name: name, Key: name})
		if err := w.RoomArchive(w.ctx, name, true); err != nil {
			t.Fatal(err)
		}
	}
	w.opened(t, store.RoomChannel{Name: "open", Key: "open"})
	list, err := w.RoomChannelsOf(w.ctx, 0, 2)
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	if err != nil || !slices.Equal(names, []string{"open", "a-3", "a-2"}) {
		t.Errorf("%v, %v", names, err)
	}
	if plain, err := w.RoomChannels(w.ctx); err != nil || len(plain) != 0 {
		t.Errorf("channels that Belfry did not make: %v, %v", plain, err)
	}
	if err := w.RoomArchive(w.ctx, "inc-1", false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RoomUpdate(w.ctx, m.ID, json.RawMessage(`{}`)); err != nil {
		t.Errorf("an edit after it was opened again: %v", err)
	}
}
