// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Form is a modal on somebody's screen.
type Form struct {
	s    *Server
	user string
	id   string
	view map[string]any
	// Errors are shown at the fields, by block id.
	Errors map[string]string
	// Failed is Slack's own complaint about an answer.
	Failed string
}

// FormField is one input of a form.
type FormField struct {
	Name, Label, Help, Value, Placeholder string
	Optional, Multiline                   bool
	MaxLength                             int
	// Options are what can be chosen, Several says that more than one can.
	Options []string
	Several bool
}

// viewFields are the fields of a view (docs.slack.dev, "Views").
var viewFields = strings.Fields("type callback_id title submit close private_metadata notify_on_close clear_on_close external_id blocks submit_disabled")

// checkView returns Slack's complaints about a view.
func checkView(v map[string]any) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf("[ERROR] "+format, args...)) }
	for name := range v {
		if !slices.Contains(viewFields, name) {
			add("invalid additional property: %s [json-pointer:/view]", name)
		}
	}
	if v["type"] != "modal" {
		add("unsupported type: %v [json-pointer:/view/type]", v["type"])
	}
	for _, name := range []string{"title", "submit", "close"} {
		t, ok := v[name].(map[string]any)
		text, _ := t["text"].(string)
		switch n := utf8.RuneCountInString(text); {
		case !ok && name != "title" && v[name] == nil:
		case t["type"] != "plain_text" || n == 0:
			add("missing required field: text [json-pointer:/view/%s]", name)
		case n > 24:
			add("must be less than 25 characters [json-pointer:/view/%s/text]", name)
		}
	}
	if m, _ := v["private_metadata"].(string); utf8.RuneCountInString(m) > 3000 {
		add("must be less than 3001 characters [json-pointer:/view/private_metadata]")
	}
	blocks, ok := v["blocks"].([]any)
	if !ok {
		add("missing required field: blocks [json-pointer:/view]")
	}
	for _, b := range blocks {
		if block, _ := b.(map[string]any); block["type"] == "input" && v["submit"] == nil {
			add("missing required field: submit [json-pointer:/view]")
		}
	}
	return append(wrong, CheckBlocks(blocks, MaxModalBlocks, "/view/blocks")...)
}

func openView(q *request) reply {
	t := q.inbox.triggers[q.args["trigger_id"]]
	switch {
	case q.args["trigger_id"] == "" || q.args["view"] == "":
		return refuse("invalid_arguments")
	case t == nil:
		return refuse("invalid_trigger_id")
	case q.clock.Now().After(t.until):
		return refuse("expired_trigger_id")
	case t.used:
		return refuse("exchanged_trigger_id")
	}
	var v map[string]any
	if json.Unmarshal([]byte(q.args["view"]), &v) != nil {
		return refuseBecause("invalid_arguments", "[ERROR] view is no JSON")
	}
	if wrong := checkView(v); len(wrong) > 0 {
		return refuseBecause("invalid_arguments", wrong...)
	}
	t.used = true
	q.inbox.serial++
	f := &Form{s: q.Server, user: t.user, id: fmt.Sprintf("V%09d", q.inbox.serial), view: named(v)}
	q.inbox.views[t.user] = f
	return reply{"view": f.shown()}
}

// named gives blocks without an id one, as Slack does.
func named(v map[string]any) map[string]any {
	blocks, _ := v["blocks"].([]any)
	for i, b := range blocks {
		if block, ok := b.(map[string]any); ok && block["block_id"] == nil {
			block["block_id"] = fmt.Sprintf("b%dX", i)
		}
	}
	return v
}

// shown is the view as payloads have it: what was sent, and more.
func (f *Form) shown() map[string]any {
	v := maps.Clone(f.view)
	v["id"], v["team_id"], v["hash"], v["root_view_id"], v["previous_view_id"] = f.id, TeamID, "1566.x", f.id, nil
	v["app_id"], v["bot_id"], v["external_id"], v["app_installed_team_id"] = AppID, BotID, "", TeamID
	return v
}

func textOf(v any) string {
	t, _ := v.(map[string]any)
	s, _ := t["text"].(string)
	return s
}

// Title is what stands above the form.
func (f *Form) Title() string { return textOf(f.view["title"]) }

// SubmitLabel is the text of the confirming button.
func (f *Form) SubmitLabel() string { return textOf(f.view["submit"]) }

// Intro is all text above and between the fields.
func (f *Form) Intro() string {
	var out []string
	blocks, _ := f.view["blocks"].([]any)
	for _, b := range blocks {
		if block, _ := b.(map[string]any); block["type"] == "section" {
			out = append(out, textOf(block["text"]))
		}
	}
	return strings.Join(out, "\n")
}

