// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/config/secrettest"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

// s0 is when all tests begin.
var s0 = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

const (
	deployToken = "deploy-token-0123456789"
	backupToken = "backup-token-9876543210"
)

// desk is an API over a real store, and programs that call it.
type desk struct {
	*testing.T
	api   *API
	store *store.Store
	clock *clock.Manual
	run   *response.Response
	h     http.Handler
	log   strings.Builder
	// settings are what is configured.
	settings incident.Settings
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, clock: clock.NewManual(s0)}
	s := opentest.Open(t, store.Options{Clock: d.clock})
	d.settings = incident.Defaults()
	settings := &d.settings
	settings.Services = []string{"shop"}
	settings.Severities[0].Private = true
	settings.Fields = []incident.Field{{Name: "site", Label: "Site", Options: []string{"north", "south"}}}
	d.store, d.run = s, response.New(s, func() incident.Settings { return *settings }, func() []string { return []string{"chat/ops"} }, d.clock)
	d.api = New(Options{Store: s, Response: d.run, BaseURL: "https://belfry.example", Log: slog.New(slog.NewTextHandler(&d.log, nil)), FindPeople: d.find})
	d.api.Apply([]Program{{"deploy", deployToken, "", 3}, {"backup", backupToken, "", 100}, {"none", "", "", 5}})
	d.h = d.api.Handler()
	return d
}

// find knows anna on the connection chat; "down" can't be asked.
func (*desk) find(_ context.Context, connection, name string) ([]incident.Person, error) {
	switch {
	case connection == "down":
		return nil, errors.New("no answer")
	case connection == "chat" && name == "anna":
		return []incident.Person{{Connection: "chat", ID: "u1", Name: "anna"}}, nil
	}
	return nil, nil
}

// answer is what a program reads.
type answer struct {
	t      *testing.T
	status int
	body   string
	header http.Header
}

func (d *desk) call(method, path, token, key, body string) answer {
	d.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return answer{d.T, w.Code, w.Body.String(), w.Header()}
}

func (d *desk) post(path, body string) answer {
	d.Helper()
	return d.call("POST", path, deployToken, "", body)
}
func (d *desk) get(path string) answer { d.Helper(); return d.call("GET", path, deployToken, "", "") }

// want wants a status and texts, in JSON that is whole.
func (a answer) want(status int, texts ...string) answer {
	a.t.Helper()
	var any map[string]any
	if err := json.Unmarshal([]byte(a.body), &any); err != nil || a.header.Get("Content-Type") != "application/json" {
		a.t.Errorf("no JSON: %v, %s", err, a.body)
	}
	if a.status != status {
		a.t.Errorf("the answer is %d, want %d: %s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("the answer is %s, without %s", a.body, text)
		}
	}
	return a
}

