// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"belfry/chat"
)

// Limits of a view (docs.slack.dev, "Views").
const (
	maxViewTitle   = 24
	maxFieldText   = 2000
	maxPlaceholder = 150
	maxIntro       = 3000
	viewCallback   = "belfry_form"
)

// brought is what a view brings back: where it was opened, and the Responder's
// sealed state. Slack gives it to us alone.
type brought struct {
	Channel string `json:"c,omitempty"`
	State   string `json:"s"`
}

type viewText struct {
	Kind string `json:"type"`
	Text string `json:"text"`
	// Emoji is false, so that ":x:" stays what it is.
	Emoji bool `json:"emoji"`
}

func plainText(text string, most int) *viewText {
	return &viewText{Kind: "plain_text", Text: cut(chat.CleanLine(text), most)}
}

type viewBlock struct {
	Kind     string       `json:"type"`
	Block    string       `json:"block_id,omitempty"`
	Text     *viewText    `json:"text,omitempty"`
	Label    *viewText    `json:"label,omitempty"`
	Hint     *viewText    `json:"hint,omitempty"`
	Optional bool         `json:"optional,omitempty"`
	Element  *viewElement `json:"element,omitempty"`
}

type viewElement struct {
	Kind        string    `json:"type"`
	Action      string    `json:"action_id"`
	Multiline   bool      `json:"multiline,omitempty"`
	Initial     string    `json:"initial_value,omitempty"`
	MaxLength   int       `json:"max_length,omitempty"`
	Placeholder *viewText `json:"placeholder,omitempty"`
	// Of selects: what can be chosen, and what is at first.
	Options []viewOption `json:"options,omitempty"`
	Option  *viewOption  `json:"initial_option,omitempty"`
	Several []viewOption `json:"initial_options,omitempty"`
}

// viewOption is something to choose.
type viewOption struct {
	Text  *viewText `json:"text"`
	Value string    `json:"value"`
}

type view struct {
	Kind     string      `json:"type"`
	Callback string      `json:"callback_id"`
	Title    *viewText   `json:"title"`
	Submit   *viewText   `json:"submit,omitempty"`
	Close    *viewText   `json:"close"`
	Metadata string      `json:"private_metadata,omitempty"`
	OnClose  bool        `json:"notify_on_close,omitempty"`
	Blocks   []viewBlock `json:"blocks"`
}

// viewOf renders a form.
func viewOf(channel string, d *chat.Dialog) (view, error) {
	metadata, err := json.Marshal(brought{Channel: channel, State: d.State})
	if err != nil || len(metadata) > maxMetadata {
		return view{}, fmt.Errorf("the form %q carries %d bytes, more than the %d that Slack keeps", d.Title, len(metadata), maxMetadata)
	}
	submit := d.SubmitLabel
	if submit == "" {
		submit = "Submit"
	}
	v := view{Kind: "modal", Callback: viewCallback, Title: plainText(d.Title, maxViewTitle), Submit: plainText(submit, maxViewTitle),
		Close: plainText("Cancel", maxViewTitle), Metadata: string(metadata), OnClose: true, Blocks: []viewBlock{}}
	if d.Intro != "" {
		v.Blocks = append(v.Blocks, viewBlock{Kind: "section", Text: plainText(d.Intro, maxIntro)})
	}
	for _, f := range d.Fields {
		b := viewBlock{Kind: "input", Block: f.Name, Label: plainText(f.Label, maxFieldText), Optional: f.Optional,
			Element: &viewElement{Kind: "plain_text_input", Action: f.Name, Multiline: f.Multiline, MaxLength: lengthOf(f)}}
		if f.Value != "" {
			b.Element.Initial = cut(chat.Clean(f.Value), lengthOf(f))
		}
		if f.Help != "" {
			b.Hint = plainText(f.Help, maxFieldText)
		}
		if f.Placeholder != "" {
			b.Element.Placeholder = plainText(f.Placeholder, maxPlaceholder)
		}
		b.Element.choose(&f)
		v.Blocks = append(v.Blocks, b)
	}
	return v, nil
}

func lengthOf(f chat.Field) int {
	if f.MaxLength <= 0 || f.MaxLength > maxInput {
		return maxInput
	}
	return f.MaxLength
}

// openView shows a form. The trigger lives 3 s and works once.
func (p *Platform) openView(ctx context.Context, trigger, channel string, d *chat.Dialog) error {
	v, err := viewOf(channel, d)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("can't write a form: %w", err)
	}
	err = p.client.call(ctx, "views.open", url.Values{"trigger_id": {trigger}, "view": {string(raw)}}, nil)
	if err != nil {
		return p.decide(err, writes, "open a form")
	}
	return nil
}

