// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/store"
)

// TestOneChannelInTheRoomHoweverOftenItIsKilled: the built-in room has no calls
// that could go wrong; so Belfry is killed a little later after each
// declaration, in the middle of whatever it does then.
func TestOneChannelInTheRoomHoweverOftenItIsKilled(t *testing.T) {
	const rounds = 14
	d := serve(t, `
default: {channels: [room/alerts]}
incidents: {api: [{name: deploy, limit: 100}], announce: [room/incidents], channel: {on: [room]}}
`)
	for n := 1; n <= rounds; n++ {
		title := fmt.Sprintf("trouble %d", n)
		killed := make(chan struct{})
		process := d.cmd.Process
		go func() {
			time.Sleep(time.Duration(n) * 700 * time.Microsecond)
			_ = process.Kill()
			close(killed)
		}()
		d.declares(title)
		<-killed
		d.kill()
		d.start()
		if !d.declares(title) {
			t.Fatal("belfry went away")
		}
	}
	for end := time.Now().Add(15 * time.Second); ; {
		d.stop()
		missing := roomLacks(t, filepath.Join(d.dir, "data", "belfry.db"), rounds)
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(missing)
		}
		d.start()
		time.Sleep(500 * time.Millisecond)
	}
}

// roomLacks says what the room lacks of the channels of n incidents. More than
// there should be fails at once.
func roomLacks(t *testing.T, database string, n int) string {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for number := 1; number <= n; number++ {
		own := fmt.Sprintf("inc-%d-trouble-%d", number, number)
		c, err := s.RoomChannel(t.Context(), own)
		if errors.Is(err, store.ErrNotFound) {
			return own + " is not there"
		} else if err != nil {
			t.Fatal(err)
		}
		// A second one would have been made under another name.
		if _, err := s.RoomChannel(t.Context(), own+"-2"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s was made twice (%v)", own, err)
		}
		messages, err := s.RoomMessages(t.Context(), own, 0, 10)
		if err != nil || len(messages) > 1 {
			t.Fatalf("in %s stand %d messages, %v", own, len(messages), err)
		}
		pins, err := s.RoomPins(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		var links []json.RawMessage
		if len(c.Links) > 0 {
			if err := json.Unmarshal(c.Links, &links); err != nil {
				t.Fatal(err)
			}
		}
		if len(pins) != 1 || len(links) != 2 || !strings.Contains(c.Topic, fmt.Sprintf("trouble %d", number)) {
			return fmt.Sprintf("%s has %d pins, %d links, and the topic %q", own, len(pins), len(links), c.Topic)
		}
	}
	announced, err := s.RoomMessages(t.Context(), "incidents", 0, 100)
	if err != nil || len(announced) > n {
		t.Fatalf("%d are announced, %v", len(announced), err)
	}
	if len(announced) < n {
		return fmt.Sprintf("%d of %d are announced", len(announced), n)
	}
	return ""
}
