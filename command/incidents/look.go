// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"errors"
	"slices"
	"strings"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/retrospective"
	"belfry/store"
)

func (c *call) status() (chat.Message, error) {
	i, err := c.shown()
	if err != nil {
		return chat.Message{}, err
	}
	return message.Incident(i, c.Say()), nil
}

func (c *call) tasks() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	m := chat.Message{Lines: []chat.Line{{{Text: message.IncidentLine(i), Bold: true}}}}
	if len(i.Tasks) == 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "Nothing to do is written down; “task <what>” adds something."}})
		return m, nil
	}
	// What is open comes first.
	list := slices.Clone(i.Tasks)
	slices.SortStableFunc(list, func(a, b incident.Task) int {
		switch {
		case a.Open() == b.Open():
			return 0
		case a.Open():
			return -1
		}
		return 1
	})
	m.Table = message.Tasks(list, c.Say())
	return m, nil
}

// maxWords is how many words are looked for at once.
const maxWords = 10

// list shows open incidents, or with "all" those that are over, too.
func (c *call) list() (chat.Message, error) {
	f := store.IncidentFilter{Open: true}
	ahead := c.line.Copy()
	if word, _ := ahead.Next(); strings.EqualFold(word, "all") {
		f.Open, c.line = false, ahead
	}
	for c.line.Rest() != "" {
		if len(f.Words) == maxWords {
			return chat.Message{}, sayf("At most %d words are looked for at once; leave some out.", maxWords)
		}
		word, _ := c.line.Next()
		f.Words = append(f.Words, word)
	}
	if c.number != 0 {
		f.Words = append(f.Words, "#"+itoa(c.number))
	}
	list, err := c.visible(f)
	if err != nil {
		return chat.Message{}, err
	}
	what := "incident"
	if f.Open {
		what = "open incident"
	}
	if len(list) == 0 {
		text := "There is no such " + what + "."
		if f.Open && len(f.Words) == 0 {
			text = "No incident is open. “new <title>” declares one; “list all” shows those that are over."
		}
		return chat.Message{Lines: []chat.Line{{{Text: text}}}}, nil
	}
	return chat.Message{Lines: []chat.Line{{{Text: c.total(len(list), what)}}}, Table: c.rows(list)}, nil
}

// overview counts what is open by severity, and names it.
func (c *call) overview() (chat.Message, error) {
	list, err := c.visible(store.IncidentFilter{Open: true})
	if err != nil {
		return chat.Message{}, err
	}
	if len(list) == 0 {
		return chat.Message{Lines: []chat.Line{{{Text: "No incident is open."}}}}, nil
	}
	s := c.Response.Settings()
	bySeverity := map[string]int{}
	for _, i := range list {
		bySeverity[i.Severity]++
	}
	parts := []string{c.total(len(list), "open incident")}
	for _, name := range append(s.SeverityNames(), "") {
		n := bySeverity[name]
		if name == "" {
			name = "without a severity"
		}
		if n > 0 {
			parts = append(parts, itoa(int64(n))+" "+name)
		}
	}
	slices.SortStableFunc(list, func(a, b *incident.Incident) int { return s.Rank(b.Severity) - s.Rank(a.Severity) })
	return chat.Message{Lines: []chat.Line{{{Text: strings.Join(parts, " · ")}}}, Table: c.rows(list)}, nil
}

// catchUp is for somebody who comes late: how it stands, and what happened last.
func (c *call) catchUp() (chat.Message, error) {
	i, err := c.shown()
	if err != nil {
		return chat.Message{}, err
	}
	entries, err := c.entries(i, 12)
	if err != nil {
		return chat.Message{}, err
	}
	m := message.Incident(i, c.Say())
	for n := range i.Tasks {
		if t := &i.Tasks[n]; t.Open() && t.Kind == incident.ToDo && len(m.Lines) < 15 {
			who := "nobody yet"
			if t.Owner.Name != "" {
				who = t.Owner.Name
			}
			m.Lines = append(m.Lines, chat.Line{{Text: "To do (" + itoa(int64(t.Number)) + ", " + message.Short(who, maxName) + "): " + message.Short(t.Text, maxName)}})
		}
	}
	m.Table = message.Timeline(entries, c.Say())
	m.Table.More = i.Entries - len(entries)
	return m, nil
}

// maxExport is how many characters of an export are shown in chat.
const maxExport = 6000

// export is the incident as Markdown, to be taken along: as people edited it on
// the pages, or else the record.
func (c *call) export() (chat.Message, error) {
	i, err := c.shown()
	if err != nil {
		return chat.Message{}, err
	}
	entries, err := c.entries(i, incident.MaxEntries)
	if err != nil {
		return chat.Message{}, err
	}
	var edited *incident.Retrospective
	switch r, err := c.Store.Retrospective(c, i.ID); {
	case err == nil:
		edited = &r
	case !errors.Is(err, store.ErrNotFound):
		return chat.Message{}, err
	}
	d := retrospective.Build(i, entries, edited, c.Say().Location)
	text := []rune(d.Markdown())
	m := chat.Message{Lines: []chat.Line{{{Text: message.IncidentLine(i), Bold: true}}}}
	if len(text) > maxExport {
		m.Cut, text = len(text)-maxExport, text[:maxExport]
	}
	m.Output = string(text)
	return m, nil
}
