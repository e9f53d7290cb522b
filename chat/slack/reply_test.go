// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const spiteful = "<!channel> <@U012ABCDEF> @here *b* _i_ ~s~ `c` **d** :tada: [x](https://evil.example) <https://evil.example|x> www.evil.example | > # - 1. &amp; \\"

// replies are answers whose Block Kit stands in testdata.
var replies = map[string]chat.Reply{
	"markdown": {Comment: true, Body: []chat.Part{
		{Markup: "# Fridge\nIt has **"}, {Text: "4.5"}, {Markup: " °C** and *the door* is ~~shut~~ `"}, {Text: "open"}, {Markup: "` :snowflake:\n\n" +
			"- first [site](https://fridge.example.org/a?b=c)\n  1. inner\n- second "}, {Text: "milk"}, {Markup: "\n\n> said "}, {Text: "alice"}, {Markup: "\n\n```\ncode "}, {Text: "verbatim"}, {Markup: "\n```\n\n---\n\n" +
			"| Shelf | Holds |\n|:--|--:|\n| top | "}, {Text: "milk | eggs"}, {Markup: " |\n| **"}, {Text: "door"}, {Markup: "** | |\n\nSee "}, {Text: "the page", Link: "https://fridge.example.org"},
		{Markup: ", "}, {Text: "a", Code: true}, {Markup: " and "}, {Text: "b", Bold: true}, {Markup: ".\n"}, {Block: "two\nlines"},
		{Table: &chat.Table{Head: []string{"a", "b"}, Rows: [][]chat.Line{{{{Text: "1"}}, {{Text: "22"}}}, {{{Text: "333"}}, {{Text: "4"}}}}}},
	}},
	"box": {Message: chat.Message{Title: "Fridge top", Color: "#3fa34d", Summary: "Fridge top"}, Body: []chat.Part{
		{Markup: "It holds:\n"}, {Table: &chat.Table{Head: []string{"Shelf"}, More: 2, Rows: [][]chat.Line{{{{Text: "<!here> milk"}}}}}}, {Markup: "\nAll."},
	}},
	"hostile": {Message: chat.Message{Title: spiteful, Color: "#d9534f", Summary: spiteful}, Body: []chat.Part{
		{Markup: "said "}, {Text: spiteful}, {Markup: " **"}, {Text: spiteful}, {Markup: "** ["}, {Text: spiteful}, {Markup: "](https://x.example/"}, {Text: "evil"}, {Markup: ")\n\n| a |\n|---|\n| "},
		{Text: spiteful}, {Markup: " |\n\n"}, {Text: "@channel", Link: "javascript:alert(1)"}, {Markup: " <b>html</b> <!channel> @here\n\n[def]: "}, {Text: "kept"}, {Markup: "\n"}, {Block: "```\n<!channel>"},
	}},
}

func posted(t *testing.T, r chat.Reply) (slack.Rendered, slacktest.Reading) {
	t.Helper()
	made, err := slack.RenderReply(r)
	if err != nil {
		t.Fatal(err)
	}
	reading, wrong := slacktest.Check(made.Text, made.Blocks, made.Attachments)
	if wrong != "" {
		t.Errorf("slack would refuse it: %s", wrong)
	}
	return made, reading
}

