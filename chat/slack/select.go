// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"slices"
	"strings"

	"belfry/chat"
)

// Kinds of elements in which something is chosen (docs.slack.dev, "Select menu
// element").
const (
	kindSelect  = "static_select"
	kindSelects = "multi_static_select"
	maxOption   = 150 // of an option's value
)

// choose makes a select of a field with options. More than Slack shows, or
// values that Slack does not take, stay a line to type in.
func (e *viewElement) choose(f *chat.Field) {
	long := func(o string) bool { return len(o) > maxOption || o == "" }
	if len(f.Options) == 0 || len(f.Options) > chat.MaxOptions || slices.ContainsFunc(f.Options, long) {
		return
	}
	e.Kind, e.Multiline, e.MaxLength, e.Initial = kindSelect, false, 0, ""
	if f.Several {
		e.Kind = kindSelects
	}
	for _, o := range f.Options {
		e.Options = append(e.Options, viewOption{plainText(o, chat.MaxOption), o})
	}
	chosen, _ := f.Chosen(f.Value)
	for _, o := range e.Options {
		switch {
		case !slices.Contains(chosen, o.Value):
		case f.Several:
			e.Several = append(e.Several, o)
		case e.Option == nil:
			e.Option = &o
		}
	}
}

// chosen is an option as it comes back.
type chosen struct {
	Text  map[string]any `json:"text"`
	Value string         `json:"value"`
}

// text is what was typed or chosen, several parted by commas; ok is false for
// what Slack never sends.
func (in *input) text() (text string, ok bool) {
	if in.Value != nil {
		return *in.Value, len(*in.Value) <= 4*maxInput
	}
	list := in.Options
	if in.Option != nil {
		list = append([]chosen{*in.Option}, list...)
	}
	if len(list) > chat.MaxOptions {
		return "", false
	}
	var words []string
	for _, c := range list {
		if len(c.Value) > maxOption || strings.Contains(c.Value, ",") {
			return "", false
		}
		words = append(words, c.Value)
	}
	return strings.Join(words, ","), true
}

// restore has an element show what was typed or chosen in it.
func (in input) restore(element map[string]any) {
	switch {
	case in.Value != nil && *in.Value != "":
		element["initial_value"] = *in.Value
	case element["type"] == kindSelect:
		delete(element, "initial_option")
		if in.Option != nil {
			element["initial_option"] = map[string]any{"text": in.Option.Text, "value": in.Option.Value}
		}
	case element["type"] == kindSelects:
		delete(element, "initial_options")
		if len(in.Options) > 0 {
			var all []any
			for _, c := range in.Options {
				all = append(all, map[string]any{"text": c.Text, "value": c.Value})
			}
			element["initial_options"] = all
		}
	}
}
