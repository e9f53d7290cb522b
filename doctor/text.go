// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for a terminal: a heading for each subject, a
// line for each finding, its remedy below, and the sum at the end. Without all
// what is well is counted and not listed.
func (r Report) WriteText(to io.Writer, all bool) error {
	w := bufio.NewWriter(to)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // Flush returns what went wrong
	subject, well := "", 0
	tail := func() {
		if well > 0 {
			say("  ok    %s looked right\n", count(well, "check"))
		}
		well = 0
	}
	for i, f := range r.Findings {
		if i == 0 || f.Subject != subject {
			tail()
			if i > 0 {
				say("\n")
			}
			subject = f.Subject
			say("%s\n", subject)
		}
		if f.Level == OK && !all {
			well++
			continue
		}
		say("  %-5s %s: %s\n", f.Level, f.Check, f.Seen)
		for line := range strings.SplitSeq(f.Remedy, "\n") {
			if line != "" {
				say("        → %s\n", line)
			}
		}
	}
	tail()
	if len(r.Findings) > 0 {
		say("\n")
	}
	say("%s\n", r.Sum())
	return w.Flush()
}

// Sum says the whole report in one line.
func (r Report) Sum() string {
	failed, warned, well := r.Count(Fail), r.Count(Warn), r.Count(OK)
	switch {
	case failed > 0:
		return fmt.Sprintf("%s, %s, %d ok", count(failed, "failure"), count(warned, "warning"), well)
	case warned > 0:
		return fmt.Sprintf("%s, %d ok", count(warned, "warning"), well)
	}
	return fmt.Sprintf("all is well (%s)", count(well, "check"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
