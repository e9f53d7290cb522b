// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuestions(t *testing.T) {
	labels := func(s *Settings) (list []string) {
		for _, q := range s.Questions() {
			list = append(list, q.Label+"="+q.Default)
		}
		return list
	}
	s := Defaults()
	if diff := cmp.Diff([]string{"Title=", "Severity=", "Summary="}, labels(&s)); diff != "" {
		t.Error(diff)
	}
	s = *settings()
	s.Form = []FormField{{Name: "site", Required: true}, {Name: FieldSeverity}, {Name: FieldPrivate, Default: "yes"}, {Name: FieldType}}
	if diff := cmp.Diff([]string{"Site=", "Severity=SEV2", "Private=yes", "Type="}, labels(&s)); diff != "" {
		t.Error(diff)
	}
	// Defaults are called as the options are: that is what is chosen at first.
	s.Form = []FormField{{Name: "site", Default: "NORTH"}, {Name: FieldSeverity, Default: "1"}, {Name: FieldTest, Default: "y"}, {Name: FieldTriage, Default: "0"},
		{Name: FieldService, Default: "Mail-Relay; SHOP"}, {Name: "customer", Default: " ACME"}, {Name: FieldType, Default: "gone"}}
	if diff := cmp.Diff([]string{"Site=north", "Severity=SEV1", "Test=yes", "Triage=no", "Service=mail relay,shop", "Customer= ACME", "Type=gone"}, labels(&s)); diff != "" {
		t.Error(diff)
	}
}

func TestFill(t *testing.T) {
	s := settings()
	s.Form = []FormField{{Name: FieldTitle, Required: true}, {Name: FieldPrivate, Default: "yes"}, {Name: "site"}, {Name: FieldService}}
	d, wrong := s.Fill(map[string]string{"title": " a  b ", "site": "NORTH", "service": "shop,Mail relay", "test": "yes", "triage": "on"}, anna())
	want := Declaration{Kind: Test, Triage: true, Title: "a b", Services: []string{"shop", "mail relay"}, Fields: map[string]string{"site": "north"}, Private: true, By: anna()}
	if diff := cmp.Diff(want, d); diff != "" || len(wrong) > 0 {
		t.Error(diff, wrong)
	}
	if _, _, err := Declare(s, d, day()); err != nil {
		t.Error(err)
	}
	_, wrong = s.Fill(map[string]string{"private": "perhaps", "site": "west", "severity": "bad", "service": "door", "colour": "red", "summary": ""}, anna())
	if diff := cmp.Diff(map[string]string{
		"title": "this must be filled in", "private": `"perhaps" is neither yes nor no`, "site": `there is no Site "west"; there are north, south`,
		"severity": `there is no severity "bad"; there are SEV0, SEV1, SEV2, SEV3`, "service": `there is no service "door"; there are shop, mail relay`,
		"colour": `there is no field "colour"; there are title, summary, severity, type, service, environment, private, triage, test, customer, site`,
	}, wrong); diff != "" {
		t.Error(diff)
	}
}
