// SPDX-License-Identifier: Apache-2.0

package monitor

import (
	"fmt"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 🔥":                "plain ü 🔥",
		"a\nb\tc":                  "a\nb\tc",
		"\x00\x1b[31m\r\x7f\u0085": "[31m",
		"\xff":                     "\ufffd",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestWebLink(t *testing.T) {
	for _, good := range []string{"https://n.example/a?b=c#d", "http://[::1]:8080/"} {
		if link, ok := WebLink(good); !ok || link != good {
			t.Errorf("%s became %q, %v", good, link, ok)
		}
	}
	for _, bad := range []string{"", "javascript:alert(1)", "//n.example", "ftp://n.example", "https://", "https://a\nb", "data:text/html,x", "%zz"} {
		if link, ok := WebLink(bad); ok || link != "" {
			t.Errorf("%q is taken for a link: %q", bad, link)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for _, good := range []string{"", "application/json", "Application/JSON; charset=utf-8"} {
		if err := CheckJSON(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"text/plain", "application/x-www-form-urlencoded", ";", "application/json2"} {
		if err := CheckJSON(bad); err == nil || !strings.Contains(err.Error(), "send application/json") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWarningsAreBounded(t *testing.T) {
	var d Decoded
	for i := range 3 * maxWarnings {
		d.Warn("%s", "twice")
		d.Warn("%s", fmt.Sprint(i))
	}
	if len(d.Warnings) != maxWarnings || d.Warnings[0] != "twice" || d.Warnings[1] != "0" {
		t.Errorf("%d warnings: %q", len(d.Warnings), d.Warnings)
	}
	if q := Quote(strings.Repeat("ü\n", 100)); len(q) > 100 || strings.Contains(q, "\n") {
		t.Errorf("quoted as %s", q)
	}
}
