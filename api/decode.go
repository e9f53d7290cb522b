// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"belfry/incident"
)

// declaration is the body by which an incident is declared. Everything may be
// left out.
type declaration struct {
	Title        string            `json:"title"`
	Summary      string            `json:"summary"`
	Severity     string            `json:"severity"`
	Types        []string          `json:"types"`
	Services     []string          `json:"services"`
	Environments []string          `json:"environments"`
	Fields       map[string]string `json:"fields"`
	Triage       bool              `json:"triage"`
	Test         bool              `json:"test"`
	Private      bool              `json:"private"`
	// People take part: "connection/handle".
	People []string `json:"people"`
	// Alert is the number of an alert to attach, Parent that of the incident of
	// which it is a part.
	Alert  int64 `json:"alert"`
	Parent int64 `json:"parent"`
}

// words is the body of acts that say something.
type words struct {
	Text string `json:"text"`
	// Act is a step of the lifecycle, for move.
	Act string `json:"act"`
	// Severity is for severity.
	Severity string `json:"severity"`
	// Alert is the number of an alert, for attach.
	Alert int64 `json:"alert"`
	// Owner ("connection/handle"), Due (RFC 3339) and FollowUp are for task.
	Owner    string `json:"owner"`
	Due      string `json:"due"`
	FollowUp bool   `json:"followup"`
}

// given are the keys of it that are set.
func (w *words) given() (keys []string) {
	for _, x := range []struct {
		name string
		is   bool
	}{{"text", w.Text != ""}, {"act", w.Act != ""}, {"severity", w.Severity != ""}, {"alert", w.Alert != 0}, {"owner", w.Owner != ""}, {"due", w.Due != ""}, {"followup", w.FollowUp}} {
		if x.is {
			keys = append(keys, x.name)
		}
	}
	return keys
}

// due is when a task should be done; zero: no date.
func (w *words) due() (time.Time, error) {
	if w.Due == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, w.Due)
	if err != nil || at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}, fmt.Errorf("due: %s is no time; write it like 2026-12-01T17:00:00Z", quoted(w.Due))
	}
	return at.UTC().Truncate(time.Second), nil
}

// Limits of lists.
const (
	maxList   = 20
	maxFields = 50
)

// read decodes a body, which must be one JSON object with known keys only. The
// error is in words for whoever wrote the program.
func read(r io.Reader, into any) (status int, err error) {
	body, err := io.ReadAll(r)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the body has more than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return http.StatusBadRequest, errors.New("the body broke off; send it again")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return http.StatusBadRequest, errors.New("the body is empty; send a JSON object, {} at least")
	}
	if err := decode(body, into); err != nil {
		return http.StatusBadRequest, err
	}
	return http.StatusOK, nil
}

// decode is read for a body that is there.
func decode(body []byte, into any) error {
	if first := bytes.TrimSpace(body); len(first) == 0 || first[0] != '{' {
		return errors.New("the body is no JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return plain(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the JSON object")
	}
	return nil
}

// plain says what is wrong with a body without Go's words.
func plain(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a %s, and %s is wanted", quoted(wrong.Field), wrong.Value, kindOf(wrong.Type.String()))
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the body is no JSON: at byte %d", wrong.Offset)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("there is no key %s; docs/api.md lists those that there are", quoted(strings.Trim(name, `"`)))
	}
	return errors.New("the body is no JSON: it breaks off")
}

func kindOf(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list of texts"
	case strings.HasPrefix(goType, "map"):
		return "an object of texts"
	case goType == "bool":
		return "true or false"
	case goType == "int64":
		return "a whole number"
	}
	return "a text"
}

// quoted shows a name of the body, cut.
func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// check says what is too much, or can't be.
func (d *declaration) check() error {
	for name, list := range map[string][]string{"types": d.Types, "services": d.Services, "environments": d.Environments, "people": d.People} {
		if len(list) > maxList {
			return fmt.Errorf("%s has %d entries, at most %d are taken", name, len(list), maxList)
		}
		for _, x := range list {
			if strings.TrimSpace(x) == "" || strings.ContainsAny(x, ",;\n") {
				return fmt.Errorf("%s: %s is no name", name, quoted(x))
			}
		}
	}
	switch {
	case len(d.Fields) > maxFields:
		return fmt.Errorf("fields has %d entries, at most %d are taken", len(d.Fields), maxFields)
	case d.Alert < 0:
		return errors.New("alert is the number of an alert, as on its card")
	case d.Parent < 0:
		return errors.New("parent is the number of an incident")
	}
	for _, p := range d.People {
		if err := named("people", p); err != nil {
			return err
		}
	}
	return nil
}

// named says whether a text names somebody: "connection/handle".
func named(key, p string) error {
	if connection, name, ok := strings.Cut(p, "/"); !ok || connection == "" || strings.TrimPrefix(name, "@") == "" || strings.ContainsAny(p, " \t\n:") || len(p) > 100 {
		return fmt.Errorf("%s: %s is nobody; write a connection and a handle, like chat/anna", key, quoted(p))
	}
	return nil
}

// declared makes a declaration of it; by declares, and invited take part.
func (d *declaration) declared(by incident.Person, invited []incident.Person) incident.Declaration {
	out := incident.Declaration{Triage: d.Triage, Title: d.Title, Summary: d.Summary, Severity: d.Severity, Types: d.Types, Services: d.Services,
		Environments: d.Environments, Fields: d.Fields, Private: d.Private, By: by, Invite: slices.Clone(invited)}
	if d.Test {
		out.Kind = incident.Test
	}
	return out
}
