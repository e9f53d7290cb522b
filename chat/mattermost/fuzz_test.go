// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
)

// FuzzLiteral: whatever the text, its Markdown reads as the text, and neither
// formats, links nor rings.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{
		"plain", "@channel", `\@here \\x \`, "**b** _i_ `c` ~~s~~", "# h\n1. l\n> q\n---\n===", "[a](https://e.example) <https://x>",
		"www.e.example e.example/x a@b.cd", ":tada: :) <3 x-d #tag ~town $x$", "&amp; &#64;all &", "| a |\n|---|\n", "    code\n\ttab",
		"\u2424# x", "a\u00a0b", "```\n@all\n```", "<!here> <b>", "10:04:05 web01:8080 fe80::1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		got := mattermosttest.Read(mattermost.Literal(text))
		if len(got.Looks) > 0 || len(got.Links) > 0 {
			t.Errorf("%q formats: looks %q, links %q, as %q", text, got.Looks, got.Links, mattermost.Literal(text))
		}
		want := strings.ReplaceAll(chat.Clean(text), "\u2424", "⏎")
		if shown(got.Text) != shown(want) {
			t.Errorf("%q is read as %q", text, got.Text)
		}
	})
}

// shown is what the eye takes of a text; what can't be seen is left out.
func shown(text string) string {
	return mattermosttest.Visible(strings.ReplaceAll(text, "\u00a0", " "))
}

// FuzzCard: whatever the texts of a card, it fits the server, and its output
// stays in its block.
func FuzzCard(f *testing.F) {
	f.Add("Disk", "CRITICAL", "since 10:04", "DISK CRITICAL", 0, "https://x.example/?a=b&c")
	f.Add("`@all", "<>&", "**", "```\n@channel\n````", 7, "javascript:x")
	f.Add(strings.Repeat("<", 9000), strings.Repeat("&", 500), strings.Repeat("@", 3000), strings.Repeat("`\n", 9000), 1<<30, "x")
	f.Fuzz(func(t *testing.T, title, state, line, output string, missing int, link string) {
		if missing < 0 || missing > 1<<40 {
			return
		}
		m := chat.Message{Color: "#cc0000", Title: title, State: state, Summary: line, Link: link, Output: output, Cut: missing,
			More:    "https://belfry.example/alerts/7",
			Lines:   []chat.Line{{{Text: line}, {Text: title, Bold: true}, {Text: line}}, {{Text: line, Link: link}, {Text: state}}},
			Buttons: []chat.Button{{Action: "ack", Label: title, Token: "t"}}}
		message, props, err := mattermost.Render("https://belfry.example/chat/main", "key", m)
		if err != nil {
			t.Fatalf("a card can't be rendered: %v", err)
		}
		raw, err := json.Marshal(props)
		if err != nil {
			t.Fatal(err)
		}
		if n := utf8.RuneCount(raw); message != "" || n > 7600 {
			t.Errorf("message %q, props of %d runes", message, n)
		}
		var p struct {
			Attachments []struct{ Text, Title string }
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		got := mattermosttest.Read(p.Attachments[0].Text)
		for _, look := range got.Looks {
			if kind, _, _ := strings.Cut(look, ":"); kind != "bold" && kind != "code" {
				t.Errorf("the card formats: %q in %q", look, p.Attachments[0].Text)
			}
		}
		for _, l := range got.Links {
			if l != "https://belfry.example/alerts/7" && l != mattermost.SafeURL(link) {
				t.Errorf("the card links to %q in %q", l, p.Attachments[0].Text)
			}
		}
	})
}

// FuzzURL: what is followed is http or https and can not leave its place in Markdown.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://e.example/a(b)?c=d#e", "http://[::1]:80/", "javascript:x", "//x", "https://e.example/\"><b>", "https://u:p@e.example", "HTTPS://E.example/_*`~"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := mattermost.SafeURL(text)
		if got == "" {
			return
		}
		if strings.ContainsAny(got, "()<>\"'`\\ \n\t|") {
			t.Errorf("%q became %q", text, got)
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			t.Errorf("%q became %q: %v", text, got, err)
		}
		read := mattermosttest.Read("[x](" + got + ")")
		if len(read.Links) != 1 || read.Text != "x" {
			t.Errorf("%q as %q is read as %q, links %q", text, got, read.Text, read.Links)
		}
	})
}

// FuzzAction: what is taken for a press names its user, channel and post.
func FuzzAction(f *testing.F) {
	const id = "abcdefghijklmnopqrstuvwxyz"
	for _, seed := range []string{
		`{"user_id":"` + id + `","user_name":"alice","channel_id":"` + id + `","channel_name":"ops","team_id":"` + id +
			`","team_domain":"t","post_id":"` + id + `","trigger_id":"x","type":"button","data_source":"","context":{"belfry":"a.b"}}`,
		`{}`, `null`, `[]`, ``, `{"user_id":1}`, `{"context":{"belfry":null}}`, `{"context":"x"}`, "{\"user_id\":\"\xff\"}",
		`{"user_id":"../../users/me","channel_id":"` + id + `","post_id":"` + id + `","context":{"belfry":"x"}}`,
		strings.Repeat(`{"context":`, 500),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		user, channel, post, token, err := mattermost.ReadPress(body)
		if err != nil {
			return
		}
		for _, s := range []string{user, channel, post} {
			if len(s) != 26 || strings.ContainsAny(s, "/.%?# \n") {
				t.Errorf("%q was taken for an id", s)
			}
		}
		if token == "" || len(token) > 4096 {
			t.Errorf("a token of %d bytes was taken", len(token))
		}
	})
}

// FuzzDialog: what is taken for a submit names its user, and its values are bounded.
func FuzzDialog(f *testing.F) {
	const id = "abcdefghijklmnopqrstuvwxyz"
	for _, seed := range []string{
		`{"type":"dialog_submission","callback_id":"belfry","state":"s.t","user_id":"` + id + `","channel_id":"` + id +
			`","team_id":"` + id + `","submission":{"comment":"on it","until":null,"sticky":true,"n":7},"cancelled":false}`,
		`{"type":"dialog_submission","user_id":"` + id + `","submission":null,"cancelled":true}`,
		`{"user_id":"` + id + `","submission":{"comment":["a"]}}`, `{"user_id":"` + id + `","submission":{"a-b":"x"}}`,
		`{"user_id":"` + id + `","submission":[]}`, `{}`, `null`, ``, `{"submission":{"a":1e999}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		user, state, values, cancelled, err := mattermost.ReadSubmit(body)
		if err != nil {
			return
		}
		if len(user) != 26 || len(state) > 4096 || len(values) > 20 || cancelled && len(values) > 0 {
			t.Errorf("taken: user %q, state of %d bytes, values %v, cancelled %v", user, len(state), values, cancelled)
		}
		for name, value := range values {
			if name == "" || value == "" || strings.ContainsAny(name, "/.-_ ") {
				t.Errorf("taken: %q = %q", name, value)
			}
		}
	})
}
