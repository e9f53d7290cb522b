// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"

	"belfry/alert"
)

// Limits of what a matcher may be. They bound the memory of a compiled
// regular expression; Go's take time linear in the label's length.
const (
	maxMatcherText = 4096
	maxMatchers    = 32
	maxRegexp      = 1024
)

// Matchers are matchers of which all must hold.
type Matchers []*labels.Matcher

// ParseMatchers reads matchers in Alertmanager's UTF-8 syntax, one or several
// separated by commas, with or without braces:
//
//	severity="critical", team=~"db.*"
//
// The error says what is wrong and what is right. An empty text gives no
// matchers, which hold for everything.
func ParseMatchers(text string) (Matchers, error) {
	if len(text) > maxMatcherText {
		return nil, fmt.Errorf("a match has %d characters, at most %d are taken", len(text), maxMatcherText)
	}
	parsed, err := parse.Matchers(text)
	if err != nil {
		return nil, fmt.Errorf("match %s is not understood: %w; write it like severity=\"critical\", team=~\"db.*\"", clip(text), err)
	}
	if len(parsed) > maxMatchers {
		return nil, fmt.Errorf("a match has %d parts, at most %d are taken", len(parsed), maxMatchers)
	}
	for _, m := range parsed {
		if isRegexp(m) && len(m.Value) > maxRegexp {
			return nil, fmt.Errorf("the regular expression for %s has %d characters, at most %d are taken",
				clip(m.Name), len(m.Value), maxRegexp)
		}
	}
	return Matchers(parsed), nil
}

// String returns the matchers as they can be parsed again.
func (ms Matchers) String() string {
	var parts []string
	for _, m := range ms {
		parts = append(parts, m.String())
	}
	return strings.Join(parts, ",")
}

// Match says whether all hold. A label that is missing counts as empty, as in
// Alertmanager.
func (ms Matchers) Match(l alert.Labeled) bool {
	for _, m := range ms {
		if !m.Matches(l.Label(m.Name)) {
			return false
		}
	}
	return true
}

// cheapFirst returns the matchers with comparisons before regular expressions:
// the order does not change the result, only the time.
func (ms Matchers) cheapFirst() Matchers {
	sorted := slices.Clone(ms)
	slices.SortStableFunc(sorted, func(a, b *labels.Matcher) int {
		switch ra, rb := isRegexp(a), isRegexp(b); {
		case ra == rb:
			return 0
		case ra:
			return 1
		default:
			return -1
		}
	})
	return sorted
}

func isRegexp(m *labels.Matcher) bool {
	return m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp
}
