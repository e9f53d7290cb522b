// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"belfry/clock"
	"belfry/monitor/notification"
)

func TestWhatWaitsInTheSpoolIsSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	env := func(name string) string { return map[string]string{"BELFRY_SPOOL": dir}[name] }
	none := filepath.Join(t.TempDir(), "no.conf")
	if got, err := Waiting(env, none); err != nil || got != (Spooled{Dir: dir}) {
		t.Fatalf("an empty one: %+v, %v", got, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("looking made the directory")
	}
	s, err := openSpool(dir, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	before := time.Now().Add(-time.Second)
	for _, id := range []string{"a", "b"} {
		if _, err := s.add(notification.Notification{ID: id, SentAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.reject(notification.Notification{ID: "c"}, errors.New("no such source")); err != nil {
		t.Fatal(err)
	}
	got, err := Waiting(env, none)
	if err != nil || got.Waiting != 2 || got.Rejected != 1 || got.Since.Before(before) || got.Since.After(time.Now()) {
		t.Errorf("%+v, %v", got, err)
	}
	// The file of settings names it, too.
	conf := filepath.Join(t.TempDir(), "notify.conf")
	if err := os.WriteFile(conf, []byte("spool = "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Waiting(func(string) string { return "" }, conf); err != nil || got.Waiting != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
