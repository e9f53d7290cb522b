// SPDX-License-Identifier: Apache-2.0

// Package doctortest is the suite for findings: Check holds those of an
// Examiner to what every reader relies on, and Expect asks for single ones.
package doctortest

import (
	"strings"
	"testing"

	"belfry/doctor"
)

// Check wants of every finding that it names its check, says in one line what
// was seen, and has a remedy unless all is well; and that no check is named twice.
func Check(t testing.TB, list []doctor.Finding) {
	t.Helper()
	names := map[string]bool{}
	for _, f := range list {
		switch {
		case f.Check == "" || f.Seen == "":
			t.Errorf("a finding names no check or says nothing: %+v", f)
		case strings.ContainsAny(f.Seen+f.Check, "\n\r\x1b"):
			t.Errorf("%s: what was seen is more than one line: %q", f.Check, f.Seen)
		case f.Level != doctor.OK && f.Level != doctor.Warn && f.Level != doctor.Fail:
			t.Errorf("%s: there is no level %q", f.Check, f.Level)
		case (f.Level == doctor.OK) != (f.Remedy == ""):
			t.Errorf("%s: %s with the remedy %q; every finding but an ok has one", f.Check, f.Level, f.Remedy)
		case names[f.Check]:
			t.Errorf("the check %q was made twice", f.Check)
		}
		names[f.Check] = true
	}
}

// Find returns the finding of a check; without one the test ends.
func Find(t testing.TB, list []doctor.Finding, check string) doctor.Finding {
	t.Helper()
	for _, f := range list {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("there is no finding %q among\n%s", check, Text(list))
	return doctor.Finding{}
}

// Expect wants a check to come to a level, with these texts in what was seen
// or its remedy.
func Expect(t testing.TB, list []doctor.Finding, check string, level doctor.Level, texts ...string) {
	t.Helper()
	f := Find(t, list, check)
	if f.Level != level {
		t.Errorf("%s is %s, want %s: %s → %s", check, f.Level, level, f.Seen, f.Remedy)
	}
	for _, text := range texts {
		if !strings.Contains(f.Seen+"\n"+f.Remedy, text) {
			t.Errorf("%s doesn't say %q:\n%s\n→ %s", check, text, f.Seen, f.Remedy)
		}
	}
}

// Only wants every other check than those named to be well.
func Only(t testing.TB, list []doctor.Finding, but ...string) {
	t.Helper()
	for _, f := range list {
		named := false
		for _, name := range but {
			named = named || name == f.Check
		}
		if f.Level != doctor.OK && !named {
			t.Errorf("%s is %s: %s → %s", f.Check, f.Level, f.Seen, f.Remedy)
		}
	}
}

// Text is the findings as people read them.
func Text(list []doctor.Finding) string {
	var b strings.Builder
	_ = doctor.Report{Findings: list}.WriteText(&b, true) // a builder takes everything
	return b.String()
}
