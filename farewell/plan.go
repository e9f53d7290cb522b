// SPDX-License-Identifier: Apache-2.0

package farewell

import (
	"context"
	"fmt"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/incident"
)

// kept is a channel of an incident.
type kept struct {
	incident.Channel
	of *incident.Incident
}

// Plan says what Run will do, a line each.
func (f *Farewell) Plan(ctx context.Context) ([]string, error) {
	var steps []string
	stand, may, after := 0, 0, alert.ID(0)
	for {
		list, err := f.Store.LivingCards(ctx, f.Connection, after, batch)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			if _, stands := chat.ParseReceipt(d.Receipt); stands {
				stand++
			} else if !d.UnknownSince.IsZero() {
				may++
			}
		}
		if len(list) < batch {
			break
		}
		after = list[len(list)-1].ID
	}
	if stand > 0 {
		steps = append(steps, count(stand, "card is marked as no longer kept, and loses its buttons", "cards are marked as no longer kept, and lose their buttons"))
	}
	if may > 0 {
		steps = append(steps, count(may, "card may stand there, because an answer was lost: it is", "cards may stand there, because answers were lost: they are")+" looked for, and marked alike")
	}
	channels, err := f.channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		steps = append(steps, f.what(c))
	}
	return append(steps, "what waits to be delivered there, or could not be, ends with the reason"), nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// what says what becomes of a channel.
func (f *Farewell) what(c kept) string {
	text := "channel " + c.named() + " of " + c.of.Ref() + ": its pin and Belfry's links go"
	switch {
	case c.Ours && f.Archive:
		return text + ", and it is archived (its messages stay)"
	case c.Ours:
		return text + "; it stays, with everybody in it"
	}
	return text
}

// named is how a channel is named to whoever disconnects: they need not take part
// in a private incident, and its title may stand in the name.
func (c kept) named() string {
	switch name := chat.CleanLine(c.Name); {
	case c.of.Private:
		return "(private)"
	case name != "":
		return name
	}
	return chat.CleanLine(c.ID)
}

// discreet takes the name of a private incident's channel out of a text.
func (c kept) discreet(text string) string {
	if !c.of.Private || c.Name == "" {
		return text
	}
	return strings.ReplaceAll(text, c.Name, "(private)")
}

func (f *Farewell) channels(ctx context.Context) ([]kept, error) {
	list, err := f.Store.IncidentsOn(ctx, f.Connection)
	if err != nil {
		return nil, err
	}
	var all []kept
	for _, i := range list {
		for _, c := range i.Channels {
			if c.Connection == f.Connection && !c.Archived {
				all = append(all, kept{c, i})
			}
		}
	}
	return all, nil
}
