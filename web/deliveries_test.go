// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/incident"
	"belfry/store"
)

// TestAStepThatWasGivenUpIsNamed: administrators see which step with which
// incident's channel it was, and send it again.
func TestAStepThatWasGivenUpIsNamed(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	settings := incident.Defaults()
	i, entries, err := incident.Declare(&settings, incident.Declaration{Title: "a secret", Private: true, By: incident.Person{Connection: "chat", ID: "u1", Name: "anna"}}, time.Now().UTC())
	if err != nil {
		t.Fatal(err)
	}
	where := store.StepDestination("mattermost", 1)
	err = s.store.ChangeIncident(t.Context(), store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
		return []store.IncidentEffect{{Incident: i, Entries: entries, Steps: []store.IncidentStep{{Destination: where, Kind: incident.StepOpen}}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.get("/deliveries").want(t, 200, "1 waiting", "mattermost/incident-1")
	s.dead(where, "the bot may not make channels")
	page := b.get("/deliveries")
	page.want(t, 200, "1 given up", "step <b>open</b> of incident #1", "The reason is told to those who take part in it", "Re-send all to mattermost/incident-1")
	if strings.Contains(page.body, "a secret") {
		t.Error("the title of a private incident shows")
	}
	b.post("/deliveries/resend-all", "destination", where).leadsTo(t, "/deliveries")
	b.get("/deliveries").want(t, 200, "On their way again to mattermost/incident-1: 1.", "0 given up")
}

// TestAChannelThatOneIsNotInIsNotNamed: the room's channels have the titles of
// incidents in their names.
func TestAChannelThatOneIsNotInIsNotNamed(t *testing.T) {
	s := open(t, nil)
	alice := s.setUp("alice")
	s.letIn(alice, "root")
	p, err := s.store.PersonByName(t.Context(), "root")
	if err != nil {
		t.Fatal(err)
	}
	alice.post("/people/"+strconv.FormatInt(int64(p.ID), 10)+"/role", "role", "admin").leadsTo(t, "/people")
	root := s.browser()
	root.post("/signin", "name", "root", "password", password, "next", "/").leadsTo(t, "/")
	c := s.channel("inc-1-the-vault", true, "root")
	where := "room/" + c.Name
	settings := incident.Defaults()
	i, entries, err := incident.Declare(&settings, incident.Declaration{Title: "the vault", Private: true, By: incident.Person{Connection: "chat", ID: "u1", Name: "anna"}}, time.Now().UTC())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.ChangeIncident(t.Context(), store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
		return []store.IncidentEffect{{Incident: i, Entries: entries, NewCards: []string{where}}}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	look := func(state string) {
		t.Helper()
		if page := alice.get("/deliveries").want(t, 200, state, "a private channel of the room"); strings.Contains(page.body, "vault") {
			t.Errorf("%s: the channel is named:\n%s", state, page.body)
		}
		root.get("/deliveries").want(t, 200, state, where)
	}
	look("1 waiting")
	s.dead(where, "it is archived")
	look("1 given up")
}
