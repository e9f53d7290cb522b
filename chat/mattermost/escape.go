// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
)

// zero is a zero width space: it breaks words that would ring, link or turn
// into pictures, and is not seen.
const zero = "\u200b"

// escaper writes untrusted text as Markdown that two different readers show
// literally: the web app's fork of marked and the mobile app's commonmark.js.
// Where only one of them knows a backslash escape, a zero width space or a
// character reference is used instead:
//   - a backslash works for * _ ` [ ] | ~ and, at the start of a line, for
//     # > + - . ) and is itself doubled only where no letter or digit follows
//     (marked shows "\\x" as it is);
//   - "@" rings even behind a backslash; hashtags, channel links, emoji and bare
//     links are found after Markdown was resolved: these are broken by zero;
//   - formulas ($…$) are found before references are resolved.
type escaper struct {
	b strings.Builder
	// begun is false at the start of a line, where blocks could begin.
	begun bool
	// inLink makes brackets references: marked ends a link at an escaped one.
	inLink bool
	// inCell makes "|" a reference: it would end the cell of a table.
	inCell bool
	// last is the last rune of what was written, for the edges of emphasis.
	last rune
}

// literal returns a plain text of one or several lines as Markdown.
func literal(text string) string {
	var e escaper
	for i, line := range strings.Split(strings.TrimSpace(chat.Clean(text)), "\n") {
		if i > 0 {
			e.newline()
		}
		e.text(line)
	}
	return e.b.String()
}

func (e *escaper) newline() {
	e.b.WriteByte('\n')
	e.begun, e.last = false, '\n'
}

// markup writes trusted Markdown.
func (e *escaper) markup(s string) {
	if s == "" {
		return
	}
	e.b.WriteString(s)
	e.begun = true
	e.last, _ = utf8.DecodeLastRuneInString(s)
}

// text writes one line of untrusted text.
func (e *escaper) text(s string) {
	s = oneLine(s)
	if !e.begun {
		// Four spaces at the start of a line would make a code block.
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
	}
	for i, r := range s {
		rest := s[i+utf8.RuneLen(r):]
		if !e.begun {
			e.begun = true
			if e.opens(r, s) {
				continue
			}
		}
		e.rune(r, s[:i], rest)
	}
	if s != "" {
		e.last, _ = utf8.DecodeLastRuneInString(s)
	}
}

// opens writes a first rune that could begin a block.
func (e *escaper) opens(r rune, line string) bool {
	switch {
	case r == '#' || r == '>' || r == '+' || r == '-':
		e.b.WriteByte('\\')
		e.b.WriteRune(r)
		if r == '#' {
			e.b.WriteString(zero)
		}
		return true
	case r == '=':
		e.b.WriteString(zero + "=")
		return true
	case r >= '0' && r <= '9':
		digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
		if digits < len(line) && (line[digits] == '.' || line[digits] == ')') {
			// "1." is broken before its dot, which needs no look back later.
			e.b.WriteString(zero)
		}
	}
	return false
}

// rune writes one rune that stands between before and after on its line.
func (e *escaper) rune(r rune, before, after string) {
	b := &e.b
	switch r {
	case '|':
		if e.inCell {
			b.WriteString("&#124;")
			return
		}
		b.WriteByte('\\')
	case '*', '_', '`':
		b.WriteByte('\\')
	case '[', ']':
		if e.inLink {
			b.WriteString(map[rune]string{'[': "&#91;", ']': "&#93;"}[r])
			return
		}
		b.WriteByte('\\')
	case '$':
		b.WriteString("&#36;")
		return
	case '\\':
		e.backslash(after)
		return
	}
	switch {
	case r == '~':
		b.WriteByte('\\')
	case r == '.' && endsInWWW(before):
		b.WriteString(zero) // behind the dot it would be part of the link
	}
	b.WriteRune(r)
	if breaks(r, before, after) {
		b.WriteString(zero)
	}
}

func (e *escaper) backslash(after string) {
	switch {
	case after == "":
		e.b.WriteString(`\\` + zero)
	case isAlnumByte(after[0]):
		e.b.WriteByte('\\')
	default:
		e.b.WriteString(`\\`)
	}
}

