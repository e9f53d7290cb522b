// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"errors"
	"strconv"
	"strings"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
	"belfry/typed"
)

const (
	// listed is how many incidents an answer lists.
	listed = 20
	// read is how many are looked through for those that the person may see.
	read = 200
	// maxName bounds a name that is said back.
	maxName = 100
)

// numberOf reads "#42".
func numberOf(word string) int64 {
	digits, ok := strings.CutPrefix(word, "#")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 {
		return 0
	}
	return n
}

// takeNumber takes "#42" if it comes next and none was taken yet.
func (c *call) takeNumber() {
	if c.number != 0 {
		return
	}
	ahead := c.line.Copy()
	word, _ := ahead.Next()
	if n := numberOf(word); n != 0 {
		c.number, c.line = n, ahead
	}
}

// incident returns the incident that the line is about: by its number, by its
// channel, or a choice of those that are open.
func (c *call) incident() (*incident.Incident, error) {
	here, err := c.here()
	if err != nil {
		return nil, err
	}
	if c.number == 0 {
		if here == nil {
			return nil, c.offer()
		}
		return here, nil
	}
	i, err := c.byNumber(c.number, here)
	if err == nil && i == nil {
		return nil, hidden(c.number)
	}
	return i, err
}

// here returns the incident whose own channel this is; nil when it is nobody's, or
// that of a private one to which others than those who take part can come in.
func (c *call) here() (*incident.Incident, error) {
	if c.channel == "" {
		return nil, nil
	}
	i, err := c.Store.IncidentIn(c, c.who.Connection, c.channel)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !i.Exposed(c.who.Connection, c.channel):
		return i, nil
	}
	if seen, err := c.sees(i, false); err != nil || !seen {
		return nil, err
	}
	return i, nil
}

// hidden is what is said of an incident that is not there for who types.
func hidden(number int64) error {
	return sayf("There is no incident #%d, or it is private and you take no part in it. “list” shows those that are open.", number)
}

// byNumber returns an incident that the person may see; nil when there is none.
func (c *call) byNumber(number int64, here *incident.Incident) (*incident.Incident, error) {
	i, err := c.Store.Incident(c, number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if seen, err := c.sees(i, here != nil && here.Number == number); err != nil || !seen {
		return nil, err
	}
	return i, nil
}

// shown is incident for an answer that shows it: without what leads to others that
// the person may not know of.
func (c *call) shown() (*incident.Incident, error) {
	i, err := c.incident()
	if err != nil {
		return nil, err
	}
	return i, i.Bound(c.knows)
}

// entries are the newest of an incident's timeline, as the person may read them.
func (c *call) entries(i *incident.Incident, limit int) ([]incident.Entry, error) {
	list, err := c.Store.IncidentEntries(c, i.ID, store.EntryFilter{Limit: limit})
	if err != nil {
		return nil, err
	}
	return list, incident.Cover(list, c.knows)
}

// offer says which incidents the line could be about.
func (c *call) offer() error {
	list, err := c.visible(store.IncidentFilter{Open: true})
	if err != nil {
		return err
	}
	example := strings.TrimSpace(c.word.Name + " #1 " + c.line.Rest())
	if len(list) == 0 {
		return sayf("Which one? This channel belongs to no incident, and none is open. Put its number into the line, like “%s”; “list all” shows them.", message.Short(example, maxName))
	}
	example = strings.TrimSpace(c.word.Name + " " + list[0].Ref() + " " + c.line.Rest())
	return choice{chat.Message{
		Lines: []chat.Line{{{Text: "Which one? This channel belongs to no incident. Put a number into the line, like “" + message.Short(example, maxName) + "”:"}}},
		Table: c.rows(list),
	}}
}

// visible returns those incidents of a filter that the person may see.
func (c *call) visible(f store.IncidentFilter) ([]*incident.Incident, error) {
	f.Limit = read
	all, err := c.Store.Incidents(c, f)
	if err != nil {
		return nil, err
	}
	c.cut = len(all) == read
	var out []*incident.Incident
	for _, i := range all {
		seen, err := c.sees(i, false)
		if err != nil {
			return nil, err
		}
		if seen {
			out = append(out, i)
		}
	}
	return out, nil
}

// rows is a table of the first of them.
func (c *call) rows(list []*incident.Incident) *chat.Table {
	n := min(len(list), listed)
	return message.Incidents(list[:n], len(list)-n, c.Say())
}

// usage says how a command is typed.
func (c *call) usage(lead string) error {
	return sayf("%s Type “%s”, such as “%s”. Nothing was changed.", lead, strings.TrimSpace(c.word.Name+" "+c.word.Usage), c.word.Example)
}

// assignments takes "field=value" from the beginning of the line.
func (c *call) assignments() map[string]string {
	values := map[string]string{}
	for {
		ahead := c.line.Copy()
		word, _ := ahead.Next()
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" || value == "" || !isFieldWord(name) {
			return values
		}
		name = strings.ToLower(name)
		if values[name] != "" {
			value = values[name] + "," + value
		}
		values[name], c.line = value, ahead
	}
}

func isFieldWord(s string) bool {
	return len(s) <= 31 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// total is "1 incident", "2 incidents"; "or more" where not all were read.
func (c *call) total(n int, what string) string {
	text := typed.Count(n, what)
	if c.cut {
		text += " or more"
	}
	return text
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
