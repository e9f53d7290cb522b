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
	Channels []string
	Channel  string
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

// showRoom is the room: one channel with its cards.
func (w *Web) showRoom(rw http.ResponseWriter, r *http.Request) {
	names, err := w.o.Room.Channels(r.Context())
	if err != nil {
		w.broken(rw, r, "can't list the room's channels", err)
		return
	}
	p := roomPage{Channels: names, Channel: w.channel(r, names), Lines: w.o.Room.TakesLines()}
	if !slices.Contains(names, p.Channel) {
		p.Channels = append(p.Channels, p.Channel)
	}
	if before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && before > 0 {
		p.Before = alert.ID(before)
	}
	cards, err := w.o.Room.Page(r.Context(), p.Channel, p.Before)
	if err != nil {
		w.broken(rw, r, "can't read the room", err)
		return
	}
	p.Position, p.Older = cards.Position, cards.Older
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

// channel is the one that is asked for, or was looked at last, or the first.
func (w *Web) channel(r *http.Request, names []string) string {
	if asked := r.URL.Query().Get("channel"); console.ValidChannel(asked) {
		if w.sessions.GetString(r.Context(), keyChannel) != asked && slices.Contains(names, asked) {
			w.sessions.Put(r.Context(), keyChannel, asked)
		}
		return asked
	}
	if last := w.sessions.GetString(r.Context(), keyChannel); slices.Contains(names, last) {
		return last
	}
	if len(names) > 0 {
		return names[0]
	}
	return "alerts"
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
