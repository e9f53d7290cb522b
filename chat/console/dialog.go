// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"belfry/chat"
	"belfry/clock"
	"belfry/seal"
)

// Form is a dialog as a person sees it.
type Form struct {
	// ID is random; only the person it was opened for can submit it.
	ID                        string
	Title, Intro, SubmitLabel string
	Fields                    []chat.Field
}

// Limits of open forms. Those that are forgotten are replaced by newer ones.
const (
	formsPerPerson = 10
	formsInAll     = 1000
	formLife       = time.Hour
	maxField       = 4000
)

// dialogs keeps the open forms, so that a dialog's state stays on the server
// and a form belongs to one person. They do not survive a restart: the page
// then asks to press again.
type dialogs struct {
	clock clock.Clock
	mu    sync.Mutex
	forms []openForm // oldest first
}

type openForm struct {
	form  Form
	actor chat.Actor
	state string
	until time.Time
}

func newDialogs(c clock.Clock) *dialogs { return &dialogs{clock: c} }

func (d *dialogs) open(actor chat.Actor, dialog chat.Dialog) *Form {
	form := Form{ID: seal.Random(), Title: dialog.Title, Intro: dialog.Intro,
		SubmitLabel: dialog.SubmitLabel, Fields: slices.Clone(dialog.Fields)}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy(actor)
	d.forms = append(d.forms, openForm{form: form, actor: actor, state: dialog.State, until: d.clock.Now().Add(formLife)})
	return &form
}

// tidy makes room for one more form of actor.
func (d *dialogs) tidy(actor chat.Actor) {
	now, theirs := d.clock.Now(), 0
	for _, o := range d.forms {
		if o.actor.ID == actor.ID {
			theirs++
		}
	}
	d.forms = slices.DeleteFunc(d.forms, func(o openForm) bool {
		if o.actor.ID == actor.ID && theirs >= formsPerPerson {
			theirs--
			return true
		}
		return !o.until.After(now)
	})
	if over := len(d.forms) + 1 - formsInAll; over > 0 {
		d.forms = slices.Delete(d.forms, 0, over)
	}
}

func (d *dialogs) find(actor chat.Actor, id string) (Form, string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.forms {
		if o.form.ID == id && o.actor.ID == actor.ID && o.until.After(d.clock.Now()) {
			return o.form, o.state, true
		}
	}
	return Form{}, "", false
}

func (d *dialogs) close(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forms = slices.DeleteFunc(d.forms, func(o openForm) bool { return o.form.ID == id })
}

// check holds values against the fields: what was filled in, trimmed, without
// what was not asked for; and what is wrong, by field.
func (f Form) check(values map[string]string) (filled, wrong map[string]string) {
	filled, wrong = map[string]string{}, map[string]string{}
	for _, field := range f.Fields {
		v := strings.TrimSpace(strings.ReplaceAll(values[field.Name], "\r\n", "\n"))
		limit := field.MaxLength
		if limit <= 0 || limit > maxField {
			limit = maxField
		}
		if v != "" {
			filled[field.Name] = v
		}
		switch n := utf8.RuneCountInString(v); {
		case v == "" && !field.Optional:
			wrong[field.Name] = "Please fill this in."
		case !utf8.ValidString(v):
			wrong[field.Name] = "This holds bytes that are not text."
		case len(field.Options) > 0 && v != "":
			if text := wrongChoice(&field, v); text != "" {
				wrong[field.Name] = text
			}
		case n > limit:
			wrong[field.Name] = fmt.Sprintf("This has %d characters; at most %d are allowed.", n, limit)
		}
	}
	return filled, wrong
}

// with returns the form with values filled in, to be shown again.
func (f Form) with(values map[string]string) *Form {
	f.Fields = slices.Clone(f.Fields)
	values = maps.Clone(values)
	for i := range f.Fields {
		f.Fields[i].Value = values[f.Fields[i].Name]
	}
	return &f
}

// wrongChoice says what is wrong with a choice, and what there is to choose from.
func wrongChoice(f *chat.Field, v string) string {
	chosen, strange := f.Chosen(v)
	switch {
	case len(strange) > 0:
		return fmt.Sprintf("There is no %q here; choose from %s.", chat.CleanLine(strange[0]), strings.Join(f.Options, ", "))
	case len(chosen) > 1 && !f.Several:
		return "Please choose one of them."
	}
	return ""
}
