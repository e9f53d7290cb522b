// SPDX-License-Identifier: Apache-2.0

package extcmd

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/fault"
)

func TestWordsStayReadable(t *testing.T) {
	for in, want := range map[string]string{
		"on it":                      "on it",
		"first\nsecond\r\n\nthird\n": "first / second / third",
		`say "yes" & it's <done>`:    "say ”yes” + it’s ‹done›",
		"a;b | c":                    "a,b / c",
		"run `id` and $(id)":         "run ’id’ and ＄(id)",
		`C:\temp\new`:                "C:/temp/new",
		"  much   space\t":           "much space",
		"ünïcödé 🔥 ok":               "ünïcödé 🔥 ok",
		"-rf":                        "–rf",
		"\x00\x07":                   "",
		"\n \n":                      "",
		"https://t.example/42?a=1":   "https://t.example/42?a=1",
	} {
		if got := Comment(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := Author(strings.Repeat("ü", 1000)); len(got) > 100 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("a long text was cut to %d bytes: %q", len(got), got)
	}
}

// Whatever people write is one line without a field's end and without anything
// that means something to a shell or a core.
func TestWordsAreHarmless(t *testing.T) {
	nasty := rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("`$\"'\\;|&<>\r\n\x00\x1b\u2028\u202e- "))), 0, 3000, -1)
	rapid.Check(t, func(t *rapid.T) {
		text := nasty.Draw(t, "text")
		for most, got := range map[int]string{maxAuthor: Author(text), maxComment: Comment(text)} {
			if strings.ContainsAny(got, "`$\"'\\;|&<>") || strings.ContainsFunc(got, unicode.IsControl) || !utf8.ValidString(got) || len(got) > most || strings.HasPrefix(got, "-") {
				t.Fatalf("%q became %q", text, got)
			}
		}
	})
}

func TestObjectsThatNoCommandCanName(t *testing.T) {
	for name, o := range map[string]alert.Object{
		"a rule": {Kind: alert.KindRule, Rule: "r"}, "nothing": {}, "no host": {Kind: alert.KindHost},
		"no service": {Kind: alert.KindService, Host: "h"}, "a field's end": {Kind: alert.KindHost, Host: "a;b"},
		"a second line": {Kind: alert.KindService, Host: "h", Service: "a\nb"}, "no text": {Kind: alert.KindHost, Host: "\xff"},
	} {
		if d, _ := fault.Of(CheckObject(o)); d != fault.Permanent {
			t.Errorf("%s: %v", name, CheckObject(o))
		}
	}
	if err := CheckObject(alert.Object{Kind: alert.KindService, Host: "web 01", Service: "Disk /var"}); err != nil {
		t.Error(err)
	}
}
