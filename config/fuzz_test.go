// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"belfry/config"
	"belfry/route"
)

func FuzzLoad(f *testing.F) {
	f.Add([]byte(whole))
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := config.Load("f.yaml", data, kinds())
		if (file == nil) != (len(problems) > 0) {
			t.Fatalf("file %v and problems %v", file, problems)
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data)), "\n") + 2
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines || p.Text == "" || !utf8.ValidString(p.Text) || strings.Contains(p.Text, "\n") {
				t.Fatalf("problem %+v in a file of %d lines", p, lines)
			}
		}
		if file == nil {
			return
		}
		if _, err := route.New(file.Routes, file.Default); err != nil {
			t.Fatalf("a file without a fault makes no table: %v", err)
		}
		if faults := file.Server.Validate(); len(faults) > 0 {
			t.Fatalf("a file without a fault: %v", faults)
		}
		for _, s := range file.Sources {
			if n := len(s.Token.Reveal()); n > 0 && n < 16 || s.Spec == nil || !route.ValidName(s.Name) {
				t.Fatalf("source %+v", s)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, c := range map[string]struct{ text, want string }{
		"size":     {"# " + many("x", 1<<20), "more than 1048576 bytes"},
		"sources":  {"sources:\n" + many("- {name: a, kind: nagios}\n", 1001), "sources has 1001 entries, at most 1000"},
		"routes":   {"routes:\n" + many("- {match: a=b, channels: room/x}\n", 1001), "routes has 1001 entries, at most 1000"},
		"depth":    {many("[", 5000) + many("]", 5000), "deep in each other"},
		"deeper":   {many("[", 50000), "deep in each other"},
		"items":    {"connections: [{name: c, kind: mattermost, url: x, ports: [" + many("1,", 1001) + "]}]", "ports has 1001 entries"},
		"keys":     {"server: {" + many("a: b, ", 1001) + "}", "a block has 1001 keys"},
		"channels": {"default: {channels: [" + many("room/a,", 51) + "]}", "51 channels, at most 50"},
		"mentions": {"default: {channels: room/a, mentions: [" + many("a,", 11) + "]}", "11 mentions, at most 10"},
		"word":     {"server: {data: " + many("x", 70000) + "}", "longer than 65536 bytes"},
		"token":    {"sources: [{name: a, kind: nagios, token: " + many("x", 2000) + "}]", "more than 1024 characters"},
		"name":     {"routes: [{name: " + many("x", 61) + ", match: a=b, channels: room/a}]\ndefault: {channels: room/a}", "longer than 60 bytes"},
		"same token": {"sources: [{name: a, kind: nagios, token: abcdefghijklmnop}, {name: b, kind: nagios, token: abcdefghijklmnop}]",
			"source b: token: source a has the same one"},
	} {
		t.Run(name, func(t *testing.T) {
			file, problems := config.Load("f", []byte(c.text), kinds())
			if file != nil || !strings.Contains(problems.Error(), c.want) {
				t.Errorf("got %.300s\nwant it to say %s", problems.Error(), c.want)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "nothing%d: x\n", i)
	}
	_, problems := config.Load("f", []byte(text.String()), kinds())
	if lines := strings.Count(problems.Error(), "\n"); lines != 100 || !strings.HasSuffix(problems.Error(), "and 900 more") {
		t.Errorf("%d lines, ending in %.30q", lines, problems.Error()[max(0, len(problems.Error())-30):])
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1h30m": 90 * time.Minute, "15m": 15 * time.Minute,
		"500ms": 500 * time.Millisecond, "0s": 0, "1d12h": 36 * time.Hour,
	} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "h", "-5m", "1.5h", "5 m", "5y", "9999999999s", "999999999w", "1h ", "µs", "5µs"} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "ms")) * time.Millisecond
		text := strings.ReplaceAll(d.Truncate(time.Second).String(), ".0s", "s")
		if got, err := config.ParseDuration(text); err != nil || got != d.Truncate(time.Second) {
			t.Fatalf("%s: %v, %v", text, got, err)
		}
	})
}

// TestSuggestions: of the words that are near, the nearest is named; of none,
// all are.
func TestSuggestions(t *testing.T) {
	for key, want := range map[string]string{
		"sorces": `did you mean "sources"?`, "Routes": `did you mean "routes"?`, "dafault": `did you mean "default"?`,
		"conections": `did you mean "connections"?`, "sevrer": `did you mean "server"?`, "chats": "known are answers, connections, default",
	} {
		_, problems := config.Load("f", []byte(key+": {}"), kinds())
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %s, want %s", key, problems.Error(), want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, problems := config.Load("f", []byte(whole), kinds()); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
