// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/message"
	"belfry/monitor"
	"belfry/route"
	"belfry/store"
	"belfry/typed"
)

// askWithin bounds how long monitoring systems are waited for.
const askWithin = 1200 * time.Millisecond

// problems lists open problems: those that matchers fit, or in whose labels
// all the words stand.
func (c *call) problems() (chat.Message, error) {
	open, err := c.board.entries(c)
	if err != nil {
		return chat.Message{}, err
	}
	fits, err := c.filter()
	if err != nil {
		return chat.Message{}, err
	}
	var list []*entry
	for _, e := range open {
		if e.Topic == alert.TopicProblem && fits(e) {
			list = append(list, e)
		}
	}
	return c.listing(list, "open"), nil
}

// filter reads what problems are asked for.
func (c *call) filter() (func(*entry) bool, error) {
	text := typed.Straight(c.words.Rest())
	if typed.AnyOf(text, "=", "~", "{") {
		matchers, err := route.ParseMatchers(text)
		if err != nil {
			return nil, sayf("%s", sentence(err.Error()))
		}
		sieve := matchers.Sieve()
		return func(e *entry) bool { return sieve(e.labels) }, nil
	}
	var parts []string
	for c.words.Rest() != "" {
		part, _ := c.words.Next()
		parts = append(parts, strings.ToLower(strings.TrimPrefix(part, "#")))
	}
	return func(e *entry) bool {
		for _, part := range parts {
			if !strings.Contains(e.text, part) {
				return false
			}
		}
		return true
	}, nil
}

// listing is a list with its sums; what is how they stand: "open".
func (c *call) listing(list []*entry, what string) chat.Message {
	if len(list) == 0 {
		return chat.Message{Lines: []chat.Line{{{Text: "No such problem is " + what + "."}}}}
	}
	taken, muted := 0, 0
	severities := map[alert.Severity]int{}
	for _, e := range list {
		severities[e.Severity]++
		if e.Ack.Phase == alert.AckSet || e.Ack.Phase == alert.AckRemoving {
			taken++
		}
		if len(e.Cards) == 0 && c.Desk.Muted(e.labels) {
			muted++
		}
	}
	head := typed.Count(len(list), "problem") + " " + what + ": "
	var parts []string
	for _, s := range slices.Backward(slices.Sorted(maps.Keys(severities))) {
		parts = append(parts, fmt.Sprintf("%d %s", severities[s], s))
	}
	if taken > 0 {
		parts = append(parts, fmt.Sprintf("%d acknowledged", taken))
	}
	if muted > 0 {
		parts = append(parts, fmt.Sprintf("%d muted", muted))
	}
	rows := list[:min(len(list), shown)]
	return chat.Message{Lines: []chat.Line{{{Text: head + strings.Join(parts, ", ")}}},
		Table: message.List(alerts(rows), len(list)-len(rows), c.Say())}
}

// status tells how everything stands, or one object.
func (c *call) status() (chat.Message, error) {
	ref, _ := c.words.Next()
	if ref == "" {
		return c.overview()
	}
	service, _ := c.words.Next()
	if service == "" {
		if number, ok := numberOf(ref); ok {
			a, err := c.Store.AlertByNumber(c, number)
			if err == nil {
				return c.card(a), nil
			}
			if !errors.Is(err, store.ErrNotFound) {
				return chat.Message{}, err
			}
		}
	}
	name := ref
	if service != "" {
		// A name of several words may come without quotes.
		name += "/" + strings.TrimSpace(service+" "+c.words.Tail())
	}
	open, err := c.board.entries(c)
	if err != nil {
		return chat.Message{}, err
	}
	fits := named(open, name)
	if len(fits) == 1 {
		return c.card(fits[0].Alert), nil
	}
	if len(fits) > 1 {
		return c.listing(fits, "open for “"+message.Short(name, maxName)+"”"), nil
	}
	return c.asked(open, name)
}

