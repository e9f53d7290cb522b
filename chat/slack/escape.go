// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
)

// zero is a zero width space: it breaks words that would link, format or turn
// into pictures, and is not seen.
const zero = "\u200b"

// literal returns untrusted text of one or several lines as mrkdwn that reads
// as the text: nothing in it rings, links, formats or becomes a picture. It is
// for the few places that take no rich text (the fallback of a notification,
// for one). Slack asks to escape & < and >, which makes its own sequences
// (<!here>, <@U…>, <https://…|x>) harmless; mrkdwn has no escape for the rest,
// so what would begin emphasis, code, a quote, an emoji or a link is broken by
// a zero width space.
func literal(text string) string {
	text = chat.Clean(text)
	if strings.Trim(text, plainRunes) == "" {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	lineStart := true
	for i, r := range text {
		writeLiteral(&b, r, text[:i], text[i+utf8.RuneLen(r):], lineStart)
		lineStart = r == '\n' || lineStart && unicode.IsSpace(r)
	}
	return b.String()
}

// plainRunes never need anything.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,()%"

func writeLiteral(b *strings.Builder, r rune, before, after string, lineStart bool) {
	switch r {
	case '&':
		b.WriteString("&amp;")
	case '<':
		b.WriteString("&lt;")
	case '>':
		if lineStart { // &gt; there is a quote, too
			b.WriteString(zero)
		}
		b.WriteString("&gt;")
	case '*', '_', '~', '`':
		// On both sides: the mark is neither at the edge of a word nor of a text.
		b.WriteString(zero)
		b.WriteRune(r)
		b.WriteString(zero)
	case '@', '#':
		b.WriteRune(r)
		b.WriteString(zero)
	case ':':
		if strings.HasPrefix(after, " ") || isTime(before, after) {
			b.WriteRune(r)
			return
		}
		b.WriteString(zero + ":" + zero)
	case '.':
		// A name with a dot is taken for an address: web01.example.org.
		next, _ := utf8.DecodeRuneInString(after)
		if unicode.IsLetter(next) || len(before) >= 3 && strings.EqualFold(before[len(before)-3:], "www") {
			b.WriteString(zero)
		}
		b.WriteRune(r)
	default:
		b.WriteRune(r)
	}
}

// isTime holds for a colon that only digits follow, as in 10:04 and
// web01:8080: no emoji ends in it and no address begins with it.
func isTime(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	rest := strings.TrimLeft(after, "0123456789")
	return rest != after && !strings.HasPrefix(rest, ":") && last != ':' && !(rest != "" && isEmojiRune(rest[0]))
}

func isEmojiRune(c byte) bool {
	return isAlnumByte(c) || c == '_' || c == '+' || c == '-' || c == '\''
}

// breakEmoji breaks what looks like an emoji's name in rich text: its text is
// nobody's markup, but some clients draw pictures.
func breakEmoji(s string) string {
	if strings.Count(s, ":") < 2 {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, ':')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i+1])
		s = s[i+1:]
		n := 0
		for n < len(s) && isEmojiRune(s[n]) {
			n++
		}
		if n > 0 && n < len(s) && s[n] == ':' {
			b.WriteString(zero)
		}
	}
}

// line makes one line of a message's spans as mrkdwn.
func mrkdwnLine(l chat.Line, limit int) string {
	var b strings.Builder
	for _, s := range l {
		if limit <= 0 {
			break
		}
		text := cut(chat.CleanLine(s.Text), limit)
		limit -= utf8.RuneCountInString(text)
		link := safeURL(s.Link)
		switch {
		case !s.Time.IsZero():
			b.WriteString(date(s.Time, text))
		case link != "" && strings.TrimSpace(text) != "":
			b.WriteString("<" + link + "|" + linkText(text) + ">")
		case s.Bold && strings.TrimSpace(text) != "":
			b.WriteString(bold(text))
		default:
			b.WriteString(literal(text))
		}
	}
	return b.String()
}

// bold wraps text in asterisks; white space stays outside, and nothing beside
// them keeps them from being marks.
func bold(text string) string {
	inner := strings.TrimSpace(text)
	at := strings.Index(text, inner)
	return text[:at] + zero + "*" + literal(inner) + "*" + zero + text[at+len(inner):]
}

// linkText is literal for inside of <url|…>, where "|" and line ends would matter.
func linkText(text string) string { return strings.ReplaceAll(literal(text), "|", "¦") }

// date is a moment in the reader's time zone; fallback is what is read where
// it can't be shown. https://docs.slack.dev/messaging/formatting-message-text#date-formatting
func date(t time.Time, fallback string) string {
	fallback = strings.NewReplacer("|", "¦", "^", "ˆ").Replace(literal(fallback))
	return "<!date^" + strconv.FormatInt(t.Unix(), 10) + "^" + dateFormat + "|" + fallback + ">"
}

// dateFormat says "today", "yesterday" or the date, and the time.
const dateFormat = "{date_short_pretty} {time}"

// maxURL is what Slack takes in links and buttons.
const maxURL = 3000

// safeURL returns an http or https address in a form that stays one, or "".
func safeURL(text string) string {
	if text == "" || len(text) > maxURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	out := urlEscapes.Replace(u.String())
	if len(out) > maxURL {
		return ""
	}
	return out
}

var urlEscapes = strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22", "|", "%7C", "`", "%60", `\`, "%5C", " ", "%20", "{", "%7B", "}", "%7D", "^", "%5E")

// cut shortens text to limit runes, the last of them "…".
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n, last := 0, 0
	for i := range s {
		if n == limit-1 {
			last = i
		}
		if n++; n > limit {
			return s[:last] + "…"
		}
	}
	return s
}
