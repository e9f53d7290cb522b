// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/seal"

	"github.com/google/go-cmp/cmp"
)

// hostile are texts as monitoring systems and people may send them, meant to
// ring, link, format or break something.
var hostile = map[string]string{
	"mention everybody":   "@channel @all @here @alice",
	"mention escaped":     `\@channel \\@all [@here](x) **@alice** _@bob_ @CHANNEL`,
	"mention entity":      "&#64;channel &commat;all &#x40;here",
	"mention by address":  "mail alice@example.com or root@alice",
	"slack mentions":      "<!here> <!channel> <@U123> <#C1|town> <https://evil.example|click>",
	"unclosed backtick":   "`@channel",
	"backticks":           "` `` ``` ```` ``@here`` ```` @all",
	"fence":               "ok\n```\n@channel\n```\n**out of the box**",
	"tilde fence":         "~~~\n@channel\n~~~\n# head",
	"long backtick run":   strings.Repeat("`", 40) + "\n@channel",
	"bold and so on":      "**bold** __bold__ *it* _it_ ***both*** ~~gone~~ snake_case_name 2*3*4",
	"backslashes":         `C:\temp\*.log \\server\share \_x\_ \\*y\\* trailing\`,
	"heading":             "# one",
	"setext":              "title\n=====\nother\n-----",
	"list":                "- a\n+ b\n* c\n1. d\n2) e",
	"quote and rule":      "> quoted\n---\n***\n___",
	"indented":            "    four spaces\n\tand a tab",
	"table":               "| a | b |\n|---|---|\n| c | d |",
	"table without pipes": "a | b\n--- | ---\nc | d",
	"link":                "[click](https://evil.example) [a][b] ![img](https://evil.example/x.png)",
	"link definition":     "[x]: https://evil.example\n[x]",
	"bare link":           "see https://evil.example/x, http://evil.example or www.evil.example ftp://evil.example",
	"domain with path":    "evil.example.com/install.sh log.old/x www3.evil.example",
	"angle link":          "<https://evil.example> <mailto:a@evil.example> <www.evil.example>",
	"schemes":             "javascript:alert(1) mailto:x tel:123 mattermost://x slack://x data:text/html,x",
	"html":                `<script>alert(1)</script><b>b</b><img src=x onerror=alert(1)><!-- x --> <a href="x">y</a>`,
	"entities":            "&amp; &lt;b&gt; &#35; &copy; &nbsp;| R&D &",
	"emoji":               ":tada: :+1: :smile::wink: 10:00:05 a:b:c",
	"emoticons":           ":) :-D ;) ;-) :( <3 </3 x-d :p :/ :|",
	"hashtag and channel": "#incident ~town-square ~~x~~ (#1) #a-b",
	"maths":               "$x^2$ $$y$$ costs $5 and $6",
	"control":             "bell\x07 esc\x1b[31mred\x1b[0m nul\x00 back\x08 del\x7f csi\u009b31m",
	"right to left":       "invoice\u202egnp.exe\u202c \u2066x\u2069 שלום",
	"line ends":           "a\r\nb\rc\u2028d\u2029e\u0085f",
	"zero width":          "a\u200bb @\u200bchannel \ufeff",
	"not utf-8":           "bad \xff\xfe byte \xc3",
	"other scripts":       "größe Prüfung 日本語 данные 👩\u200d🚒 ±5 °C",
	"quotes":              `it's "quoted" «so» 'and' so`,
	"json and template":   `{"text":"x"} {{.Env}} ${HOME} $(id) %s %n`,
	"token of the client": "MM_ATMENTION0 $MM_LINK1$",
}

// looksOf are the kinds of looks of a message: hostile text must not add any.
func looksOf(s Seen) []string {
	var kinds []string
	for _, look := range s.Looks {
		kind, _, _ := strings.Cut(look, ":")
		kinds = append(kinds, kind)
	}
	return kinds
}

// hostileCard has text in every field that is not trusted.
func hostileCard(text string) chat.Message {
	m := fullCard()
	m.State, m.Title, m.Summary = text, text, text
	m.Lines = []chat.Line{
		{{Text: text}},
		{{Text: "by "}, {Text: text, Bold: true}, {Text: " and " + text}},
		{{Text: text, Link: "https://wiki.example/"}},
		{{Text: "@"}, {Text: "channel"}, {Text: "`"}, {Text: "x"}, {Text: "`"}},
	}
	m.Output = text
	return m
}

