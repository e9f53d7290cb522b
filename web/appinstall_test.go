// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/people"
)

// withSlack adds a connection whose app is installed from the pages.
func (q *square) withSlack(t *testing.T) (*slacktest.Server, *slack.Platform) {
	t.Helper()
	fake := slacktest.Start(t)
	cfg := &slack.Config{URL: fake.URL(), AppToken: config.Secret(fake.AppToken()),
		Receiving: slack.Receiving{OAuth: &slack.OAuth{ClientID: slacktest.ClientID, ClientSecret: config.Secret(slacktest.ClientSecret), Install: true}}}
	p, err := cfg.Open(slack.Options{Name: "team"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	rules := q.rules
	rules.Name, rules.Identifier, rules.Installer = "team", p, p
	q.people.Apply(append([]people.Connection{q.rules}, rules))
	return fake, p
}

func TestAnAdministratorInstallsTheApp(t *testing.T) {
	q := openSquare(t)
	admin := q.setUp("root")
	member := q.letIn(admin, "bob")
	fake, platform := q.withSlack(t)
	member.get("/oauth/team/app").want(t, 403, "for administrators")
	member.post("/oauth/team/app").want(t, 403, "for administrators")
	admin.get("/oauth/chat/app").want(t, 404)
	admin.get("/oauth/team/app").want(t, 200, "Install the app of team")
	begin := func() string {
		t.Helper()
		p := admin.post("/oauth/team/app")
		to := p.header.Get("Location")
		if p.status != http.StatusSeeOther || !strings.HasPrefix(to, strings.TrimSuffix(fake.URL(), "/api")+"/oauth/v2/authorize?") {
			t.Fatalf("%d %q: %.300s", p.status, to, p.text())
		}
		return to
	}
	back := q.back(fake.Allow("alice", begin()))
	// Another browser, and an answer that was altered, install nothing.
	other := q.letIn(admin, "carol")
	other.get(back).want(t, 403, "for administrators")
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	admin.get(u.Path+"?code="+u.Query().Get("code")+"&state=x").want(t, 403, "did not begin in this browser")
	admin.get("/oauth/team/app?error=access_denied").want(t, 403, "did not allow")
	if _, err := platform.SelfCheck(t.Context()); err == nil {
		t.Error("installed already")
	}
	admin.get(back).leadsTo(t, "/connections")
	if report, err := platform.SelfCheck(t.Context()); err != nil || !strings.Contains(report, slacktest.TeamName) {
		t.Errorf("%q, %v", report, err)
	}
	admin.get(back).want(t, 403, "othing was done")
	// What begins as a sign-in doesn't end as an installation, nor the other way round.
	away := q.back(fake.Allow("alice", begin()))
	admin.get(strings.Replace(away, "/app?", "/personal?", 1)).want(t, 403, "Nobody can sign in")
	if strings.Contains(q.log.String(), fake.Token()) || strings.Contains(q.log.String(), slacktest.ClientSecret) {
		t.Error("a secret stands in the log")
	}
}
