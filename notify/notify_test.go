// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"belfry/notify/notifytest"

	"github.com/google/go-cmp/cmp"
)

func TestWhatTheServerDoesNotTakeIsKeptAndComesLaterInOrder(t *testing.T) {
	for _, fault := range []notifytest.Fault{"500", "503", "429", "401", "403", "404", "408", "302", notifytest.Close} {
		t.Run(string(fault), func(t *testing.T) {
			e := newEstate(t)
			e.server.Fail(fault)
			for i := range 3 {
				code, said := e.problem(fmt.Sprint("number ", i))
				if code != ExitDone || !strings.Contains(said, "kept in "+e.spool) {
					t.Fatalf("exit %d, said %q; want 0 and that it is kept", code, said)
				}
			}
			if n := e.waiting(); n != 3 {
				t.Fatalf("%d wait, want 3", n)
			}
			e.server.Fail(notifytest.None)
			if code, said := e.problem("number 3"); code != ExitDone || said != "" {
				t.Fatalf("exit %d, said %q; want 0 and nothing", code, said)
			}
			want := []string{"number 0", "number 1", "number 2", "number 3"}
			if diff := cmp.Diff(want, e.outputs()); diff != "" {
				t.Error("taken, in order (-want +got):\n" + diff)
			}
			if n := e.waiting(); n != 0 {
				t.Errorf("%d still wait", n)
			}
		})
	}
}

func TestWhatWasTakenWithoutAnAnswerIsNotPostedTwice(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.server.Fail(notifytest.Swallow)
	if code, said := e.problem("swallowed"); code != ExitDone || !strings.Contains(said, "no answer") {
		t.Fatalf("exit %d, said %q", code, said)
	}
	e.server.Fail(notifytest.None)
	if code, said := e.problem("next"); code != ExitDone || said != "" {
		t.Fatalf("exit %d, said %q", code, said)
	}
	if diff := cmp.Diff([]string{"swallowed", "next"}, e.outputs()); diff != "" {
		t.Error("taken (-want +got):\n" + diff)
	}
}

func TestOnlyUnknownOutcomesAreMarkedAsRepeated(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("429")
	e.problem("refused for now")
	e.server.Fail("500")
	// Both are sent together now, so of both the outcome is unknown.
	e.problem("may have been taken")
	e.server.Stop()
	e.problem("never left")
	again, err := notifytest.Start("tcp", strings.TrimPrefix(e.server.URL, "http://"), token)
	must(t, err)
	t.Cleanup(again.Stop)
	if code, _, said := e.call("--drain"); code != ExitDone {
		t.Fatal(code, said)
	}
	got := make(map[string]bool)
	for _, n := range again.Taken() {
		got[n.Output] = n.Repeated
	}
	want := map[string]bool{"refused for now": true, "may have been taken": true, "never left": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("repeated (-want +got):\n" + diff)
	}
}

func TestWhatCanNeverBeTakenIsPutAsideAndDoesNotHoldUpOthers(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("503")
	for _, text := range []string{"a", "poison 1", "b", "c", "poison 2", "d"} {
		e.problem(text)
	}
	e.server.Fail(notifytest.Picky)
	code, out, said := e.call("--drain")
	if code != ExitDone || out != "handed over 4, put aside 2, none left\n" {
		t.Errorf("exit %d, told %q, said %q", code, out, said)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, e.outputs()); diff != "" {
		t.Error("taken (-want +got):\n" + diff)
	}
	if code, said := e.problem("poison 3"); code != ExitDone || !strings.Contains(said, "never take") {
		t.Errorf("exit %d, said %q", code, said)
	}
	bodies, err := filepath.Glob(filepath.Join(e.spool, rejectedDir, "*"+suffix))
	must(t, err)
	reasons, err := filepath.Glob(filepath.Join(e.spool, rejectedDir, "*.reason"))
	must(t, err)
	if len(bodies) != 3 || len(reasons) != 3 {
		t.Fatalf("put aside: %v %v", bodies, reasons)
	}
	reason, err := os.ReadFile(reasons[0])
	must(t, err)
	if !strings.Contains(string(reason), "poison is not taken") {
		t.Errorf("reason %q", reason)
	}
	requests := e.server.Requests()
	if code, out, _ := e.call("--drain"); code != ExitDone || !strings.Contains(out, "nothing waits") || e.server.Requests() != requests {
		t.Errorf("put aside, but tried again: exit %d, %q", code, out)
	}
}

func TestWhatWasTakenOfARefusedHandOverIsNotTakenTwice(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("503")
	for _, text := range []string{"a", "b", "poison 1", "c"} {
		e.problem(text)
	}
	e.server.Fail(notifytest.Partly)
	if code, out, said := e.call("--drain"); code != ExitDone || out != "handed over 3, put aside 1, none left\n" {
		t.Errorf("exit %d, told %q, said %q", code, out, said)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, e.outputs()); diff != "" {
		t.Error("taken (-want +got):\n" + diff)
	}
}

