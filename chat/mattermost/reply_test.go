// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
)

// around are places in an administrator's text into which values are put.
func around(a, b string) map[string][]chat.Part {
	v := func(s string) chat.Part { return chat.Part{Text: s} }
	m := func(s string) chat.Part { return chat.Part{Markup: s} }
	return map[string][]chat.Part{
		"alone":             {v(a)},
		"side by side":      {v(a), v(b)},
		"at a line's start": {m("x\n"), v(a), m("\n"), v(b)},
		"in a list":         {m("* "), v(a), m("\n* "), v(b)},
		"in a table":        {m("| h | i |\n|:--|:--|\n| "), v(a), m(" | "), v(b), m(" |\n")},
		"behind an @":       {m("@"), v(a)},
		"behind a <":        {m("<!"), v(a), m(">")},
		"in an address":     {m("https://"), v(a), m("/")},
		"behind www":        {m("www"), v(a)},
		"as a table":        {m("x"), {Table: &chat.Table{Head: []string{"h", "i"}, Rows: [][]chat.Line{{{{Text: a}}, {{Text: b}}}}}}, v(b)},
	}
}

// own is how the administrator's text looks.
var own = map[string]string{"in a list": "list: ", "in a table": "table: ", "as a table": "table: "}

func rings(text string) bool {
	for _, word := range []string{"@all", "@here", "@channel", "@alice", "<!here>", "<!channel>"} {
		if strings.Contains(strings.ToLower(text), word) {
			return true
		}
	}
	return false
}

// FuzzReply: whatever is put into an administrator's text stays what it is.
func FuzzReply(f *testing.F) {
	for _, seed := range [][2]string{{"plain", "text"}, {"@all", "@here"}, {"@", "all"}, {"<!", "here>"}, {"www", ".evil.example"}, {"https:", "//evil.example"},
		{"a | b", "|"}, {"# head", "- list"}, {"**x**", "_y_"}, {"[a](https://e.example)", "![](x)"}, {"`", "`"}, {"```\n@all", "```"}, {"\\", "*"}, {":ta", "da:"},
		{"$x", "y$"}, {"&", "lt;"}, {"~ch", "an"}, {"\u2424# x", "\u202e"}, {"1.", "2)"}, {"all", "channel"}, {"evil.example", "0"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 800 || len(b) > 800 {
			return
		}
		for name, parts := range around(a, b) {
			text, _, err := mattermost.RenderReply(chat.Reply{Body: parts})
			if err != nil {
				t.Fatal(err)
			}
			got := mattermosttest.Read(text)
			got.Looks = slices.DeleteFunc(got.Looks, func(look string) bool { return look == own[name] })
			got.Links = slices.DeleteFunc(got.Links, func(link string) bool { return link == "https://" }) // leads nowhere
			if len(got.Looks) > 0 || len(got.Links) > 0 || rings(text) {
				t.Errorf("%s: %q and %q format: looks %q, links %q, as %q", name, a, b, got.Looks, got.Links, text)
			}
			if name == "in a table" && strings.Count(strings.ReplaceAll(text, "\\|", ""), "|") != 9 {
				t.Errorf("%q and %q break the table: %q", a, b, text)
			}
		}
		for _, part := range []chat.Part{{Text: a, Code: true}, {Block: a}, {Text: a, Bold: true}} {
			text, _, err := mattermost.RenderReply(chat.Reply{Body: []chat.Part{{Markup: "x ` "}, part, {Markup: " y"}}})
			if err != nil || rings(text) {
				t.Errorf("%q rings as %q, %v", a, text, err)
			}
		}
	})
}

func TestALongReplyIsCut(t *testing.T) {
	long := strings.Repeat("*line* of many\n", 4000)
	many := make([]chat.Part, 0, 9000)
	for range 3000 {
		many = append(many, chat.Part{Markup: "* "}, chat.Part{Text: strings.Repeat("<value>", 5)}, chat.Part{Markup: "\n"})
	}
	for name, parts := range map[string][]chat.Part{"text": {{Markup: long}}, "values": many, "a block": {{Markup: "x\n"}, {Block: long}}} {
		for _, title := range []string{"", "In a box"} {
			text, raw, err := mattermost.RenderReply(chat.Reply{Message: chat.Message{Title: title, Color: "#3fa34d"}, Body: parts})
			if title == "" {
				text, raw, err = mattermost.RenderReply(chat.Reply{Body: parts})
			}
			if err != nil || utf8.RuneCountInString(text) > 16383 || utf8.RuneCount(raw) > 7600 || !strings.Contains(text+string(raw), "…") || len(text)+len(raw) < 2000 {
				t.Errorf("%s %s: %d runes, props of %d, %v", name, title, utf8.RuneCountInString(text), utf8.RuneCount(raw), err)
			}
		}
	}
}
