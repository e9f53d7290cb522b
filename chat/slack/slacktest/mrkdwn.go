// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mrkdwn reads Slack's markup: sequences in <…>, emphasis, code, quotes,
// emoji, and addresses that become links by themselves unless verbatim is set.
// https://docs.slack.dev/messaging/formatting-message-text
func (r *reader) mrkdwn(text string, verbatim bool) {
	for i, block := range strings.Split(text, "```") {
		if i%2 == 1 && strings.Count(text, "```") > i {
			code := unescape(block)
			r.look("code", code)
			r.b.WriteString(code)
			continue
		}
		if i%2 == 1 {
			block = "```" + block
		}
		for j, line := range strings.Split(block, "\n") {
			if j > 0 {
				r.b.WriteByte('\n')
			}
			trimmed := strings.TrimLeft(line, " \t")
			if rest, ok := strings.CutPrefix(trimmed, "&gt;"); ok {
				r.look("quote", rest)
				line = rest
			}
			r.inline(line, verbatim)
		}
	}
}

// inline reads one line.
func (r *reader) inline(line string, verbatim bool) {
	prev := ' '
	for i := 0; i < len(line); {
		c, size := utf8.DecodeRuneInString(line[i:])
		rest := line[i+size:]
		switch c {
		case '<':
			if end := strings.IndexByte(rest, '>'); end >= 0 {
				r.sequence(rest[:end])
				i += size + end + 1
				prev = ' '
				continue
			}
		case '*', '_', '~', '`':
			if n := emphasized(prev, c, rest); n > 0 {
				r.look(map[rune]string{'*': "bold", '_': "italic", '~': "strike", '`': "code"}[c], unescape(rest[:n]))
				r.inline(rest[:n], verbatim)
				i += size + n + 1
				prev = 'x'
				continue
			}
		case '&':
			if plain, n := entity(line[i:]); n > 0 {
				r.b.WriteString(plain)
				i += n
				prev = 'x'
				continue
			}
		}
		r.b.WriteRune(c)
		prev = c
		i += size
	}
	r.emojis(line)
	if !verbatim {
		r.autolinks(line)
	}
}

// emphasized returns the length of what mark encloses at the start of rest, 0
// when it opens nothing: it must stand at the edge of a word and hold no
// white space at its edges.
func emphasized(prev, mark rune, rest string) int {
	if isWord(prev) {
		return 0
	}
	first, _ := utf8.DecodeRuneInString(rest)
	if rest == "" || isBlank(first) || first == mark {
		return 0
	}
	for from := 0; ; {
		end := strings.IndexRune(rest[from:], mark)
		if end < 0 {
			return 0
		}
		end += from
		last, _ := utf8.DecodeLastRuneInString(rest[:end])
		after, _ := utf8.DecodeRuneInString(rest[end+1:])
		if end > 0 && !isBlank(last) && (rest[end+1:] == "" || !isWord(after)) {
			return end
		}
		from = end + 1
	}
}

func isWord(r rune) bool  { return unicode.IsLetter(r) || unicode.IsDigit(r) }
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == 0x200b || r == 0xfeff }

func entity(s string) (string, int) {
	for name, plain := range map[string]string{"&amp;": "&", "&lt;": "<", "&gt;": ">"} {
		if strings.HasPrefix(s, name) {
			return plain, len(name)
		}
	}
	return "", 0
}

func unescape(s string) string {
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(s)
}

// sequence reads what stands between < and >.
func (r *reader) sequence(s string) {
	target, label, named := strings.Cut(s, "|")
	switch {
	case strings.HasPrefix(s, "!date^"):
		r.b.WriteString(unescape(label))
	case strings.HasPrefix(target, "!subteam^"):
		r.ring(strings.TrimPrefix(target, "!subteam^"))
	case strings.HasPrefix(target, "!"):
		r.ring(strings.TrimPrefix(target, "!"))
	case strings.HasPrefix(target, "@"):
		r.ring(strings.TrimPrefix(target, "@"))
	case strings.HasPrefix(target, "#"):
		r.look("channel", target)
		r.b.WriteString(target)
	default:
		r.Links = append(r.Links, unescape(target))
		if !named {
			label = target
		}
		r.inline(label, true)
	}
}

// autolink is what becomes a link by itself.
var autolink = regexp.MustCompile(`(?i)\b(?:[a-z][a-z0-9+.-]*://[^\s<>]+|mailto:[^\s<>]+|www\.[^\s<>]+|[a-z0-9._-]+@[a-z0-9-]+\.[a-z]{2,}|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|example|io|dev|de|sh)\b)`)

func (r *reader) autolinks(line string) {
	line = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(line, " ")
	r.Links = append(r.Links, autolink.FindAllString(line, -1)...)
}
