// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
)

// hostileSeeds are texts meant to ring, link or format something.
var hostileSeeds = []string{
	"plain", "<!here>", "<!channel> <!everyone>", "<@U012ABCDEF>", "<!subteam^S012ABCDEF>", "<#C012|town>", "<https://evil.example|click>",
	"<!date^1^{date}|x>", "&lt;!here&gt;", "&amp;lt;!here>", "<<!here>>", "<!here|x", "*b* _i_ ~s~ `c`", "```\ncode\n```", "> quoted", ">>> all",
	":tada: :+1: 10:04:05 a:b:c", "https://evil.example www.evil.example mailto:a@evil.example", "a@b.example evil.example/install.sh",
	"snake_case_name 2*3*4", "@here @channel #general", "*\u200bx\u200b*", "**x**", "*_~`x`~_*", "\u2028<!here>", "x\r\n>y", "&", "&amp", "|", "^", "0 www.0",
}

// FuzzLiteral: whatever the text, as mrkdwn it reads as the text, and neither
// formats, links nor rings.
func FuzzLiteral(f *testing.F) {
	for _, seed := range hostileSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		made := slack.Literal(text)
		got := slacktest.ReadText(made)
		if len(got.Looks) > 0 || len(got.Links) > 0 || len(got.Rings) > 0 {
			t.Errorf("%q is more than text: looks %q, links %q, rings %q, as %q", text, got.Looks, got.Links, got.Rings, made)
		}
		if slacktest.Visible(got.Text) != slacktest.Visible(chat.Clean(text)) {
			t.Errorf("%q is read as %q", text, got.Text)
		}
	})
}

// FuzzMrkdwnLine: spans format and link what they say, and nothing else.
func FuzzMrkdwnLine(f *testing.F) {
	for _, seed := range hostileSeeds {
		f.Add(seed, "https://e.example/x")
	}
	f.Add("x|y", "https://e.example/a|b>c")
	f.Fuzz(func(t *testing.T, text, link string) {
		if len(text) > 500 || len(link) > 500 {
			return
		}
		made := slack.MrkdwnLine(chat.Line{{Text: text}, {Text: text, Link: link}, {Text: text, Bold: true}, {Text: text, Time: time.Unix(1700000000, 0)}})
		got := slacktest.ReadText(made)
		if len(got.Rings) > 0 {
			t.Errorf("%q rings %q as %q", text, got.Rings, made)
		}
		for _, l := range got.Links {
			if l != slack.SafeURL(link) {
				t.Errorf("%q, %q link to %q as %q", text, link, l, made)
			}
		}
		for _, look := range got.Looks {
			if kind, _, _ := strings.Cut(look, ":"); kind != "bold" {
				t.Errorf("%q formats: %q as %q", text, look, made)
			}
		}
	})
}

// FuzzCard: whatever the texts of a card, Slack takes it, and nothing in it
// rings or leads anywhere else.
func FuzzCard(f *testing.F) {
	f.Add("Disk", "CRITICAL", "since 10:04", "DISK CRITICAL", 0, "https://x.example/?a=b&c")
	f.Add("<!here>", "<>&", "**", "```\n<!channel>\n````", 7, "javascript:x")
	f.Add(strings.Repeat("<", 9000), strings.Repeat("&", 500), strings.Repeat("@", 3000), strings.Repeat("`\n", 9000), 1<<30, "x")
	f.Add(strings.Repeat("日", 300), strings.Repeat("日", 90), strings.Repeat("日\"", 900), strings.Repeat("日\\", 2000), 3, "https://e.example/"+strings.Repeat("a", 2900))
	f.Add(" ", "", "\n", "\u200b", 1, "https://e.example/|>")
	f.Fuzz(func(t *testing.T, title, state, line, output string, missing int, link string) {
		if missing < 0 || missing > 1<<40 {
			return
		}
		m := chat.Message{Color: "#cc0000", Title: title, State: state, Summary: line, Link: link, Output: output, Cut: missing,
			More:    "https://belfry.example/alerts/7",
			Lines:   []chat.Line{{{Text: line}, {Text: title, Bold: true}, {Text: line}}, {{Text: line, Link: link}, {Text: state}}},
			Buttons: []chat.Button{{Action: "ack", Label: "Acknowledge", Token: "t"}}}
		made, err := slack.Render(m, nil)
		if err != nil {
			t.Fatalf("a card can't be rendered: %v", err)
		}
		var blocks []any
		var attachments []map[string][]any
		if json.Unmarshal(made.Blocks, &blocks) != nil {
			t.Fatalf("blocks are no JSON: %s", made.Blocks)
		}
		var raw []map[string]any
		if err := json.Unmarshal(made.Attachments, &raw); err != nil {
			t.Fatalf("attachments are no JSON: %v", err)
		}
		for _, a := range raw {
			inside, _ := a["blocks"].([]any)
			attachments = append(attachments, map[string][]any{"blocks": inside})
			blocks = append(blocks, inside...)
		}
		if wrong := slacktest.CheckBlocks(blocks, 50, ""); len(wrong) > 0 || len(attachments) != 1 {
			t.Errorf("Slack would not take it: %q", wrong)
		}
		if n := len(made.Blocks) + len(made.Attachments); n > 12_000 {
			t.Errorf("its blocks have %d bytes", n)
		}
		got := slacktest.ReadBlocks(blocks)
		if len(got.Rings) > 0 || made.Text == "" || len(slacktest.ReadText(made.Text).Rings) > 0 {
			t.Errorf("it rings %q; text %q", got.Rings, made.Text)
		}
		for _, l := range got.Links {
			if l != "https://belfry.example/alerts/7" && l != slack.SafeURL(link) {
				t.Errorf("it links to %q", l)
			}
		}
	})
}

// FuzzURL: what is followed is http or https and can not leave its place in mrkdwn.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://e.example/a|b?c=d#e", "http://[::1]:80/", "javascript:x", "//x", "https://e.example/\"><b>", "https://u:p@e.example", "HTTPS://E.example/_*`~"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := slack.SafeURL(text)
		if got == "" {
			return
		}
		if strings.ContainsAny(got, "<>|\" \n\t`") {
			t.Errorf("%q became %q", text, got)
		}
		read := slacktest.ReadText("<" + strings.ReplaceAll(got, "&", "&amp;") + "|x>")
		if len(read.Links) != 1 || read.Text != "x" {
			t.Errorf("%q as %q is read as %q, links %q", text, got, read.Text, read.Links)
		}
	})
}