func TestConcurrentCallsLoseNothingAndKeepTheOrderOfEachObject(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.server.Fail("503")
	e.problem("first")
	e.server.Fail(notifytest.None)
	var callers sync.WaitGroup
	for host := range 8 {
		callers.Go(func() {
			for i := range 5 {
				code, _, said := e.call("--type", "Host", "--notificationtype", "PROBLEM",
					"--hostname", fmt.Sprint("host", host), "--output", fmt.Sprint(i))
				if code != ExitDone {
					t.Errorf("exit %d, said %q", code, said)
				}
			}
		})
	}
	callers.Wait()
	if code, _, said := e.call("--drain"); code != ExitDone {
		t.Fatal(code, said)
	}
	byHost := make(map[string][]string)
	for _, n := range e.server.Taken() {
		byHost[n.HostName] = append(byHost[n.HostName], n.Output)
	}
	if len(byHost) != 9 {
		t.Errorf("hosts seen: %d, want 9", len(byHost))
	}
	for host, got := range byHost {
		if host != "web01" && !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestDrainSaysWhatIsLeft(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("503")
	e.problem("a")
	e.problem("b")
	code, out, said := e.call("--drain")
	if code != ExitLeft || !strings.Contains(out, "2 left") || !strings.Contains(said, "503") {
		t.Errorf("exit %d, told %q, said %q", code, out, said)
	}
}

func TestAWholeBacklogIsDrainedInBatches(t *testing.T) {
	e := newEstate(t)
	s, err := openSpool(e.spool, systemClock)
	must(t, err)
	defer s.close()
	const many = 2*drainBatch + 7
	for i := range many {
		n := hostProblem(fmt.Sprintf("%05d", i))
		b, err := encode(n)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(e.spool, fmt.Sprintf("%020d-%s%s", i, n.ID, suffix)), b, 0o600))
	}
	code, out, said := e.call("--drain")
	if code != ExitDone || !strings.Contains(out, fmt.Sprintf("handed over %d of %d", drainBatch, many)) {
		t.Fatalf("exit %d, told %q, said %q", code, out, said)
	}
	if got := e.outputs(); len(got) != many || !slices.IsSorted(got) {
		t.Errorf("%d taken, sorted: %v", len(got), slices.IsSorted(got))
	}
	if r := e.server.Requests(); r != 3 {
		t.Errorf("%d requests, want 3", r)
	}
}

func TestABrokenFileDoesNotHoldUpOthers(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("503")
	e.problem("fine")
	must(t, os.WriteFile(filepath.Join(e.spool, fmt.Sprintf("%020d-x%s", 1, suffix)), []byte(`{"id":"x","ou`), 0o600))
	e.server.Fail(notifytest.None)
	code, out, said := e.call("--drain")
	if code != ExitDone || !strings.Contains(out, "handed over 1, put aside 1") || !strings.Contains(said, "not a notification") {
		t.Errorf("exit %d, told %q, said %q", code, out, said)
	}
}

func TestWithoutASpoolTheServerIsStillTried(t *testing.T) {
	e := newEstate(t)
	e.env["BELFRY_SPOOL"] = filepath.Join(e.token, "in-a-file")
	if code, said := e.problem("gets through"); code != ExitDone || !strings.Contains(said, "could not have been kept") {
		t.Errorf("exit %d, said %q", code, said)
	}
	e.server.Fail("503")
	code, said := e.problem("does not")
	if code != ExitLost || !strings.Contains(said, "lost: ") || !strings.Contains(said, "install -d") {
		t.Errorf("exit %d, said %q", code, said)
	}
	if diff := cmp.Diff([]string{"gets through"}, e.outputs()); diff != "" {
		t.Error(diff)
	}
}

func TestTheSpoolIsReadableByNobodyElse(t *testing.T) {
	e := newEstate(t)
	e.server.Fail("503")
	e.problem("secret")
	info, err := os.Stat(e.spool)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v", info.Mode())
	}
	files, err := os.ReadDir(e.spool)
	must(t, err)
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", f.Name(), info.Mode())
		}
	}
	must(t, os.Chmod(e.spool, 0o777))
	if code, said := e.problem("lost"); code != ExitLost || !strings.Contains(said, "others may write") {
		t.Errorf("exit %d, said %q", code, said)
	}
}

func TestNoSecretIsToldWhenTheTokenIsWrong(t *testing.T) {
	e := newEstate(t)
	must(t, os.WriteFile(e.token, []byte("wrong-and-secret"), 0o600))
	_, said := e.problem("x")
	if strings.Contains(said, "wrong-and-secret") || !strings.Contains(said, e.token) {
		t.Errorf("said %q; want the file's name and not the token", said)
	}
	b, err := json.Marshal(e.server.Taken())
	must(t, err)
	if string(b) != "null" {
		t.Errorf("taken without the right token: %s", b)
	}
}
