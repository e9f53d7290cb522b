// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"belfry/doctor"
	"belfry/doctor/doctortest"
)

var update = flag.Bool("update", false, "write what is rendered into testdata")

type examiner func(context.Context, doctor.Visit) []doctor.Finding

func (e examiner) Examine(ctx context.Context, v doctor.Visit) []doctor.Finding { return e(ctx, v) }

func finds(list ...doctor.Finding) examiner {
	return func(context.Context, doctor.Visit) []doctor.Finding { return list }
}

func TestTheReportIsWrittenForPeopleAndPrograms(t *testing.T) {
	found := doctor.Run(t.Context(), []doctor.Patient{
		{Subject: "belfry", Examiner: finds(doctor.Good("data", "/var/lib/belfry, 20 GB free"))},
		{Subject: "connection chat", Examiner: finds(
			doctor.Good("token", "@belfry"),
			doctor.Doubt("rate limit", "System Console → Environment → Rate Limiting", "%d requests per second", 10),
			doctor.Bad("channel ops", "/invite @belfry\nin the channel", "@belfry is not in it\x1b[31m\nnor \u202ein the team"),
		)},
	}, time.Minute)
	doctortest.Check(t, found)
	r := doctor.NewReport(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "1.2", found)
	if r.ExitCode() != 2 || r.Level != doctor.Fail {
		t.Errorf("level %s, exit code %d", r.Level, r.ExitCode())
	}
	var short, long bytes.Buffer
	if err := r.WriteText(&short, false); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteText(&long, true); err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "short.txt", short.Bytes())
	golden(t, "long.txt", long.Bytes())
	golden(t, "report.json", append(raw, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and look at it:\n%s", path, got)
	}
}

func TestTheExitCodeIsThatOfAPlugin(t *testing.T) {
	for want, list := range [][]doctor.Finding{
		{doctor.Good("a", "a")},
		{doctor.Good("a", "a"), doctor.Doubt("b", "do", "b")},
		{doctor.Doubt("b", "do", "b"), doctor.Bad("c", "do", "c"), doctor.Good("a", "a")},
	} {
		if got := doctor.NewReport(time.Now(), "", list).ExitCode(); got != want {
			t.Errorf("exit code %d, want %d", got, want)
		}
	}
	if got := doctor.NewReport(time.Now(), "", nil); got.ExitCode() != 0 || got.Findings == nil {
		t.Errorf("nothing found is %+v", got)
	}
}

func TestWhoHangsOrBreaksDownTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		found := doctor.Run(t.Context(), []doctor.Patient{
			{Subject: "hangs", Examiner: examiner(func(context.Context, doctor.Visit) []doctor.Finding { <-release; return nil })},
			{Subject: "breaks", Examiner: examiner(func(context.Context, doctor.Visit) []doctor.Finding { panic("no head") })},
			{Subject: "obeys", Examiner: examiner(func(ctx context.Context, _ doctor.Visit) []doctor.Finding {
				<-ctx.Done()
				return []doctor.Finding{doctor.Doubt("slow", "wait", "no answer")}
			})},
			{Subject: "well", Examiner: finds(doctor.Good("pulse", "60"))},
		}, 10*time.Second)
		want := []string{"hangs fail", "breaks fail", "obeys warn", "well ok"}
		for i, f := range found {
			if got := f.Subject + " " + string(f.Level); got != want[i] {
				t.Errorf("finding %d is %s, want %s", i, got, want[i])
			}
		}
		if len(found) != len(want) || !strings.Contains(found[1].Seen, "no head") {
			t.Errorf("found %+v", found)
		}
	})
}

func TestAProbeComesBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := doctor.NewProbes()
		p, other := all.Send(), all.Send()
		if p.Text == other.Text || len(p.Text) < 30 {
			t.Errorf("probes are %q and %q", p.Text, other.Text)
		}
		if all.Probed(p.Text+"x") || all.Probed("") || (*doctor.Probes)(nil).Probed(p.Text) {
			t.Error("an invention counts as a probe")
		}
		if p.Came(t.Context(), time.Second) {
			t.Error("it came before it was sent")
		}
		go func() { time.Sleep(time.Second); all.Probed(" " + p.Text + "\n") }()
		if !p.Came(t.Context(), 2*time.Second) || !p.Came(t.Context(), 0) {
			t.Error("it came, and nobody was told")
		}
		if all.Probed(p.Text) {
			t.Error("it came twice")
		}
		other.End()
		if all.Probed(other.Text) {
			t.Error("nobody waits for it any more")
		}
	})
}
