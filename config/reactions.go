// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/incident"
)

// IncidentReactions are the emoji, by their names without colons, with which
// people keep a message of an incident's own channel; none: nothing does. What
// is left out is that of incident.DefaultReactions.
type IncidentReactions struct {
	// Timeline puts it into the timeline, Task makes it something to do now,
	// FollowUp something to do afterwards.
	Timeline []string `yaml:"timeline"`
	Task     []string `yaml:"task"`
	FollowUp []string `yaml:"followup"`
}

const (
	maxEmojiName = 64
	maxEmoji     = 20
)

func defaultReactions() IncidentReactions {
	d := incident.DefaultReactions()
	return IncidentReactions{d[incident.KeepTimeline], d[incident.KeepTask], d[incident.KeepFollowUp]}
}

// settings are they by what they do.
func (r *IncidentReactions) settings() map[incident.Keep][]string {
	return map[incident.Keep][]string{incident.KeepTimeline: r.Timeline, incident.KeepTask: r.Task, incident.KeepFollowUp: r.FollowUp}
}

// check tells names that no emoji has, and those that would do two things.
func (r *IncidentReactions) check(w *wrongs) {
	all := r.settings()
	does := map[string]incident.Keep{}
	for _, k := range incident.Keeps() {
		at := "reactions." + string(k)
		if len(all[k]) > maxEmoji {
			w.add(at, "%d emoji are more than anybody remembers; at most %d are taken", len(all[k]), maxEmoji)
		}
		for _, name := range all[k] {
			switch other, taken := does[name]; {
			case !isEmojiName(name):
				w.add(at, "%s is no emoji's name; write it as between the colons, such as pushpin", quote(name))
			case taken && other == k:
				w.add(at, "%s is there twice", quote(name))
			case taken:
				w.add(at, "%s is in reactions.%s already; an emoji does one thing", quote(name), other)
			}
			does[name] = k
		}
	}
}

// isEmojiName says whether a chat platform can have an emoji of that name.
func isEmojiName(s string) bool {
	return s != "" && len(s) <= maxEmojiName && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r == ':' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.IsUpper(r) || unicode.IsSymbol(r) && r != '+'
	})
}
