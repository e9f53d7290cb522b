// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"belfry/notify/notifytest"
)

// TestKilledCallsLoseNothingThatWasPromised kills real processes at random
// moments while the server comes and goes. Calls that exited 0 arrive, once
// and in order; killed ones, which promised nothing, arrive at most once.
func TestKilledCallsLoseNothingThatWasPromised(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	faults := []notifytest.Fault{notifytest.None, "503", notifytest.Close, notifytest.None}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	promised := make(map[int]bool)
	const calls = 120
	// A call that nobody kills, for how long one takes on this machine.
	began := time.Now()
	must(t, e.process("0").Run())
	promised[0] = true
	whole := time.Since(began)
	for i := 1; i < calls; i++ {
		if i%5 == 0 {
			e.server.Fail(faults[dice.IntN(len(faults))])
		}
		cmd := e.process(strconv.Itoa(i))
		must(t, cmd.Start())
		if dice.IntN(2) == 0 {
			time.AfterFunc(time.Duration(dice.Int64N(int64(whole*5/4))), func() { _ = cmd.Process.Kill() })
		}
		promised[i] = cmd.Wait() == nil
	}
	e.server.Fail(notifytest.None)
	if code, _, said := e.call("--drain"); code != ExitDone {
		t.Fatal(code, said)
	}
	var got []int
	for _, text := range e.outputs() {
		n, err := strconv.Atoi(text)
		must(t, err)
		got = append(got, n)
	}
	killed := 0
	for i := range calls {
		if !promised[i] {
			killed++
		} else if !slices.Contains(got, i) {
			t.Errorf("call %d exited 0 and never arrived", i)
		}
	}
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			t.Errorf("%d came after %d", got[i], got[i-1])
		}
	}
	if killed == 0 || killed == calls {
		t.Errorf("%d of %d calls were killed: nothing is shown", killed, calls)
	}
	t.Log(fmt.Sprint(killed, " killed, ", len(got), " taken"))
}