// card shows one alert as its card does, without ringing anybody.
func (c *call) card(a *alert.Alert) chat.Message {
	m := message.Card(a, c.Say())
	m.Mentions = nil
	return m
}

// overview is one line for each source, and what is muted.
func (c *call) overview() (chat.Message, error) {
	open, err := c.board.entries(c)
	if err != nil {
		return chat.Message{}, err
	}
	mutes, err := c.Desk.Mutes(c)
	if err != nil {
		return chat.Message{}, err
	}
	bySource := map[string][]*entry{}
	n := 0
	for _, e := range open {
		if e.Topic == alert.TopicProblem {
			bySource[e.Source] = append(bySource[e.Source], e)
			n++
		}
	}
	m := chat.Message{}
	if n == 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "Nothing is wrong at this moment."}})
	} else {
		m.Lines = append(m.Lines, chat.Line{{Text: typed.Count(n, "problem") + " open. “problems” lists them."}})
		m.Table = &chat.Table{Head: []string{"Source", "Open", "Critical", "Taken"}}
	}
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		critical, taken := 0, 0
		for _, e := range bySource[source] {
			if e.Severity == alert.SeverityCritical {
				critical++
			}
			if e.Ack.Phase != alert.AckNone {
				taken++
			}
		}
		m.Table.Rows = append(m.Table.Rows, []chat.Line{{{Text: message.Short(source, maxName)}}, {{Text: fmt.Sprint(len(bySource[source]))}},
			{{Text: fmt.Sprint(critical)}}, {{Text: fmt.Sprint(taken)}}})
	}
	if len(mutes) > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: typed.Count(len(mutes), "mute") + " in force. “mute list” shows them."}})
	}
	return m, nil
}

// asked answers for an object without an open problem: the monitoring systems
// that can be asked are.
func (c *call) asked(open []*entry, name string) (chat.Message, error) {
	host, service, isService := strings.Cut(name, "/")
	object := alert.Object{Kind: alert.KindHost, Host: host}
	if isService {
		object = alert.Object{Kind: alert.KindService, Host: host, Service: service}
	}
	var sources []Source
	if c.Sources != nil {
		sources = c.Sources()
	}
	answers := ask(c, sources, object)
	t := &chat.Table{Head: []string{"Source", "What", "State", "As of"}}
	for i, s := range sources {
		if a := answers[i]; a.Known {
			t.Rows = append(t.Rows, []chat.Line{{{Text: message.Short(s.Name, maxName)}}, {{Text: message.Short(object.Name(), maxName)}},
				{{Text: liveState(a)}}, {message.Moment(a.AsOf, c.Say())}})
		}
	}
	if len(t.Rows) > 0 {
		return chat.Message{Lines: []chat.Line{{{Text: "No open problem of “" + message.Short(name, maxName) + "”."}}}, Table: t}, nil
	}
	return chat.Message{}, c.nothing(open, name)
}

func liveState(s monitor.Status) string {
	word := "OK"
	if !s.OK {
		word = "not OK"
	}
	if s.InDowntime {
		word += ", in downtime"
	}
	if s.Acknowledged {
		word += ", acknowledged"
	}
	if s.Notifies != nil && !*s.Notifies {
		word += ", notifications off"
	}
	return word
}

// ask asks all sources at once; who does not answer in time knows nothing.
func ask(ctx context.Context, sources []Source, o alert.Object) []monitor.Status {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	type answer struct {
		at int
		s  monitor.Status
	}
	answers := make(chan answer, len(sources))
	for i, s := range sources {
		go func() {
			found, err := s.Read.Status(ctx, []alert.Object{o})
			if err != nil || len(found) != 1 {
				found = []monitor.Status{{}}
			}
			answers <- answer{i, found[0]}
		}()
	}
	out := make([]monitor.Status, len(sources))
	for range sources {
		select {
		case a := <-answers:
			out[a.at] = a.s
		case <-ctx.Done():
			return out
		}
	}
	return out
}
