// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"belfry/alert"
	"belfry/store"
	"belfry/store/pgtest"
)

// childURL tells the test binary, run again, that it is the one to be killed.
const childURL = "BELFRY_STORE_CHILD"

// TestChild takes problems in and claims their cards until it is killed; it
// says what it was told is stored.
func TestChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("runs only as the child of TestWhatWasSaidToBeStoredSurvivesAKill")
	}
	s, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	say := func(word string, id any) {
		out.Lock()
		defer out.Unlock()
		fmt.Println("\n"+word, id)
	}
	var n atomic.Int64
	for range 8 {
		go func() {
			for {
				r := report(n.Add(1))
				if errs, err := s.Change(context.Background(), intake("nagios", r, "chat/town")); err == nil && errs[0] == nil {
					say("stored", r.Object.Fingerprint())
				}
			}
		}()
	}
	for {
		c, err := s.Claim(context.Background(), "chat/town", 3)
		if err != nil {
			continue
		}
		var results []store.Settlement
		for i, d := range c.Duties {
			if i == 0 {
				say("claimed", int64(d.ID))
				continue
			}
			results = append(results, store.Settlement{ID: d.ID, State: store.DutyDone, Reached: d.Wanted, Receipt: "r"})
		}
		if lost, err := s.Settle(context.Background(), c.Destination, c.Fence, results); err == nil && !lost {
			for _, x := range results {
				say("settled", int64(x.ID))
			}
		}
	}
}

func TestWhatWasSaidToBeStoredSurvivesAKill(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"SQLite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "belfry.db") },
		"Postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			address := url(t)
			said := killed(t, "TestChild", childURL+"="+address, 300)
			if len(said["stored"]) == 0 || len(said["claimed"]) == 0 || len(said["settled"]) == 0 {
				t.Fatalf("the child did not get far: %v", said)
			}
			s := opened(t, address)
			open, err := s.OpenAlerts(t.Context(), "nagios")
			if err != nil {
				t.Fatal(err)
			}
			stored := map[string]bool{}
			for _, a := range open {
				stored[string(a.Fingerprint)] = true
				if cards, err := s.Cards(t.Context(), a.ID); err != nil || len(cards) != 1 {
					t.Errorf("cards of %d: %v, %v", a.ID, cards, err)
				}
			}
			for _, f := range said["stored"] {
				if !stored[f] {
					t.Errorf("alert %s was said to be stored and is not", f)
				}
			}
			var id alert.ID
			for _, word := range said["claimed"] {
				if _, err := fmt.Sscan(word, &id); err != nil {
					t.Fatal(err)
				}
				if d, err := s.Duty(t.Context(), id); err != nil || d.State == store.DutyDue && d.UnknownSince.IsZero() {
					t.Errorf("claimed, but as if it had never been tried: %+v, %v", d, err)
				}
			}
			for _, word := range said["settled"] {
				if _, err := fmt.Sscan(word, &id); err != nil {
					t.Fatal(err)
				}
				if d, err := s.Duty(t.Context(), id); err != nil || d.State != store.DutyDone {
					t.Errorf("settled, but not done: %+v, %v", d, err)
				}
			}
		})
	}
}

// killed runs one of the tests that are to be killed, with a variable of its
// environment, and kills it once it has said so many lines of a word and the
// rest. It returns the rests by their words.
func killed(t *testing.T, test, env string, after int) map[string][]string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$") //nolint:gosec // this very program
	child.Env = append(os.Environ(), env)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		word, rest, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			continue
		}
		said[word] = append(said[word], rest)
		if n++; n == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	return said
}

// opened opens a store that is closed at the test's end.
func opened(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