// Fields are the inputs.
func (f *Form) Fields() []FormField {
	var out []FormField
	blocks, _ := f.view["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		e, _ := block["element"].(map[string]any)
		if block["type"] != "input" {
			continue
		}
		field := FormField{Label: textOf(block["label"]), Help: textOf(block["hint"]), Placeholder: textOf(e["placeholder"])}
		field.Name, _ = block["block_id"].(string)
		field.Value, _ = e["initial_value"].(string)
		field.Optional, _ = block["optional"].(bool)
		field.Multiline, _ = e["multiline"].(bool)
		if n, ok := e["max_length"].(float64); ok {
			field.MaxLength = int(n)
		}
		field.Several = e["type"] == "multi_static_select"
		for _, o := range optionsOf(e["options"]) {
			field.Options = append(field.Options, textOf(o["text"]))
		}
		var initial []string
		for _, o := range append(optionsOf([]any{e["initial_option"]}), optionsOf(e["initial_options"])...) {
			initial = append(initial, textOf(o["text"]))
		}
		if len(initial) > 0 {
			field.Value = strings.Join(initial, ",")
		}
		out = append(out, field)
	}
	return out
}

// Submit sends the form with these values, the rest as it was shown. It
// returns the form that is open afterwards; nil: it closed.
func (f *Form) Submit(values map[string]string) *Form {
	state := map[string]any{}
	blocks, _ := f.view["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		e, _ := block["element"].(map[string]any)
		if block["type"] != "input" {
			continue
		}
		id, _ := block["block_id"].(string)
		action, _ := e["action_id"].(string)
		if kind, _ := e["type"].(string); kind != "plain_text_input" {
			state[id] = map[string]any{action: f.choice(kind, id, e, values)}
			continue
		}
		var value any
		if text, ok := values[id]; ok && text != "" {
			value = text
		} else if initial, _ := e["initial_value"].(string); !given(values, id) && initial != "" {
			value = initial
		}
		state[id] = map[string]any{action: map[string]any{"type": "plain_text_input", "value": value}}
	}
	f.s.mu.Lock()
	p := f.s.base("view_submission", f.user)
	p["trigger_id"], _ = f.s.newTrigger(f.user, "")
	view := f.shown()
	view["state"] = map[string]any{"values": state}
	p["view"], p["response_urls"] = view, []any{}
	f.s.mu.Unlock()
	return f.answered(f.s.deliver("interactive", p, true))
}

// optionsOf are the options in a list; what is none is left out.
func optionsOf(v any) (out []map[string]any) {
	list, _ := v.([]any)
	for _, x := range list {
		if o, ok := x.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// choice is the state of a select: what is chosen by its texts, parted by
// commas, or else what was at first.
func (f *Form) choice(kind, id string, e map[string]any, values map[string]string) map[string]any {
	chosen := append(optionsOf([]any{e["initial_option"]}), optionsOf(e["initial_options"])...)
	if given(values, id) {
		chosen = nil
		for word := range strings.SplitSeq(values[id], ",") {
			at := slices.IndexFunc(optionsOf(e["options"]), func(o map[string]any) bool { return textOf(o["text"]) == word })
			switch {
			case word == "":
			case at < 0:
				f.s.fatalf("%q is no option of %s", word, id)
			default:
				chosen = append(chosen, optionsOf(e["options"])[at])
			}
		}
	}
	if kind == "multi_static_select" {
		if chosen == nil {
			chosen = []map[string]any{}
		}
		return map[string]any{"type": kind, "selected_options": chosen}
	}
	if len(chosen) == 0 {
		return map[string]any{"type": kind, "selected_option": nil}
	}
	return map[string]any{"type": kind, "selected_option": chosen[0]}
}

// answered carries out what a submit was answered with.
func (f *Form) answered(a Answered) *Form {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	next := &Form{s: f.s, user: f.user, id: f.id, view: f.view}
	f.s.inbox.views[f.user] = next
	var said struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   map[string]any    `json:"view"`
	}
	switch {
	case !a.ok():
		next.Failed = troubled(a)
		return next
	case len(a.Body) == 0 || json.Unmarshal(a.Body, &said) == nil && said.Action == "":
		delete(f.s.inbox.views, f.user)
		return nil
	}
	switch said.Action {
	case "clear":
		delete(f.s.inbox.views, f.user)
		return nil
	case "errors":
		for name := range said.Errors {
			if !slices.ContainsFunc(next.Fields(), func(field FormField) bool { return field.Name == name }) {
				next.Failed = "We had some trouble connecting. Try again? (an error for the block " + name + ", which is no input)"
				return next
			}
		}
		next.Errors = said.Errors
	case "update":
		if wrong := checkView(said.View); len(wrong) > 0 {
			next.Failed = "We had some trouble connecting. Try again? (" + strings.Join(wrong, "; ") + ")"
			return next
		}
		next.view = named(said.View)
	default:
		next.Failed = "We had some trouble connecting. Try again? (response_action " + said.Action + ")"
	}
	return next
}

// Cancel closes the form, and the app is told if it asked to be.
func (f *Form) Cancel() Answered {
	f.s.mu.Lock()
	delete(f.s.inbox.views, f.user)
	p := f.s.base("view_closed", f.user)
	p["view"], p["is_cleared"] = f.shown(), false
	told, _ := f.view["notify_on_close"].(bool)
	f.s.mu.Unlock()
	if !told {
		return Answered{Status: 200}
	}
	return f.s.deliver("interactive", p, false)
}

func given(values map[string]string, name string) bool { _, ok := values[name]; return ok }
