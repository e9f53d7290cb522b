// SPDX-License-Identifier: Apache-2.0

// Package typed reads lines that people type in chat: words and quotations as
// phones and word processors write them, spans of time, and what was probably
// meant by a word that is not known.
//
// A command makes a Line of what was typed and takes from its beginning what
// it wants: Next a word, Span a span of time, Tail the rest. Nothing is an
// error here: what can't be read as wanted stays where it is.
package typed

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
)

// MaxText bounds what is read of a line, in bytes; a post of Mattermost holds
// more, but no command needs it.
const MaxText = 16 << 10

// Line is what is left of a line.
type Line struct{ rest string }

// New takes a line as it was typed.
func New(text string) *Line {
	w := &Line{rest: chat.Clean(text)}
	w.skip()
	return w
}

// Rest returns what is left, and leaves it there.
func (w *Line) Rest() string { return w.rest }

// Copy returns a line on which can be tried what comes next.
func (w *Line) Copy() *Line { return &Line{w.rest} }

// isSpace also holds for what people paste and can't see.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == 0x200b || r == 0x2060 || r == 0xfeff || r == 0x200c || r == 0x200d
}

func (w *Line) skip() {
	w.rest = strings.TrimRightFunc(strings.TrimLeftFunc(w.rest, isSpace), isSpace)
}

// closing returns what may end a quotation that r begins; empty when r begins
// none. Phones and word processors put their own where " was meant.
func closing(r rune) string {
	switch r {
	case '"', '\'', '`':
		return string(r)
	case '“':
		return "”“\""
	case '”':
		return "”\""
	case '„':
		return "“”\""
	case '‘':
		return "’‘"
	case '‚':
		return "‘’"
	case '«':
		return "»"
	case '»':
		return "«"
	}
	return ""
}

// Next takes one word: plain is what it says, raw how it was typed. White space
// within quotes belongs to the word; a quote counts where a value can begin,
// so that "don't" is one. A quote that nothing ends is a letter like others.
func (w *Line) Next() (plain, raw string) {
	var b strings.Builder
	begins := true
	i := 0
	for i < len(w.rest) {
		r, size := utf8.DecodeRuneInString(w.rest[i:])
		if isSpace(r) {
			break
		}
		if ends := closing(r); ends != "" && begins {
			if n := strings.IndexAny(w.rest[i+size:], ends); n >= 0 {
				b.WriteString(w.rest[i+size : i+size+n])
				i += size + n
				_, size = utf8.DecodeRuneInString(w.rest[i:])
				i += size
				continue
			}
		}
		b.WriteRune(r)
		begins = strings.ContainsRune("=~/,({#", r)
		i += size
	}
	raw = w.rest[:i]
	w.rest = w.rest[i:]
	w.skip()
	return b.String(), raw
}

// Tail takes all that is left as one line of text, without quotes around it.
func (w *Line) Tail() string {
	text := strings.Join(strings.FieldsFunc(w.rest, isSpace), " ")
	w.rest = ""
	r, size := utf8.DecodeRuneInString(text)
	if ends := closing(r); ends != "" {
		last, lastSize := utf8.DecodeLastRuneInString(text)
		if inner := text[min(size, len(text)):max(size, len(text)-lastSize)]; strings.ContainsRune(ends, last) &&
			len(text) > size && !strings.ContainsAny(inner, ends) {
			return strings.TrimSpace(inner)
		}
	}
	return text
}

// Straight puts plain quotes where others stand, for matchers.
func Straight(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("“”„«»", r):
			return '"'
		case isSpace(r):
			return ' '
		}
		return r
	}, text)
}

// units are the words for spans of time.
func units(word string) (time.Duration, bool) {
	switch strings.ToLower(word) {
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute, true
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour, true
	case "d", "day", "days":
		return 24 * time.Hour, true
	case "w", "week", "weeks":
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}

// ParseSpan reads a span of time: 90m, 2h, 1d, 1w, 1h30m. ok is false when
// text is none.
func ParseSpan(text string) (d time.Duration, ok bool) {
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		if digits == 0 || digits > 4 {
			return 0, false
		}
		n := 0
		for _, c := range []byte(text[:digits]) {
			n = n*10 + int(c-'0')
		}
		text = text[digits:]
		letters := len(text) - len(strings.TrimLeftFunc(text, unicode.IsLetter))
		unit, known := units(text[:letters])
		if !known {
			return 0, false
		}
		d += time.Duration(n) * unit
		if d > MaxSpan {
			d = MaxSpan + 1 // too long is told by the one who asked for it
		}
		text = text[letters:]
		ok = true
	}
	return d, ok
}

// MaxSpan is longer than anything that may be asked for.
const MaxSpan = 10 * 365 * 24 * time.Hour

// Span takes a span of time, also one with a space in it: "2 h". ok is false
// when none comes next; nothing is taken then.
func (w *Line) Span() (d time.Duration, ok bool) {
	before := w.rest
	first, _ := w.Next()
	if d, ok = ParseSpan(first); ok {
		return d, true
	}
	if first != "" && strings.Trim(first, "0123456789") == "" {
		second, _ := w.Next()
		if d, ok = ParseSpan(first + second); ok {
			return d, true
		}
	}
	w.rest = before
	return 0, false
}

// MatchersAndSpan splits "host="web01", team=~"db.*" 2h why" into the matchers
// as they were typed and the span; the rest is left.
func (w *Line) MatchersAndSpan() (matchers string, d time.Duration, ok bool) {
	var taken []string
	for w.rest != "" {
		if len(taken) > 0 && !goesOn(taken[len(taken)-1]) {
			if d, ok = w.Span(); ok {
				return strings.Join(taken, " "), d, true
			}
		}
		_, raw := w.Next()
		taken = append(taken, raw)
	}
	return strings.Join(taken, " "), 0, false
}

// goesOn says whether a matcher can't end with this word.
func goesOn(raw string) bool {
	last, _ := utf8.DecodeLastRuneInString(raw)
	return strings.ContainsRune("=~!,{", last)
}

// Nearest returns the word that was most likely meant, or "".
func Nearest(word string, known []string) string {
	word = strings.ToLower(word)
	best, at := "", 3
	if utf8.RuneCountInString(word) <= 3 {
		at = 2
	}
	for _, k := range known {
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(k), word) {
			return k
		}
		if apart := len(k) - len(word); apart > 4*at || apart < -4*at {
			continue // a letter has four bytes at most
		}
		if d := distance(word, strings.ToLower(k)); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance counts the letters to change, add, leave out or swap (optimal
// string alignment) to make b of a; words of very different or great length are far apart.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if apart := len(x) - len(y); apart > 3 || apart < -3 {
		return max(len(x), len(y)) // far off, however it goes on
	}
	if len(x) > 64 || len(y) > 64 {
		return max(len(x), len(y))
	}
	var before, above []int
	for i := range len(x) + 1 {
		row := make([]int, len(y)+1)
		for j := range row {
			switch {
			case i == 0 || j == 0:
				row[j] = i + j
				continue
			case x[i-1] == y[j-1]:
				row[j] = above[j-1]
			default:
				row[j] = 1 + min(above[j-1], above[j], row[j-1])
			}
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(y)]
}

// Count is "1 problem", "2 problems".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// AnyOf says whether any of the words is in the text.
func AnyOf(text string, of ...string) bool {
	return slices.ContainsFunc(of, func(s string) bool { return strings.Contains(text, s) })
}
