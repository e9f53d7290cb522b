// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/config"
	"belfry/incident"
)

func TestIncidentSettingsAreRead(t *testing.T) {
	const text = `
incidents:
  command: inc
  severities: [{name: P1, about: bad, private: true}, {name: P2}]
  severity: "2"
  types: outage
  services: [shop, mail relay]
  environments: [production]
  fields: [{name: site, options: [north, south]}, {name: customer, label: Who}]
  roles: [{name: lead, about: leads}]
  form: [{field: site, required: true, default: North}, {field: title}]
  announce: room/incidents
  reminders: {commander: 5m, update: 0}
  reactions: {timeline: [pushpin, eyes], task: []}
`
	f, problems := config.Load("belfry.yaml", []byte(text), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := incident.Settings{
		Severities: []incident.Severity{{Name: "P1", About: "bad", Private: true}, {Name: "P2"}}, Severity: "2",
		Types: []string{"outage"}, Services: []string{"shop", "mail relay"}, Environments: []string{"production"},
		Fields:    []incident.Field{{Name: "site", Label: "site", Options: []string{"north", "south"}}, {Name: "customer", Label: "Who"}},
		Roles:     []incident.Role{{Name: "lead", About: "leads"}},
		Form:      []incident.FormField{{Name: "site", Required: true, Default: "North"}, {Name: "title"}},
		Reactions: map[incident.Keep][]string{incident.KeepTimeline: {"pushpin", "eyes"}, incident.KeepTask: {}, incident.KeepFollowUp: {"wrench"}},
		Reminders: incident.Reminders{Commander: 5 * time.Minute, Triage: 15 * time.Minute, Tasks: true},
		Channel:   incident.DefaultChannelRules(),
	}
	if diff := cmp.Diff(want, f.Incidents.Settings()); diff != "" || f.Incidents.Command != "inc" || len(f.Incidents.Announce) != 1 || f.Incidents.Announce[0] != "room/incidents" {
		t.Error(f.Incidents.Command, diff)
	}
}

func TestIncidentsWithoutAWord(t *testing.T) {
	f, problems := config.Load("belfry.yaml", []byte("incidents:\n  types: [outage]\n"), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := incident.Defaults()
	want.Types = []string{"outage"}
	if diff := cmp.Diff(want, f.Incidents.Settings()); diff != "" || f.Incidents.Command != "incident" {
		t.Error(f.Incidents.Command, diff)
	}
}
