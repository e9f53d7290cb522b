// SPDX-License-Identifier: Apache-2.0

package typed

import (
	"fmt"
	"strings"

	"belfry/chat"
)

// Word is a word that a line may begin with.
type Word struct {
	Name string
	// Also are other words for it.
	Also []string
	// Usage is what follows the word.
	Usage string
	About string
	// Example is a line that works.
	Example string
	// Group is the heading under which the help lists it; may be empty.
	Group string
}

// Find returns the place of a word in a list, by its name or one of the others
// for it; -1 when it is not there.
func Find(list []Word, name string) int {
	for i := range list {
		if list[i].Name == name {
			return i
		}
		for _, other := range list[i].Also {
			if other == name {
				return i
			}
		}
	}
	return -1
}

// Unknown says that a word is not known, and which was probably meant.
func Unknown(list []Word, name string) string {
	var all, names []string
	for _, w := range list {
		names = append(names, w.Name)
		all = append(append(all, w.Name), w.Also...)
	}
	text := "I don't know “" + short(name) + "”"
	near := Nearest(name, names)
	if near == "" {
		near = Nearest(name, all)
	}
	if i := Find(list, near); near != "" && i >= 0 {
		return text + ". Did you mean “" + strings.TrimSpace(list[i].Name+" "+list[i].Usage) + "”? “help” lists what I know."
	}
	return text + ". I know " + strings.Join(names, ", ") + "."
}

// short is a word that is said back, at most 60 characters of it.
func short(name string) string {
	r := []rune(chat.CleanLine(name))
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(r)
}

// HelpOn tells about one word.
func HelpOn(w Word) chat.Message {
	m := chat.Message{Lines: []chat.Line{{{Text: strings.TrimSpace(w.Name + " " + w.Usage), Bold: true}, {Text: " – " + w.About}}}}
	if len(w.Also) > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "also: " + strings.Join(w.Also, ", ")}})
	}
	if w.Example != "" {
		m.Lines = append(m.Lines, chat.Line{{Text: "example: " + w.Example}})
	}
	return m
}

// Help lists all words below an introduction, each group under its heading.
func Help(list []Word, intro ...string) chat.Message {
	m := chat.Message{Table: &chat.Table{Head: []string{"Type", "to get"}}}
	for _, text := range intro {
		m.Lines = append(m.Lines, chat.Line{{Text: text}})
	}
	group := ""
	for _, w := range list {
		if w.Group != group {
			group = w.Group
			m.Table.Rows = append(m.Table.Rows, []chat.Line{{{Text: fmt.Sprintf("— %s —", group)}}, {}})
		}
		m.Table.Rows = append(m.Table.Rows, []chat.Line{{{Text: w.Name, Bold: true}, {Text: strings.TrimRight(" "+w.Usage, " ")}}, {{Text: w.About}}})
	}
	return m
}
