// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// wrongAddress says what keeps a text from being an endpoint's address.
func wrongAddress(text string) string {
	if text == "" {
		return "is missing: the endpoint's address, such as https://fridge.example.org/api/{1}"
	}
	u, err := url.Parse(fillAddress(text, func(string) (string, bool) { return "x", true }))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "does not begin with http:// or https:// and a host"
	case u.User != nil:
		return "has a user name or password in it; use token_file or headers"
	case dotted(text):
		return "has . or .. in its path"
	case u.Fragment != "":
		return "has # in it"
	case strings.ContainsAny(hostPart(text), "{}"):
		return "has { } before its path: what people type never says where to ask"
	}
	wrong := ""
	fillAddress(text, func(name string) (string, bool) {
		if _, known := (question{}).value(name); !known && wrong == "" {
			wrong = fmt.Sprintf("knows {1} to {9}, {text}, {word}, {person} and {channel}, not {%s}", name)
		}
		return "", true
	})
	return wrong
}

// hostPart is what stands before an address' path and query.
func hostPart(text string) string {
	_, rest, _ := strings.Cut(text, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// value is what a placeholder stands for; ok is false for an unknown one.
func (q question) value(name string) (value string, ok bool) {
	switch name {
	case "text":
		return q.rest, true
	case "word":
		return q.word, true
	case "person":
		return q.Actor.Name, true
	case "channel":
		return q.ChannelName, true
	}
	if len(name) == 1 && name[0] >= '1' && name[0] <= '9' {
		if i := int(name[0] - '1'); i < len(q.words) {
			return q.words[i], true
		}
		return "", true
	}
	return "", false
}

// fillAddress puts values where placeholders stand. A brace without its
// partner stays as it is.
func fillAddress(text string, value func(name string) (string, bool)) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return b.String() + "{" + rest
		}
		if v, ok := value(name); ok {
			b.WriteString(v)
		}
		text = after
	}
}

// address is where a question goes. Words are escaped; one that would change
// the path all the same (".", "..") is refused.
func (c *HTTP) address(q question) (string, error) {
	path, query, hasQuery := strings.Cut(c.URL, "?")
	missing := 0
	fill := func(text string, escape func(string) string) string {
		return fillAddress(text, func(name string) (string, bool) {
			v, _ := q.value(name)
			if v == "" && len(name) == 1 {
				missing = max(missing, int(name[0]-'0'))
			}
			return escape(v), true
		})
	}
	filled := fill(path, url.PathEscape)
	if hasQuery {
		filled += "?" + fill(query, url.QueryEscape)
	}
	switch {
	case missing > 0:
		return "", troublef("“%s” wants %s behind it.", q.word, countOf(missing, "word"))
	case dotted(filled):
		return "", trouble("I can't ask for that word.")
	case len(filled) > maxAddress:
		return "", trouble("That is too long to ask for.")
	}
	return filled, nil
}

// maxAddress bounds an address with what was typed in it, in bytes.
const maxAddress = 4000

// dotted holds for a path with segments that lead elsewhere, also when what
// stands before the endpoint takes escaped slashes for slashes (as nginx does).
func dotted(address string) bool {
	path, _, _ := strings.Cut(address, "?")
	for range 3 { // escaped, and once more on the way
		if slices.ContainsFunc(strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' || r == ';' }), func(s string) bool { return s == "." || s == ".." }) {
			return true
		}
		plain, err := url.PathUnescape(path)
		if err != nil || plain == path {
			return false
		}
		path = plain
	}
	return false
}

func countOf(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
