// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	"belfry/incident"
	"belfry/store"
)

func TestPrivateIncidentsAreForTheProgramThatDeclaredThem(t *testing.T) {
	d := newDesk(t)
	d.post("/api/incidents", `{"title":"a secret","severity":"SEV0","people":["chat/anna"]}`).want(201, `"private":true`)
	if _, err := d.run.Declare(t.Context(), incident.Declaration{Title: "another secret", Private: true, By: incident.Person{Connection: "chat", ID: "u1", Name: "anna"}}, 0, 0); err != nil {
		t.Fatal(err)
	}
	d.get("/api/incidents/1").want(200, "a secret")
	d.call("GET", "/api/incidents/1", backupToken, "", "").want(404)
	for _, a := range []answer{d.call("GET", "/api/incidents", backupToken, "", ""), d.get("/api/incidents"), d.get("/api/incidents/2"), d.get("/api/incidents/2/timeline"),
		d.post("/api/incidents/2/update", `{"text":"x"}`), d.post("/api/incidents", `{"parent":2}`), d.call("POST", "/api/incidents", backupToken, "", `{"parent":1,"people":["chat/anna"]}`)} {
		if strings.Contains(a.body, "secret") || a.status < 400 && !strings.Contains(a.body, `"incidents":[]`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// becomesPrivate makes an incident private that began open, as anna does it.
func (d *desk) becomesPrivate(number int64) {
	d.Helper()
	if _, err := d.run.SetSeverity(d.Context(), number, incident.Person{Connection: "chat", ID: "u1", Name: "anna"}, "SEV0", ""); err != nil {
		d.Fatal(err)
	}
}

func TestNothingLeadsToAPrivateIncident(t *testing.T) {
	d := newDesk(t)
	anna := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	d.call("POST", "/api/incidents", backupToken, "", `{"title":"the shop"}`).want(201)
	for _, x := range []incident.Declaration{{Title: "a secret part", By: anna}, {Title: "a copy", By: anna}, {Title: "a secret whole", By: anna}} {
		parent := int64(1)
		if x.Title != "a secret part" {
			parent = 0
		}
		if _, err := d.run.Declare(t.Context(), x, 0, parent); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.run.Duplicate(t.Context(), 3, anna, 4); err != nil {
		t.Fatal(err)
	}
	d.post("/api/incidents", `{"title":"a part","parent":4}`).want(201, `"parent":4`)
	d.get("/api/incidents/1/timeline").want(200, `"incident":2`, "a secret part")
	d.get("/api/incidents/3").want(200, `"duplicate_of":4`)
	d.becomesPrivate(2)
	d.becomesPrivate(4)
	for _, path := range []string{"/api/incidents/1/timeline", "/api/incidents/3", "/api/incidents/3/timeline", "/api/incidents/5", "/api/incidents"} {
		a := d.get(path).want(200)
		for _, no := range []string{"secret", `"incident":2`, `"incident":4`, `"parent":4`, `"duplicate_of":4`} {
			if strings.Contains(a.body, no) {
				t.Errorf("%s tells %s: %s", path, no, a.body)
			}
		}
	}
	if a := d.post("/api/incidents/5/note", `{"text":"x"}`).want(200); strings.Contains(a.body, `"parent":4`) {
		t.Errorf("an act tells of it: %s", a.body)
	}
}

// blind is a store that can't read an incident just now.
type blind struct{ Store }

func (blind) Incident(context.Context, int64) (*incident.Incident, error) {
	return nil, errors.New("the database is busy")
}

// TestNobodyAddsToWhatCouldNotBeRead: it may be private.
func TestNobodyAddsToWhatCouldNotBeRead(t *testing.T) {
	d := newDesk(t)
	anna := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	if _, err := d.run.Declare(t.Context(), incident.Declaration{Title: "a secret", Private: true, By: anna}, 0, 0); err != nil {
		t.Fatal(err)
	}
	d.api.o.Store = blind{d.store}
	d.post("/api/incidents", `{"parent":1,"people":["chat/anna"]}`).want(503, "ask again")
	if list, err := d.store.Incidents(t.Context(), store.IncidentFilter{}); err != nil || len(list) != 1 {
		t.Errorf("%d incidents, %v", len(list), err)
	}
}

func TestAKeyShowsNothingThatBecamePrivate(t *testing.T) {
	d := newDesk(t)
	anna := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	for range 2 {
		if _, err := d.run.Declare(t.Context(), incident.Declaration{Title: "the shop", By: anna}, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	d.call("POST", "/api/incidents/1/note", deployToken, "k", `{"text":"x"}`).want(200)
	if _, err := d.run.Rename(t.Context(), 1, anna, "a secret"); err != nil {
		t.Fatal(err)
	}
	d.becomesPrivate(1)
	for _, path := range []string{"/api/incidents/1/note", "/api/incidents/2/note"} {
		if a := d.call("POST", path, deployToken, "k", `{"text":"x"}`).want(404); strings.Contains(a.body, "secret") {
			t.Errorf("%s tells of it: %s", path, a.body)
		}
	}
}

// TestAPrivateIncidentWaitsForWhoTakesPart: by a name that could not be looked up
// nobody would see it, so the program is asked to come again.
func TestAPrivateIncidentWaitsForWhoTakesPart(t *testing.T) {
	d := newDesk(t)
	works := d.api.o.FindPeople
	d.api.o.FindPeople = func(context.Context, string, string) ([]incident.Person, error) { return nil, errors.New("no answer") }
	for _, body := range []string{`{"private":true,"people":["chat/anna"]}`, `{"severity":"SEV0","people":["chat/anna"]}`} {
		if a := d.call("POST", "/api/incidents", deployToken, "k1", body).want(503, "chat can't be asked"); a.header.Get("Retry-After") == "" {
			t.Error("it does not say when to come again")
		}
	}
	d.api.o.FindPeople = works
	d.call("POST", "/api/incidents", deployToken, "k1", `{"private":true,"people":["chat/anna"]}`).want(201, `"people":["anna"]`)
}
