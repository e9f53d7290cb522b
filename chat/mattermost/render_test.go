// SPDX-License-Identifier: Apache-2.0

package mattermost_test

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
	"belfry/chat/mattermost"
	"belfry/fault"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden are messages whose posts stand in testdata.
var golden = map[string]chat.Message{
	"card": {
		Color: "#cc0000", Icon: "🔴", State: "CRITICAL", Title: "Disk /var on web01", Link: "https://mon.example/services/7",
		Summary: "CRITICAL: Disk /var on web01: 98 % full",
		Lines: []chat.Line{
			{{Text: "since "}, {Text: "10:04", Time: time.Date(2026, 3, 1, 10, 4, 0, 0, time.UTC)}, {Text: " · "}, {Text: "Ops", Bold: true}, {Text: " · "}, {Text: "#7", Link: "https://belfry.example/alerts/7"}},
			{{Text: "acknowledging…"}},
		},
		Output: "DISK CRITICAL - /var 98%\ninodes 12%", Cut: 4321, More: "https://belfry.example/alerts/7",
		Mentions: []string{"oncall", "here"},
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
	"hostile": {
		Color: "#cc0000", State: "@all", Title: "*x* @channel [a](https://e.example) &amp;", Summary: "@channel <!here>",
		Lines: []chat.Line{
			{{Text: "# h @channel "}, {Text: " @here ", Bold: true}, {Text: "`@all`"}},
			{{Text: "a]b[c", Link: "https://e.example/(x)?q=\"y\"&@z"}, {Text: " $x$ :tada: ~town www.e.example\nx"}},
			{{Text: "    1. one\t| a | C:\\temp\\ <b> R&D"}},
		},
		Output: "```\n@channel\n````\x1b[31m", Link: "javascript:alert(1)", Mentions: []string{"no one", "@x"},
	},
}

func TestRender(t *testing.T) {
	for name, m := range golden {
		message, props, err := mattermost.Render("https://belfry.example/chat/main", "abcdefghijklmnopqrstuvwxyz", m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"message": message, "props": props}); err != nil {
			t.Fatal(err)
		}
		// Zero width spaces are shown, so that a reviewer sees them.
		got := strings.ReplaceAll(b.String(), "\u200b", "<zero>")
		file := filepath.Join("testdata", name+".json")
		if *update {
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
	}
}

func TestRenderRefusesWhatAClickCouldNotFind(t *testing.T) {
	_, _, err := mattermost.Render("https://b.example", "k", chat.Message{Color: "#000000", Buttons: []chat.Button{{Action: "ack-now", Label: "x"}}})
	if d, _ := fault.Of(err); d != fault.Permanent {
		t.Errorf("an action with a dash is %v, %v", d, err)
	}
}

func TestSafeURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://e.example/a_b?c=d&e=%20#f":              "https://e.example/a_b?c=d&e=%20#f",
		"http://web01:8080/x(y)":                         "http://web01:8080/x%28y%29",
		"https://[fe80::1]:8443/*":                       "https://[fe80::1]:8443/%2A",
		"javascript:alert(1)":                            "",
		"https://user:pw@e.example/":                     "",
		"//e.example":                                    "",
		"ftp://e.example":                                "",
		"https://":                                       "",
		"https://:80/":                                   "",
		"https://e.example/" + strings.Repeat("x", 1000): "",
	} {
		if got := mattermost.SafeURL(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}