func TestAnIncidentFromDeclareToResolve(t *testing.T) {
	d := newDesk(t)
	made := d.post("/api/incidents", `{"title":"the shop <b>","severity":"sev1","services":["shop"],"fields":{"site":"North"},"summary":"step 3","people":["chat/@Anna","down/bert"]}`).
		want(201, `"number":1`, `"severity":"SEV1"`, `"by":"program deploy"`, `"people":["anna","bert"]`, `"site":"north"`, `"url":"https://belfry.example/incidents/1"`, `"status":"started"`)
	if made.header.Get("Location") != "/api/incidents/1" {
		t.Errorf("it stands at %q", made.header.Get("Location"))
	}
	d.post("/api/incidents/1/update", `{"text":"rolled back"}`).want(200, `"update":"rolled back"`)
	d.post("/api/incidents/1/note", `{"text":"log: x"}`).want(200)
	d.post("/api/incidents/1/severity", `{"severity":"3","text":"few"}`).want(200, `"SEV3"`)
	d.post("/api/incidents/1/move", `{"act":"mitigate"}`).want(200, `"mitigated"`)
	d.post("/api/incidents/1/move", `{"act":"resolve","text":"done"}`).want(200, `"status":"resolved"`, `"possible":["close","reopen"]`)
	d.post("/api/incidents/1/move", `{"act":"mitigate"}`).want(409, "so it can't be mitigated", `"possible":["close","reopen"]`)
	d.post("/api/incidents/1/task", `{"text":"call","owner":"chat/anna","due":"2026-03-14T18:00:00+01:00"}`).want(200, `"owner":"anna","due":"2026-03-14T17:00:00Z"`)
	d.post("/api/incidents/1/task", `{"text":"write","followup":true}`).want(200, `"number":2,"kind":"followup","text":"write"`)
	d.get("/api/incidents/1").want(200, `"title":"the shop \u003cb\u003e"`)
	d.get("/api/incidents/1/timeline").want(200, `"kind":"declared"`, `"text":"rolled back"`, `"kind":"note"`, `"is":"SEV3"`)
	i, err := d.store.Incident(t.Context(), 1)
	if err != nil || i.CreatedBy != incident.Machine("program", "deploy") || i.People[0].ID != "u1" || len(i.People) != 2 {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestWhoShowsNoTokenGetsNothing(t *testing.T) {
	d := newDesk(t)
	d.post("/api/incidents", `{"title":"x"}`).want(201)
	for _, token := range []string{"", "x", deployToken[:10], deployToken + "x", " " + deployToken} {
		for _, path := range []string{"/api/incidents", "/api/incidents/1", "/api/incidents/1/timeline", "/api/", "/api/x"} {
			if a := d.call("GET", path, token, "", "").want(401); a.header.Get("WWW-Authenticate") == "" {
				t.Error("how to sign in is not said")
			}
		}
		d.call("POST", "/api/incidents", token, "", `{}`).want(401)
		d.call("POST", "/api/incidents/1/move", token, "", `{"act":"resolve"}`).want(401)
	}
	d.get("/api/incidents/1").want(200, `"started"`)
	d.api.Apply([]Program{{"backup", backupToken, "", 1}})
	d.get("/api/incidents/1").want(401)
	secrettest.Check(t, deployToken, d.log.String(), Program{"deploy", deployToken, "", 1}, d.get("/api/incidents/1").body, d.post("/api/incidents/1/update", `{"text":7}`).body)
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	d := newDesk(t)
	d.post("/api/incidents", `{}`).want(201)
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/api/incidents", `{"colour":"red"}`, 400, `there is no key \"colour\"`},
		{"/api/incidents", `{"severity":"SEV9"}`, 422, "there are SEV0"},
		{"/api/incidents", `{"services":["door"]}`, 422, "there are shop"},
		{"/api/incidents", `{"fields":{"site":"west"}}`, 422, "there are north, south"},
		{"/api/incidents", `{"alert":7}`, 422, "there is no such alert as #7"},
		{"/api/incidents", `{"parent":7}`, 422, "there is no incident #7"},
		{"/api/incidents", `{"private":true}`, 422, "name people"},
		{"/api/incidents", `{"severity":"SEV0"}`, 422, "name people"},
		{"/api/incidents", `{"people":["chat/zoe"]}`, 422, `nobody is called \"zoe\"`},
		{"/api/incidents", `{"title":"` + strings.Repeat("x", 201) + `"}`, 422, "at most 200 fit"},
		{"/api/incidents", `{"summary":"` + strings.Repeat("x", maxBody) + `"}`, 413, "more than 65536 bytes"},
		{"/api/incidents/1/update", `{"text":" "}`, 422, "nothing is written"},
		{"/api/incidents/1/update", `{"text":"x","act":"y"}`, 400, `there is no key \"act\" here; there are text`},
		{"/api/incidents/1/move", `{"act":"explode"}`, 422, "there are start, mitigate"},
		{"/api/incidents/1/attach", `{"alert":9}`, 422, "no such alert"},
		{"/api/incidents/1/task", `{"text":"x","due":"tomorrow"}`, 422, `due: \"tomorrow\" is no time`},
		{"/api/incidents/1/task", `{"text":"x","owner":"anna"}`, 422, `owner: \"anna\" is nobody`},
		{"/api/incidents/1/task", `{"text":"x","owner":"chat/zoe"}`, 422, `owner: nobody is called \"zoe\"`},
		{"/api/incidents/1/task", `{"due":"2026-12-01T17:00:00Z"}`, 422, "nothing is written"},
		{"/api/incidents/1/note", `{"text":"x","followup":true}`, 400, `there is no key \"followup\" here; there are text`},
		{"/api/incidents/9/update", `{"text":"x"}`, 404, "there is no incident #9"},
		{"/api/incidents/x/update", `{"text":"x"}`, 400, "wants the number"},
		{"/api/incidents/1/explode", `{}`, 404, "nothing at this address"},
		{"/api/incidents/1", `{}`, 405, "this address takes GET"},
		{"/api/incidents/1/timeline", `{}`, 405, "GET"},
	} {
		d.post(c.path, c.body).want(c.status, c.want)
	}
	if a := d.call("DELETE", "/api/incidents", deployToken, "", "").want(405, "GET, POST"); a.header.Get("Allow") != "GET, POST" {
		t.Errorf("allowed is %q", a.header.Get("Allow"))
	}
	for query, want := range map[string]string{"colour=red": "there is no parameter", "open=perhaps": "won't do", "status=x": `there is no status \"x\"; there are in_triage, started`,
		"severity=SEV9": `there is no severity \"SEV9\"; there are SEV0, SEV1`, "limit=0": "won't do", "limit=101": "won't do", "before=x": "won't do", "before=-1": "won't do", "before=0": "won't do",
		"open=true&open=false": "won't do"} {
		d.get("/api/incidents?"+query).want(400, want)
	}
	d.get("/api/incidents/1/timeline?before=x").want(400, "take it from the answer before")
	d.get("/api/incidents/1/timeline?limit=5").want(400, `there is no parameter \"limit\"`)
	d.call("POST", "/api/incidents", deployToken, strings.Repeat("k", 201), `{}`).want(400, "Idempotency-Key")
	d.call("POST", "/api/incidents", deployToken, "a\x7fb", `{}`).want(400, "Idempotency-Key")
	if list, err := d.store.Incidents(t.Context(), store.IncidentFilter{}); err != nil || len(list) != 1 || list[0].Entries != 1 {
		t.Errorf("%d incidents, %v", len(list), err)
	}
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	if a := d.post("/api/incidents", `{}`).want(503, "ask again"); a.header.Get("Retry-After") == "" {
		t.Error("when to ask again is not said")
	}
}

// TestAKeyCountsOnce: for declaring and for every other act, for many who ask at
// once, and for one program alone.
func TestAKeyCountsOnce(t *testing.T) {
	d := newDesk(t)
	var wait sync.WaitGroup
	answers := make([]answer, 20)
	for n := range answers {
		wait.Go(func() {
			answers[n] = d.call("POST", "/api/incidents", deployToken, "build 7", fmt.Sprintf(`{"title":"by %d"}`, n))
		})
	}
	wait.Wait()
	made := 0
	for _, a := range answers {
		if a.status == 201 {
			made++
			continue
		}
		a.want(200, `"number":1`, `"repeated":true`)
	}
	if made != 1 {
		t.Errorf("%d were declared", made)
	}
	d.call("POST", "/api/incidents", backupToken, "build 7", `{}`).want(201, `"number":2`)
	for range 3 {
		d.call("POST", "/api/incidents/1/update", deployToken, "u1", `{"text":"x"}`).want(200, `"number":1`)
		d.call("POST", "/api/incidents/1/move", deployToken, "m1", `{"act":"resolve"}`).want(200, `"resolved"`)
		d.call("POST", "/api/incidents/1/note", deployToken, "build 7", `{"text":"x"}`).want(200, `"repeated":true`)
	}
	i, err := d.store.Incident(t.Context(), 1)
	if err != nil || i.Entries != 3 {
		t.Errorf("%d entries, %v", i.Entries, err)
	}
	// What was refused by a key was not done, and may be asked for again.
	d.call("POST", "/api/incidents/1/move", deployToken, "m2", `{"act":"mitigate"}`).want(409)
	d.call("POST", "/api/incidents/1/move", deployToken, "m2", `{"act":"reopen"}`).want(200, `"started"`)
}

func TestAProgramDeclaresNoMoreThanItMay(t *testing.T) {
	d := newDesk(t)
	for n := range 3 {
		d.call("POST", "/api/incidents", deployToken, fmt.Sprint(n), `{}`).want(201)
	}
	if a := d.post("/api/incidents", `{}`).want(429, "3 incidents were declared within an hour"); a.header.Get("Retry-After") != "3600" {
		t.Errorf("again after %q", a.header.Get("Retry-After"))
	}
	d.call("POST", "/api/incidents", deployToken, "1", `{}`).want(200, `"repeated":true`)
	d.post("/api/incidents/1/update", `{"text":"x"}`).want(200)
	d.call("POST", "/api/incidents", backupToken, "", `{}`).want(201)
	d.clock.Advance(incident.LimitSpan + time.Second)
	d.post("/api/incidents", `{}`).want(201)
}

func TestASlowChatKeepsNoIncidentFromBeingDeclared(t *testing.T) {
	d := newDesk(t)
	asked := 0
	d.api.o.FindPeople = func(ctx context.Context, _, _ string) ([]incident.Person, error) {
		asked++
		<-ctx.Done()
		return nil, ctx.Err()
	}
	d.post("/api/incidents", `{"people":["chat/anna","chat/bert","chat/carl","chat/dora"]}`).want(201, `"people":["anna","bert","carl","dora"]`)
	if asked != 4 {
		t.Errorf("chat was asked %d times", asked)
	}
}

func TestListsAreFilteredAndTurned(t *testing.T) {
	d := newDesk(t)
	for n := range 5 {
		d.call("POST", "/api/incidents", backupToken, "", fmt.Sprintf(`{"title":"t%d","severity":"SEV%d","services":["shop"]}`, n, n%2+1)).want(201)
	}
	d.post("/api/incidents/1/move", `{"act":"resolve"}`).want(200)
	for query, want := range map[string]string{
		"": "5 4 3 2 1", "open=true": "5 4 3 2", "open=false": "1", "status=resolved": "1", "severity=SEV1": "5 3 1", "severity=sev2": "4 2", "severity=1": "5 3 1", "severity=SEV3": "", "service=shop&limit=2": "5 4 before 4",
		"limit=2&before=4": "3 2 before 2", "limit=2&before=3": "2 1", "limit=2&before=2": "1",
	} {
		var got listed
		if err := json.Unmarshal([]byte(d.get("/api/incidents?"+query).want(200).body), &got); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, i := range got.Incidents {
			parts = append(parts, fmt.Sprint(i.Number))
		}
		if got.Before != 0 {
			parts = append(parts, fmt.Sprintf("before %d", got.Before))
		}
		if text := strings.Join(parts, " "); text != want {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
	d.settings.Severities = d.settings.Severities[2:]
	d.get("/api/incidents?severity=SEV1").want(200, `"number":5`) // incidents keep what the configuration dropped
	for n := range 299 {
		d.post("/api/incidents/2/note", fmt.Sprintf(`{"text":"n%03d"}`, n)).want(200)
	}
	seen, before := 0, ""
	for range 3 {
		var p page
		if err := json.Unmarshal([]byte(d.get("/api/incidents/2/timeline?before="+before).want(200).body), &p); err != nil {
			t.Fatal(err)
		}
		seen += len(p.Entries)
		before = p.Before
	}
	if seen != 300 || before != "" {
		t.Errorf("%d entries on three pages, then %q", seen, before)
	}
}

func TestAnAlertIsAttached(t *testing.T) {
	d := newDesk(t)
	a := &alert.Alert{Source: "nagios", Fingerprint: "f", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical, Revision: 1,
		Object: alert.Object{Kind: alert.KindHost, Host: "web01"}, StartsAt: s0, UpdatedAt: s0}
	if errs, err := d.store.Change(t.Context(), store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
		return []store.Effect{{Alert: a}}, nil
	}}); err != nil || errs[0] != nil {
		t.Fatal(errs, err)
	}
	d.post("/api/incidents", `{"alert":1}`).want(201, `"title":"web01"`, `"source":"nagios"`, `"severity":"critical"`)
	d.post("/api/incidents", `{}`).want(201)
	d.post("/api/incidents/2/attach", `{"alert":1}`).want(200, `"name":"web01"`)
}
