// SPDX-License-Identifier: Apache-2.0

package console

import (
	"html"
	"strings"
	"time"

	"belfry/chat"
)

// Preview returns a message as the room would show it, in plain text: what the
// room's own template makes of it, without what only a screen shows.
func Preview(m chat.Message, posted time.Time) (string, error) {
	var b strings.Builder
	if err := WriteCard(&b, Card{Posted: posted, message: m}); err != nil {
		return "", err
	}
	return plainHTML(b.String()), nil
}

// plainHTML reduces what card.html makes to text. It reads nothing else: texts
// in it hold no "<", for the template escapes them.
func plainHTML(page string) string {
	var b strings.Builder
	link := ""
	for page != "" {
		text, rest, more := strings.Cut(page, "<")
		b.WriteString(text)
		if !more {
			break
		}
		tag, after, _ := strings.Cut(rest, ">")
		page = after
		name, _, _ := strings.Cut(tag, " ")
		switch name {
		case "button":
			b.WriteString("[ ")
		case "/button":
			b.WriteString(" ] ")
		case "a":
			link = attribute(tag, "href")
		case "/a":
			b.WriteString(" (" + link + ")")
		case "p", "pre", "h3", "form", "details", "li", "tr":
			b.WriteString("\n")
		case "/td", "/th":
			b.WriteString(" | ")
		case "time":
			// When it was posted is no part of the message.
			if attribute(tag, "class") == "posted" {
				_, page, _ = strings.Cut(page, "</time>")
			}
		}
	}
	var out []string
	for l := range strings.SplitSeq(html.UnescapeString(b.String()), "\n") {
		if l = strings.TrimRight(l, " "); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

func attribute(tag, name string) string {
	_, value, ok := strings.Cut(tag, " "+name+`="`)
	if !ok {
		return ""
	}
	value, _, _ = strings.Cut(value, `"`)
	return value
}
