// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/monitortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ear collects what an estate reports.
type ear struct {
	mu   sync.Mutex
	all  []alert.Report
	deaf bool
}

func (e *ear) deliver(_ context.Context, r []alert.Report) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		return errors.New("full")
	}
	e.all = append(e.all, r...)
	return nil
}

func (e *ear) heard() []alert.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

func (e *ear) problems() []alert.Report {
	return slices.DeleteFunc(e.heard(), func(r alert.Report) bool { return r.Kind != alert.ReportProblem })
}

// run lets an estate live until the test ends.
func run(t *testing.T, e *Estate, to *ear) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := e.Run(ctx, to.deliver); !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	}()
	return func() { cancel(); <-done }
}

func TestContract(t *testing.T) {
	monitortest.Commands(t, func(t *testing.T) monitortest.System {
		e, to := New(Options{Seed: 1, Pace: time.Hour, Delay: time.Millisecond}), &ear{}
		t.Cleanup(run(t, e, to))
		for len(to.problems()) < 2 {
			time.Sleep(5 * time.Millisecond)
		}
		bad, well := to.problems()[0].Object, alert.Object{}
		for _, x := range e.things {
			if x.ok() {
				well = x.object
			}
		}
		return monitortest.System{
			Monitor: e, Problem: bad, Fine: well, Unknown: alert.Object{Kind: alert.KindHost, Host: "nosuch"},
			Acknowledged: func() (string, string, bool) {
				e.mu.Lock()
				defer e.mu.Unlock()
				x, _ := e.find(bad)
				return x.author, x.comment, x.acked
			},
			Heard: to.heard,
		}
	})
}

// An hour of the demo, told to the rules that the desk goes by: two problems in
// the first second, never more than six, and all of it makes sense.
func TestAnHour(t *testing.T) {
	stories := map[uint64]string{}
	for _, seed := range []uint64{1, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			e, to := New(Options{Seed: seed}), &ear{}
			stop := run(t, e, to)
			defer stop()
			time.Sleep(time.Second)
			synctest.Wait()
			if n := len(to.problems()); n != 2 {
				t.Errorf("%d problems in the first second, want 2", n)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			story := follow(t, to.heard())
			if known, ok := stories[seed]; ok && known != story {
				t.Error("the same seed told another story")
			}
			stories[seed] = story
		})
	}
	if stories[1] == stories[2] {
		t.Error("another seed told the same story")
	}
}

// follow applies reports as the desk would and returns them in short.
func follow(t *testing.T, reports []alert.Report) string {
	t.Helper()
	monitortest.CheckReports(t, reports)
	open, most, ends, worse := map[alert.Fingerprint]*alert.Alert{}, 0, 0, 0
	var story strings.Builder
	for _, r := range reports {
		story.WriteString(string(r.Kind) + " " + r.Object.Name() + " " + r.State + "\n")
		fp := r.Object.Fingerprint()
		for _, a := range alert.Apply("demo", open[fp], nil, r, r.At).Alerts {
			switch {
			case a.Status == alert.Resolved:
				if a.State == "superseded" {
					t.Errorf("%s: its recovery was not reported", a.Name())
				}
				ends++
				delete(open, fp)
			case open[fp] != nil:
				worse++
			default:
				open[fp] = a
			}
		}
		most = max(most, len(open))
	}
	if most > mostOpen || most < 3 {
		t.Errorf("at most %d problems were open at a time", most)
	}
	if ends < 50 || worse < 5 {
		t.Errorf("in an hour %d ended and %d got worse", ends, worse)
	}
	return story.String()
}

func TestWhatIsNotTakenIsReportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, to := New(Options{Seed: 3}), &ear{deaf: true}
		stop := run(t, e, to)
		defer stop()
		time.Sleep(time.Minute)
		to.mu.Lock()
		to.deaf = false
		to.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		all := to.heard()
		follow := map[string]int{}
		for i, r := range all {
			follow[r.Intake]++
			if i > 0 && r.At.Before(all[i-1].At) {
				t.Error("out of order")
			}
		}
		if len(to.problems()) < 3 || len(follow) != len(all) || !all[0].Repeated {
			t.Errorf("%d problems, %d reports with %d ids, the first marked as repeated: %v", len(to.problems()), len(all), len(follow), all[0].Repeated)
		}
	})
}

func TestAnAcknowledgementLastsUntilRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, to := New(Options{Seed: 4}), &ear{}
		stop := run(t, e, to)
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		bad := to.problems()[0].Object
		began := time.Now()
		if r, err := e.Acknowledge(t.Context(), monitor.Acknowledgement{Object: bad, Author: "ann"}); err != nil || !r.Confirmed {
			t.Fatal(r, err)
		}
		if took := time.Since(began); took != 700*time.Millisecond {
			t.Errorf("confirmed after %v: nobody would see that it is on its way", took)
		}
		for {
			st, err := e.Status(t.Context(), []alert.Object{bad})
			if err != nil {
				t.Fatal(err)
			}
			if st[0].OK {
				break
			}
			if !st[0].Acknowledged || st[0].Author != "ann" {
				t.Fatalf("the acknowledgement is lost while the problem lasts: %+v", st[0])
			}
			time.Sleep(time.Second)
		}
		_, err := e.Acknowledge(t.Context(), monitor.Acknowledgement{Object: bad, Author: "ann"})
		if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "nothing to acknowledge") {
			t.Errorf("acknowledging what is well: %v", err)
		}
	})
}

func TestADowntimeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, to := New(Options{Seed: 5}), &ear{}
		stop := run(t, e, to)
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		bad, now := to.problems()[0].Object, time.Now()
		if _, err := e.Downtime(t.Context(), monitor.Downtime{Object: bad, Author: "ann", Comment: "disks", Start: now, End: now.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		var kinds []alert.ReportKind
		for _, r := range to.heard() {
			if r.Object == bad && (r.Kind == alert.ReportDowntime || r.Kind == alert.ReportDowntimeEnd) {
				kinds = append(kinds, r.Kind)
			}
		}
		if !slices.Equal(kinds, []alert.ReportKind{alert.ReportDowntime, alert.ReportDowntimeEnd}) {
			t.Errorf("heard %v", kinds)
		}
	})
}
