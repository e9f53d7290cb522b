// SPDX-License-Identifier: Apache-2.0

package response

import (
	"fmt"
	"slices"
	"strings"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

// effect says what has to be stored and done for an incident that changed;
// before is as it was, nil for a new one.
func (r *Response) effect(before, i *incident.Incident, entries ...incident.Entry) store.IncidentEffect {
	s := r.settings()
	i.RemindAt = i.NextReminder(&s)
	had := i.Cards
	if before != nil && i.Private && !before.Private {
		entries = append(entries, exposed(i)...)
	}
	e := store.IncidentEffect{Incident: i, Entries: entries, Stale: before == nil || i.Revision != before.Revision, Priority: int(alert.SeverityCritical)}
	add := func(destination string) {
		if !slices.Contains(i.Cards, destination) {
			e.NewCards = append(e.NewCards, destination)
			i.Cards = append(slices.Clip(i.Cards), destination)
		}
	}
	if r.announces(&s, i, entries) {
		for _, destination := range r.announce() {
			add(destination)
		}
	}
	for _, c := range i.Channels {
		if i.Shows(c) {
			add(place(c))
		}
	}
	for n, entry := range entries {
		where := had
		switch {
		case entry.Kind == incident.EntryTrouble || entry.Kind == incident.EntryReminder:
			where = near(i)
		case !entry.Kind.Notable() || slices.Contains(s.Silent, entry.Kind):
			continue
		}
		e.Notes = append(e.Notes, store.IncidentNote{Entry: n, Destinations: where})
	}
	e.Steps = orders(i, entries, s.Steps(before, i))
	if before != nil && i.Status.Open() && !before.Status.Open() {
		e.Back = r.back(&s, i)
	}
	return e
}

// back are the connections on which an incident that is open again lives again: it
// was over when its workspace was disconnected, and that was taken back since. One
// that is still disconnected takes it back with what is open, when it comes back.
func (r *Response) back(s *incident.Settings, i *incident.Incident) (list []string) {
	all := slices.Clone(s.Channel.On)
	for _, destination := range i.Cards {
		connection, _, _ := strings.Cut(destination, "/")
		all = append(all, connection)
	}
	for _, c := range i.Channels {
		all = append(all, c.Connection)
	}
	slices.Sort(all)
	for _, connection := range slices.Compact(all) {
		if r.connected(connection) {
			list = append(list, connection)
		}
	}
	return list
}

// announces says whether an incident is announced with what happened now: when
// it is declared, or, where that is not to be told, with the first that is.
func (r *Response) announces(s *incident.Settings, i *incident.Incident, entries []incident.Entry) bool {
	if i.Private || i.ID != 0 && !slices.Contains(s.Silent, incident.EntryDeclared) {
		return false
	}
	return slices.ContainsFunc(entries, func(e incident.Entry) bool { return e.Kind.Notable() && !slices.Contains(s.Silent, e.Kind) })
}

// exposed tells of channels that stay as open as they are although the incident
// became private.
func exposed(i *incident.Incident) (entries []incident.Entry) {
	for _, c := range i.Channels {
		if i.Shows(c) {
			continue
		}
		e, ok := i.Trouble("public "+place(c), fmt.Sprintf("%s is private now, and its channel %s on %s may be open to everybody: Belfry says no more there. In a private channel, which it may be already, type convert %s",
			i.Ref(), c.Name, c.Connection, i.Ref()), i.UpdatedAt)
		if ok {
			entries = append(entries, e)
		}
	}
	return entries
}

func place(c incident.Channel) string { return c.Connection + "/" + c.ID }

// near are the cards of those who run the incident: in its own channels, or,
// while it has none, wherever it is.
func near(i *incident.Incident) []string {
	var own []string
	for _, c := range i.Channels {
		if slices.Contains(i.Cards, place(c)) && !c.Archived {
			own = append(own, place(c))
		}
	}
	if len(own) == 0 {
		return i.Cards
	}
	return own
}

// orders are the steps as they are stored.
func orders(i *incident.Incident, entries []incident.Entry, steps []incident.Step) (list []store.IncidentStep) {
	for _, s := range steps {
		o := store.IncidentStep{Destination: store.StepDestination(s.Connection, i.Number), Kind: s.Kind, Receipt: s.Name, DueAt: s.At}
		if s.Card != "" {
			o.AfterCard = s.Connection + "/" + s.Card
		}
		if s.Once {
			o.Entry = len(entries)
		}
		list = append(list, o)
	}
	return list
}
