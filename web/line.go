// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"strings"

	"belfry/chat"
	"belfry/chat/console"
)

// linePage is the answer to a typed line.
type linePage struct {
	Channel, Line string
	Whisper       string
	Link          *chat.Link
	Message       template.HTML
}

// line is a line that somebody typed in the room. The answer is a page of its
// own, for them alone, with the line below it to go on.
func (w *Web) line(rw http.ResponseWriter, r *http.Request) {
	actor, ok := w.o.Room.Actor(r.Context())
	channel := r.PostFormValue("channel")
	if !ok || !console.ValidChannel(channel) {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand that. Go back, reload the page and try again.")
		return
	}
	p := linePage{Channel: channel, Line: r.PostFormValue("line")}
	reply := w.o.Room.Line(r.Context(), actor, channel, p.Line)
	if reply.Form != nil {
		html, err := formHTML(*reply.Form, reply.Errors)
		if err != nil {
			w.broken(rw, r, "can't render a form of the room", err)
			return
		}
		w.show(rw, r, http.StatusOK, "form", reply.Form.Title, html)
		return
	}
	p.Whisper, p.Link = reply.Whisper, reply.Link
	if reply.Message != nil {
		var b strings.Builder
		if err := console.WriteMessage(&b, *reply.Message); err != nil {
			w.broken(rw, r, "can't render an answer", err)
			return
		}
		p.Message = template.HTML(b.String()) //nolint:gosec // html/template made it, all texts in it are escaped
	}
	w.show(rw, r, http.StatusOK, "line", "#"+channel, p)
}
