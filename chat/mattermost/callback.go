// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// Limits of callbacks.
const (
	maxCallback = 64 << 10
	maxToken    = 4096
	maxFields   = 20
	// callbackTime bounds a whole callback: a trigger id lives 3 s.
	callbackTime = 2500 * time.Millisecond
)

// What people read when their press could not be taken. A failed callback
// shows them nothing, so all of these go out with 200.
const (
	sayUnreadable = "Belfry could not read this press; nothing was done."
	sayUnknown    = "Belfry could not look you up in Mattermost, so nothing was done. Please try again in a moment."
	sayForged     = "That button is not one of Belfry's, so nothing was done."
	sayNobody     = "Belfry found no active account of yours in Mattermost, so nothing was done."
	saySlow       = "This takes longer than usual. The card will show what came of it."
	sayNoDialog   = "The dialog could not be opened; nothing was done. Please press again."
	sayRedirected = "This press arrived without its content, because a redirect stands in its way; nothing was done. " +
		"Please tell your administrator: callback_url must lead to Belfry directly."
)

// press is what Mattermost sends for a click. All but user_id can be invented
// by whoever reaches our address, and user_id too by whoever is not
// Mattermost: the Responder checks the token.
type press struct {
	UserID    string        `json:"user_id"`
	ChannelID string        `json:"channel_id"`
	PostID    string        `json:"post_id"`
	TriggerID string        `json:"trigger_id"`
	Context   buttonContext `json:"context"`
}

// submit is what Mattermost sends for a dialog.
type submit struct {
	Type      string                     `json:"type"`
	State     string                     `json:"state"`
	UserID    string                     `json:"user_id"`
	Cancelled bool                       `json:"cancelled"`
	Values    map[string]json.RawMessage `json:"submission"`
}

// pressAnswer is our answer to a press. It never edits the post: two people at
// once would overwrite each other's cards; the delivery engine alone edits.
type pressAnswer struct {
	Whisper string `json:"ephemeral_text,omitempty"`
	// Literal keeps the server from reading Slack's markup in the whisper.
	Literal bool `json:"skip_slack_parsing"`
}

