// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"belfry/alert"
	"belfry/clock"
	"belfry/store"
)

// report returns what a monitoring system says of the i-th service.
func report(i int64) alert.Report {
	return alert.Report{
		Kind: alert.ReportProblem, Intake: fmt.Sprintf("intake-%d", i), State: "CRITICAL", Severity: alert.SeverityCritical,
		Object:    alert.Object{Kind: alert.KindService, Host: fmt.Sprintf("host-%d", i%1000), Service: fmt.Sprintf("service-%d", i), Address: "192.0.2.7"},
		Labels:    alert.Labels{"team": "web", "site": "north", "env": "production"},
		Output:    "DISK CRITICAL - free space: /var 1203 MB (3% inode=87%);",
		Link:      "https://monitor.example/service/4711",
		ProblemID: fmt.Sprint(i), Contact: "oncall",
	}
}

// intake is the change that a new problem makes.
func intake(source string, r alert.Report, destination string) store.Change {
	return store.Change{Source: source, Fingerprint: r.Object.Fingerprint(), Apply: func(v store.View) ([]store.Effect, error) {
		applied := alert.Apply(source, v.Open[alert.TopicProblem], nil, r, clock.System{}.Now())
		var effects []store.Effect
		for i, a := range applied.Alerts {
			e := store.Effect{Alert: a, Events: applied.Events[i], Stale: true, Priority: int(a.Severity)}
			if a.ID == 0 {
				a.Cards = []string{destination}
				e.NewCards = []string{destination}
			}
			effects = append(effects, e)
		}
		return effects, nil
	}}
}

// cpu reports the processor time of the whole process for one operation, which
// a busy machine disturbs less than the time on the clock.
func cpu(b *testing.B) func() {
	b.Helper()
	spent := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := spent()
	b.ResetTimer()
	return func() {
		b.ReportMetric(float64((spent()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	}
}

func openBench(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "belfry.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// BenchmarkIntake stores new problems, each an alert, an event and a card, from
// 64 goroutines.
func BenchmarkIntake(b *testing.B) {
	s := openBench(b)
	var n atomic.Int64
	b.SetParallelism(32)
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			errs, err := s.Change(context.Background(), intake("nagios", report(i), fmt.Sprintf("town/c%d", i%10)))
			if err != nil || errs[0] != nil {
				b.Error(err, errs)
				return
			}
		}
	})
}

// BenchmarkBareInsert is what Intake is measured against: the same report in
// one row of one table, through the same grouping.
func BenchmarkBareInsert(b *testing.B) {
	s := openBench(b)
	var n atomic.Int64
	b.SetParallelism(32)
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body, err := json.Marshal(report(i))
			if err == nil {
				err = s.SetSetting(context.Background(), fmt.Sprintf("%020d", i), string(body))
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkCards stores new problems and carries their cards out, over 50
// channels, with a sender that does nothing.
func BenchmarkCards(b *testing.B) {
	s := openBench(b)
	ctx := context.Background()
	for i := 0; i < b.N; i += 500 {
		var changes []store.Change
		for j := i; j < min(i+500, b.N); j++ {
			changes = append(changes, intake("nagios", report(int64(j)), fmt.Sprintf("town/c%d", j%50)))
		}
		if _, err := s.Change(ctx, changes...); err != nil {
			b.Fatal(err)
		}
	}
	defer cpu(b)()
	done := make(chan int)
	for c := range 50 {
		go func() {
			sent := 0
			defer func() { done <- sent }()
			for {
				claim, err := s.Claim(ctx, fmt.Sprintf("town/c%d", c), 32)
				if err != nil || len(claim.Duties) == 0 {
					return
				}
				var results []store.Settlement
				for _, d := range claim.Duties {
					results = append(results, store.Settlement{ID: d.ID, State: store.DutyDone, Reached: d.Wanted, Receipt: strings.Repeat("r", 53)})
				}
				if lost, err := s.Settle(ctx, claim.Destination, claim.Fence, results); err != nil || lost {
					return
				}
				sent += len(results)
			}
		}()
	}
	sent := 0
	for range 50 {
		sent += <-done
	}
	if sent != b.N {
		b.Fatalf("sent %d of %d", sent, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cards/s")
}
