// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
)

const (
	// alertsLookedAt is how many open alerts are looked through for those that
	// can be attached: the newest; alertsFound how many of them are offered.
	alertsLookedAt = 2000
	alertsFound    = 20
)

// attached is an alert of an incident, and how it is now.
type attached struct {
	incident.Attached
	// Now is nil when the alert is not kept any more.
	Now *alert.Alert
}

// attachedAlerts are an incident's alerts as they are now.
func (w *Web) attachedAlerts(r *http.Request, i *incident.Incident) ([]attached, error) {
	if len(i.Alerts) == 0 {
		return nil, nil
	}
	var ids []alert.ID
	for _, a := range i.Alerts {
		ids = append(ids, a.Alert)
	}
	now, err := w.o.Store.AlertsByID(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	list := make([]attached, 0, len(i.Alerts))
	for _, a := range i.Alerts {
		list = append(list, attached{a, now[a.Alert]})
	}
	return list, nil
}

// finding is a search for open alerts that can be attached.
type finding struct {
	// Words is what was searched for; Asked says that something was.
	Words string
	Asked bool
	Found []*alert.Alert
	// More says that there are more that fit, Cut that not all were looked at.
	More, Cut bool
}

// findAlerts looks for open alerts that are not attached yet: all words stand in
// their name, source, state, output or number.
func (w *Web) findAlerts(r *http.Request, i *incident.Incident) (f finding, err error) {
	q := r.URL.Query()
	f.Words, f.Asked = strings.TrimSpace(q.Get("find")), q.Has("find")
	if !f.Asked || len(f.Words) > maxSearch {
		return f, nil
	}
	words := strings.Fields(strings.ToLower(f.Words))
	words = words[:min(len(words), maxSearchWords)]
	open, err := w.o.Store.Alerts(r.Context(), store.Filter{Status: alert.Firing, Limit: alertsLookedAt})
	if err != nil {
		return f, err
	}
	f.Cut = len(open) == alertsLookedAt
	for _, a := range open {
		if slices.ContainsFunc(i.Alerts, func(x incident.Attached) bool { return x.Alert == a.ID }) || !mentions(a, words) {
			continue
		}
		if len(f.Found) == alertsFound {
			f.More = true
			break
		}
		f.Found = append(f.Found, a)
	}
	return f, nil
}

// mentions says whether all words stand somewhere in what an alert tells.
func mentions(a *alert.Alert, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join([]string{"#" + strconv.FormatInt(a.Number, 10), a.Name(), a.Source, a.State, a.Severity.String(), a.Output}, "\n"))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// Locate finds a chat channel by what the configuration calls it,
// "connection/channel".
type Locate func(ctx context.Context, channel string) (incident.Channel, error)

// channelChoices are the channels that can become an incident's: those that the
// configuration names, and the room's.
func (w *Web) channelChoices(r *http.Request, i *incident.Incident) ([]string, error) {
	var list []string
	add := func(name string) {
		taken := slices.ContainsFunc(i.Channels, func(c incident.Channel) bool {
			return i.Shows(c) && (name == c.Connection+"/"+c.ID || name == c.Connection+"/"+c.Name)
		})
		if !taken && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	room := w.me(r).Connection
	actor, _ := w.o.Room.Actor(r.Context())
	places, err := w.o.Room.Channels(r.Context(), actor)
	if err != nil {
		return nil, err
	}
	for _, c := range places {
		if !c.Archived {
			add(room + "/" + c.Name)
		}
	}
	if w.o.Locate != nil {
		for _, c := range w.connections() {
			for _, name := range c.Channels {
				add(name)
			}
		}
	}
	slices.Sort(list)
	return list, nil
}

// convert makes a channel the incident's own.
func (d *doing) convert() (response.Done, error) {
	name := d.value("channel")
	list, err := d.channelChoices(d.r, d.i)
	if err != nil {
		return response.Done{}, err
	}
	if !slices.Contains(list, name) {
		return response.Done{}, refuse("choose one of the channels; others become an incident's by “convert”, typed there")
	}
	connection, channel, _ := strings.Cut(name, "/")
	c := incident.Channel{Connection: connection, ID: channel, Name: channel}
	if connection != d.me.Connection {
		if c, err = d.o.Locate(d, name); err != nil {
			return response.Done{}, refuse("the channel %s can't be found now: %w", name, err)
		}
	}
	return d.run.Run(d, d.i.Number, d.me, c)
}
