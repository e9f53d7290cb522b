// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// Dialog is an interactive dialog on somebody's screen.
type Dialog struct {
	Title       string    `json:"title"`
	Intro       string    `json:"introduction_text"`
	SubmitLabel string    `json:"submit_label"`
	CallbackID  string    `json:"callback_id"`
	State       string    `json:"state"`
	Notify      bool      `json:"notify_on_cancel"`
	Elements    []Element `json:"elements"`
	URL         string    `json:"-"`
	s           *Server
	user        string
	channel     string
	values      map[string]any
}

// Element is one field of a dialog.
type Element struct {
	Label       string `json:"display_name"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Subtype     string `json:"subtype"`
	Default     string `json:"default"`
	Placeholder string `json:"placeholder"`
	Help        string `json:"help_text"`
	Optional    bool   `json:"optional"`
	MinLength   int    `json:"min_length"`
	MaxLength   int    `json:"max_length"`
	// Options are those of a select.
	Options []Option `json:"options"`
}

// Option is something to choose.
type Option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// wrong is what the server or the clients have against a select; "": nothing.
func (e *Element) wrong() string {
	if e.Type != "select" {
		return ""
	}
	values := map[string]bool{"": true}
	for _, o := range e.Options {
		if o.Text == "" || o.Value == "" || values[o.Value] {
			return "an option without text or value, or one that is there twice"
		}
		values[o.Value] = true
	}
	switch {
	case len(e.Options) == 0:
		return "a select without options"
	case !values[e.Default]:
		return "a default that is no option"
	}
	return ""
}

// openDialog is POST /actions/dialogs/open. Limits are not checked here: the
// client of the person would choke on them.
func (s *Server) openDialog(c call) (int, any, *apiError) {
	var open struct {
		TriggerID string `json:"trigger_id"`
		URL       string `json:"url"`
		Dialog    Dialog `json:"dialog"`
	}
	if err := decode(c.Body, &open); err != nil || open.URL == "" {
		return 0, nil, errParam("dialog")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if take(&s.faults.dialogsFail) {
		return 0, nil, fail(http.StatusInternalServerError, "api.context.server_busy.app_error", "Server is busy, non-critical services are temporarily unavailable.")
	}
	t, ok := s.triggers[open.TriggerID]
	if !ok {
		return 0, nil, fail(http.StatusBadRequest, "interactive_message.decode_trigger_id.base64_decode_failed", "Failed to decode base64 for trigger ID for interactive dialog.")
	}
	if s.clock.Now().After(t.until) {
		return 0, nil, fail(http.StatusBadRequest, "interactive_message.decode_trigger_id.expired", "Trigger ID for interactive dialog is expired. Trigger IDs live for a maximum of 3 seconds.")
	}
	d := open.Dialog
	for _, e := range d.Elements {
		if why := e.wrong(); why != "" {
			s.fatalf("the field %q has %s", e.Label, why)
		}
	}
	d.URL, d.s, d.user, d.channel, d.values = open.URL, s, t.user, t.channel, map[string]any{}
	s.dialogs[t.user] = &d
	return 0, nil, nil
}

// submission is what an integration gets; all but the ids of people and
// places is chosen by the client.
type submission struct {
	Type       string         `json:"type"`
	URL        string         `json:"url,omitempty"`
	CallbackID string         `json:"callback_id"`
	State      string         `json:"state"`
	UserID     string         `json:"user_id"`
	ChannelID  string         `json:"channel_id"`
	TeamID     string         `json:"team_id"`
	Submission map[string]any `json:"submission"`
	Cancelled  bool           `json:"cancelled"`
}

// submitDialog is POST /actions/dialogs/submit by the caller: url, state and
// values are the client's, the user is the session's.
func (s *Server) submitDialog(c call) (int, any, *apiError) {
	var sub submission
	if err := decode(c.Body, &sub); err != nil {
		return 0, nil, errParam("submission")
	}
	s.mu.Lock()
	sub.UserID = c.user.ID
	s.mu.Unlock()
	answer, err := s.submit(sub)
	return http.StatusOK, answer, err
}

type dialogAnswer struct {
	Error  string            `json:"error,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

func (s *Server) submit(sub submission) (dialogAnswer, *apiError) {
	url := sub.URL
	sub.URL, sub.Type = "", "dialog_submission"
	s.mu.Lock()
	if ch := s.channels[sub.ChannelID]; ch != nil {
		sub.TeamID = ch.TeamID
	}
	s.mu.Unlock()
	raw, err := s.callBack(url, sub)
	if err != nil {
		return dialogAnswer{}, errAction()
	}
	var answer dialogAnswer
	_ = json.Unmarshal(raw, &answer) // empty or garbage with 200 is accepted
	return answer, nil
}

// Fill types value into the field with this label or name, or chooses the
// option that reads so.
func (d *Dialog) Fill(field string, value any) *Dialog {
	for _, e := range d.Elements {
		if e.Label != field && e.Name != field {
			continue
		}
		if e.Type != "select" {
			d.values[e.Name] = value
			return d
		}
		for _, o := range e.Options {
			if o.Text == value {
				d.values[e.Name] = o.Value
				return d
			}
		}
		d.s.fatalf("the field %q of %q offers no %q, only %v", field, d.Title, value, e.Options)
	}
	return d.Forge(field, value)
}

// Forge sets a field's value as an altered client can: the server holds no
// submission to its dialog.
func (d *Dialog) Forge(field string, value any) *Dialog {
	for _, e := range d.Elements {
		if e.Label == field || e.Name == field {
			d.values[e.Name] = value
			return d
		}
	}
	d.s.fatalf("the dialog %q has no field %q, only %v", d.Title, field, d.Elements)
	return d
}

// Submit presses the confirming button.
func (d *Dialog) Submit() Outcome {
	values := map[string]any{}
	for _, e := range d.Elements {
		values[e.Name] = nil // a field nobody touched arrives as null
		if e.Default != "" {
			values[e.Name] = e.Default
		}
		if v, ok := d.values[e.Name]; ok {
			values[e.Name] = v
		}
		if v, _ := values[e.Name].(string); v == "" && !e.Optional {
			if _, isText := values[e.Name].(string); isText || values[e.Name] == nil {
				return Outcome{Errors: map[string]string{e.Name: "This field is required."}, Dialog: d}
			}
		}
	}
	answer, err := d.s.submit(submission{URL: d.URL, CallbackID: d.CallbackID, State: d.State,
		UserID: d.user, ChannelID: d.channel, Submission: values})
	out := Outcome{Failed: err.text()}
	if err != nil {
		return out // the dialog closes as if accepted, what was typed is lost
	}
	for name, text := range answer.Errors {
		if slices.ContainsFunc(d.Elements, func(e Element) bool { return e.Name == name }) {
			if out.Errors == nil {
				out.Errors = map[string]string{}
			}
			out.Errors[name], out.Dialog = text, d
		}
	}
	if answer.Error != "" {
		out.Error, out.Dialog = answer.Error, d
	}
	return out
}

// Cancel closes the dialog.
func (d *Dialog) Cancel() Outcome {
	if !d.Notify {
		return Outcome{}
	}
	_, err := d.s.submit(submission{URL: d.URL, CallbackID: d.CallbackID, State: d.State,
		UserID: d.user, ChannelID: d.channel, Cancelled: true})
	return Outcome{Failed: err.text()}
}

// text is the complaint as a person or a log would see it.
func (e *apiError) text() string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%d %s: %s", e.Status, e.ID, e.Message)
}
