// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
	"belfry/web"
)

func onceOf(t *testing.T, p page) string {
	t.Helper()
	m := regexp.MustCompile(`name="once" value="([^"]+)"`).FindStringSubmatch(p.body)
	if m == nil {
		t.Fatalf("no form in:\n%s", p.body)
	}
	return m[1]
}

func TestAnIncidentIsRunOnItsPage(t *testing.T) {
	s, _ := openWithIncidents(t)
	b := s.setUp("alice")
	form := b.get("/incidents/new").want(t, 200, "Title", "Severity", "SEV0", "Service", "shop", "Summary")
	once := onceOf(t, form)
	b.post("/incidents/new", "once", once, "f.title", "orders <b> are stuck", "f.severity", "SEV9").want(t, 422, "Nothing was declared yet", "there is no severity", "orders <b> are stuck")
	b.post("/incidents/new", "f.title", "x").want(t, 422)
	b.post("/incidents/new", "once", once, "f.title", "orders <b> are stuck", "f.severity", "SEV1", "f.service", "shop").leadsTo(t, "/incidents/1")
	b.post("/incidents/new", "once", once, "f.title", "orders <b> are stuck").leadsTo(t, "/incidents")
	b.get("/incidents").want(t, 200, "This form was sent already", "orders <b> are stuck")
	b.get("/incidents/2").want(t, 404)

	do := func(fields ...string) page { t.Helper(); return b.post("/incidents/1", fields...) }
	here := func(texts ...string) page { t.Helper(); return b.get("/incidents/1").want(t, 200, texts...) }
	if p := here("Mitigate", "Resolve", "Cancel", "Tell everybody"); strings.Contains(p.body, `value="reopen"`) || strings.Contains(p.body, `value="join"`) {
		t.Error("impossible steps are offered")
	}
	do("act", "update", "text", "looking\r\ninto it").leadsTo(t, "/incidents/1")
	here("looking\ninto it", "Latest")
	do("act", "update", "text", "").want(t, 422, "That was not done: nothing is written")
	do("act", "close", "text", "my <i>words").want(t, 422, "#1 is started, so it can't be closed; possible is: mitigate, resolve, cancel", "my <i>words")
	do("act", "severity", "severity", "SEV2", "text", "only a few").leadsTo(t, "/incidents/1")
	here("SEV2", "only a few")
	do("act", "task", "text", "call the provider").leadsTo(t, "/incidents/1#tasks")
	do("act", "followup", "text", "buy disks").leadsTo(t, "/incidents/1#tasks")
	do("act", "done", "task", "1").leadsTo(t, "/incidents/1#tasks")
	do("act", "done", "task", "x").want(t, 422, "there is no such task")
	here("call the provider", "buy disks", "finished task 1")
	for _, act := range []string{"mitigate", "resolve", "close", "reopen", "cancel"} {
		do("act", act, "text", "because of "+act).leadsTo(t, "/incidents/1")
		here("because of " + act)
	}
	here("cancelled")
	do("act", "rm -rf").want(t, 400)
	i := must(s.store.Incident(t.Context(), 1))(t)
	if i.Status != incident.Cancelled || i.Reopened != 1 || i.Moments[incident.Cancelled].By.Connection != "room" || i.Moments[incident.Cancelled].By.Name != "alice" {
		t.Errorf("%+v", i)
	}
}

func TestAnIncidentIsDeclaredFromAnAlert(t *testing.T) {
	s, _ := openWithIncidents(t)
	b := s.setUp("alice")
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical})
	b.get(sampleAlertPath(s)).want(t, 200, "/incidents/new?alert=1")
	form := b.get("/incidents/new?alert=1").want(t, 200, "Alert #1 will be attached.")
	b.post("/incidents/new", "once", onceOf(t, form), "alert", "1").leadsTo(t, "/incidents/1")
	b.get("/incidents/1").want(t, 200, "Disk /var on web01", "attached alert #1")
	b.post("/incidents/new", "once", onceOf(t, b.get("/incidents/new")), "alert", "77", "f.title", "kept").want(t, 422, "there is no such alert as #77", "kept")
	if i := must(s.store.Incident(t.Context(), 1))(t); len(i.Alerts) != 1 || i.Alerts[0].Alert != a.ID {
		t.Errorf("%+v", i)
	}
}

func TestActsOnIncidentsAreForThoseWhoMay(t *testing.T) {
	s, r := openWithIncidents(t, func(o *web.Options) { o.Gate = nobodyActs{} })
	b := s.setUp("alice")
	must(r.Declare(t.Context(), incident.Declaration{Title: "shop", By: bert()}, 0, 0))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "secret", Private: true, By: bert()}, 0, 0))(t)
	b.post("/incidents/1", "act", "resolve").want(t, 403, "That takes the role responder here.")
	b.post("/incidents/new", "once", onceOf(t, b.get("/incidents/new")), "f.title", "x").want(t, 403)
	b.post("/incidents/2", "act", "join").want(t, 404)
	s.browser().post("/incidents/1", "act", "resolve").leadsTo(t, "/signin")
	// Another site's page sends the form in alice's name.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/incidents/1", strings.NewReader("act=resolve"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("%v, %d", err, answer.StatusCode)
	}
	if list := must(s.store.Incidents(t.Context(), store.IncidentFilter{Open: true}))(t); len(list) != 2 {
		t.Errorf("somebody acted who may not: %+v", list)
	}
}

func TestWithoutAnybodyWhoRunsThemIncidentsAreOnlyRead(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	b.get("/incidents").want(t, 200, "No incident is open.")
	b.get("/incidents/new").want(t, 404)
	b.post("/incidents/new", "f.title", "x").want(t, 404)
	b.post("/incidents/1", "act", "resolve").want(t, 404)
}
