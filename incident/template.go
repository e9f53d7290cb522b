// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what templates make, in characters. A handle leaves room for the
// suffix that a platform adds to a name that is taken.
const (
	maxHandle = 58
	maxSlug   = 40
	// MaxTemplate bounds a template itself.
	MaxTemplate = 200
)

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// placeholders are what a template may hold besides the roles' names.
func placeholders() []string {
	return []string{"number", "slug", "title", "severity", "status", "date", "kind", "type", "service", "environment"}
}

// Placeholders are what the templates of channels may hold: what every incident
// has, and who holds a role, by the role's name.
func (s *Settings) Placeholders() []string { return append(placeholders(), s.RoleNames()...) }

// CheckTemplate says what is wrong with a template: text in which {number} and
// the like stand for what an incident is.
func (s *Settings) CheckTemplate(text string) error {
	if n := utf8.RuneCountInString(text); n > MaxTemplate {
		return fmt.Errorf("it has %d characters; at most %d are taken", n, MaxTemplate)
	}
	known := s.Placeholders()
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, m[1]) {
			return fmt.Errorf("there is no {%s}; there are {%s}", m[1], strings.Join(known, "}, {"))
		}
	}
	if strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "{}") {
		return fmt.Errorf("a { or } stands alone; what is filled in is written like {number}")
	}
	return nil
}

// fill puts what i is into a template. hidden leaves out what must not be known
// where everybody can read it.
func (i *Incident) fill(template string, hidden bool) string {
	text := placeholder.ReplaceAllStringFunc(template, func(m string) string {
		name := m[1 : len(m)-1]
		if name == "number" {
			return strconv.FormatInt(i.Number, 10)
		}
		if hidden {
			return ""
		}
		return i.filled(name)
	})
	if hidden {
		text += " private"
	}
	return tidy(text)
}

func (i *Incident) filled(name string) string {
	switch name {
	case "slug":
		return slug(i.Title, maxSlug)
	case "title":
		return i.Title
	case "severity":
		return i.Severity
	case "status":
		return i.Status.String()
	case "date":
		return i.CreatedAt.UTC().Format("2006-01-02")
	case "kind":
		return string(i.Kind)
	case "type":
		return strings.Join(i.Types, ", ")
	case "service":
		return strings.Join(i.Services, ", ")
	case "environment":
		return strings.Join(i.Environments, ", ")
	}
	return i.Roles[name].Name
}

// tidy leaves out separators that part nothing because a value is empty: " · "
// at the ends and twice in a row.
func tidy(text string) string {
	var kept []string
	for part := range strings.SplitSeq(text, " · ") {
		part = strings.TrimSpace(oneLine(part))
		if trimmed := strings.TrimSpace(strings.Trim(part, "·")); trimmed != "" && !strings.HasSuffix(trimmed, ":") {
			kept = append(kept, trimmed)
		}
	}
	return strings.Join(kept, " · ")
}

// slug is text as a part of a channel's name: a-z, 0-9 and dashes, at most most
// characters, cut between words where one ends in time.
func slug(text string, most int) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(text) {
		if base, ok := plainLetters[r]; ok {
			r = base
		}
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			dash = b.Len() > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(r)
	}
	out := b.String()
	if len(out) <= most {
		return out
	}
	out = out[:most+1]
	if at := strings.LastIndexByte(out, '-'); at > most/2 {
		return out[:at]
	}
	return strings.TrimRight(out[:most], "-")
}

// plainLetters are letters that people read as others without their marks.
var plainLetters = map[rune]rune{
	'ä': 'a', 'à': 'a', 'á': 'a', 'â': 'a', 'ã': 'a', 'å': 'a', 'ç': 'c', 'č': 'c', 'ć': 'c', 'è': 'e', 'é': 'e', 'ê': 'e', 'ë': 'e', 'ě': 'e', 'ę': 'e',
	'ì': 'i', 'í': 'i', 'î': 'i', 'ï': 'i', 'ł': 'l', 'ñ': 'n', 'ń': 'n', 'ò': 'o', 'ó': 'o', 'ô': 'o', 'õ': 'o', 'ö': 'o', 'ø': 'o', 'ř': 'r', 'š': 's', 'ś': 's',
	'ß': 's', 'ù': 'u', 'ú': 'u', 'û': 'u', 'ü': 'u', 'ů': 'u', 'ý': 'y', 'ž': 'z', 'ż': 'z', 'ź': 'z',
}
