// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
)

func settings() *Settings {
	s := Defaults()
	s.Severity = "SEV2"
	s.Types, s.Services, s.Environments = []string{"outage", "security"}, []string{"shop", "mail relay"}, []string{"production", "staging"}
	s.Fields = []Field{{Name: "customer", Label: "Customer"}, {Name: "site", Label: "Site", Options: []string{"north", "south"}}}
	s.Severities[0].Private = true
	return &s
}

func TestDeclare(t *testing.T) {
	a := &alert.Alert{ID: 99, Number: 5, Source: "nagios", Severity: alert.SeverityCritical, Object: alert.Object{Kind: alert.KindHost, Host: "web01"}, StartsAt: day().Add(-time.Hour)}
	i, entries, err := Declare(settings(), Declaration{Triage: true, Summary: "no orders", Severity: "sev1", Types: []string{"OUTAGE"}, Services: []string{"Mail-Relay", "mail relay"},
		Environments: []string{"production"}, Fields: map[string]string{"Customer": " ACME ", "site": "North"}, Alert: a, By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	want := &Incident{Kind: Normal, Status: InTriage, Severity: "SEV1", Title: "web01", Summary: "no orders", Types: []string{"outage"}, Services: []string{"mail relay"},
		Environments: []string{"production"}, Fields: map[string]string{"customer": "ACME", "site": "north"}, CreatedBy: anna(), CreatedAt: day(), UpdatedAt: day(),
		Revision: 2, Entries: 2, Moments: map[Status]Moment{InTriage: {day(), anna()}}, People: []Person{anna()},
		Alerts: []Attached{{Alert: 99, Number: 5, Name: "web01", Source: "nagios", Severity: alert.SeverityCritical, State: AlertFiring, StartsAt: day().Add(-time.Hour), Moment: Moment{day(), anna()}}}}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(entries) != 2 || entries[0].Kind != EntryDeclared || entries[0].Is != "web01" || entries[1].Kind != EntryAttached || entries[1].Alert != 5 {
		t.Errorf("%+v", entries)
	}
	for what, d := range map[string]Declaration{
		`there is no service "door"; there are shop, mail relay`:     {Services: []string{"door"}},
		`there is no type "x"; there are outage, security`:           {Types: []string{"x"}},
		`there is no field "colour"; there are customer, site`:       {Fields: map[string]string{"colour": "red"}},
		`there is no Site "west"; there are north, south`:            {Fields: map[string]string{"site": "west"}},
		`there is no severity "x"; there are SEV0, SEV1, SEV2, SEV3`: {Severity: "x"},
		"the title has 201 characters; at most 200 fit":              {Title: strings.Repeat("ü", 201)},
	} {
		if _, _, err := Declare(settings(), d, day()); err == nil || err.Error() != what {
			t.Errorf("want %q\n got %v", what, err)
		}
	}
}

func TestBlankTitlesAreGenerated(t *testing.T) {
	for want, d := range map[string]Declaration{
		"Trouble with shop, mail relay":       {Services: []string{"shop", "mail relay"}},
		"Outage of 14 March, 15:09 UTC":       {Types: []string{"outage"}},
		"Incident of 14 March, 15:09 UTC":     {Title: " \n "},
		"the shop is slow":                    {Title: " the\nshop is  slow "},
		strings.Repeat("x", MaxTitle-1) + "…": {Alert: &alert.Alert{Object: alert.Object{Kind: alert.KindHost, Host: strings.Repeat("x", 300)}}},
	} {
		if i, _, err := Declare(settings(), d, day()); err != nil || i.Title != want {
			t.Errorf("want %q, got %+v, %v", want, i, err)
		}
	}
}

func TestPrivateIsForThoseWhoTakePart(t *testing.T) {
	i, _, err := Declare(settings(), Declaration{Severity: "SEV0", By: anna()}, day())
	if err != nil || !i.Private {
		t.Fatal(i, err)
	}
	if i.Visible(bert(), false) || !i.Visible(anna(), false) || !i.Visible(bert(), true) {
		t.Error("seen by the wrong people")
	}
	if _, err := i.SetSeverity(settings(), "SEV3", anna(), day(), ""); err != nil || !i.Private {
		t.Errorf("a lower severity made it public: %v", err)
	}
	sub, _, err := Declare(settings(), Declaration{Parent: i, By: bert()}, day())
	if err != nil || !sub.Private || sub.Kind != Sub {
		t.Errorf("a part of it: %+v, %v", sub, err)
	}
	if i.Visible(Person{Connection: "other", ID: "u1", Name: "mallory"}, false) {
		t.Error("an id of another connection opens it")
	}
	if i.Visible(Person{Connection: "other", ID: "u9", Name: "anna"}, false) {
		t.Error("a name of another connection opens it")
	}
}

func TestDuplicates(t *testing.T) {
	at := func(n int64) *Incident {
		i, _, err := Declare(settings(), Declaration{By: anna()}, day())
		if err != nil {
			t.Fatal(err)
		}
		i.Number, i.ID = n, alert.ID(n)
		return i
	}
	one, two, three := at(1), at(2), at(3)
	mine, theirs, err := two.Duplicate(one, bert(), day())
	if err != nil || two.Status != Cancelled || two.DuplicateOf != 1 || !slices.Equal(one.Duplicates, []int64{2}) || mine.Other != 1 || theirs.Other != 2 || mine.Is != "cancelled" {
		t.Fatalf("%+v %+v %+v, %v", two, mine, theirs, err)
	}
	for want, pair := range map[string][2]*Incident{
		ErrDuplicateSelf.Error(): {one, one},
		"#2 is a duplicate of #1 already, and not the other way round": {one, two},
		"#2 is itself a duplicate of #1; name that one":                {three, two},
		"#2 is known as a duplicate of #1 already":                     {two, one},
	} {
		if _, _, err := pair[0].Duplicate(pair[1], anna(), day()); err == nil || err.Error() != want {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := two.Move(Reopen, anna(), day(), ""); err != nil || two.DuplicateOf != 0 || two.Status != Started {
		t.Errorf("reopened: %+v, %v", two, err)
	}
	if _, err := three.Move(Resolve, anna(), day(), ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := three.Duplicate(one, anna(), day()); err != nil || three.Status != Resolved {
		t.Errorf("what is over stays as it is: %s, %v", three.Status, err)
	}
}

func TestSet(t *testing.T) {
	i, _, err := Declare(settings(), Declaration{By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range [][3]string{{"services", "Shop, mail-relay;", "shop, mail relay"}, {"type", "security", "security"}, {"Environment", "staging", "staging"},
		{"site", "SOUTH", "south"}, {"Customer", "ACME", "ACME"}, {"customer", "", ""}, {"type", "", ""}} {
		e, err := i.Set(settings(), set[0], set[1], bert(), day())
		if err != nil || e.Is != set[2] {
			t.Errorf("%v: %+v, %v", set, e, err)
		}
	}
	if len(i.Fields) != 1 || i.Fields["site"] != "south" || len(i.Types) != 0 || len(i.Services) != 2 {
		t.Errorf("%+v", i)
	}
	if _, err := i.Set(settings(), "site", "south", bert(), day()); !errors.Is(err, ErrSame) {
		t.Error(err)
	}
	if i.Severity != "SEV2" {
		t.Errorf("severity %q", i.Severity)
	}
}

func TestACloneSharesNothing(t *testing.T) {
	i, _, err := Declare(settings(), Declaration{Services: []string{"shop"}, Fields: map[string]string{"site": "north"}, By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	before, c := i.Clone(), i.Clone()
	for _, do := range []func() (Entry, error){
		func() (Entry, error) { return c.Move(Resolve, bert(), day(), "") },
		func() (Entry, error) { return c.Assign(settings(), "scribe", bert(), bert(), day()) },
		func() (Entry, error) { return c.AddTask(ToDo, "x", bert(), day(), bert(), day()) },
		func() (Entry, error) { return c.FinishTask(1, bert(), day()) },
		func() (Entry, error) { return c.Set(settings(), "site", "south", bert(), day()) },
		func() (Entry, error) { return c.Set(settings(), "service", "mail relay", bert(), day()) },
		func() (Entry, error) { return c.Run(Channel{Connection: "chat", ID: "c"}, bert(), day()) },
	} {
		if _, err := do(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, i); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
	// Every list and map there is, also those that no act above touches.
	v := reflect.ValueOf(&Incident{}).Elem()
	for n := range v.NumField() {
		switch f := v.Field(n); f.Kind() {
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		}
	}
	full, _ := v.Addr().Interface().(*Incident)
	for n, w := 0, reflect.ValueOf(full.Clone()).Elem(); n < v.NumField(); n++ {
		if k := v.Field(n).Kind(); (k == reflect.Slice || k == reflect.Map) && v.Field(n).Pointer() == w.Field(n).Pointer() {
			t.Errorf("a clone shares %s", v.Type().Field(n).Name)
		}
	}
}
