// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"belfry/chat"
)

// Limits of dialogs. The server does not check them on opening; the clients do.
const (
	maxDialogTitle = 24
	maxHelp        = 150
	maxElements    = 5
	maxText        = 150
	maxTextArea    = 3000
)

type openDialog struct {
	TriggerID string `json:"trigger_id"`
	URL       string `json:"url"`
	Dialog    dialog `json:"dialog"`
}

type dialog struct {
	CallbackID  string    `json:"callback_id"`
	Title       string    `json:"title"`
	Intro       string    `json:"introduction_text,omitempty"`
	SubmitLabel string    `json:"submit_label,omitempty"`
	Notify      bool      `json:"notify_on_cancel"`
	State       string    `json:"state"`
	Elements    []element `json:"elements"`
}

type element struct {
	Label       string `json:"display_name"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Default     string `json:"default,omitempty"`
	Placeholder string `json:"placeholder,omitempty"`
	Help        string `json:"help_text,omitempty"`
	Optional    bool   `json:"optional"`
	MaxLength   int    `json:"max_length,omitempty"`
	Options     []pick `json:"options,omitempty"`
}

// pick is something to choose in a select.
type pick struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// openDialog shows d to whoever pressed. The trigger id is the permission.
func (p *Platform) openDialog(ctx context.Context, triggerID string, d *chat.Dialog) error {
	if triggerID == "" || len(triggerID) > maxToken {
		return errors.New("the press came without a trigger id")
	}
	if len(d.Fields) > maxElements {
		return errors.New("a dialog has at most five fields")
	}
	body := openDialog{TriggerID: triggerID, URL: p.callback + "/dialog", Dialog: dialog{
		CallbackID: "belfry", Title: cut(oneLine(d.Title), maxDialogTitle), Intro: literal(d.Intro),
		SubmitLabel: cut(oneLine(d.SubmitLabel), maxDialogTitle), Notify: true, State: d.State,
		Elements: make([]element, 0, len(d.Fields)),
	}}
	for _, f := range d.Fields {
		if !isAlnum(f.Name) {
			return errors.New("a dialog's field has a name that is not letters and digits")
		}
		e := element{Label: cut(oneLine(f.Label), maxDialogTitle), Name: f.Name, Type: "text",
			Help: cut(oneLine(f.Help), maxHelp), Placeholder: cut(oneLine(f.Placeholder), maxHelp),
			Optional: f.Optional, MaxLength: maxText}
		if f.Multiline {
			e.Type, e.MaxLength = "textarea", maxTextArea
		}
		if f.MaxLength > 0 {
			e.MaxLength = min(e.MaxLength, f.MaxLength)
		}
		e.Default = cut(chat.Clean(f.Value), e.MaxLength)
		e.choose(&f)
		body.Dialog.Elements = append(body.Dialog.Elements, e)
	}
	if err := p.client.do(ctx, http.MethodPost, "/actions/dialogs/open", &body, nil); err != nil {
		return p.decide(err, writes, "open a dialog")
	}
	return nil
}

// choose makes a select of a field with options. Servers before 11 have none in
// which several can be chosen, and how newer ones hand those over was not seen:
// one is chosen everywhere, and a field that begins with several stays a line to
// type in.
func (e *element) choose(f *chat.Field) {
	if len(f.Options) == 0 {
		return
	}
	chosen, strange := f.Chosen(f.Value)
	if len(f.Options) > chat.MaxOptions || len(chosen) > 1 || len(strange) > 0 {
		if e.Help == "" {
			e.Help = cut("Any of "+oneLine(strings.Join(f.Options, ", ")), maxHelp)
		}
		return
	}
	e.Type, e.MaxLength, e.Default = "select", 0, ""
	for _, o := range f.Options {
		e.Options = append(e.Options, pick{Text: cut(oneLine(o), chat.MaxOption), Value: o})
	}
	if len(chosen) == 1 {
		e.Default = chosen[0]
	}
}
