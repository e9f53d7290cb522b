// SPDX-License-Identifier: Apache-2.0

package chathook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"belfry/alert"
	"belfry/config"
	"belfry/monitor"
)

// What a post can become.
const (
	becomesFiring   = "firing"
	becomesResolved = "resolved"
	becomesMessage  = "message"
	becomesNothing  = "nothing"
)

// Config says what posts mean. All of it may be left out: then the colour of an
// attachment decides, and what has none is a plain message.
type Config struct {
	// Rules are asked in order; the first that fits decides.
	Rules []Rule `yaml:"rules,omitempty"`
	// Colors, true by default, lets an attachment's colour decide where no rule
	// does: red is a critical problem, yellow and orange one that is a warning,
	// green the end of one.
	Colors *bool `yaml:"colors,omitempty"`
	// Key is a regular expression for what tells problems apart, looked for in
	// the title and the text: its first group, or all of it. Left out: the
	// title without words like DOWN and RESOLVED.
	Key string `yaml:"key,omitempty"`
	// FollowChannel, true by default, posts to the channel that a post names,
	// besides those of the routes.
	FollowChannel *bool `yaml:"follow_channel,omitempty"`
}

// Rule says what a post means. What is left out fits everything.
type Rule struct {
	// Match is a regular expression, looked for in the title and the text.
	Match string `yaml:"match,omitempty"`
	// Color is an attachment's: good, warning, danger or #rrggbb; several: any.
	Color []string `yaml:"color,omitempty"`
	// Username is the name the tool posts under.
	Username string `yaml:"username,omitempty"`
	// Becomes is firing, resolved, message or nothing.
	Becomes string `yaml:"becomes"`
	// Severity of a firing one: critical (the default), warning, info or unknown.
	Severity string `yaml:"severity,omitempty"`
}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var wrong []error
	for i, r := range c.Rules {
		for _, text := range r.wrong() {
			wrong = append(wrong, config.Wrong("rules", "rule %d: %s", i+1, text))
		}
	}
	if _, err := regexp.Compile(c.Key); err != nil {
		wrong = append(wrong, config.Wrong("key", "%s is not a regular expression: %v", monitor.Quote(c.Key), err))
	}
	return wrong
}

func (r Rule) wrong() (texts []string) {
	if _, err := regexp.Compile(r.Match); err != nil {
		texts = append(texts, fmt.Sprintf("match: %s is not a regular expression: %v", monitor.Quote(r.Match), err))
	}
	for _, c := range r.Color {
		if _, _, _, ok := rgb(c); !ok && c != "good" && c != "warning" && c != "danger" {
			texts = append(texts, fmt.Sprintf("color: %s is not known; it is good, warning, danger or #rrggbb", monitor.Quote(c)))
		}
	}
	if !slices.Contains([]string{becomesFiring, becomesResolved, becomesMessage, becomesNothing}, r.Becomes) {
		texts = append(texts, fmt.Sprintf("becomes: %s is not known; it is firing, resolved, message or nothing", monitor.Quote(r.Becomes)))
	}
	if s, ok := alert.ParseSeverity(r.Severity); r.Severity != "" && (!ok || s == alert.SeverityOK) {
		texts = append(texts, fmt.Sprintf("severity: %s is not known; it is critical, warning, info or unknown", monitor.Quote(r.Severity)))
	}
	return texts
}

// Open returns the monitor.
func (c *Config) Open() (monitor.Monitor, error) {
	r := &rules{colors: c.Colors == nil || *c.Colors}
	for _, given := range c.Rules {
		match, err := regexp.Compile(given.Match)
		if err != nil {
			return nil, err
		}
		r.list = append(r.list, rule{Rule: given, match: match, verdict: verdict{given.Becomes, severity(given.Severity)}})
	}
	if c.Key != "" {
		var err error
		if r.key, err = regexp.Compile(c.Key); err != nil {
			return nil, err
		}
	}
	return &Monitor{rules: r, follow: c.FollowChannel == nil || *c.FollowChannel}, nil
}

