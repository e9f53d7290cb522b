// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	figure   string
	measured string
	// floor is what bare work of the same kind took in the same run, ratio
	// measured ÷ floor; both may be empty.
	floor, ratio string
	reach        string
	ok           bool
	// notes tell how it was measured and how much it varied.
	notes []string
}

// table prints rows, and their notes below.
func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }
	line("figure", "measured", "floor", "ratio", "reach", "")
	for i, r := range rows {
		verdict := "ok"
		if !r.ok {
			verdict = "BELOW"
		}
		mark := ""
		if len(r.notes) > 0 {
			mark = fmt.Sprintf(" [%d]", i+1)
		}
		line(r.figure+mark, r.measured, dash(r.floor), dash(r.ratio), r.reach, verdict)
	}
	_ = w.Flush() // a strings.Builder takes everything
	b.WriteByte('\n')
	for i, r := range rows {
		mark := fmt.Sprintf("[%d]", i+1)
		for _, note := range r.notes {
			b.WriteString(mark + " " + note + "\n")
			mark = strings.Repeat(" ", len(mark))
		}
	}
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// quantile returns the value below which the share q of the values lies. The
// values are sorted in place; there must be some.
func quantile[T int | float64 | time.Duration](values []T, q float64) T {
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}

func median[T int | float64 | time.Duration](values []T) T { return quantile(values, 0.5) }

// ms shows a duration in milliseconds.
func ms(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func ratio(r float64) string { return fmt.Sprintf("%.2f", r) }

// latency is two rows' worth of one: the middle and the end of a distribution.
func latency(name string, measured, floor []time.Duration, p50, p99 time.Duration, notes ...string) row {
	m50, m99 := quantile(measured, 0.50), quantile(measured, 0.99)
	f50, f99 := quantile(floor, 0.50), quantile(floor, 0.99)
	return row{
		figure:   name,
		measured: fmt.Sprintf("p50 %s, p99 %s", ms(m50), ms(m99)),
		floor:    fmt.Sprintf("p50 %s, p99 %s", ms(f50), ms(f99)),
		ratio:    ratio(float64(m50) / float64(f50)),
		reach:    fmt.Sprintf("p50 ≤ %v, p99 ≤ %v", p50, p99),
		ok:       m50 <= p50 && m99 <= p99,
		notes:    append(notes, fmt.Sprintf("%d samples, the longest %s", len(measured), ms(slices.Max(measured)))),
	}
}