// submitAnswer is our answer to a dialog; both fields keep it open.
type submitAnswer struct {
	Error  string            `json:"error,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

var errCallback = errors.New("not a callback of Mattermost")

// readPress decodes the body of a press.
func readPress(body []byte) (press, error) {
	var b press
	if err := json.Unmarshal(body, &b); err != nil {
		return press{}, errCallback
	}
	if !isID(b.UserID) || !isID(b.ChannelID) || !isID(b.PostID) || b.Context.Token == "" || len(b.Context.Token) > maxToken {
		return press{}, errCallback
	}
	return b, nil
}

// readSubmit decodes the body of a dialog: the state, who, and the values that
// were filled in. Fields nobody touched arrive as null, checkboxes as booleans.
func readSubmit(body []byte) (submit, map[string]string, error) {
	var b submit
	if err := json.Unmarshal(body, &b); err != nil {
		return submit{}, nil, errCallback
	}
	if b.Type != "" && b.Type != "dialog_submission" || !isID(b.UserID) || len(b.State) > maxToken || len(b.Values) > maxFields {
		return submit{}, nil, errCallback
	}
	values := make(map[string]string, len(b.Values))
	if b.Cancelled {
		return b, values, nil
	}
	for name, raw := range b.Values {
		text, err := valueOf(raw)
		if err != nil || !isAlnum(name) || len(name) > maxLabel {
			return submit{}, nil, errCallback
		}
		if text != "" {
			values[name] = text
		}
	}
	return b, values, nil
}

// valueOf reads one value of a dialog. Lists are of newer servers' elements,
// which we never show.
func valueOf(raw json.RawMessage) (string, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", errCallback
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", errCallback
}

// Handler implements chat.Receiver: POST …/action, …/dialog, …/command and …/outgoing,
// whatever prefix stands before. Answers are always 200 with JSON.
//
// A dialog has no whispers. A Whisper that answers a submit is shown in the
// dialog, which stays open with what was typed; so Responders whisper only to
// submits they did not take.
func (p *Platform) Handler(r chat.Responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// What was begun for somebody is not dropped because a proxy hung up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), callbackTime)
		defer cancel()
		var answer any
		switch path.Base(req.URL.Path) {
		case "action":
			answer = p.action(ctx, r, w, req)
		case "dialog":
			answer = p.dialog(ctx, r, w, req)
		case "command":
			answer = p.command(ctx, r, w, req)
		case "outgoing":
			answer = p.outgoing(r, w, req) // it has more time
		default:
			http.NotFound(w, req)
			return
		}
		raw, err := json.Marshal(answer)
		if err != nil {
			http.Error(w, "can't answer", http.StatusInternalServerError) // never: two structs of strings
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(raw) // the reader may be gone
	})
}

// body reads what was sent; say tells what to tell people when it can't.
func (p *Platform) body(w http.ResponseWriter, req *http.Request) (body []byte, say string) {
	if req.Method != http.MethodPost {
		p.log.Warn("a callback came without its body: a redirect stands between Mattermost and Belfry; correct callback_url", "method", req.Method)
		return nil, sayRedirected
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCallback))
	if err != nil {
		return nil, sayUnreadable
	}
	return body, ""
}

func (p *Platform) action(ctx context.Context, r chat.Responder, w http.ResponseWriter, req *http.Request) pressAnswer {
	body, say := p.body(w, req)
	if say != "" {
		return whisper(say)
	}
	b, err := readPress(body)
	if err != nil {
		return whisper(sayUnreadable)
	}
	if probed(r, b.Context.Token) {
		return whisper("")
	}
	if !genuine(r, b.Context.Token) {
		return whisper(sayForged)
	}
	actor, say := p.actor(ctx, b.UserID)
	if say != "" {
		return whisper(say)
	}
	answer, ok := p.ask(ctx, func(ctx context.Context) chat.Answer {
		return r.Press(ctx, chat.Press{Actor: actor, Token: b.Context.Token, Ref: chat.Ref{Channel: b.ChannelID, Post: b.PostID}})
	})
	if !ok {
		return whisper(saySlow)
	}
	if answer.Dialog != nil {
		if err := p.openDialog(ctx, b.TriggerID, answer.Dialog); err != nil {
			p.log.Warn("can't open a dialog", "error", err)
			return whisper(sayNoDialog)
		}
	}
	return offer(whisper(answer.Whisper), answer.Link)
}

// offer puts a link below a whisper.
func offer(a pressAnswer, l *chat.Link) pressAnswer {
	if l != nil && a.Whisper != "" {
		a.Whisper += "\n\n[" + literal(l.Text) + "](" + l.URL + ")"
	}
	return a
}

// genuine asks r, if it can tell, whether it made what came back. Looking up a
// stranger's inventions would use up the rate limit that our posts live on.
func genuine(r chat.Responder, sealed string) bool {
	v, ok := r.(chat.Verifier)
	return !ok || v.Genuine(sealed)
}

// probed asks r, if it sends probes out, whether this is one that came back.
func probed(r chat.Responder, text string) bool {
	p, ok := r.(chat.Prober)
	return ok && p.Probed(text)
}

func whisper(text string) pressAnswer {
	if text == "" {
		return pressAnswer{Literal: true}
	}
	return pressAnswer{Whisper: literal(cut(text, maxMessage/8)), Literal: true}
}

func (p *Platform) dialog(ctx context.Context, r chat.Responder, w http.ResponseWriter, req *http.Request) submitAnswer {
	body, say := p.body(w, req)
	if say != "" {
		return submitAnswer{Error: say}
	}
	b, values, err := readSubmit(body)
	if err != nil {
		return submitAnswer{Error: sayUnreadable}
	}
	if !genuine(r, b.State) {
		return submitAnswer{Error: sayForged}
	}
	actor, say := p.actor(ctx, b.UserID)
	if say != "" {
		return submitAnswer{Error: say}
	}
	answer, ok := p.ask(ctx, func(ctx context.Context) chat.Answer {
		return r.Submit(ctx, chat.Submit{Actor: actor, State: b.State, Values: values, Cancelled: b.Cancelled})
	})
	if !ok {
		return submitAnswer{Error: saySlow}
	}
	return refusalOf(answer, b.Values)
}

// refusalOf turns what is wrong with a submit into what the dialog shows. An
// error of a field that the dialog doesn't have would close it as if accepted.
func refusalOf(a chat.Answer, fields map[string]json.RawMessage) submitAnswer {
	out := submitAnswer{Error: chat.CleanLine(a.Whisper)}
	for name, text := range a.FieldErrors {
		text = chat.CleanLine(text)
		if _, there := fields[name]; there {
			if out.Errors == nil {
				out.Errors = map[string]string{}
			}
			out.Errors[name] = text
			continue
		}
		out.Error = strings.TrimSpace(out.Error + " " + text)
	}
	return out
}

// actor names who acts; say tells them when that fails.
func (p *Platform) actor(ctx context.Context, id string) (actor chat.Actor, say string) {
	actor, err := p.Person(ctx, id)
	if err == nil {
		return actor, ""
	}
	p.log.Warn("nothing was done for somebody who can't be named", "error", err)
	if d, _ := fault.Of(err); d == fault.Permanent && errors.Is(err, errNobody) {
		return chat.Actor{}, sayNobody
	}
	return chat.Actor{}, sayUnknown
}

// ask calls the Responder and waits no longer than the callback may take; ok
// is false when it took longer or broke down.
func (p *Platform) ask(ctx context.Context, do func(context.Context) chat.Answer) (answer chat.Answer, ok bool) {
	type result struct {
		answer chat.Answer
		ok     bool
	}
	done := make(chan result, 1)
	go func() {
		var res result
		defer func() {
			if broke := recover(); broke != nil {
				p.log.Error("a callback broke down", "panic", broke)
			}
			done <- res
		}()
		res.answer = do(ctx)
		res.ok = true
	}()
	select {
	case res := <-done:
		return res.answer, res.ok
	case <-ctx.Done():
		return chat.Answer{}, false
	}
}
