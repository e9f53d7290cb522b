// SPDX-License-Identifier: Apache-2.0

package monitortest

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"belfry/alert"
	"belfry/monitor"
)

// Intake describes what a monitor decodes.
type Intake struct {
	Monitor monitor.Monitor
	// Good are bodies that are understood without a warning, by a name.
	Good map[string][]byte
	// Bad are bodies that are refused; the error holds the text.
	Bad map[string]Bad
	// Largest is the size in bytes above which a body is refused unread.
	Largest int
}

// Bad is a body that is refused.
type Bad struct {
	Body []byte
	// Says is part of the error: the field and what is right.
	Says string
}

// Decoding runs the suite for what a monitor takes in.
func Decoding(t *testing.T, in Intake) {
	const kind = "application/json"
	for name, body := range in.Good {
		t.Run("understands "+name, func(t *testing.T) {
			d, err := in.Monitor.Decode(kind+"; charset=utf-8", body)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Reports) == 0 || len(d.Warnings) > 0 {
				t.Errorf("%d reports, warnings %q", len(d.Reports), d.Warnings)
			}
			CheckReports(t, d.Reports)
		})
		t.Run("survives every cut of "+name, func(t *testing.T) {
			for i := range body {
				if d, err := in.Monitor.Decode(kind, body[:i]); err == nil && len(bytes.TrimSpace(body[i:])) > 0 {
					t.Fatalf("%d of %d bytes were understood as %d reports", i, len(body), len(d.Reports))
				}
			}
		})
		t.Run("is not JSON: "+name, func(t *testing.T) {
			_, err := in.Monitor.Decode("text/html", body)
			says(t, err, "application/json")
		})
	}
	for name, bad := range in.Bad {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := in.Monitor.Decode(kind, bad.Body)
			says(t, err, bad.Says)
		})
	}
	for name, body := range map[string]string{
		"nothing": "", "white space": " \n", "null": "null", "a number": "7", "a text": `"x"`, "no JSON": "<html>",
		"two values": "{}{}", "depth": strings.Repeat("[", 200000), "open objects": strings.Repeat(`{"a":`, 100000),
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := in.Monitor.Decode(kind, []byte(body))
			says(t, err, "")
		})
	}
	t.Run("refuses what is too large", func(t *testing.T) {
		_, err := in.Monitor.Decode(kind, bytes.Repeat([]byte(" "), in.Largest+1))
		says(t, err, "more than")
	})
}

// says checks an error's text against the rules for operator messages.
func says(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; one with %q is due", part)
	}
	if text := err.Error(); !strings.Contains(text, part) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 600 {
		t.Errorf("the error is %q, want one short line with %q", text, part)
	}
}

// CheckReports checks what must hold for whatever a decoder makes, so that
// fuzz targets can use it too.
func CheckReports(t testing.TB, reports []alert.Report) {
	t.Helper()
	for _, r := range reports {
		switch {
		case r.Kind == "":
			t.Errorf("a report without kind: %+v", r)
		case r.Object.Kind == "" || r.Object.Name() == "":
			t.Errorf("a report about nothing: %+v", r)
		case r.State == "" && r.Kind != alert.ReportCustom:
			t.Errorf("a report without state: %+v", r)
		case r.Kind == alert.ReportRecovery && r.Severity != alert.SeverityOK:
			t.Errorf("a recovery that is not ok: %+v", r)
		case r.Link != "" && !strings.HasPrefix(r.Link, "http://") && !strings.HasPrefix(r.Link, "https://"):
			t.Errorf("a link that is none: %q", r.Link)
		}
		for _, text := range []string{r.Output, r.Comment, r.Author, r.State, r.Object.Host, r.Object.Service, r.Object.Rule, r.Contact, r.Mention, r.Channel} {
			if strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }) {
				t.Errorf("a control character came through: %q", text)
			}
		}
	}
}
