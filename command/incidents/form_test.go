// SPDX-License-Identifier: Apache-2.0

package incidents_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/incident"
	"belfry/seal"
)

func sealer(t testing.TB) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opens types a line and wants a form.
func (b *booth) opens(line string) chat.Dialog {
	b.t.Helper()
	a := b.Command(b.t.Context(), chat.Command{Actor: anna, Channel: "town", Word: "incident", Text: line})
	if a.Dialog == nil {
		b.t.Fatalf("%q opens no form: %s", line, read(a))
	}
	return *a.Dialog
}

// sends sends a form.
func (b *booth) sends(who chat.Actor, d chat.Dialog, values map[string]string) chat.Answer {
	b.t.Helper()
	a, ok := b.Submit(b.t.Context(), chat.Submit{Actor: who, State: d.State, Values: values})
	if !ok || !b.Genuine(d.State) {
		b.t.Error("the form is not taken for one of ours")
	}
	return a
}

func (b *booth) incident(number int64) *incident.Incident {
	b.t.Helper()
	i, err := b.store.Incident(b.t.Context(), number)
	if err != nil {
		b.t.Fatal(err)
	}
	return i
}

func TestAnIncidentIsDeclaredByAForm(t *testing.T) {
	b := newBooth(t)
	b.want("new", "What is wrong?") // nobody would see what came of a form
	b.announce = []string{"chat/incidents"}
	b.settings.Severity = "SEV2"
	d := b.opens("new")
	var fields []string
	for _, f := range d.Fields {
		fields = append(fields, f.Name+"="+f.Value)
	}
	if got := strings.Join(fields, " "); got != "title= severity=SEV2 service= summary=" || len(d.Title) > 24 {
		t.Errorf("it asks for %s", got)
	}
	if a := b.sends(anna, d, map[string]string{"severity": "SEV9", "service": "door"}); len(a.FieldErrors) != 2 || !strings.Contains(a.FieldErrors["severity"], "there are SEV0") {
		t.Errorf("what is wrong: %+v", a)
	}
	for who, want := range map[chat.Actor]string{bert: "Somebody else", {Connection: "slack", ID: "u1", Name: "anna"}: "Somebody else"} {
		if a := b.sends(who, d, nil); !strings.Contains(a.Whisper, want) {
			t.Errorf("%v: %+v", who, a)
		}
	}
	if a := b.sends(anna, d, map[string]string{"title": "the shop is slow", "service": "shop", "summary": "orders\nwait"}); a.Whisper != "" || a.FieldErrors != nil {
		t.Errorf("refused: %+v", a)
	}
	i := b.incident(1)
	if i.Title != "the shop is slow" || i.Severity != "SEV2" || i.Summary != "orders\nwait" || len(i.Services) != 1 || i.CreatedBy.ID != "u1" || len(i.Cards) != 1 {
		t.Errorf("%+v", i)
	}
	if a := b.sends(anna, d, map[string]string{"title": "again"}); !strings.Contains(a.Whisper, "sent before") {
		t.Errorf("a second time: %+v", a)
	}
	// Blank titles are generated; sub-incidents and exercises have forms as well.
	b.sends(anna, b.opens("test"), nil)
	b.sends(anna, b.opens("sub #1"), map[string]string{"title": "the queue"})
	if x, s := b.incident(2), b.incident(3); x.Kind != incident.Test || !strings.HasPrefix(x.Title, "Incident of") || s.Parent != 1 || s.Kind != incident.Sub {
		t.Errorf("%+v %+v", x, s)
	}
	late := b.opens("new")
	b.clock.Advance(2 * time.Hour)
	if a := b.sends(anna, late, nil); !strings.Contains(a.Whisper, "too long") {
		t.Errorf("late: %+v", a)
	}
	b.Gate = no{}
	b.want("new", "You may not.")
	b.Gate = nil
	open := b.opens("new")
	b.Gate = no{}
	if a := b.sends(anna, open, nil); a.Whisper != "You may not." {
		t.Errorf("%+v", a)
	}
	if _, ok := b.Submit(t.Context(), chat.Submit{Actor: anna, State: "forged"}); ok || b.Genuine("forged") {
		t.Error("a forged form is taken")
	}
	if a := b.Command(t.Context(), chat.Command{Actor: anna, Text: "new"}); a.Dialog != nil {
		t.Error("a form opens where none can be shown")
	}
}

func TestAFormAsksForNoMoreThanChatShows(t *testing.T) {
	b := newBooth(t)
	b.announce = []string{"chat/incidents"}
	b.settings.Types, b.settings.Environments = []string{"outage"}, []string{"production"}
	b.settings.Form = []incident.FormField{{Name: "title"}, {Name: "type"}, {Name: "severity"}, {Name: "service"}, {Name: "environment"}, {Name: "private", Default: "yes"}, {Name: "summary", Required: true}}
	d := b.opens("new")
	names := map[string]bool{}
	for _, f := range d.Fields {
		names[f.Name] = !f.Optional
	}
	if want := map[string]bool{"title": false, "type": false, "severity": false, "service": false, "summary": true}; !maps.Equal(names, want) {
		t.Errorf("it asks for %v", names)
	}
	if a := b.sends(anna, d, map[string]string{"summary": "x"}); a.FieldErrors != nil || a.Whisper != "" || !b.incident(1).Private {
		t.Errorf("%+v", a)
	}
}
