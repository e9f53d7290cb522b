// SPDX-License-Identifier: Apache-2.0

package chathook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/alert"
	"belfry/monitor"
)

// Bounds of what is shown, in bytes.
const (
	maxTitle = 200
	maxBody  = 64 << 10
)

// post is what a tool sent.
type post struct {
	text, username, channel string
	attachments             []part
}

// part is a post's own text or one attachment: what makes one alert.
type part struct {
	color, title, link string
	lines              []string
	// at is when it happened, where the attachment tells (ts).
	at time.Time
}

// body is the text of a part.
func (s part) body() string {
	text := strings.Join(s.lines, "\n")
	if len(text) > maxBody {
		text = strings.ToValidUTF8(text[:maxBody], "") + "…"
	}
	return text
}

// all is what rules look at.
func (s part) all() string { return s.title + "\n" + strings.Join(s.lines, "\n") }

// read finds the texts in a body. Slack and Mattermost take numbers for texts
// and ignore what they don't know; so do we.
func read(in any) (post, error) {
	v, ok := in.(map[string]any)
	if !ok {
		return post{}, errors.New("the post is not a JSON object with a text")
	}
	if inner, ok := v["payload"].(string); ok && len(v) == 1 {
		return post{}, fmt.Errorf("the form's field payload is not JSON: %s", monitor.Quote(inner))
	}
	p := post{username: line(v["username"]), channel: strings.TrimPrefix(line(v["channel"]), "#")}
	var texts []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			texts = append(texts, s)
		}
	}
	add(markup(str(v["text"])))
	if len(texts) == 0 || v["attachments"] == nil {
		// With blocks, text is what notifications show: the same once more.
		if blocks := blockTexts(v["blocks"]); len(blocks) > 0 {
			texts = blocks
		}
	}
	p.text = strings.Join(texts, "\n")
	list, ok := v["attachments"].([]any)
	if v["attachments"] != nil && !ok {
		return p, errors.New("attachments is not a list")
	}
	if len(list) > MaxAttachments {
		return p, fmt.Errorf("there are %d attachments, more than %d", len(list), MaxAttachments)
	}
	for i, item := range list {
		a, ok := item.(map[string]any)
		if !ok {
			return p, fmt.Errorf("attachments[%d] is not an object", i)
		}
		if s := attachment(a); s.title != "" || len(s.lines) > 0 {
			p.attachments = append(p.attachments, s)
		}
	}
	if p.text == "" && len(p.attachments) == 0 {
		return p, errNoText
	}
	return p, nil
}

func attachment(a map[string]any) part {
	s := part{color: strings.ToLower(line(a["color"])), title: short(markup(line(a["title"])))}
	s.link, _ = monitor.WebLink(line(a["title_link"]))
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			s.lines = append(s.lines, text)
		}
	}
	if seconds, err := strconv.ParseFloat(str(a["ts"]), 64); err == nil && seconds > 0 && seconds < 1e11 {
		s.at = time.UnixMilli(int64(seconds * 1000)).UTC()
	}
	add(markup(str(a["pretext"])))
	if author := line(a["author_name"]); author != "" {
		add(author)
	}
	add(markup(str(a["text"])))
	for _, b := range blockTexts(a["blocks"]) {
		add(b)
	}
	fields, _ := a["fields"].([]any)
	for _, f := range fields {
		if f, ok := f.(map[string]any); ok {
			add(strings.TrimPrefix(markup(line(f["title"]))+": "+markup(str(f["value"])), ": "))
		}
	}
	if len(s.lines) == 0 {
		add(markup(str(a["fallback"])))
	}
	if footer := line(a["footer"]); footer != "" && len(s.lines) > 0 {
		add(footer)
	}
	return s
}

// parts are what becomes an alert or a message each. The post's own text leads
// the first attachment, unless it is all there is.
func (p post) parts() []part {
	list := p.attachments
	if len(list) == 0 {
		list = []part{{}}
	}
	out := make([]part, len(list))
	for i, s := range list {
		s.lines = append([]string(nil), s.lines...)
		if i == 0 && p.text != "" {
			s.lines = append(strings.Split(p.text, "\n"), s.lines...)
		}
		if s.title == "" {
			s.title, s.lines = firstLine(s.lines)
		}
		s.title = bare(s.title)
		if s.link == "" {
			s.link = firstLink(s.all())
		}
		out[i] = s
	}
	return out
}