func severity(word string) alert.Severity {
	if word == "" {
		return alert.SeverityCritical
	}
	s, _ := alert.ParseSeverity(word)
	return s
}

// verdict is what a part is.
type verdict struct {
	becomes  string
	severity alert.Severity
}

type rule struct {
	Rule
	match   *regexp.Regexp
	verdict verdict
}

type rules struct {
	list   []rule
	colors bool
	key    *regexp.Regexp
}

func (r *rules) judge(p post, s part) verdict {
	all := s.all()
	for _, one := range r.list {
		if one.Username != "" && one.Username != p.username || len(one.Color) > 0 && !sameColor(one.Color, s.color) || !one.match.MatchString(all) {
			continue
		}
		return one.verdict
	}
	if !r.colors {
		return verdict{becomes: becomesMessage}
	}
	return byColor(s.color)
}

func sameColor(list []string, color string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return strings.EqualFold(c, color) })
}

// byColor reads a colour: Slack's three words, or where #rrggbb stands on the
// colour wheel. Grey, blue and none say nothing.
func byColor(color string) verdict {
	switch color {
	case "danger":
		return verdict{becomesFiring, alert.SeverityCritical}
	case "warning":
		return verdict{becomesFiring, alert.SeverityWarning}
	case "good":
		return verdict{becomes: becomesResolved}
	}
	r, g, b, ok := rgb(color)
	high, low := max(r, g, b), min(r, g, b)
	switch {
	case !ok || high-low < 60:
	case r == high && b <= (r+low)/2 && g > r/2:
		return verdict{becomesFiring, alert.SeverityWarning}
	case r == high && b <= (r+low)/2:
		return verdict{becomesFiring, alert.SeverityCritical}
	case g == high && b <= (g+low)/2+40:
		return verdict{becomes: becomesResolved}
	}
	return verdict{becomes: becomesMessage}
}

func rgb(c string) (r, g, b int, ok bool) {
	if len(c) == 4 && c[0] == '#' {
		c = "#" + strings.Repeat(c[1:2], 2) + strings.Repeat(c[2:3], 2) + strings.Repeat(c[3:4], 2)
	}
	if len(c) != 7 || c[0] != '#' {
		return 0, 0, 0, false
	}
	n, err := strconv.ParseUint(c[1:], 16, 32)
	return int(n >> 16), int(n >> 8 & 0xff), int(n & 0xff), err == nil //nolint:gosec // 24 bits
}

// keyOf tells problems apart, whether they begin or end.
func (r *rules) keyOf(s part) string {
	if r.key != nil {
		if m := r.key.FindStringSubmatch(s.all()); m != nil {
			for _, group := range m[1:] {
				if group != "" {
					return short(line(group))
				}
			}
			if len(m) == 1 && m[0] != "" {
				return short(line(m[0]))
			}
		}
	}
	var kept []string
	for _, word := range strings.FieldsFunc(s.title, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("._-/@", c)
	}) {
		word = strings.ToLower(strings.Trim(word, ".-/@_"))
		if word != "" && !isStateWord(word) {
			kept = append(kept, word)
		}
	}
	if len(kept) == 0 {
		return short(strings.ToLower(s.title))
	}
	return short(strings.Join(kept, " "))
}

// isStateWord tells the words that differ between a problem's begin and its end.
func isStateWord(w string) bool {
	switch w {
	case "firing", "alerting", "alert", "problem", "down", "critical", "crit", "warning", "warn", "error", "failed", "failing", "failure", "fail",
		"unhealthy", "triggered", "opened", "open", "unstable", "broken", "unreachable", "unknown", "nodata", "no_data",
		"resolved", "recovered", "recovery", "ok", "up", "fixed", "passed", "success", "successful", "succeeded", "healthy", "closed", "normal",
		"back", "online", "offline", "is", "was", "has", "are", "to", "now", "again", "in", "state",
		"red_circle", "white_check_mark", "fire", "rotating_light", "heavy_check_mark", "x", "large_green_circle", "boom":
		return true
	}
	// Counts like the one in [FIRING:2].
	return len(w) <= 3 && strings.Trim(w, "0123456789") == ""
}
