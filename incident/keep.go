// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Keep is what a message of an incident's channel is kept as.
type Keep string

// What messages are kept as.
const (
	KeepTimeline Keep = "timeline"
	KeepTask     Keep = "task"
	KeepFollowUp Keep = "followup"
)

// Keeps are all of them.
func Keeps() []Keep { return []Keep{KeepTimeline, KeepTask, KeepFollowUp} }

// DefaultReactions are the emoji that keep a message, without a configuration.
func DefaultReactions() map[Keep][]string {
	return map[Keep][]string{KeepTimeline: {"pushpin"}, KeepTask: {"star"}, KeepFollowUp: {"wrench"}}
}

// KeepOf returns what an emoji keeps a message as, by its name between the
// colons; "": it means nothing.
func (s *Settings) KeepOf(emoji string) Keep {
	for _, k := range Keeps() {
		if slices.Contains(s.Reactions[k], emoji) {
			return k
		}
	}
	return ""
}

// Said is a message that somebody wrote in chat.
type Said struct {
	// Text is what they wrote: untrusted, and of any length.
	Text string
	// By wrote it, At when.
	By Person
	At time.Time
	// Link leads to it; may be empty.
	Link string
}

// noText stands for a message of which nothing can be read, such as a picture.
const noText = "(a message without text)"

// Record takes a message into the record, as by wishes. In the timeline it stands
// at its own time and in its author's name; a task or follow-up is by's. What is
// too long is cut: the link leads to the whole.
func (i *Incident) Record(as Keep, s Said, by Person, at time.Time) (Entry, error) {
	switch as {
	case KeepTask, KeepFollowUp:
		text := excerpt(oneLine(s.Text), MaxLine)
		if text == "" {
			text = noText
		}
		kind := ToDo
		if as == KeepFollowUp {
			kind = FollowUp
		}
		e, err := i.AddTask(kind, text, Person{}, time.Time{}, by, at)
		if err != nil {
			return Entry{}, err
		}
		i.Tasks[len(i.Tasks)-1].Link, e.Link = s.Link, s.Link
		return e, nil
	case KeepTimeline:
		if err := i.room(); err != nil {
			return Entry{}, err
		}
		text := excerpt(s.Text, MaxText)
		if text == "" {
			text = noText
		}
		e := i.touch(EntrySaid, s.By, at, text)
		if !s.At.IsZero() && s.At.Before(e.At) {
			e.At = s.At
		}
		e.Link, e.KeptBy = s.Link, by
		i.takesPart(by)
		return e, nil
	}
	return Entry{}, fmt.Errorf("a message is kept as one of %v, not as %s", Keeps(), strconv.Quote(string(as)))
}
