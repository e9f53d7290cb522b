// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/clock"
	"belfry/monitor/notification"
	"belfry/notify/notifytest"

	"pgregory.net/rapid"
)

// TestSpoolKeepsOrderWhateverHappens plays random days of a core: calls with
// the server up or failing, the clock set forwards and back, calls killed
// while they write, drains. Everything that a call said it kept or handed over
// arrives once, in the order of the calls.
func TestSpoolKeepsOrderWhateverHappens(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	days := 0
	rapid.Check(t, func(t *rapid.T) {
		days++
		dir := filepath.Join(base, fmt.Sprint(days))
		server, err := notifytest.Start("tcp", "127.0.0.1:0", "")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Stop()
		now := clock.NewManual(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
		faults := []notifytest.Fault{notifytest.None, "503", "429", "401", notifytest.Close, "500"}
		var want []string
		args := func(more ...string) Call {
			return Call{Args: append([]string{"--url", server.URL, "--spool", dir}, more...),
				Getenv: func(string) string { return "" }, Stdout: new(strings.Builder), Stderr: new(strings.Builder), Clock: now}
		}
		t.Repeat(map[string]func(*rapid.T){
			"call": func(t *rapid.T) {
				now.Advance(time.Millisecond)
				text := fmt.Sprint("call ", len(want))
				c := args("--type", "Host", "--notificationtype", "PROBLEM", "--hostname", "h", "--output", text)
				if code := Run(context.Background(), c); code != ExitDone {
					t.Fatalf("exit %d: %s", code, c.Stderr)
				}
				want = append(want, text)
			},
			"server": func(t *rapid.T) { server.Fail(rapid.SampledFrom(faults).Draw(t, "fault")) },
			"clock": func(t *rapid.T) {
				hours := rapid.IntRange(-48, 48).Draw(t, "hours")
				now = clock.NewManual(now.Now().Add(time.Duration(hours) * time.Hour))
			},
			"killed while writing": func(t *rapid.T) {
				if os.MkdirAll(dir, 0o700) != nil {
					t.Fatal("no spool")
				}
				part := rapid.SampledFrom([]string{"", `{"id":"lost","notif`, `{"id":"lost","notificationtype":"PROBLEM","hostname":"h","output":"lost"}`}).Draw(t, "written")
				name := fmt.Sprintf("%s%020d-lost.json", newPrefix, now.Now().UnixNano())
				if err := os.WriteFile(filepath.Join(dir, name), []byte(part), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			"drain": func(_ *rapid.T) { Run(context.Background(), args("--drain")) },
		})
		server.Fail(notifytest.None)
		if code := Run(context.Background(), args("--drain")); code != ExitDone {
			t.Fatalf("the last drain: exit %d", code)
		}
		var got []string
		for _, n := range server.Taken() {
			got = append(got, n.Output)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("taken %q, want %q", got, want)
		}
	})
}

func TestConcurrentWritersKeepTheirPlace(t *testing.T) {
	s := newSpool(t, clock.System{})
	early, late := hostProblem("early"), hostProblem("late")
	early.SentAt = late.SentAt.Add(-time.Second)
	for _, n := range []notification.Notification{late, early} {
		_, err := s.add(n)
		must(t, err)
	}
	all, err := s.entries()
	must(t, err)
	if len(all) != 2 || !strings.Contains(string(all[0]), "early") {
		t.Errorf("order: %v; the call that began first comes first", all)
	}
}

func TestSweepTakesOnlyOldLeftOvers(t *testing.T) {
	now := clock.NewManual(time.Now())
	s := newSpool(t, now)
	left := filepath.Join(s.dir, newPrefix+"x")
	must(t, os.WriteFile(left, nil, 0o600))
	kept, err := s.add(hostProblem("kept"))
	must(t, err)
	s.sweep()
	if _, err := os.Stat(left); err != nil {
		t.Error("a file that may still be written was taken away")
	}
	now.Advance(25 * time.Hour)
	s.sweep()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left over: %v", err)
	}
	if !s.has(kept) {
		t.Error("a notification was swept away")
	}
}

func TestALinkInTheSpoolIsNotFollowed(t *testing.T) {
	e := newEstate(t)
	s := newSpoolAt(t, e.spool, clock.System{})
	must(t, os.Symlink(e.token, filepath.Join(s.dir, fmt.Sprintf("%020d-x.json", 1))))
	code, out, _ := e.call("--drain")
	if code != ExitDone || !strings.Contains(out, "nothing waits") || e.server.Requests() != 0 {
		t.Errorf("exit %d, told %q", code, out)
	}
}

func TestTheLockIsHeldByOneOnly(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	s := newSpoolAt(t, e.spool, clock.System{})
	if !s.tryLock() {
		t.Fatal("a free spool can't be locked")
	}
	code, _, said := e.call("--drain")
	if code != ExitLeft || !strings.Contains(said, "another belfry notify") {
		t.Errorf("exit %d, said %q", code, said)
	}
	if code, said := e.problem("waits"); code != ExitDone || !strings.Contains(said, "kept in") {
		t.Errorf("exit %d, said %q", code, said)
	}
	s.close()
	if code, said := e.problem("goes on"); code != ExitDone || said != "" {
		t.Errorf("exit %d, said %q", code, said)
	}
	if n := len(e.outputs()); n != 2 {
		t.Errorf("%d taken, want 2", n)
	}
}

func newSpool(t *testing.T, c clock.Clock) *spool {
	t.Helper()
	return newSpoolAt(t, filepath.Join(t.TempDir(), "spool"), c)
}

func newSpoolAt(t *testing.T, dir string, c clock.Clock) *spool {
	t.Helper()
	s, err := openSpool(dir, c)
	must(t, err)
	t.Cleanup(s.close)
	return s
}
