// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/incident"
	"belfry/web"
)

func TestARetrospectiveIsEditedAndExported(t *testing.T) {
	s, r := openWithIncidents(t)
	alice := s.setUp("alice")
	carol := s.letIn(alice, "carol")
	must(r.Declare(t.Context(), incident.Declaration{Title: "shop </textarea><script>alert(1)</script>", By: bert()}, 0, 0))(t)
	must(r.Move(t.Context(), 1, incident.Resolve, bert(), "new disk"))(t)
	first := alice.get("/incidents/1/retrospective").want(t, 200, "Nobody edited it yet", "# #1 shop", "## Timeline", "new disk")
	if strings.Contains(first.body, "</textarea><script>") {
		t.Error("a title ends the form")
	}
	if md := alice.get("/incidents/1/retrospective/md").want(t, 200, "# #1 shop"); !strings.Contains(md.header.Get("Content-Disposition"), `attachment; filename="incident-1.md"`) {
		t.Error(md.header)
	}
	page := alice.get("/incidents/1/retrospective/html").want(t, 200, "new disk")
	if strings.Contains(page.body, "<script>") || !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
		t.Errorf("%v\n%s", page.header, page.body)
	}
	alice.get("/incidents/1/retrospective/json").want(t, 200, `"resolve"`, `new disk"`)
	alice.get("/incidents/1/retrospective/pdf").want(t, 404)

	long := "# Learnt\n\n" + strings.Repeat("Disks fill up, and nobody looks. ", 4000)
	alice.post("/incidents/1/retrospective", "after", "0", "text", long).leadsTo(t, "/incidents/1/retrospective")
	alice.get("/incidents/1/retrospective").want(t, 200, "Version 1", "by alice", "The retrospective is saved.", "nobody looks")
	carol.get("/incidents/1/retrospective?fresh").want(t, 200, "## Timeline", "Version 1")
	// Carol began before that was saved.
	carol.post("/incidents/1/retrospective", "after", "0", "text", "carol's own view").want(t, 409, "alice saved another version meanwhile", "carol's own view", "nobody looks", `name="after" value="1"`)
	carol.post("/incidents/1/retrospective", "after", "1", "text", "carol's **own** view").leadsTo(t, "/incidents/1/retrospective")
	carol.get("/incidents/1/retrospective/md").want(t, 200, "carol's **own** view")
	carol.get("/incidents/1/retrospective/html").want(t, 200, "<strong>own</strong>", "saved", "by carol")
	carol.get("/incidents/1/retrospective/json").want(t, 200, `carol's **own** view`, `"version": 2`)
	carol.post("/incidents/1/retrospective", "after", "2", "text", " ").want(t, 422, "nothing is written")
	carol.post("/incidents/1/retrospective", "after", "2", "text", strings.Repeat("x", incident.MaxRetrospective+1)).want(t, 422, "at most")
	carol.post("/incidents/1/retrospective", "text", "x").want(t, 400)
	carol.get("/incidents/2/retrospective").want(t, 404)
}

// nobodyActs is a gate that lets nobody act.
type nobodyActs struct{}

func (nobodyActs) May(context.Context, chat.Actor) *chat.Answer {
	return &chat.Answer{Whisper: "That takes the role responder here."}
}

func TestWhoMayNotActOnlyReads(t *testing.T) {
	s, r := openWithIncidents(t, func(o *web.Options) { o.Gate = nobodyActs{} })
	b := s.setUp("alice")
	must(r.Declare(t.Context(), incident.Declaration{Title: "shop", By: bert()}, 0, 0))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "secret", Private: true, By: bert()}, 0, 0))(t)
	b.get("/incidents/1/retrospective").want(t, 200, "# #1 shop")
	b.post("/incidents/1/retrospective", "after", "0", "text", "x").want(t, 403, "That takes the role responder here.")
	b.get("/incidents/1/retrospective").want(t, 200, "Nobody edited it yet")
	for _, path := range []string{"/incidents/2/retrospective", "/incidents/2/retrospective/md", "/incidents/2/retrospective/json", "/incidents/2/retrospective/html"} {
		if p := b.get(path).want(t, 404); strings.Contains(p.body, "secret") {
			t.Errorf("%s shows a private incident", path)
		}
	}
}
