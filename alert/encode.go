// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends what json.Unmarshal reads back: the parts of a that have no
// column of their own. It is written out because every report that changes
// anything passes here while others wait for the same transaction, and an
// encoder that asks each field what it is takes longer than the database for
// the row's content. The error is json.Marshal's.
func (a *Alert) AppendJSON(b []byte) ([]byte, error) {
	j := jsonObject{b: append(b, '{'), first: true}
	j.object("object", a.Object)
	j.labels("labels", a.Labels)
	j.text("state", a.State)
	j.text("output", a.Output)
	j.text("link", a.Link)
	j.text("problem_id", a.ProblemID)
	j.texts("contacts", a.Contacts)
	j.texts("mentions", a.Mentions)
	j.texts("channels", a.Channels)
	j.texts("cards", a.Cards)
	j.texts("called", a.Called)
	j.truth("no_emoji", a.NoEmoji)
	j.truth("in_downtime", a.InDowntime)
	j.truth("flapping", a.Flapping)
	// Rarer, and not worth own words.
	if len(a.Rings) > 0 {
		j.any("rings", a.Rings)
	}
	if a.Ack != (Ack{}) {
		j.any("ack", a.Ack)
	}
	if a.Said != (Said{}) {
		j.any("said", a.Said)
	}
	return append(j.b, '}'), j.err
}

// AppendJSON appends what json.Unmarshal reads back: the parts of e that have no
// column of their own. The error is json.Marshal's.
func (e *Event) AppendJSON(b []byte) ([]byte, error) {
	j := jsonObject{b: append(b, '{'), first: true}
	j.text("actor", e.Actor)
	j.text("text", e.Text)
	j.text("state", e.State)
	j.number("severity", int(e.Severity))
	j.text("previous", e.Previous)
	j.number("previous_severity", int(e.PreviousSeverity))
	j.number("generation", e.Generation)
	j.text("intake", e.Intake)
	if e.Instruction != nil {
		j.any("instruction", e.Instruction)
	}
	return append(j.b, '}'), j.err
}

// jsonObject is an object that is being written, without its empty members.
type jsonObject struct {
	b []byte
	// first: nothing was written yet.
	first bool
	err   error
}

func (j *jsonObject) name(name string) {
	if !j.first {
		j.b = append(j.b, ',')
	}
	j.first = false
	j.b = append(append(append(j.b, '"'), name...), '"', ':')
}

func (j *jsonObject) quote(text string) {
	j.b, _ = jsontext.AppendQuote(j.b, text) // what is no UTF-8 is replaced, as json.Marshal does
}

func (j *jsonObject) text(name, text string) {
	if text != "" {
		j.name(name)
		j.quote(text)
	}
}

func (j *jsonObject) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	j.name(name)
	sep := byte('[')
	for _, text := range list {
		j.b = append(j.b, sep)
		j.quote(text)
		sep = ','
	}
	j.b = append(j.b, ']')
}

func (j *jsonObject) labels(name string, l Labels) {
	if len(l) == 0 {
		return
	}
	j.name(name)
	sep := byte('{')
	for key, value := range l {
		j.b = append(j.b, sep)
		j.quote(key)
		j.b = append(j.b, ':')
		j.quote(value)
		sep = ','
	}
	j.b = append(j.b, '}')
}

func (j *jsonObject) object(name string, o Object) {
	j.name(name)
	in := jsonObject{b: append(j.b, '{'), first: true}
	in.text("kind", string(o.Kind))
	in.text("host", o.Host)
	in.text("service", o.Service)
	in.text("host_display", o.HostDisplay)
	in.text("service_display", o.ServiceDisplay)
	in.text("address", o.Address)
	in.text("rule", o.Rule)
	in.text("key", o.Key)
	j.b = append(in.b, '}')
}

func (j *jsonObject) truth(name string, is bool) {
	if is {
		j.name(name)
		j.b = append(j.b, "true"...)
	}
}

func (j *jsonObject) number(name string, n int) {
	if n != 0 {
		j.name(name)
		j.b = strconv.AppendInt(j.b, int64(n), 10)
	}
}

func (j *jsonObject) any(name string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		j.err = err
		return
	}
	j.name(name)
	j.b = append(j.b, text...)
}
