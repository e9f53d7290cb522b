// SPDX-License-Identifier: Apache-2.0

package typed

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "2h": 2 * time.Hour, "1d": 24 * time.Hour, "1w": 7 * 24 * time.Hour, "1h30m": 90 * time.Minute, "2 h x": 2 * time.Hour,
		"3 days": 72 * time.Hour, "5Min": 5 * time.Minute, "9999w": MaxSpan + 1, "9999w9999w9999w": MaxSpan + 1,
	} {
		if got, ok := New(text).Span(); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "2", "h", "2x", "-2h", "2h3", "12345h", "٣h", "2,5h", "2 x"} {
		w := New(text)
		if got, ok := w.Span(); ok || w.rest != New(text).rest {
			t.Errorf("%q: %v, left %q", text, got, w.rest)
		}
	}
}

func TestMatchersAndSpan(t *testing.T) {
	for text, want := range map[string][]string{
		`host="web 01" 2h why not`:         {`host="web 01"`, "2h0m0s", "why not"},
		`host = "2h", team =~ "db.*" 90m`:  {`host = "2h", team =~ "db.*"`, "1h30m0s", ""},
		"{host=“a b”,x!=\"y\"} 1 d for 2h": {"{host=“a b”,x!=\"y\"}", "24h0m0s", "for 2h"},
		"web01/disk 1w":                    {"web01/disk", "168h0m0s", ""},
		"2h":                               {"2h", "0s", ""},
		`host="web01"`:                     {`host="web01"`, "0s", ""},
		`"db 02" 2h`:                       {`"db 02"`, "2h0m0s", ""},
	} {
		w := New(text)
		matchers, d, _ := w.MatchersAndSpan()
		if got := []string{matchers, d.String(), w.rest}; !slices.Equal(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"akc": "ack", "ackn": "ack", "statsu": "status", "hlep": "help", "unakc": "unack", "mtue": "mute", "dow": "downtime", "xyzzy": "", "a": "", "": ""} {
		if got := Nearest(word, known()); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// FuzzLine: any line is read to its end, and nothing of it is lost or made up.
func FuzzLine(f *testing.F) {
	for _, s := range []string{`ack 42 on it`, `"web 01"/Disk`, "“smart” ‘quotes’ «so» „und so“", `it's "open`, "\u200b#42\u00a0x", "a=\"b c\" 2 h", "'", `""`, "\xff\x00", "```", strings.Repeat("\"a ", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		w := New(line)
		all := letters(w.rest)
		var raws strings.Builder
		for n := 0; w.rest != ""; n++ {
			if n > len(line)+1 {
				t.Fatal("it does not come to an end")
			}
			before := w.rest
			plain, raw := w.Next()
			if raw == "" || !strings.HasPrefix(before, raw) || utf8.ValidString(line) && !utf8.ValidString(plain) {
				t.Fatalf("%q: next is %q, %q", before, plain, raw)
			}
			raws.WriteString(raw)
		}
		if got := letters(raws.String()); got != all {
			t.Errorf("%q was read as %q", all, got)
		}
		w = New(line)
		if tail := w.Tail(); strings.ContainsAny(tail, "\n\t") || w.rest != "" {
			t.Errorf("the tail is %q", tail)
		}
		w = New(line)
		w.Span()
		w.MatchersAndSpan()
		Nearest(line, known())
		if d, ok := ParseSpan(line); ok && (d < 0 || d > MaxSpan+1) {
			t.Errorf("%v", d)
		}
	})
}

// letters is text without white space.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if isSpace(r) {
			return -1
		}
		return r
	}, text)
}

// known are the words of some command.
func known() []string {
	return []string{"status", "problems", "ack", "unack", "downtime", "check", "mute", "unmute", "whoami", "connect", "help"}
}
