// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// quote shows a text of the file in a fault, at most 60 bytes of it.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// did says what was probably meant: the nearest of the known words, or all of
// them where none is near.
func did(word string, known []string) string {
	known = slices.Sorted(slices.Values(known))
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	switch len(known) {
	case 0:
		return "none is known here"
	case 1:
		return "the only one known here is " + known[0]
	}
	return "known are " + strings.Join(known, ", ")
}

// nearest returns the known word with the fewest letters changed, if those are
// at most a third of it.
func nearest(word string, known []string) string {
	if len(word) > 40 {
		return ""
	}
	best, least := "", 1<<30
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least {
			best, least = k, d
		}
	}
	if least > max(1, min(len(word), len(best))/3) {
		return ""
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour (optimal string alignment) to get from a to b.
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}

// what names what stands in the file, in words.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "this is a block of keys"
	case yaml.SequenceNode:
		return "this is a list"
	}
	switch n.ShortTag() {
	case "!!int":
		return "this is a number"
	case "!!float":
		return "this is a decimal number"
	case "!!bool":
		return "this is " + n.Value
	case "!!null":
		return "nothing is here"
	}
	return "this is a word"
}

// syntaxWords turns the parser's terms into what a person can do. Its texts
// can quote the file, so that none but those known to be harmless are passed on.
func syntaxWords(message, context string) string {
	switch {
	case strings.Contains(message, "cannot start any token"):
		return "a tab, or a value that begins with @, ` or %: indent with spaces, put such values in quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		return `a second ": " on this line, or wrong indentation: put values with ": " in quotes`
	case strings.Contains(message, "unknown anchor"):
		return "a value that begins with * needs quotes"
	case strings.Contains(message, "multiple"):
		return `a second document begins with "---": one file has one`
	case strings.Contains(message, "did not find expected"):
		return "a bracket or a quote is not closed, or the indentation is wrong"
	case strings.Contains(message, "exceeded max depth"):
		return "blocks stand too deep in each other"
	case strings.ContainsAny(message, "'\"`"):
		return "this is not YAML"
	}
	if context != "" && !strings.ContainsAny(context, "'\"`") {
		return "this is not YAML: " + context + ", " + message
	}
	return "this is not YAML: " + message
}

// ParseDuration reads a span of time: a number with a unit, or several of them
// in a row: 90d, 2w, 1h30m, 15m, 500ms. The units are ms, s, m, h, d (24 h) and
// w (7 d).
func ParseDuration(s string) (time.Duration, error) {
	rest, total := s, time.Duration(0)
	for rest != "" {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		u := n
		for u < len(rest) && rest[u] >= 'a' && rest[u] <= 'z' {
			u++
		}
		unit, ok := unitOf(rest[n:u])
		if n == 0 || n > 9 || !ok {
			return 0, fmt.Errorf("%s is not a span of time; write it like 90d, 15m or 1h30m", quote(s))
		}
		var count int64
		for _, c := range []byte(rest[:n]) {
			count = count*10 + int64(c-'0')
		}
		if count > int64(maxDuration/unit) || total+time.Duration(count)*unit > maxDuration {
			return 0, fmt.Errorf("%s is longer than a hundred years", quote(s))
		}
		total += time.Duration(count) * unit
		rest = rest[u:]
	}
	if s == "" {
		return 0, fmt.Errorf("a span of time is empty; write it like 90d, 15m or 1h30m")
	}
	return total, nil
}

const maxDuration = 100 * 365 * 24 * time.Hour

func unitOf(s string) (time.Duration, bool) {
	switch s {
	case "ms":
		return time.Millisecond, true
	case "s":
		return time.Second, true
	case "m":
		return time.Minute, true
	case "h":
		return time.Hour, true
	case "d":
		return 24 * time.Hour, true
	case "w":
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}

func validText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
