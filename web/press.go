// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/url"
	"strconv"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
)

// press is somebody's press of a button on a card. The page's script gets
// JSON from the room's own handler; a browser without scripts gets pages.
func (w *Web) press(rw http.ResponseWriter, r *http.Request) {
	w.deed(rw, r, w.o.Room.ReadPress)
}

// submit is somebody's filled-in form.
func (w *Web) submit(rw http.ResponseWriter, r *http.Request) {
	w.deed(rw, r, w.o.Room.ReadSubmit)
}

func (w *Web) deed(rw http.ResponseWriter, r *http.Request, read func(*http.Request, chat.Actor) (console.Reply, bool)) {
	if wantsData(r) {
		w.act.ServeHTTP(rw, r)
		return
	}
	actor, _ := w.o.Room.Actor(r.Context())
	reply, ok := read(r, actor)
	if !ok {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand that. Go back, reload the page and try again.")
		return
	}
	if reply.Form != nil {
		html, err := formHTML(*reply.Form, reply.Errors)
		if err != nil {
			w.broken(rw, r, "can't render a form of the room", err)
			return
		}
		w.show(rw, r, http.StatusOK, "form", reply.Form.Title, html)
		return
	}
	if reply.Whisper != "" {
		w.sessions.Put(r.Context(), keyToast, reply.Whisper)
	}
	http.Redirect(rw, r, w.backTo(r), http.StatusSeeOther) //nolint:gosec // a path of our own
}

// backTo is the card that was pressed, in its channel.
func (w *Web) backTo(r *http.Request) string {
	id, err := strconv.ParseInt(r.PostForm.Get("message"), 10, 64)
	if err != nil {
		return "/"
	}
	actor, _ := w.o.Room.Actor(r.Context())
	card, err := w.o.Room.Card(r.Context(), actor, alert.ID(id))
	if err != nil {
		return "/"
	}
	return "/?channel=" + url.QueryEscape(card.Channel) + "#card-" + strconv.FormatInt(id, 10)
}
