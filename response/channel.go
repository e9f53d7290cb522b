// SPDX-License-Identifier: Apache-2.0

package response

import (
	"context"
	"fmt"

	"belfry/incident"
	"belfry/store"
)

// What follows is what was found out while an incident's channels were made and
// kept. All of it may be said twice: what is known already changes nothing.

// ChannelOpened notes that Belfry made a channel for an incident, and orders
// what goes into it. revision is that of the incident by which it was named; 0:
// that isn't known.
func (r *Response) ChannelOpened(ctx context.Context, number int64, c incident.Channel, revision int64) error {
	return r.learn(ctx, number, func(i *incident.Incident) (entries []incident.Entry, steps []incident.Step) {
		late := i.Revision != revision
		at := r.now()
		e, ok := i.TakeChannel(c, at)
		if !ok {
			return nil, nil
		}
		entries = []incident.Entry{e}
		if s := r.settings(); late && (s.Channel.Rename || !i.Shows(c)) {
			steps = []incident.Step{{Kind: incident.StepRename, Connection: c.Connection}}
		}
		if i.Private && c.Public {
			entries = append(entries, exposed(i)...)
		}
		return entries, steps
	})
}

// ChannelKept notes what became of a channel that Belfry made: another name,
// archived or not.
func (r *Response) ChannelKept(ctx context.Context, number int64, c incident.Channel) error {
	return r.learn(ctx, number, func(i *incident.Incident) ([]incident.Entry, []incident.Step) {
		if i.Keep(c, r.now()) {
			return []incident.Entry{}, nil
		}
		return nil, nil
	})
}

// ChannelTrouble puts into the timeline what chat did not let Belfry do, and has
// it said where the incident is run, or else announced. key is the same for the
// same trouble.
func (r *Response) ChannelTrouble(ctx context.Context, number int64, key, text string) error {
	return r.learn(ctx, number, func(i *incident.Incident) ([]incident.Entry, []incident.Step) {
		if e, ok := i.Trouble(key, text, r.now()); ok {
			return []incident.Entry{e}, nil
		}
		return nil, nil
	})
}

// ChannelSummarised orders the channel to be archived, as configured: the closing
// summary stands there.
func (r *Response) ChannelSummarised(ctx context.Context, number int64, connection string) error {
	return r.learn(ctx, number, func(i *incident.Incident) ([]incident.Entry, []incident.Step) {
		s := r.settings()
		if at, ok := s.Channel.ArchiveAt(i); ok {
			return []incident.Entry{}, []incident.Step{{Kind: incident.StepArchive, Connection: connection, At: at}}
		}
		return nil, nil
	})
}

// learn stores what was found out. Nil entries mean that nothing is new.
func (r *Response) learn(ctx context.Context, number int64, what func(i *incident.Incident) ([]incident.Entry, []incident.Step)) error {
	return r.change(ctx, []int64{number}, func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i := v.Incidents[number]
		if i == nil {
			return nil, fmt.Errorf("%w as #%d", ErrNoIncident, number)
		}
		before := i.Clone()
		entries, steps := what(i)
		if entries == nil {
			return nil, nil
		}
		e := r.effect(before, i, entries...)
		e.Steps = append(e.Steps, orders(i, entries, steps)...)
		return []store.IncidentEffect{e}, nil
	})
}
