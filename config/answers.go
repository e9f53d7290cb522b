// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/route"

	"go.yaml.in/yaml/v4"
)

// Limits of an answer.
const (
	maxWords    = 20
	maxWord     = 64
	maxUsername = 64
	maxIcon     = 1000
)

// Where an answer stands: in the thread of the question, or as a message.
const (
	RespondComment = "comment"
	RespondPost    = "post"
)

// Answer is what is said when somebody begins a message with a word.
type Answer struct {
	Name, Kind string
	// Words are the trigger words, as people type them; capitals don't count.
	Words []string
	// Where lists the connections and channels in which it holds; empty: everywhere.
	Where []Where
	// Comment is where it stands, see RespondComment.
	Comment bool
	// Username and IconURL are shown instead of the bot's; often empty.
	Username, IconURL string
	// Spec holds the kind's own keys, already valid.
	Spec Spec
	// Line is where it stands in the file.
	Line int
}

// Where is a connection, or one of its channels.
type Where struct {
	Connection string
	// Channel is a handle or id; empty: all of the connection.
	Channel string
}

// AnswersOn returns the answers that hold somewhere on a connection.
func (f *File) AnswersOn(connection string) []Answer {
	var out []Answer
	for _, a := range f.Answers {
		if len(a.Where) == 0 || slices.ContainsFunc(a.Where, func(w Where) bool { return w.Connection == connection }) {
			out = append(out, a)
		}
	}
	return out
}

// answerKeys are the keys that all kinds of answers have.
type answerKeys struct {
	Name     string   `yaml:"name"`
	Kind     string   `yaml:"kind"`
	Words    []string `yaml:"words"`
	Channels []string `yaml:"channels"`
	Respond  string   `yaml:"respond"`
	Username string   `yaml:"username"`
	IconURL  string   `yaml:"icon_url"`
}

func (l *loader) answers(root *yaml.Node) {
	n := l.section(root, "answers", yaml.SequenceNode)
	if n == nil {
		return
	}
	seen := map[string]place{}
	for i, item := range n.Content {
		var head answerKeys
		where, spec := l.entry("answer", i, item, &head, &head.Name, &head.Kind, seen, l.kinds.Answers)
		if item.Kind != yaml.MappingNode {
			continue
		}
		a := Answer{Name: head.Name, Kind: head.Kind, Words: head.Words, Username: head.Username, IconURL: head.IconURL,
			Comment: head.Respond != RespondPost, Spec: spec, Line: item.Line}
		if len(a.Words) == 0 {
			a.Words = []string{a.Name}
		}
		a.Where = l.where(where, item, head.Channels)
		l.wordsOf(where, item, a)
		l.looksOf(where, item, head)
		if spec != nil {
			l.file.Answers = append(l.file.Answers, a)
		}
	}
}

// where reads the connections and channels of an answer.
func (l *loader) where(where string, item *yaml.Node, texts []string) (out []Where) {
	if key, _ := child(item, "channels"); len(texts) > maxChannels {
		l.fault(key, "%s%d channels, at most %d are taken", where, len(texts), maxChannels)
		return nil
	}
	for i, text := range texts {
		w := Where{Connection: text}
		if strings.Contains(text, "/") {
			target, err := route.ParseTarget(text)
			if err != nil {
				l.fault(itemAt(item, "channels", i), "%s%v", where, err)
				continue
			}
			w = Where{Connection: target.Connection, Channel: strings.TrimLeft(target.Channel, "~#")}
		}
		if !l.blind && !slices.Contains(l.names, w.Connection) {
			l.fault(itemAt(item, "channels", i), "%schannels: there is no connection %s; %s", where, quote(w.Connection), did(w.Connection, l.names))
		} else if wrong := wrongPlace(w); text != w.Connection && wrong != "" {
			l.fault(itemAt(item, "channels", i), "%schannels: %s %s", where, quote(text), wrong)
			continue // it would stand for the whole connection
		}
		if w.Connection == RoomName {
			l.fault(itemAt(item, "channels", i), "%schannels: nobody types in the built-in room; answers are for chat platforms", where)
		}
		out = append(out, w)
	}
	return out
}

// wrongPlace says what keeps an answer from ever being given in a channel.
// Routes find a channel of another team by team/handle; who hears a word knows the
// handles of the connection's own team alone, because anybody in another one could
// make a channel of the same name there.
func wrongPlace(w Where) string {
	switch _, handle, team := strings.Cut(w.Channel, "/"); {
	case w.Channel == "":
		return "names no channel after the /"
	case team:
		return fmt.Sprintf("names a team, which answers can't be told by; write %s/ and the channel's id, or %s/%s for one of the connection's own team", w.Connection, w.Connection, handle)
	}
	return ""
}

// wordsOf checks the trigger words of an answer: each is one word, and means
// one answer wherever it holds.
func (l *loader) wordsOf(where string, item *yaml.Node, a Answer) {
	at := item
	if key, _ := child(item, "words"); key != nil {
		at = key
	}
	if len(a.Words) > maxWords {
		l.fault(at, "%s%d words, at most %d are taken", where, len(a.Words), maxWords)
		return
	}
	for _, word := range a.Words {
		if word == a.Name && !route.ValidName(word) {
			continue // which was told of the name
		}
		if text := wrongWord(word); text != "" {
			l.fault(at, "%swords: %s %s", where, quote(word), text)
			continue
		}
		for _, other := range l.file.Answers {
			if slices.ContainsFunc(other.Words, func(w string) bool { return strings.EqualFold(w, word) }) && overlap(a.Where, other.Where) {
				l.fault(at, "%swords: %s is answered by %s on line %d already; take another word, or other channels", where, quote(word), other.Name, other.Line)
			}
		}
	}
}

func wrongWord(word string) string {
	switch {
	case word == "" || utf8.RuneCountInString(word) > maxWord || strings.ContainsFunc(word, unicode.IsSpace):
		return fmt.Sprintf("is not one word of at most %d letters", maxWord)
	case strings.HasPrefix(word, "/") || strings.HasPrefix(word, "@"):
		return "begins with / or @, which chat platforms keep for themselves"
	}
	return ""
}

// overlap says whether two answers hold in one channel.
func overlap(a, b []Where) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(x Where) bool {
		return slices.ContainsFunc(b, func(y Where) bool {
			return x.Connection == y.Connection && (x.Channel == y.Channel || x.Channel == "" || y.Channel == "")
		})
	})
}

func (l *loader) looksOf(where string, item *yaml.Node, head answerKeys) {
	if key, _ := child(item, "respond"); key != nil && head.Respond != "" && head.Respond != RespondComment && head.Respond != RespondPost {
		l.fault(key, "%srespond: %s is neither %s (below the question) nor %s (a message of its own)", where, quote(head.Respond), RespondComment, RespondPost)
	}
	if key, _ := child(item, "username"); utf8.RuneCountInString(head.Username) > maxUsername || strings.ContainsFunc(head.Username, unicode.IsControl) {
		l.fault(key, "%susername: it is no name of at most %d characters", where, maxUsername)
	}
	if key, _ := child(item, "icon_url"); head.IconURL != "" &&
		(len(head.IconURL) > maxIcon || !strings.HasPrefix(head.IconURL, "https://") && !strings.HasPrefix(head.IconURL, "http://") || strings.ContainsFunc(head.IconURL, unicode.IsSpace)) {
		l.fault(key, "%sicon_url: it is no http or https address", where)
	}
}
