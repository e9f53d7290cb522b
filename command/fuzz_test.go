// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
)

// FuzzCommand: whatever is typed gets an answer, and only lines that begin with
// an act's word change anything.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"", "ack 1", "ack web01/disk x", "unack #1", "downtime 1 2h", "check 1", `mute host="x" 2h`, "mute list", "unmute 1", "whoami",
		"connect", "help ack", "status web01", `problems severity=~"c.*"`, "problems {", "ack \xff", "ack “1” «x»", "mute a=~\"(((((\" 2h", "status a/b/c", "\u202e"} {
		f.Add(s)
	}
	b := newBooth(f)
	b.estate()
	f.Fuzz(func(t *testing.T, line string) {
		b.t = t
		before := b.alert(1).Revision
		a := b.Command(t.Context(), chat.Command{Actor: alice, Text: line})
		if a.Whisper == "" && a.Reply == nil || len(read(a)) > 64<<10 {
			t.Fatalf("%q is answered %+v", line, a)
		}
		if a.Reply != nil && len(a.Reply.Mentions)+len(a.Reply.Buttons) > 0 {
			t.Errorf("%q rings or can be pressed: %+v", line, a.Reply)
		}
		first := strings.ToLower(line)
		if b.alert(1).Revision != before && !strings.Contains(first, "ack") && !strings.Contains(first, "downtime") && !strings.Contains(first, "dt") && !strings.Contains(first, "maintenance") {
			t.Errorf("%q changed the alert: %+v", line, b.alert(1))
		}
	})
}

// BenchmarkWithTenThousandOpenAlerts shows how long answers take.
func BenchmarkWithTenThousandOpenAlerts(b *testing.B) {
	o := newBooth(b)
	var reports []alert.Report
	for i := range 10_000 {
		reports = append(reports, service("host-"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strconv.Itoa(i), "Disk /var"))
		if len(reports) == 500 {
			o.report("nagios", reports...)
			reports = nil
		}
	}
	o.types("problems")
	for _, line := range []string{"problems", `problems severity="critical", host=~".*99.*"`, "problems disk", "status", "ack 4711 on it", "ack host-c2/disk", "whoami", "status nosuch"} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				if i%3 == 0 {
					b.StopTimer()
					o.report("nagios", host("new"+strconv.Itoa(i%50)))
					b.StartTimer()
				}
				began := time.Now()
				o.types(line)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
		})
	}
}
