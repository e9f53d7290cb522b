// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/config"
	"belfry/incident"
)

func callFile(incidentOf string) string {
	return "incidents: {services: [shop, mail], severities: [{name: SEV1}, {name: SEV2, private: true}]}\n" +
		"default: {channels: [room/alerts]}\nroutes:\n  - name: shop\n    match: [service=\"shop\", severity=\"critical\"]\n    channels: [room/shop]\n" + incidentOf
}

func TestARouteDeclaresIncidents(t *testing.T) {
	f, problems := config.Load("belfry.yaml", []byte(callFile(`    incident: {severity: sev1, service: shop, title: "{host} is down", group: host, cooldown: 0, limit: 3, triage: true}
  - name: mail
    match: team="mail"
    channels: [room/mail]
    incident: {}
`)), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []incident.Rule{{Route: "shop", Title: "{host} is down", Severity: "sev1", Triage: true, Services: []string{"shop"}, Group: []string{"host"}, Limit: 3},
		{Route: "mail", CoolDown: 10 * time.Minute, Limit: 5}}
	if diff := cmp.Diff(want, f.Rules); diff != "" || !f.Routes[0].Calls || !f.Routes[1].Calls {
		t.Error(diff)
	}
}

func TestFaultsOfRoutesThatDeclareAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"    incident: {service: door}\n":                                                  `7: route 1: incident: service: there is no service "door"; there are shop, mail`,
		"    incident: {severity: SEV9}\n":                                                 `severity: there is no severity "SEV9"`,
		"    incident: {severity: SEV2}\n":                                                 "incidents of SEV2 are private, and nobody takes part",
		"    incident: {type: outage}\n":                                                   "no type is configured",
		"    incident: {cooldown: 25h}\n":                                                  "cooldown: 25h0m0s is out of bounds",
		"    incident: {limit: 0}\n":                                                       "limit: 0 is out of bounds",
		"    incident: {limit: 101}\n":                                                     "limit: 101 is out of bounds",
		"    incident: {title: \"{a b}\"}\n":                                               `"a b" is no label`,
		"    incident: {group: [\"x-y\"]}\n":                                               `"x-y" is no label`,
		"    incident: {colour: red}\n":                                                    "unknown key \"colour\"",
		"    incident: yes please\n":                                                       "a block of keys is wanted",
		"    incident: {title: " + strings.Repeat("x", 201) + "}\n":                        "the title has more than 200 characters",
		"    incident: {}\n  - match: a=\"b\"\n    channels: [room/x]\n    incident: {}\n": "route 2: incident: the route needs a name",
		"    incident: {}\n  - name: shop\n    match: a=\"b\"\n    channels: [room/x]\n    incident: {}\n": `another route that declares incidents is called "shop", too`,
	} {
		_, problems := config.Load("belfry.yaml", []byte(callFile(text)), kinds())
		if len(problems) != 1 || !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v\nwant %s", text, problems, want)
		}
	}
}

func TestProgramsThatMayUseTheAPI(t *testing.T) {
	f, problems := config.Load("belfry.yaml", []byte("incidents: {api: [deploy, {name: backup, token_file: /b, limit: 3}]}\n"), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]config.IncidentProgram{{Name: "deploy"}, {Name: "backup", TokenFile: "/b", Limit: 3}}, f.Incidents.Programs); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"[Deploy!]":                   `api: name "Deploy!" won't do`,
		"[deploy, {name: deploy}]":    `"deploy" is there twice`,
		"{name: deploy}":              "a list of words is wanted",
		"[{name: x, limit: -1}]":      "limit: -1 is out of bounds",
		"[{name: x, limit: 1001}]":    "limit: 1001 is out of bounds",
		"[{name: x, token: abcdefg}]": "unknown key \"token\"",
		"[{token_file: /x}]":          `name "" won't do`,
	} {
		_, problems := config.Load("belfry.yaml", []byte("incidents: {api: "+text+"}\n"), kinds())
		if len(problems) != 1 || !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v\nwant %s", text, problems, want)
		}
	}
}

// TestAPlaceholderIsToldAtItsTitle, where people have to mend it, and not at the
// group that stands above or below.
func TestAPlaceholderIsToldAtItsTitle(t *testing.T) {
	text := callFile("    incident:\n      group: [\"x-y\"]\n      limit: 3\n      title: \"{a b}\"\n")
	lineOf := func(part string) int {
		before, _, _ := strings.Cut(text, part)
		return strings.Count(before, "\n") + 1
	}
	_, problems := config.Load("belfry.yaml", []byte(text), kinds())
	for part, want := range map[string]string{"group:": `"x-y" is no label`, "title: \"{a b}": `"a b" is no label`} {
		if at := fmt.Sprintf("belfry.yaml:%d: ", lineOf(part)); !slices.ContainsFunc(strings.Split(problems.Error(), "\n"), func(line string) bool {
			return strings.HasPrefix(line, at) && strings.Contains(line, want)
		}) {
			t.Errorf("%s is not told at %s in\n%v", want, at, problems)
		}
	}
}
