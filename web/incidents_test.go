// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
	"belfry/web"
)

// bert is somebody in chat.
func bert() incident.Person { return incident.Person{Connection: "chat", ID: "u2", Name: "bert"} }

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// openWithIncidents is a site whose incidents can be run.
func openWithIncidents(t testing.TB, change ...func(*web.Options)) (*site, *response.Response) {
	t.Helper()
	var r *response.Response
	s := open(t, func(o *web.Options) {
		settings := incident.Defaults()
		settings.Services = []string{"shop", "mail"}
		r = response.New(o.Store.(*store.Store), func() incident.Settings { return settings }, func() []string { return nil }, clock.System{})
		o.Incidents = r
		for _, c := range change {
			c(o)
		}
	})
	return s, r
}

func TestIncidentsAreListedOpenOnesFirst(t *testing.T) {
	s, r := openWithIncidents(t)
	b := s.setUp("alice")
	b.get("/incidents").want(t, 200, "No incident is open.", "There is nothing to list.")
	for n := range 60 {
		must(r.Declare(t.Context(), incident.Declaration{Title: fmt.Sprintf("trouble-%02d <b>", n), Severity: "SEV2", Services: []string{"shop"}, By: bert()}, 0, 0))(t)
		if n != 7 {
			must(r.Move(t.Context(), int64(n+1), incident.Resolve, bert(), ""))(t)
		}
	}
	first := b.get("/incidents").want(t, 200, "trouble-07 <b>", "started", "trouble-59", "trouble-10", "Older incidents")
	if strings.Index(first.body, "trouble-07") > strings.Index(first.body, "trouble-59") {
		t.Error("the open one does not come first")
	}
	if strings.Contains(first.body, "trouble-09") || strings.Contains(first.body, "<b>") {
		t.Errorf("the first page shows too much:\n%s", first.text())
	}
	older := regexp.MustCompile(`href="(/incidents\?[^"]*before[^"]*)"`).FindStringSubmatch(first.body)
	if older == nil {
		t.Fatal("no link to older incidents")
	}
	second := b.get(html.UnescapeString(older[1])).want(t, 200, "trouble-09", "trouble-08", "trouble-00")
	if strings.Contains(second.body, "trouble-07") || strings.Contains(second.body, "trouble-10") || strings.Contains(second.body, "Older incidents") {
		t.Errorf("the second page:\n%s", second.text())
	}
	found := b.get("/incidents?q=trouble-33").want(t, 200, "trouble-33", "None that is open is like that.", "Show all")
	if strings.Contains(found.body, "trouble-34") {
		t.Error("the search lets others through")
	}
	b.get("/incidents?status=started").want(t, 200, "trouble-07", "There is nothing to list.")
	b.get("/incidents?severity=SEV1").want(t, 200, "None that is open is like that.", "There is nothing to list.")
	b.get("/incidents?q=service:shop&status=started").want(t, 200, "trouble-07")
	b.get("/incidents?service=shop&q=trouble-33").want(t, 200, "trouble-33", "Service")
	if p := b.get("/incidents?service=mail").want(t, 200, "None that is open is like that.", "There is nothing to list."); strings.Contains(p.body, "trouble-") {
		t.Error("the service lets others through")
	}
	next := regexp.MustCompile(`href="(/incidents\?[^"]*before[^"]*)"`).FindStringSubmatch(b.get("/incidents?service=shop").body)
	if next == nil || !strings.Contains(next[1], "service=shop") {
		t.Errorf("the next page forgets the service: %q", next)
	}
	b.get("/incidents?service=gone").want(t, 200, "There is nothing to list.", "<option selected>gone</option>")
	b.get("/incidents?q="+strings.Repeat("x", 300)).want(t, 400)
	b.get("/incidents?q="+strings.Repeat("x+", 11)).want(t, 400, "At most 10 words")
	s.browser().get("/incidents").leadsTo(t, "/signin?next=%2Fincidents")
}