// viewAnswer answers a submit: nothing closes the form.
type viewAnswer struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors,omitempty"`
	View   map[string]any    `json:"view,omitempty"`
}

// submitted hands a filled-in form to the Responder.
func (p *Platform) submitted(r chat.Responder, i interaction) (any, error) {
	values, err := i.View.values()
	if err != nil {
		return refusalIn(i.View, chat.Answer{Whisper: "Belfry could not read this form; nothing was done."}), nil
	}
	k := i.View.brought()
	w := whisperTo{user: i.User.ID, channel: k.Channel}
	a, err := p.soon(func(ctx context.Context) chat.Answer {
		return p.submit(ctx, r, i, chat.Submit{State: k.State, Values: values})
	}, func(ctx context.Context, a chat.Answer) { p.whisper(ctx, w, spoken(a)) })
	if err != nil {
		return refusalIn(i.View, chat.Answer{Whisper: sayBusy}), nil
	}
	if a.Whisper == saySlow { // the form closes, and what came of it is whispered
		return nil, nil
	}
	return refusalIn(i.View, a), nil
}

// closed tells the Responder that somebody closed a form.
func (p *Platform) closed(r chat.Responder, i interaction) error {
	state := i.View.brought().State
	if !genuine(r, state) {
		return nil
	}
	_, err := p.soon(func(ctx context.Context) chat.Answer {
		return p.submit(ctx, r, i, chat.Submit{State: state, Values: map[string]string{}, Cancelled: true})
	}, func(context.Context, chat.Answer) {})
	return err
}

func (p *Platform) submit(ctx context.Context, r chat.Responder, i interaction, s chat.Submit) chat.Answer {
	if !genuine(r, s.State) {
		return chat.Answer{Whisper: sayForged}
	}
	who, say := p.actor(ctx, i)
	if say != "" {
		return chat.Answer{Whisper: say}
	}
	s.Actor = who
	return r.Submit(ctx, s)
}

// brought reads what the view brought back; nothing of it where it isn't ours.
func (v *shownView) brought() brought {
	var k brought
	if json.Unmarshal([]byte(v.Metadata), &k) != nil || !optional(k.Channel) {
		return brought{}
	}
	return k
}

// refusalIn turns what is wrong with a submit into what the form shows: at its
// fields, or else above them. Slack takes an error for a field that isn't there
// as a failure, so what belongs to none stands above.
func refusalIn(v *shownView, a chat.Answer) any {
	errs, said := map[string]string{}, chat.CleanLine(a.Whisper)
	for _, name := range slices.Sorted(maps.Keys(a.FieldErrors)) {
		text := chat.CleanLine(a.FieldErrors[name])
		if _, there := v.State.Values[name]; there {
			errs[name] = cut(text, maxFieldText)
			continue
		}
		said = strings.TrimSpace(said + " " + text)
	}
	switch {
	case said != "":
		for name, text := range errs {
			said += " (" + name + ": " + text + ")"
		}
		return viewAnswer{Action: "update", View: v.again(said)}
	case len(errs) > 0:
		return viewAnswer{Action: "errors", Errors: errs}
	}
	return nil
}

// saidBlock is the block above a form that says what is wrong with it.
const saidBlock = "belfry_said"

// again is the form as it stands, with a text above it. What was typed stays:
// Slack keeps it where block and action are called the same, and the initial
// value says it once more.
func (v *shownView) again(said string) map[string]any {
	blocks := []map[string]any{{"type": "section", "block_id": saidBlock, "text": plainText(said, maxIntro)}}
	for _, b := range v.Blocks[:min(len(v.Blocks), maxInputs-1)] {
		if b["block_id"] == saidBlock {
			continue
		}
		id, _ := b["block_id"].(string)
		if element, ok := b["element"].(map[string]any); ok && b["type"] == "input" {
			v.State.Values[id][id].restore(element)
		}
		blocks = append(blocks, b)
	}
	out := map[string]any{"type": "modal", "callback_id": viewCallback, "private_metadata": v.Metadata, "notify_on_close": true, "blocks": blocks,
		"title": plainText("Belfry", maxViewTitle), "close": plainText("Close", maxViewTitle)}
	for name, raw := range map[string]json.RawMessage{"title": v.Title, "submit": v.Submit, "close": v.Close} {
		if len(raw) > 0 && string(raw) != "null" {
			out[name] = raw
		}
	}
	return out
}

// spoken is an answer to a form that is closed already: what was wrong, in one text.
func spoken(a chat.Answer) chat.Answer {
	for _, name := range slices.Sorted(maps.Keys(a.FieldErrors)) {
		a.Whisper = strings.TrimSpace(a.Whisper + " " + a.FieldErrors[name])
	}
	return a
}
