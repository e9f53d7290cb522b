// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"strings"
	"unicode/utf8"
)

// Clean makes what should not be in a text visible, so that it can neither
// steer a screen nor turn the order of letters round: control characters
// become their pictures (ESC is shown as ␛), bidirectional overrides and bytes
// that are not UTF-8 become U+FFFD. Line ends of every kind become "\n"; tabs
// stay. Every platform cleans what it shows, before its own escaping.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				b.WriteByte('\n')
			}
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case r == 0x7f:
			b.WriteRune('␡')
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			b.WriteByte('\n')
		case r > 0x7f && r < 0xa0, isBidi(r), r == utf8.RuneError:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanLine is Clean for a text that must stay on one line: line ends and tabs
// become one space each.
func CleanLine(s string) string {
	s = Clean(s)
	if !strings.ContainsAny(s, "\n\t") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, s)
}

func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			return cleanRunes(s[i:])
		}
	}
	return true
}

func cleanRunes(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 ||
			r == 0x2028 || r == 0x2029 || r == utf8.RuneError || isBidi(r) {
			return false
		}
	}
	return true
}

// isBidi tells the characters that turn the order of what follows.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
