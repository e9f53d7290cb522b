// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"time"

	"belfry/chat"
)

// Where Slack posts below a connection's base path: buttons, forms and
// shortcuts; events; slash commands.
const (
	pathInteractive = "/interactive"
	pathEvents      = "/events"
	pathCommand     = "/command"
)

// Slack waits 3 s: noteWithin is how long it may take to note that something
// came, answerWithin how long its answer is waited for after that.
const (
	noteWithin   = 800 * time.Millisecond
	answerWithin = 2 * time.Second
)

// What people read when what they did could not be taken.
const (
	sayUnknown    = "Belfry could not look you up in Slack, so nothing was done. Please try again in a moment."
	sayForged     = "That button is not one of Belfry's, so nothing was done."
	sayNobody     = "Belfry found no active account of yours in this workspace, so nothing was done."
	sayBot        = "Only people can act here, and this account is a bot's. Nothing was done."
	sayStranger   = "You belong to another workspace than Belfry, so nothing was done."
	saySlow       = "This takes longer than usual. You will be told what came of it."
	sayBusy       = "Belfry has too much to do at this moment, so nothing was done. Please try again."
	sayNoDialog   = "The form could not be opened; nothing was done. Please press again."
	sayNoCommands = "This Belfry takes no commands."
	sayDone       = "Done."
	sayNoCard     = "This message is not the card of an open alert, so nothing was done."
	sayNotKnown   = "Belfry doesn't know this shortcut; nothing was done."
	sayNoForeign  = "Belfry didn't put this button up and can't tell what it is about; nothing was done."
	sayBroken     = "Something broke in Belfry. Look at the card, and try again if it shows nothing."
)

var _ chat.Receiver = (*Platform)(nil)

// Handler implements chat.Receiver: POST …/interactive, …/events and …/command,
// whatever prefix stands before. Nothing is looked at before the signature over
// the raw body is found good; a request whose signature was seen before is
// refused. Everything is answered within 3 s; what takes longer goes on, and
// people are told afterwards.
func (p *Platform) Handler(r chat.Responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		kind := "/" + path.Base(req.URL.Path)
		if kind != pathInteractive && kind != pathEvents && kind != pathCommand {
			http.NotFound(w, req)
			return
		}
		body, code, err := p.signed(w, req)
		if err != nil {
			p.log.Warn("a request that should come from Slack was refused", "path", kind, "why", err)
			http.Error(w, err.Error(), code)
			return
		}
		if body == nil { // Slack repeats what it did not see answered
			w.WriteHeader(http.StatusOK)
			return
		}
		content := req.Header.Get("Content-Type")
		var answer any
		switch kind {
		case pathInteractive:
			var i interaction
			if i, err = readInteraction(content, body); err == nil {
				answer, err = p.interact(r, i)
			}
		case pathCommand:
			var t typed
			if t, err = readTyped(content, body); err == nil {
				answer, err = p.typedLine(r, t)
			}
		case pathEvents:
			answer, err = p.events(req.Context(), r, body)
		}
		switch {
		case errors.Is(err, errPayload):
			p.log.Warn("a request of Slack's can't be read; nothing was done", "path", kind)
			http.Error(w, "this can't be read", http.StatusBadRequest)
		case err != nil:
			p.log.Warn("a request of Slack's can't be taken now; it comes again", "path", kind, "err", err)
			http.Error(w, "this can't be taken now", http.StatusServiceUnavailable)
		default:
			p.write(w, answer)
		}
	})
}

// write sends an answer: nothing, a text, or JSON.
func (p *Platform) write(w http.ResponseWriter, answer any) {
	w.Header().Set("Cache-Control", "no-store")
	switch a := answer.(type) {
	case nil:
		w.WriteHeader(http.StatusOK)
	case challenge:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, string(a)) //nolint:gosec // plain text, signed by Slack; the reader may be gone
	default:
		raw, err := json.Marshal(a)
		if err != nil {
			http.Error(w, "can't answer", http.StatusInternalServerError) // never: maps of strings
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw) // the reader may be gone
	}
}

