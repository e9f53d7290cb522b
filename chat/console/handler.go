// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat"
)

type actorKey struct{}

// WithActor names the person behind a request. Only package web calls it, with
// the person of the session.
func WithActor(ctx context.Context, personID, name string) context.Context {
	return context.WithValue(ctx, actorKey{}, chat.Actor{ID: personID, Name: name})
}

// Actor returns the person behind a request as the room vouches for them; ok
// is false when nobody is signed in.
func (r *Room) Actor(ctx context.Context) (a chat.Actor, ok bool) {
	a, ok = ctx.Value(actorKey{}).(chat.Actor)
	a.Connection = r.name
	return a, ok && a.ID != "" && a.Name != ""
}

// maxForm bounds the body of a press or submit.
const maxForm = 64 << 10

// Handler implements chat.Receiver: POST /press (message, action) and POST
// /submit (form, v.<field> …, cancel) with the actor in the request's context;
// without one they are refused. The answer is JSON: see answer. The caller
// must already have refused requests of other origins.
func (r *Room) Handler(to chat.Responder) http.Handler {
	r.SetResponder(to)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /press", func(w http.ResponseWriter, req *http.Request) {
		r.answer(w, req, r.ReadPress)
	})
	mux.HandleFunc("POST /submit", func(w http.ResponseWriter, req *http.Request) {
		r.answer(w, req, r.ReadSubmit)
	})
	return mux
}

// answerJSON is what the page's script gets: a text for a toast, and a form in
// HTML to be opened (press) or shown again (submit).
type answerJSON struct {
	Whisper string `json:"whisper,omitempty"`
	Form    string `json:"form,omitempty"`
}

func (r *Room) answer(w http.ResponseWriter, req *http.Request, act func(*http.Request, chat.Actor) (Reply, bool)) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	actor, ok := r.Actor(req.Context())
	if !ok {
		r.send(w, http.StatusUnauthorized, answerJSON{Whisper: "You are not signed in any more. Reload the page and sign in."})
		return
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxForm)
	reply, ok := act(req, actor)
	if !ok {
		r.send(w, http.StatusBadRequest, answerJSON{Whisper: "Belfry did not understand that. Reload the page and try again."})
		return
	}
	out := answerJSON{Whisper: reply.Whisper}
	if reply.Form != nil {
		var b strings.Builder
		if err := WriteForm(&b, *reply.Form, reply.Errors); err != nil {
			r.log.ErrorContext(req.Context(), "can't render a form of the room", "err", err)
			out.Whisper = "Belfry could not show its form; please tell whoever runs it."
		} else {
			out.Form = b.String()
		}
	}
	r.send(w, http.StatusOK, out)
}

func (r *Room) send(w http.ResponseWriter, status int, out answerJSON) {
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(out); err != nil {
		r.log.Debug("the answer to a press did not arrive", "err", err)
	}
}

// ReadPress carries out a press as a form sends it; ok is false when the
// request is none.
func (r *Room) ReadPress(req *http.Request, actor chat.Actor) (reply Reply, ok bool) {
	if err := req.ParseForm(); err != nil {
		return Reply{}, false
	}
	id, err := strconv.ParseInt(req.PostForm.Get("message"), 10, 64)
	action := req.PostForm.Get("action")
	if err != nil || id <= 0 || action == "" {
		return Reply{}, false
	}
	return r.Press(req.Context(), actor, alert.ID(id), action), true
}

// ReadSubmit carries out a submit as a form sends it; ok is false when the
// request is none.
func (r *Room) ReadSubmit(req *http.Request, actor chat.Actor) (reply Reply, ok bool) {
	if err := req.ParseForm(); err != nil || req.PostForm.Get("form") == "" {
		return Reply{}, false
	}
	values := map[string]string{}
	for name, v := range req.PostForm {
		if field, is := strings.CutPrefix(name, "v."); is && len(v) > 0 {
			values[field] = strings.Join(v, ",") // several where several were chosen
		}
	}
	cancelled := req.PostForm.Get("cancel") != ""
	return r.Submit(req.Context(), actor, req.PostForm.Get("form"), values, cancelled), true
}