// breaks says whether zero must stand behind r. At the end of a text nothing
// is known of what follows: then it does.
func breaks(r rune, before, after string) bool {
	var next byte
	if after != "" {
		next = after[0]
	}
	switch r {
	case '@':
		return true
	case '<':
		return next != ' '
	case '~':
		return next == 0 || isAlnumByte(next)
	case '#':
		return next == 0 || isAlnumByte(next) && !isDigit(next) || next >= utf8.RuneSelf
	case '&':
		end := strings.IndexFunc(after, func(r rune) bool { return r != '#' && (r >= utf8.RuneSelf || !isAlnumByte(byte(r))) })
		return end < 0 || end > 0 && after[end] == ';'
	case ':':
		return next != ' ' && !isTime(before, after)
	case ';':
		return next == 0 || next == ')' || next == '-'
	case '.':
		return pathFollows(after)
	case 'x', 'X':
		return len(after) > 1 && after[0] == '-' && after[1]|0x20 == 'd'
	}
	return false
}

// isTime holds for the colon in 10:04, 10:04:05 and web01:8080, which nothing
// turns into anything. A longer name between two colons could be an emoji's.
func isTime(before, after string) bool {
	if before == "" || after == "" || !isDigit(before[len(before)-1]) || !isDigit(after[0]) {
		return false
	}
	end := strings.IndexFunc(after, func(r rune) bool {
		return r >= utf8.RuneSelf || !isAlnumByte(byte(r)) && r != '_' && r != '+' && r != '-'
	})
	if end < 0 {
		end = len(after)
	}
	digits := strings.Trim(after[:end], "0123456789") == ""
	if end < len(after) && after[end] == ':' {
		return digits && end <= 2
	}
	return digits || end < len(after)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// endsInWWW tells the front of www.example.com and www2.example.com.
func endsInWWW(before string) bool {
	b := strings.TrimRight(before, "0123456789")
	return len(before)-len(b) <= 3 && len(b) >= 3 && strings.EqualFold(b[len(b)-3:], "www")
}

// pathFollows tells the end of example.com/path, which the web app links.
func pathFollows(after string) bool {
	end := strings.IndexFunc(after, func(r rune) bool { return !unicode.IsLetter(r) })
	return end > 1 && after[end] == '/'
}

// bold writes untrusted text strong. White space goes outside, and a thin space
// keeps the asterisks from a neighbour that would make them mere asterisks.
func (e *escaper) bold(s, following string) {
	s = oneLine(s)
	inner := strings.TrimSpace(s)
	if inner == "" {
		e.text(s)
		return
	}
	lead, trail, _ := strings.Cut(s, inner)
	if e.begun {
		e.text(lead)
	}
	first, _ := utf8.DecodeRuneInString(inner)
	if e.begun && isWord(e.last) && !isWord(first) {
		e.markup(thin)
	}
	e.markup("**")
	e.text(inner)
	last := e.last
	e.markup("**")
	if next, _ := utf8.DecodeRuneInString(following); trail == "" && isWord(next) && !isWord(last) {
		e.markup(thin)
	}
	e.text(trail)
}

const thin = "\u200a"

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// link writes untrusted text that leads to target, or the text alone when
// target is no address that may be followed.
func (e *escaper) link(s, target string) {
	target = safeURL(target)
	if target == "" || strings.TrimSpace(s) == "" {
		e.text(s)
		return
	}
	e.markup("[")
	e.inLink = true
	e.text(strings.TrimSpace(oneLine(s)))
	e.inLink = false
	e.markup("](" + target + ")")
}

// oneLine makes text stay on its line. U+2424 is taken for a line end by the
// web app.
func oneLine(s string) string {
	return strings.ReplaceAll(chat.CleanLine(s), "\u2424", "⏎")
}

// maxURL bounds a link; what is longer leads nowhere.
const maxURL = 1000

// safeURL returns an http or https address as it can stand in Markdown, or "".
func safeURL(s string) string {
	if s == "" || len(s) > maxURL {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Host) || u.User != nil {
		return ""
	}
	text := u.String()
	if !strings.ContainsAny(text, "()<>\"'`\\*_[]|@ $~!") {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte("()<>\"'`\\*[]|@ $!", c) >= 0 && i > len(u.Scheme)+len(u.Host)+2 {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// isHost holds for what may stand as a host: names, addresses, a port.
func isHost(s string) bool {
	for _, r := range s {
		if r < utf8.RuneSelf && !isAlnumByte(byte(r)) && !strings.ContainsRune(".-_:[]", r) || r >= utf8.RuneSelf && !isWord(r) {
			return false
		}
	}
	return s != "" && !strings.HasPrefix(s, ":")
}

// titled is for the title of an attachment that has a link: the clients show
// it as it is, the newer ones with character references resolved.
func titled(s string) string {
	s = oneLine(s)
	if !strings.ContainsAny(s, "@&") {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		b.WriteRune(r)
		if r == '@' || r == '&' && breaks(r, s[:i], s[i+1:]) {
			b.WriteString(zero)
		}
	}
	return b.String()
}