// challenge is what url_verification wants back.
type challenge string

// signed reads a request's body and makes sure that Slack sent it, and not
// before. A body of nil is a repetition by Slack itself of what was taken.
func (p *Platform) signed(w http.ResponseWriter, req *http.Request) (body []byte, code int, err error) {
	if req.Method != http.MethodPost {
		return nil, http.StatusMethodNotAllowed, errors.New("the request is no POST: a redirect stands between Slack and Belfry, or somebody looks around")
	}
	if p.signing == "" {
		return nil, http.StatusNotFound, errors.New("this connection has no signing_secret_file, so it takes nothing over HTTP")
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		return nil, http.StatusRequestEntityTooLarge, errors.New("the request is too long or was cut off")
	}
	id, err := verify(p.signing, req.Header, body, p.clock.Now())
	if err != nil {
		return nil, http.StatusUnauthorized, err
	}
	first, err := p.once(context.WithoutCancel(req.Context()), "signature "+id, signatureKept)
	switch {
	case err != nil:
		return nil, http.StatusServiceUnavailable, errors.New("the request can't be noted, and is not taken before it is")
	case !first && req.Header.Get(headerRetry) != "" && path.Base(req.URL.Path) == path.Base(pathEvents):
		// Slack repeats what it saw refused or not answered, perhaps within the
		// second and so with the same signature. Whether the event was carried
		// out is known by its own note; the header proves nothing.
		return body, http.StatusOK, nil
	case !first && req.Header.Get(headerRetry) != "":
		return nil, http.StatusOK, nil
	case !first:
		return nil, http.StatusForbidden, errReplayed
	}
	return body, http.StatusOK, nil
}

// once notes that something was taken, and says whether that was the first time.
func (p *Platform) once(ctx context.Context, what string, kept time.Duration) (first bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	return p.memory.UseOnce(ctx, "slack "+p.name+" "+what, p.clock.Now().Add(kept))
}

// genuine asks r, if it can tell, whether it made what came back.
func genuine(r chat.Responder, sealed string) bool {
	v, ok := r.(chat.Verifier)
	return !ok || v.Genuine(sealed)
}

// errBusy says that nothing was begun.
var errBusy = errors.New("too much is being worked on already")

// soon does what was asked for and waits for its answer as long as Slack
// waits. What takes longer goes on, and its answer goes to late. It returns
// errBusy when it did not begin.
func (p *Platform) soon(do func(ctx context.Context) chat.Answer, late func(ctx context.Context, a chat.Answer)) (chat.Answer, error) {
	done := make(chan chat.Answer) // whoever is there takes it: we, or nobody any more
	gone := make(chan struct{})
	ok := p.work.start(func(ctx context.Context) {
		a := p.guarded(ctx, do)
		select {
		case done <- a:
		case <-gone:
			late(ctx, a)
		}
	})
	if !ok {
		return chat.Answer{}, errBusy
	}
	select {
	case a := <-done:
		return a, nil
	case <-p.clock.After(p.patience):
		close(gone)
		return chat.Answer{Whisper: saySlow}, nil
	}
}

// later does something that nobody waits for.
func (p *Platform) later(do func(ctx context.Context)) {
	ok := p.work.start(func(ctx context.Context) {
		p.guarded(ctx, func(ctx context.Context) chat.Answer { do(ctx); return chat.Answer{} })
	})
	if !ok {
		p.log.Warn("somebody was not told what came of a press: there is too much to do")
	}
}

// guarded keeps what breaks down from taking the program with it.
func (p *Platform) guarded(ctx context.Context, do func(context.Context) chat.Answer) (a chat.Answer) {
	defer func() {
		if broke := recover(); broke != nil {
			p.log.Error("what somebody did in Slack broke down", "panic", broke)
			a = chat.Answer{Whisper: sayBroken}
		}
	}()
	return do(ctx)
}
