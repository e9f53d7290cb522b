// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/seal"
)

// listing is a message with a table: text stands in its cells.
func listing(text string) chat.Message {
	return chat.Message{
		Summary: "2 problems",
		Lines:   []chat.Line{{{Text: "2 problems"}}},
		Table: &chat.Table{
			Head: []string{"#", "What", "Since"},
			Rows: [][]chat.Line{
				{{{Text: "#42", Link: "https://belfry.example/alerts/7"}}, {{Text: text}}, {{Text: "10:04", Bold: true}}},
				{{{Text: "#43"}}, {{Text: "by "}, {Text: text, Bold: true}, {Text: " and " + text}}},
				{{{Text: text, Link: "https://belfry.example/alerts/8"}}, {}, {{Text: text}}, {{Text: "one cell too many"}}},
			},
			More: 7,
		},
	}
}

// tables posts m as a card and as a note and returns what is seen of both.
func (r *room) tables(m chat.Message) []Seen {
	r.Helper()
	whole := m
	whole.Title, whole.Color, whole.Output = "Disk /var on web01", "#cc0000", "DISK CRITICAL"
	ref, _ := r.post(whole)
	_, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &ref, Key: seal.Random(), Message: m})
	if err != nil {
		r.Fatalf("can't post a note with a table: %v", err)
	}
	defer r.Room.Delete(ref)
	seen := r.only()
	if len(seen.Thread) != 1 {
		r.Fatalf("%d notes stand in the thread", len(seen.Thread))
	}
	return []Seen{seen, seen.Thread[0]}
}

func checkTable(r *room) {
	for _, s := range r.tables(listing("Disk /var on web01")) {
		r.reads(s, "2 problems", "# What Since", "#42 Disk /var on web01 10:04", "#43 by Disk /var on web01 and Disk /var on web01", "and 7 more")
		r.readsNot(s, "one cell too many")
		if !slices.Contains(s.Links, "https://belfry.example/alerts/7") {
			r.Errorf("the number leads nowhere: %q", s.Links)
		}
		if !slices.Contains(looksOf(s), "table") {
			r.Errorf("it is no table: %q", s.Looks)
		}
	}
	// Rows that a platform does not show are counted.
	m := listing("x")
	m.Table.Rows = nil
	for i := range 2000 {
		m.Table.Rows = append(m.Table.Rows, []chat.Line{{{Text: fmt.Sprint("§", i)}}, {{Text: strings.Repeat("word ", 30)}}, {}})
	}
	for _, s := range r.tables(m) {
		shown := strings.Count(s.Text, "§")
		if shown == 0 || shown > chat.MaxRows {
			r.Errorf("%d rows are shown", shown)
		}
		r.reads(s, fmt.Sprintf("and %d more", 2007-shown))
	}
}

func checkHostileTable(r *room) {
	want := r.tables(listing("plain"))
	for _, name := range hostileNames() {
		r.Run(name, func(t *testing.T) {
			s := *r
			s.T = t
			// In a cell there are no lines.
			text := chat.CleanLine(hostile[name])
			for i, got := range s.tables(listing(text)) {
				s.harmless(got, want[i], text)
			}
		})
	}
}
