// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/fault"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden are messages whose Block Kit stands in testdata.
var golden = map[string]chat.Message{
	"card": {
		Color: "#cc0000", Icon: "🔴", State: "CRITICAL", Title: "Disk /var on web01", Link: "https://mon.example/services/7",
		Summary: "CRITICAL: Disk /var on web01: 98 % full",
		Lines: []chat.Line{
			{{Text: "since "}, {Text: "10:04", Time: time.Date(2026, 3, 1, 10, 4, 0, 0, time.UTC)}, {Text: " · "}, {Text: "Ops", Bold: true}, {Text: " · "}, {Text: "#7", Link: "https://belfry.example/alerts/7"}},
			{{Text: "acknowledging…"}},
		},
		Output: "DISK CRITICAL - /var 98%\ninodes 12%", Cut: 4321, More: "https://belfry.example/alerts/7",
		Mentions: []string{"alice", "oncall", "here", "nobody-known"},
		Buttons: []chat.Button{
			{Action: "ack", Label: "Acknowledge", Style: chat.StylePrimary, Token: "claim.mac"},
			{Action: "ackComment", Label: "Acknowledge with comment…", Token: "claim.mac2"},
		},
	},
	"recovered": {
		Color: "#00cc00", Icon: "✅", State: "OK", Title: "Disk /var on web01", Summary: "OK: Disk /var on web01",
		Lines: []chat.Line{{{Text: "resolved at 10:11 after 7 min"}}}, Output: "DISK OK",
	},
	"note": {
		Summary: "alice acknowledged: on it", Icon: "✋",
		Lines: []chat.Line{{{Text: "alice", Bold: true}, {Text: " acknowledged: on it, see snake_case & @bob"}}},
	},
	"table": {
		Summary: "2 problems",
		Lines:   []chat.Line{{{Text: "2 problems"}}},
		Table: &chat.Table{Head: []string{"#", "What", "Since"}, More: 3, Rows: [][]chat.Line{
			{{{Text: "#42", Link: "https://belfry.example/alerts/7"}}, {{Text: "Disk /var | web01"}}, {{Text: "10:04", Bold: true}}},
			{{{Text: "#43"}}, {{Text: "<!here> *x*"}}},
		}},
	},
	"hostile": {
		Color: "#cc0000", State: "@all", Title: "*x* <!channel> [a](https://e.example) &amp;", Summary: "@channel <!here> <@U012ABCDEF> <https://e.example|x> *b* :tada:",
		Lines: []chat.Line{
			{{Text: "> h <!here> "}, {Text: " <@U012ABCDEF> ", Bold: true}, {Text: "`@all`"}},
			{{Text: "a]b[c|d", Link: "https://e.example/(x)?q=\"y\"&@z"}, {Text: " :tada: <#C1|town> www.e.example\nx"}},
			{{Text: "    1. one\t| a | C:\\temp\\ <b> R&D"}},
		},
		Output: "```\n<!channel>\n````\x1b[31m", Link: "javascript:alert(1)", Mentions: []string{"no one", "@x", "<!here>"},
	},
}

var goldenIDs = map[string]string{"alice": "U012ABCDEF", "oncall": "S012ABCDEF"}

func TestRender(t *testing.T) {
	for name, m := range golden {
		made, err := slack.Render(m, goldenIDs)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(made); err != nil {
			t.Fatal(err)
		}
		// Zero width spaces are shown, so that a reviewer sees them.
		got := strings.NewReplacer("\u200b", "<zero>", `\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(b.String())
		file := filepath.Join("testdata", "render", name+".json")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file) //nolint:gosec // our own testdata
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		var blocks []any
		if err := json.Unmarshal(made.Blocks, &blocks); err != nil {
			t.Fatal(err)
		}
		if wrong := slacktest.CheckBlocks(blocks, 50, "/blocks"); len(wrong) != 0 {
			t.Errorf("%s: Slack would not take it: %q", name, wrong)
		}
	}
}

func TestRenderRefusesWhatSlackWould(t *testing.T) {
	for what, b := range map[string]chat.Button{
		"a token over 2000 characters": {Action: "ack", Label: "x", Token: strings.Repeat("t", 2001)},
		"an empty action":              {Label: "x", Token: "t"},
		"an action over 255":           {Action: strings.Repeat("a", 256), Label: "x", Token: "t"},
		"no label":                     {Action: "ack", Label: " ", Token: "t"},
	} {
		_, err := slack.Render(chat.Message{Color: "#000000", Title: "x", Buttons: []chat.Button{b}}, nil)
		if d, _ := fault.Of(err); d != fault.Permanent {
			t.Errorf("%s is %v, %v", what, d, err)
		}
	}
}

func TestSafeURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://e.example/a_b?c=d&e=%20#f":              "https://e.example/a_b?c=d&e=%20#f",
		"http://web01:8080/x(y)":                         "http://web01:8080/x(y)",
		"https://e.example/a|b>c":                        "https://e.example/a%7Cb%3Ec",
		"https://[fe80::1]:8443/*":                       "https://[fe80::1]:8443/*",
		"javascript:alert(1)":                            "",
		"https://user:pw@e.example/":                     "",
		"//e.example":                                    "",
		"ftp://e.example":                                "",
		"https://":                                       "",
		"https://:80/":                                   "",
		"https://e.example/" + strings.Repeat("x", 3000): "",
	} {
		if got := slack.SafeURL(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// BenchmarkRender measures a message's way to a method's arguments.
func BenchmarkRender(b *testing.B) {
	m := golden["card"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := slack.Render(m, goldenIDs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cards/s")
}
