// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat/console"
)

// keyChannel remembers the channel somebody looked at last.
const keyChannel = "channel"

type roomPage struct {
	// Channels are those that belong to no incident, Incidents those that Belfry
	// made for one, Archived those of them that are closed.
	Channels, Incidents, Archived []console.Place
	MaxArchived                   int
	Channel                       string
	// Head is what stands above the conversation.
	Head template.HTML
	// Kept and Frozen say that Belfry made the channel, and that it is archived.
	Kept, Frozen bool
	// Position is where live updates go on.
	Position string
	// Before is set on an older page, Older leads to the next.
	Before, Older alert.ID
	// Open problems come first: whoever is called at night must not look for
	// what needs them among what is over. Within each, the newest is on top.
	Open, Over []template.HTML
	// Lines says whether people can type to Belfry here.
	Lines bool
}

// placed is an entry of the list of channels.
type placed struct {
	console.Place
	Here bool
}

// showRoom is the room: one channel with its cards.
func (w *Web) showRoom(rw http.ResponseWriter, r *http.Request) {
	actor, _ := w.o.Room.Actor(r.Context())
	places, err := w.o.Room.Channels(r.Context(), actor)
	if err != nil {
		w.broken(rw, r, "can't list the room's channels", err)
		return
	}
	p := roomPage{Channel: w.channel(r, places), Lines: w.o.Room.TakesLines(), MaxArchived: console.MaxArchived}
	if r.URL.Query().Get("channel") == p.Channel {
		known, err := w.o.Room.Knows(r.Context(), actor, p.Channel)
		if err != nil {
			w.broken(rw, r, "can't read a channel of the room", err)
			return
		}
		if !known { // nothing tells a private channel from one that nobody uses
			w.fail(rw, r, http.StatusNotFound, "Nothing was said in this channel yet, or it is private and you are not in it.")
			return
		}
	}
	head, err := w.o.Room.Head(r.Context(), actor, p.Channel)
	if err != nil {
		w.broken(rw, r, "can't read a channel of the room", err)
		return
	}
	p.Kept, p.Frozen = head.Kept, head.Archived
	p.list(places, head.Place)
	if before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && before > 0 {
		p.Before = alert.ID(before)
	}
	cards, err := w.o.Room.Page(r.Context(), actor, p.Channel, p.Before)
	// A link may lead to a card that is further down than the first page.
	if card, wrong := strconv.ParseInt(r.URL.Query().Get("card"), 10, 64); err == nil && wrong == nil && cards.Older > alert.ID(card) && card > 0 {
		p.Before = alert.ID(card) + 1
		cards, err = w.o.Room.Page(r.Context(), actor, p.Channel, p.Before)
	}
	if err != nil {
		w.broken(rw, r, "can't read the room", err)
		return
	}
	p.Position, p.Older = cards.Position, cards.Older
	if p.Head, err = headHTML(head); err != nil {
		w.broken(rw, r, "can't render a channel", err)
		return
	}
	for _, list := range []struct {
		from []console.Card
		to   *[]template.HTML
	}{{cards.Open, &p.Open}, {cards.Over, &p.Over}} {
		for _, c := range list.from {
			html, err := cardHTML(c)
			if err != nil {
				w.broken(rw, r, "can't render a card", err)
				return
			}
			*list.to = append(*list.to, html)
		}
	}
	w.show(rw, r, http.StatusOK, "room", "#"+p.Channel, p)
}

// list parts the channels; here, which nothing may have been posted to yet, is
// among them.
func (p *roomPage) list(places []console.Place, here console.Place) {
	if !slices.ContainsFunc(places, func(c console.Place) bool { return c.Name == here.Name }) {
		places = append(places, here)
	}
	for _, c := range places {
		switch {
		case c.Archived:
			p.Archived = append(p.Archived, c)
		case c.Kept:
			p.Incidents = append(p.Incidents, c)
		default:
			p.Channels = append(p.Channels, c)
		}
	}
}

// channel is the one that is asked for, or was looked at last, or the first.
func (w *Web) channel(r *http.Request, places []console.Place) string {
	known := func(name string) bool {
		return slices.ContainsFunc(places, func(c console.Place) bool { return c.Name == name })
	}
	if asked := r.URL.Query().Get("channel"); console.ValidChannel(asked) {
		if w.sessions.GetString(r.Context(), keyChannel) != asked && known(asked) {
			w.sessions.Put(r.Context(), keyChannel, asked)
		}
		return asked
	}
	last := w.sessions.GetString(r.Context(), keyChannel)
	if slices.ContainsFunc(places, func(c console.Place) bool { return c.Name == last && !c.Archived }) {
		return last
	}
	// Whoever comes for the first time comes for problems, not for one incident.
	for _, c := range places {
		if !c.Kept {
			return c.Name
		}
	}
	return "alerts"
}

func headHTML(h console.Head) (template.HTML, error) {
	var b strings.Builder
	if err := console.WriteHead(&b, h); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil //nolint:gosec // html/template made it, all texts in it are escaped
}

func cardHTML(c console.Card) (template.HTML, error) {
	var b strings.Builder
	if err := console.WriteCard(&b, c); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil //nolint:gosec // html/template made it, all texts in it are escaped
}

func formHTML(f console.Form, wrong map[string]string) (template.HTML, error) {
	var b strings.Builder
	if err := console.WriteForm(&b, f, wrong); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil //nolint:gosec // html/template made it, all texts in it are escaped
}
