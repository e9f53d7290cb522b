// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"belfry/incident"
)

func TestBodiesThatAreNotUnderstoodAreToldSo(t *testing.T) {
	for body, want := range map[string]string{
		``:                   "the body is empty",
		` `:                  "the body is empty",
		`[]`:                 "the body is no JSON object",
		`"x"`:                "the body is no JSON object",
		`{"title": "x"`:      "the body is no JSON: it breaks off",
		`{"title": "x"}{}`:   "something stands behind the JSON object",
		`{"title": 7}`:       `"title" is a number, and a text is wanted`,
		`{"types": "x"}`:     `"types" is a string, and a list of texts is wanted`,
		`{"fields": ["x"]}`:  `"fields" is a array, and an object of texts is wanted`,
		`{"private": "yes"}`: `"private" is a string, and true or false is wanted`,
		`{"alert": "x"}`:     `"alert" is a string, and a whole number is wanted`,
		`{"alert": 1.5}`:     `"alert" is a number 1.5, and a whole number is wanted`,
		`{"colour": "red"}`:  `there is no key "colour"`,
		`{"title": x}`:       "the body is no JSON: at byte 11",
		`{"` + strings.Repeat("x", 100) + `": 1}`: `there is no key "` + strings.Repeat("x", 60) + "…",
	} {
		if _, err := read(strings.NewReader(body), &declaration{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestWhatCantBeDeclaredIsToldSo(t *testing.T) {
	many := make([]string, maxList+1)
	for i := range many {
		many[i] = "x"
	}
	fields := map[string]string{}
	for i := range maxFields + 1 {
		fields[strings.Repeat("x", i+1)] = "y"
	}
	for want, d := range map[string]declaration{
		"types has 21 entries, at most 20 are taken":  {Types: many},
		"fields has 51 entries, at most 50 are taken": {Fields: fields},
		`services: "a,b" is no name`:                  {Services: []string{"a,b"}},
		`environments: "" is no name`:                 {Environments: []string{""}},
		`people: "anna" is nobody`:                    {People: []string{"anna"}},
		`people: "chat/@" is nobody`:                  {People: []string{"chat/@"}},
		`people: ":route/x" is nobody`:                {People: []string{":route/x"}},
		"alert is the number of an alert":             {Alert: -1},
		"parent is the number of an incident":         {Parent: -1},
	} {
		if err := d.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := (&declaration{People: []string{"chat/@anna", "room/bert"}, Types: []string{"outage"}}).check(); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"title":"x","severity":"SEV1","types":["a"],"fields":{"a":"b"},"people":["chat/anna"],"alert":1,"parent":2,"private":true}`,
		`{"title":"\u0000\ud800","summary":7}`, `{"title":null}`, `{"TITLE":"x"}`, `[[[[`, `{"a":{"a":{"a":1}}}`, "{\"title\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	s := incident.Defaults()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{&declaration{}, &words{}} {
			if err := decode(body, into); err != nil && (len(err.Error()) > 600 || !utf8.ValidString(err.Error())) {
				t.Errorf("an error of %d bytes: %q", len(err.Error()), err)
			}
		}
		var d declaration
		if decode(body, &d) != nil || d.check() != nil {
			return
		}
		i, entries, err := incident.Declare(&s, d.declared(incident.Machine("program", "x"), nil), s0)
		if err != nil {
			return
		}
		if i.Title == "" || utf8.RuneCountInString(i.Title) > incident.MaxTitle || !utf8.ValidString(i.Title+i.Summary) || len(entries) == 0 || len(i.People) != 0 {
			t.Errorf("%+v", i)
		}
		if _, err := json.Marshal((&request{API: New(Options{})}).show(i, false)); err != nil {
			t.Error(err)
		}
	})
}
