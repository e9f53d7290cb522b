// SPDX-License-Identifier: Apache-2.0

package answer_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"belfry/answer"
	"belfry/chat"
)

// data is what the templates of these tests get.
func data() map[string]any {
	return map[string]any{"answer": map[string]any{"temp": 4.5, "whole": int64(4), "none": nil, "yes": true, "evil": "@all `x`", "url": "https://e.example/a",
		"door": map[string]any{"open": false}, "shelves": []any{map[string]any{"name": "top", "at": map[string]any{"temp": int64(3)}}, map[string]any{"name": "door"}},
		"list": []any{int64(1), "two", nil}}, "words": []any{"one"}}
}

// flat writes parts so that a person sees which are values.
func flat(parts []chat.Part) string {
	var b strings.Builder
	for _, p := range parts {
		switch {
		case p.Table != nil:
			fmt.Fprintf(&b, "[table %v", p.Table.Head)
			for _, row := range p.Table.Rows {
				b.WriteString(" /")
				for _, cell := range row {
					b.WriteString(" " + cell.Plain())
				}
			}
			b.WriteString("]")
		case p.Markup != "":
			b.WriteString(p.Markup)
		default:
			look := map[bool]string{true: "code "}[p.Code] + map[bool]string{true: "bold "}[p.Bold] + map[bool]string{true: "to " + p.Link + " "}[p.Link != ""] + map[bool]string{true: "block "}[p.Block != ""]
			b.WriteString("[" + look + p.Text + p.Block + "]")
		}
	}
	return b.String()
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"It has {{.answer.temp}} °C.":                                                                               "It has [4.5] °C.",
		"{{.answer.whole}} {{.answer.none}} {{.answer.yes}}":                                                        "[4] [–] [true]",
		"{{.answer.evil}}{{.answer.evil | upper}}":                                                                  "[@all `x`][@ALL `X`]",
		"{{if gt .answer.temp 4}}warm{{else}}cold{{end}}":                                                           "warm",
		"{{if and (le .answer.whole 4.0) (eq .answer.whole 4)}}y{{end}}":                                            "y",
		"{{if eq .answer.none \"x\"}}n{{else}}y{{end}}":                                                             "y",
		"{{get .answer \"door.open\"}} {{get .answer \"a.b.c\"}} {{get .answer \"list.1\"}}":                        "[false] [–] [two]",
		"{{range .answer.shelves}}* {{.name}}\n{{end}}":                                                             "* [top]\n* [door]",
		"{{round 0 .answer.temp}} {{round 2 .answer.whole}} {{cut 3 .answer.url}} {{join \", \" .answer.list}}":     "[4] [4.00] [ht…] [1, two, –]",
		"{{code .answer.evil}} {{bold .answer.evil}} {{pre .answer.evil}} {{link .answer.evil .answer.url}}":        "[code @all `x`] [bold @all `x`] [block @all `x`] [to https://e.example/a @all `x`]",
		"{{table .answer.shelves \"Shelf=name\" \"°C=at.temp\"}}":                                                   "[table [Shelf °C] / top 3 / door –]",
		"{{table .answer.door \"What\" \"Value\"}}":                                                                 "[table [What Value] / open false]",
		"{{table (list (list \"a\" 1) (list \"b\" .answer.temp \"x\")) \"N\" \"V\"}}":                               "[table [N V] / a 1 / b 4.5]",
		"{{table .answer.list \"N\"}}":                                                                              "[table [N] / 1 / two / –]",
		"{{define \"deg\"}}{{.}} °C{{end}}{{template \"deg\" .answer.temp}}":                                        "[4.5] °C",
		"{{$t := .answer.temp}}{{with .answer.door}}{{.open}} {{$t}}{{end}}{{/* remark */}}":                        "[false] [4.5]",
		"{{len .answer.list}} {{index .answer.list 1}} {{first 1 .answer.list}} {{(index .answer.shelves 0).name}}": "[3] [two] [1] [top]",
		"\n\n{{- /* nothing */ -}}\n":                                                                               "",
	} {
		made, err := answer.ParseTemplate("fridge", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		parts, err := made.Fill(t.Context(), data())
		if got := flat(parts); err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", text, got, err, want)
		}
		again, err := made.Fill(t.Context(), data())
		if err != nil || !reflect.DeepEqual(parts, again) {
			t.Errorf("%s is filled otherwise the second time: %v %v", text, again, err)
		}
	}
}

func TestFaultsOfTemplatesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"{{.a":                          "line 1: unclosed action",
		"x\n{{shell .a}}":               "line 2: there is no function shell; known are and, bold",
		"{{printf \"%s\" .a}}":          "there is no function printf",
		"{{html .a}}":                   "there is no function html",
		"{{call .a}}":                   "there is no function call",
		"{{show_value .a}}":             "there is no function show_value",
		"{{if (eq .a (js .b))}}{{end}}": "there is no function js",
		"{{range print .a}}{{end}}":     "there is no function print",
		"x\n`{{.a}}`":                   "line 2: {{.a}} stands between backticks",
		"```\n{{.a}}\n```":              "stands in a block of code",
		"@{{.a}}":                       "would ring whom it names",
		"[x]({{.a}})":                   "write {{link text address}}",
		"https://x.example/{{.a}}":      "write {{link text address}}",
		"<{{.a}}>":                      "put a space between them",
		"{{define \"x\"}}@{{.}}{{end}}": "would ring",
	} {
		if _, err := answer.ParseTemplate("fridge", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTroubleWhileFillingIsTold(t *testing.T) {
	big := make([]any, 2000)
	for i := range big {
		big[i] = strings.Repeat("x", 100)
	}
	in := map[string]any{"big": big, "a": map[string]any{"b": "text"}}
	for text, want := range map[string]string{
		"{{.a.c}}":    "there is no “c” (line 1 of its template, .a.c)",
		"\n{{.nope}}": "there is no “nope” (line 2 of its template, .nope)",
		"{{range .big}}{{range $.big}}{{range $.big}}{{end}}{{end}}{{end}}": "its loops go round more than 20000 times",
		"{{range 1000000000}}{{end}}":                                       "its loops go round more than 20000 times",
		"{{define \"x\"}}{{template \"x\" .}}{{end}}{{template \"x\" .}}":   "its loops go round more than 20000 times",
		"{{range .big}}{{.}}{{end}}":                                        "bytes of them",
		"{{range .big}}" + strings.Repeat("y", 100) + "{{end}}":             "it is longer than 16384 bytes",
		"{{if gt .a.b 4}}{{end}}":                                           "“text” is compared with “4”: one of them is no number",
		"{{table .a.b \"x\"}}":                                              "table wants a list or an object",
		"{{round 1 .a.b}}":                                                  "“text” is no number to round",
		"{{index .big 5000}}":                                               "there is no entry with this number",
		"{{.a.b.c}}":                                                        "can't be put together",
	} {
		made, err := answer.ParseTemplate("fridge", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := made.Fill(t.Context(), in); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "The answer “fridge” ") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	made, err := answer.ParseTemplate("fridge", "{{range .big}}{{.}}{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := made.Fill(ctx, in); err == nil || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("%v", err)
	}
}

// FuzzTemplate: whatever the template and the values, filling it ends within
// bounds, and no value becomes the administrator's text.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"{{.a}}", "{{range .l}}{{.}}{{end}}", "{{table .l \"x\"}}", "{{bold .a}}{{code .a}}{{pre .a}}{{link .a .a}}", "{{template \"x\"}}", "{{join .a .l}}", "{{cut -1 .a}}{{first -1 .l}}{{round -5 3}}", "{{define \"x\"}}{{template \"x\"}}{{end}}"} {
		f.Add(seed, "@all")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		if strings.Contains(text, "\x00") || len(value) < 4 {
			return
		}
		made, err := answer.ParseTemplate("x", text)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		parts, err := made.Fill(ctx, map[string]any{"a": value, "l": []any{value, value}})
		if err != nil {
			return
		}
		markup := ""
		for _, p := range parts {
			markup += p.Markup
		}
		if strings.Contains(markup, value) && !strings.Contains(text, value) && !strings.Contains(text, value[:1]) {
			t.Errorf("%q put %q into the text: %q", text, value, markup)
		}
	})
}