// firstLine takes the title from the text. A line that is too long for a title
// stays in the text as well.
func firstLine(lines []string) (title string, rest []string) {
	for i, l := range lines {
		if l = strings.TrimSpace(strings.SplitN(l, "\n", 2)[0]); l == "" {
			continue
		}
		if l == strings.TrimSpace(lines[i]) && len(l) <= maxTitle {
			return l, lines[i+1:]
		}
		return short(l), lines[i:]
	}
	return "", lines
}

// bare is a title without what tools put before it to show a state: [FIRING:1],
// :fire:, signs. The card shows the state itself, and keeps its title.
func bare(title string) string {
	s := title
	for {
		s = strings.TrimLeftFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsSymbol(r) || unicode.Is(unicode.Mn, r) || strings.ContainsRune("*-–—|>!", r)
		})
		closing := byte(0)
		if strings.HasPrefix(s, "[") {
			closing = ']'
		} else if strings.HasPrefix(s, ":") {
			closing = ':'
		}
		end := -1
		if closing != 0 {
			end = strings.IndexByte(s[1:], closing)
		}
		if end < 0 {
			break
		}
		s = s[end+2:]
	}
	if s = strings.TrimRight(s, "* "); s == "" {
		return title
	}
	return s
}

func (p post) labels() alert.Labels {
	l := alert.Labels{}
	if p.username != "" {
		l["username"] = p.username
	}
	if p.channel != "" {
		l["channel"] = p.channel
	}
	return l
}

// blockTexts gathers the texts of Slack's blocks, one line for each.
func blockTexts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		b, ok := item.(map[string]any)
		if !ok {
			continue
		}
		var texts []string
		gather(b, &texts)
		if b["type"] == "rich_text" || b["type"] == "context" {
			texts = []string{strings.Join(texts, " ")}
		}
		for _, t := range texts {
			if t = strings.TrimSpace(markup(t)); t != "" {
				out = append(out, t)
			}
		}
	}
	return out
}

// gather walks a block; its depth is bounded by translate.Input.
func gather(v any, out *[]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			gather(item, out)
		}
	case map[string]any:
		if s, ok := v["text"].(string); ok {
			*out = append(*out, s)
		} else if s, ok := v["alt_text"].(string); ok {
			*out = append(*out, s)
		}
		for _, key := range []string{"text", "title", "fields", "elements"} {
			if _, plain := v[key].(string); !plain {
				gather(v[key], out)
			}
		}
	}
}

// markup writes Slack's <https://x|name>, <@U1>, <!here> and the three escapes
// out, so that they read as text.
func markup(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			break
		}
		b.WriteString(s[:i])
		b.WriteString(angle(s[i+1 : i+end]))
		s = s[i+end+1:]
	}
	b.WriteString(s)
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(b.String())
}

func angle(in string) string {
	target, name, named := strings.Cut(in, "|")
	switch {
	case strings.HasPrefix(target, "http://"), strings.HasPrefix(target, "https://"), strings.HasPrefix(target, "mailto:"):
		target = strings.TrimPrefix(target, "mailto:")
		if named && name != target {
			return name + " (" + target + ")"
		}
		return target
	case strings.HasPrefix(in, "!"), strings.HasPrefix(in, "@"), strings.HasPrefix(in, "#"):
		if named {
			return strings.TrimPrefix(in[:1], "!") + name
		}
		return "@" + strings.TrimLeft(target, "!@#")
	}
	return "<" + in + ">"
}

// firstLink is the first web address in a text.
func firstLink(s string) string {
	for _, scheme := range []string{"https://", "http://"} {
		i := strings.Index(s, scheme)
		if i < 0 {
			continue
		}
		link := s[i:]
		if end := strings.IndexAny(link, " \t\n<>()[]\"'`|"); end >= 0 {
			link = link[:end]
		}
		if l, ok := monitor.WebLink(strings.TrimRight(link, ".,;:!?*_~")); ok {
			return l
		}
	}
	return ""
}

// str is a text or a number as a text.
func str(v any) string {
	switch v := v.(type) {
	case string:
		return monitor.Printable(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// line is str on one line.
func line(v any) string { return strings.Join(strings.Fields(str(v)), " ") }

func short(s string) string {
	if len(s) <= maxTitle {
		return s
	}
	cut := maxTitle
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
