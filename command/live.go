// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/message"
	"belfry/typed"
)

// maxLive is how many objects monitoring systems are asked about at once.
const maxLive = 3

// Open returns the open alerts, the worst first. Nobody may change them.
func (c *Commands) Open(ctx context.Context) ([]*alert.Alert, error) {
	open, err := c.board.entries(ctx)
	return alerts(open), err
}

// Problems lists what is open and fits matchers or words, for everybody to read.
func (c *Commands) Problems(ctx context.Context, text string) chat.Message {
	return c.said(ctx, text, (*call).problems)
}

// Live says how what text names stands, for everybody to read: its open problems
// as a table, and what the monitoring systems say at this moment. Without text
// it says how everything stands.
func (c *Commands) Live(ctx context.Context, text string) chat.Message {
	return c.said(ctx, text, (*call).live)
}

// said has a question answered; trouble is told the same way.
func (c *Commands) said(ctx context.Context, text string, do func(*call) (chat.Message, error)) chat.Message {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if len(text) > typed.MaxText {
		text = text[:typed.MaxText]
	}
	l := &call{Commands: c, Context: ctx, words: typed.New(text)}
	m, err := do(l)
	if which, ok := errors.AsType[choice](err); ok {
		m, err = which.Message, nil
	}
	if err != nil {
		m = chat.Message{Lines: []chat.Line{{{Text: l.trouble(err)}}}}
	}
	return *reply(m).Reply
}

func (c *call) live() (chat.Message, error) {
	name := strings.TrimSpace(c.words.Rest())
	if name == "" {
		return c.overview()
	}
	ref, _ := c.words.Next()
	if service := c.words.Tail(); service != "" {
		ref += "/" + service
	}
	if _, ok := numberOf(ref); ok {
		a, err := c.find(ref)
		if err != nil {
			return chat.Message{}, err
		}
		return c.liveList([]*entry{{Alert: a, labels: a.MatchLabels()}}, "known as #"+strings.TrimPrefix(ref, "#")), nil
	}
	open, err := c.board.entries(c)
	if err != nil {
		return chat.Message{}, err
	}
	fits := named(open, ref)
	if len(fits) == 0 {
		return c.asked(open, ref)
	}
	return c.liveList(fits, "open for “"+message.Short(ref, maxName)+"”"), nil
}

// liveList is a listing with what monitoring says of its objects now.
func (c *call) liveList(fits []*entry, what string) chat.Message {
	m := c.listing(fits, what)
	if len(fits) > maxLive || c.Sources == nil {
		return m
	}
	for _, e := range fits {
		for _, s := range c.Sources() {
			if s.Name != e.Source {
				continue
			}
			for _, now := range ask(c, []Source{s}, e.Object) {
				if now.Known {
					m.Lines = append(m.Lines, chat.Line{{Text: message.Short(s.Name, maxName) + " says of " + message.Short(e.Name(), maxName) + ": " + liveState(now) + ", as of "},
						message.Moment(now.AsOf, c.Say())})
				}
			}
		}
	}
	return m
}