func TestAPrivateIncidentIsForThoseWhoTakePart(t *testing.T) {
	s, r := openWithIncidents(t)
	admin := s.setUp("alice")
	carol := s.letIn(admin, "carol")
	must(r.Declare(t.Context(), incident.Declaration{Title: "the secret leak", Private: true, By: bert()}, 0, 0))(t)
	for _, b := range []*browser{admin, carol} {
		b.get("/incidents").want(t, 200, "No incident is open.")
		if p := b.get("/incidents/1").want(t, 404, "There is no such incident"); strings.Contains(p.body, "leak") {
			t.Error("a private incident is shown")
		}
	}
	// Carol is bert in chat.
	me := must(s.store.PersonByName(t.Context(), "carol"))(t)
	if err := s.store.Link(t.Context(), store.Identity{Connection: "chat", UserID: "u2", Name: "bert", Person: me.ID}); err != nil {
		t.Fatal(err)
	}
	carol.get("/incidents").want(t, 200, "the secret leak", "private")
	carol.get("/incidents/1").want(t, 200, "the secret leak", "Private")
	admin.get("/incidents/1").want(t, 404)
}

func TestAnIncidentsPageShowsEverything(t *testing.T) {
	s, r := openWithIncidents(t)
	b := s.setUp("alice")
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk <i>"), State: "CRITICAL", Severity: alert.SeverityCritical})
	must(r.Declare(t.Context(), incident.Declaration{Title: "shop <script>alert(1)</script>", Summary: "orders\nwait", Severity: "SEV1", Services: []string{"shop"}, By: bert(), Triage: true}, a.Number, 0))(t)
	must(r.Assign(t.Context(), 1, bert(), "commander", incident.Person{Connection: "chat", Name: "<img>"}))(t)
	must(r.AddTask(t.Context(), 1, incident.ToDo, bert(), bert(), "call the provider", time.Now().Add(-time.Hour)))(t)
	must(r.AddTask(t.Context(), 1, incident.FollowUp, bert(), incident.Person{}, "buy disks", time.Time{}))(t)
	must(r.FinishTask(t.Context(), 1, bert(), 1))(t)
	must(r.Update(t.Context(), 1, bert(), "half of it works"))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "part", By: bert()}, 0, 1))(t)
	must(r.Move(t.Context(), 1, incident.Resolve, bert(), "new disk"))(t)
	p := b.get("/incidents/1").want(t, 200, "shop <script>", "resolved", "mitigated", "started", "in triage", "SEV1", "commander", "<img>", "call the provider",
		"buy disks", "nobody yet", "done", "half of it works", "orders", "Disk <i>", "new disk", "Timeline <small>9", "#2")
	if strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "<img>") || strings.Contains(p.body, "<i>") {
		t.Error("what people wrote is not shown literally")
	}
	b.get("/incidents/3").want(t, 404)
	b.get("/incidents/x").want(t, 404)
	b.get("/incidents/-1").want(t, 404)
}

func TestATimelineIsPaged(t *testing.T) {
	s, r := openWithIncidents(t)
	b := s.setUp("alice")
	must(r.Declare(t.Context(), incident.Declaration{Title: "long", By: bert()}, 0, 0))(t)
	for n := range 149 {
		must(r.Note(t.Context(), 1, bert(), fmt.Sprintf("word-%03d", n)))(t)
	}
	first := b.get("/incidents/1").want(t, 200, "word-148", "word-049", "Timeline <small>150")
	if strings.Contains(first.body, "word-048") {
		t.Error("the first page shows too much")
	}
	earlier := regexp.MustCompile(`href="(/incidents/1\?before=[0-9.]+)`).FindStringSubmatch(first.body)
	if earlier == nil {
		t.Fatal("no link to earlier entries")
	}
	second := b.get(earlier[1]).want(t, 200, "word-048", "word-000", "declared", "Newest entries")
	if strings.Contains(second.body, "word-049") || strings.Contains(second.body, "Earlier entries") {
		t.Errorf("the second page:\n%s", second.text())
	}
	b.get("/incidents/1?before=x.1").want(t, 200, "word-148")
}