func TestReplies(t *testing.T) {
	for name, r := range replies {
		made, _ := posted(t, r)
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(made); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "reply", name+".json")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMarkdownLooksInSlackAsItWasMeant(t *testing.T) {
	_, r := posted(t, replies["markdown"])
	for _, want := range []string{"bold: Fridge", "bold: 4.5", "italic: the door", "strike: shut", "code: open", "emoji: snowflake", "quote: ", "code: code verbatim",
		"code: two\nlines", "code: a    b\n1    22\n333  4", "code: a", "bold: b", "bold: door"} {
		if !slices.Contains(r.Looks, want) {
			t.Errorf("nothing looks %q: %q", want, r.Looks)
		}
	}
	if want := []string{"https://fridge.example.org/a?b=c", "https://fridge.example.org"}; !slices.Equal(r.Links, want) {
		t.Errorf("it leads to %q", r.Links)
	}
	if !strings.Contains(slacktest.Visible(r.Text), "Shelf Holds top milk | eggs door See the page") {
		t.Errorf("it reads %q", r.Text)
	}
}

func TestValuesAreLiteral(t *testing.T) {
	_, r := posted(t, replies["hostile"])
	if n := strings.Count(slacktest.Visible(r.Text), slacktest.Visible(spiteful)); n != 5 {
		t.Errorf("the value is read %d times: %s", n, r.Text)
	}
	if !strings.Contains(r.Text, "kept") || !strings.Contains(r.Text, "<b>html</b> <!channel> @here") {
		t.Errorf("it reads %q", r.Text)
	}
	if len(r.Rings) != 0 || len(r.Links) != 0 {
		t.Errorf("it rings %q and leads to %q", r.Rings, r.Links)
	}
	for _, look := range r.Looks {
		if kind, _, _ := strings.Cut(look, ":"); kind != "bold" && kind != "table" && look != "code: ```\n<!channel>" {
			t.Errorf("it looks %q", look)
		}
	}
}

// TestWhateverIsInAReplySlackTakesIt, and nobody is rung by a value.
func TestWhateverIsInAReplySlackTakesIt(t *testing.T) {
	bits := []string{"*", "**", "_", "`", "```\n", "~~", "\n", "\n\n", "- ", "1. ", "> ", "# ", "| a | b |\n|---|---|\n", "| ", " |\n", "[", "](", ")", "<", ">", ":tada:", "&lt;", "\\", "    ", "word ", "![", "https://x.example/"}
	rapid.Check(t, func(t *rapid.T) {
		var r chat.Reply
		for range rapid.IntRange(0, 30).Draw(t, "parts") {
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0, 1, 2:
				text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(bits), 1, 6).Draw(t, "markup"), "")
				r.Body = append(r.Body, chat.Part{Markup: text})
			case 3:
				r.Body = append(r.Body, chat.Part{Text: rapid.SampledFrom([]string{spiteful, "x", "", "\n<!here>"}).Draw(t, "value"), Bold: rapid.Bool().Draw(t, "bold")})
			case 4:
				r.Body = append(r.Body, chat.Part{Block: spiteful + "\n<!here>"})
			case 5:
				r.Body = append(r.Body, chat.Part{Table: &chat.Table{Head: []string{"a"}, Rows: [][]chat.Line{{{{Text: spiteful}}}}}})
			}
		}
		made, err := slack.RenderReply(r)
		if err != nil {
			t.Fatal(err)
		}
		reading, wrong := slacktest.Check(made.Text, made.Blocks, made.Attachments)
		if wrong != "" || len(reading.Rings) != 0 || slices.ContainsFunc(reading.Links, func(l string) bool { return strings.Contains(l, "evil") }) {
			t.Fatalf("refused %q, rings %q, leads to %q", wrong, reading.Rings, reading.Links)
		}
	})
}

func TestWhatDoesNotFitIsCut(t *testing.T) {
	for name, part := range map[string]chat.Part{
		"text":     {Markup: strings.Repeat("lorem ipsum ", 3000)},
		"emphasis": {Markup: strings.Repeat("**a** _b_ ", 3000)},
		"a list":   {Markup: strings.Repeat("- one\n", 3000)},
		"quotes":   {Markup: strings.Repeat("> one\n\ntwo\n\n", 1000)},
		"code":     {Markup: strings.Repeat("```\none\n```\n", 1000)},
		"a table":  {Markup: "| a | b | c | d |\n|-|-|-|-|\n" + strings.Repeat("| one | two | | four |\n", 300)},
		"a block":  {Block: strings.Repeat("line\n", 9000)},
		"emoji":    {Markup: strings.Repeat(":tada:", 2000)},
	} {
		for _, box := range []bool{false, true} {
			r := chat.Reply{Body: []chat.Part{part}}
			if box {
				r.Message = chat.Message{Title: "t", Color: "#3fa34d", Lines: []chat.Line{{{Text: strings.Repeat("x", 900)}}}, Output: strings.Repeat("o", 4000)}
			}
			if _, reading := posted(t, r); !strings.Contains(reading.Text, "…") {
				t.Errorf("%s: nothing shows that something is missing", name)
			}
		}
	}
	var many []chat.Part
	for i := range 3000 {
		many = append(many, chat.Part{Text: fmt.Sprint(i)}, chat.Part{Markup: " "})
	}
	posted(t, chat.Reply{Body: many})
}