func hostileNames() []string {
	var names []string
	for name := range hostile {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func checkHostileCard(r *room) {
	plain := hostileCard("plain")
	ref, key := r.post(plain)
	want := r.only()
	bare := hostileCard("plain")
	bare.Link = ""
	r.update(ref, key, bare)
	wantBare := r.only()
	for _, name := range hostileNames() {
		r.Run(name, func(t *testing.T) {
			s := *r
			s.T = t
			text := hostile[name]
			s.update(ref, key, hostileCard(text))
			s.harmless(s.only(), want, text)
			bare := hostileCard(text)
			bare.Link = ""
			s.update(ref, key, bare)
			s.harmless(s.only(), wantBare, text)
			posted, _ := s.post(hostileCard(text))
			seen := s.Room.Messages()
			s.harmless(seen[len(seen)-1], want, text)
			s.Room.Delete(posted)
		})
	}
}

// harmless checks that got, which has text in its fields, looks like want,
// which has harmless words there, and that text can be read in it.
func (r *room) harmless(got, want Seen, text string) {
	r.Helper()
	if len(got.Rings) != 0 {
		r.Errorf("it rings %q", got.Rings)
	}
	if diff := cmp.Diff(want.Links, got.Links); diff != "" {
		r.Errorf("it links: %s", diff)
	}
	if diff := cmp.Diff(looksOf(want), looksOf(got)); diff != "" {
		r.Errorf("it formats: %s\nlooks: %q\ntext: %q", diff, got.Looks, got.Text)
	}
	if diff := cmp.Diff(want.Buttons, got.Buttons); diff != "" {
		r.Errorf("buttons: %s", diff)
	}
	for _, c := range got.Text {
		if c != '\n' && c != '\t' && (c < 0x20 || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069) {
			r.Errorf("the control character %U came through: %q", c, got.Text)
		}
	}
	r.reads(got, chat.Clean(text), "by "+chat.Clean(text)+" and")
}

func checkHostileNote(r *room) {
	card, _ := r.post(fullCard())
	note := func(text string) chat.Message {
		return chat.Message{Summary: text, Lines: []chat.Line{{{Text: text}}, {{Text: "by "}, {Text: text, Bold: true}, {Text: " and "}}}}
	}
	thread := func() []Seen {
		for _, s := range r.Room.Messages() {
			if s.Ref == card {
				return s.Thread
			}
		}
		return nil
	}
	var want Seen
	for i, name := range append([]string{""}, hostileNames()...) {
		text := hostile[name]
		if name == "" {
			text = "plain"
		}
		_, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &card, Key: seal.Random(), Message: note(text)})
		if err != nil {
			r.Fatalf("%s: can't post: %v", name, err)
		}
		seen := thread()
		if len(seen) != i+1 {
			r.Fatalf("%s: %d notes stand in the thread, not %d", name, len(seen), i+1)
		}
		if name == "" {
			want = seen[0]
			continue
		}
		r.Run(name, func(t *testing.T) {
			s := *r
			s.T = t
			s.harmless(seen[i], want, text)
		})
	}
}

// checkHostileLinks: a link that is not http or https is not a link, and what
// is in a URL stays in it.
func checkHostileLinks(r *room) {
	for _, link := range []string{"javascript:alert(1)", "data:text/html,x", " javascript:x", "//evil.example", "file:///etc/passwd",
		"mattermost://x", "http://", "https://x y/<b>", "\x00https://x", "https://[::1"} {
		m := fullCard()
		m.Link, m.Cut = link, 0
		m.Lines = []chat.Line{{{Text: "run book", Link: link}}}
		r.post(m)
		seen := r.only()
		if len(seen.Links) != 0 {
			r.Errorf("%q leads to %q", link, seen.Links)
		}
		r.reads(seen, m.Title, "run book")
		r.Room.Delete(seen.Ref)
	}
	m := fullCard()
	m.Link, m.Cut = `https://h.example/a_b_c/(x)?q=a*b*c&r="s"%20@channel#f)`, 0
	m.Lines = []chat.Line{{{Text: "run book", Link: m.Link}, {Text: " and "}, {Text: "more", Bold: true}}}
	r.post(m)
	seen := r.only()
	if len(seen.Rings) != 0 || len(seen.Links) != 2 {
		r.Errorf("rings %q, links %q", seen.Rings, seen.Links)
	}
	for _, l := range seen.Links {
		if !strings.HasPrefix(l, "https://h.example/a_b_c/") || strings.ContainsAny(l, "\" <>") {
			r.Errorf("the link became %q", l)
		}
	}
	r.reads(seen, "run book and more")
}

func checkHostileWhisper(r *room) {
	ref, _ := r.post(fullCard())
	for _, name := range hostileNames() {
		r.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Whisper: hostile[name]} }
		got := r.Room.Press(Alice, ref, "Acknowledge")
		if visible(got.Whisper) != visible(chat.Clean(hostile[name])) || got.Failed != "" {
			r.Errorf("%s: the whisper %q is read as %q (%s)", name, hostile[name], got.Whisper, got.Failed)
		}
	}
}

// checkOversized: no size of any field keeps a card from being posted.
func checkOversized(r *room) {
	m := fullCard()
	for _, unit := range []string{"x", "<&>\"\\", "@channel ", "`", "*", "ü", "日", "\n", ":a:", "\x01"} {
		long := strings.Repeat(unit, 20_000/len(unit))
		m.Title, m.State, m.Summary, m.Output = long, long, long, long
		m.Link = "https://h.example/" + strings.Repeat("a", 5000)
		m.Lines = nil
		for i := range 40 {
			m.Lines = append(m.Lines, chat.Line{{Text: fmt.Sprint(i, " ")}, {Text: long, Bold: i%2 == 0}})
		}
		ref, key := r.post(m)
		seen := r.only()
		if len(seen.Rings) != 0 || len(seen.Buttons) != len(m.Buttons) {
			r.Errorf("%q: rings %q, buttons %q", unit, seen.Rings, seen.Buttons)
		}
		r.update(ref, key, m)
		r.Room.Delete(ref)
	}
}
