// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/message"
	"belfry/store"
	"belfry/typed"
)

const (
	// shown is how many alerts an answer lists.
	shown = 20
	// maxName bounds a name that is said back.
	maxName = 100
)

// alert takes the next word, which names one alert for the command called
// name. Below a card it may be left out.
func (c *call) alert(name string) (*alert.Alert, error) {
	if a, err := c.above(); a != nil || err != nil {
		return a, err
	}
	ref, _ := c.words.Next()
	if ref == "" || ref == "#" {
		w, _ := lookUp(name)
		return nil, sayf("Which one? Type “%s %s”, such as “%s”. “problems” lists them.", w.name, w.usage, w.example)
	}
	return c.find(ref)
}

// above returns the alert below whose card the line was typed, unless the line
// names one by number.
func (c *call) above() (*alert.Alert, error) {
	if c.thread == nil {
		return nil, nil
	}
	first, _ := c.words.Copy().Next()
	_, span := c.words.Copy().Span()
	if _, ok := numberOf(first); ok && !span {
		return nil, nil
	}
	card, err := c.Cards.CardAt(c, c.who.Connection, c.thread.Channel+" "+c.thread.Post)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // another thread, or what it was about is over
	}
	if err != nil {
		return nil, err
	}
	return c.Cards.Alert(c, card.AlertID)
}

// find returns the alert that ref names: a number, or its object's name where
// no other open problem fits.
func (c *call) find(ref string) (*alert.Alert, error) {
	if number, ok := numberOf(ref); ok {
		a, err := c.Store.AlertByNumber(c, number)
		if !errors.Is(err, store.ErrNotFound) {
			return a, err
		}
	}
	open, err := c.board.entries(c)
	if err != nil {
		return nil, err
	}
	fits := named(open, ref)
	switch len(fits) {
	case 1:
		return fits[0].Alert, nil
	case 0:
		return nil, c.nothing(open, ref)
	}
	list := alerts(fits)
	return nil, choice{chat.Message{
		Lines: []chat.Line{{{Text: "“" + message.Short(ref, maxName) + "” could be any of these " + strconv.Itoa(len(fits)) + ". Name one by its number:"}}},
		Table: message.List(list[:min(len(list), shown)], len(list)-min(len(list), shown), c.Say()),
	}}
}

// numberOf reads 42 and #42.
func numberOf(ref string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(ref, "#"), 10, 64)
	return n, err == nil && n > 0
}

// named returns the open problems that name fits: those with exactly this name,
// or else those whose name begins so, or else those in which it stands.
func named(open []*entry, name string) []*entry {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		return nil
	}
	var exact, begins, holds []*entry
	for _, e := range open {
		if e.Topic != alert.TopicProblem {
			continue
		}
		at := -1
		same := false
		for _, n := range e.names {
			if i := strings.Index(n, name); i >= 0 && (at < 0 || i < at) {
				at = i
			}
			same = same || n == name
		}
		switch {
		case same:
			exact = append(exact, e)
		case at == 0:
			begins = append(begins, e)
		case at > 0:
			holds = append(holds, e)
		}
	}
	for _, list := range [][]*entry{exact, begins} {
		if len(list) > 0 {
			return list
		}
	}
	return holds
}

// nothing says that nothing open is called so, and what nearly is.
func (c *call) nothing(open []*entry, ref string) error {
	said := message.Short(ref, maxName)
	if _, ok := numberOf(ref); ok {
		return sayf("There is no alert %s. “problems” lists what is open.", said)
	}
	var all []string
	for _, e := range open[:min(len(open), 1000)] {
		all = append(all, e.names...)
	}
	if near := typed.Nearest(ref, all); near != "" {
		return sayf("No open problem is called “%s”. Did you mean “%s”?", said, message.Short(near, maxName))
	}
	return sayf("No open problem is called “%s”. “problems” lists what is open.", said)
}

func alerts(list []*entry) []*alert.Alert {
	out := make([]*alert.Alert, len(list))
	for i, e := range list {
		out[i] = e.Alert
	}
	return out
}
