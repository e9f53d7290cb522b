// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/web"
)

const adminToken = "SECRET-admin-token-0123456789"

// plant is one Mattermost server's worth of set-ups, which do nothing and end
// as they are told.
type plant struct {
	mu        sync.Mutex
	wishes    []web.Wish
	removed   []web.Removal
	again     []string
	slack     []web.SlackWish
	tokens    []config.Secret
	open, due int // plans that hold a token; lent tokens not given back
	state     string
	fails     error
	go_       chan error
	list      []web.Connection
}

func (p *plant) Connections() []web.Connection { return p.list }
func (p *plant) CanSetUp() bool                { return true }
func (p *plant) LookAgain(name string) bool    { return name == "chat" }

func (p *plant) begun(token config.Secret) (web.SetUp, error) {
	p.tokens = append(p.tokens, token)
	if p.fails != nil {
		return nil, p.fails
	}
	p.open++
	return &planned{p}, nil
}

func (p *plant) SetUp(_ context.Context, w web.Wish, token config.Secret) (web.SetUp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wishes = append(p.wishes, w)
	return p.begun(token)
}

func (p *plant) Removal(_ context.Context, r web.Removal) (web.SetUp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removed = append(p.removed, r)
	return p.begun(r.Token)
}

func (p *plant) SlackApps(name string) (socket, called string, err error) {
	return "https://api.slack.com/apps?new_app=1&name=" + name, "", nil
}

func (p *plant) ConnectSlack(_ context.Context, w web.SlackWish) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slack = append(p.slack, w)
	return p.fails
}

func (p *plant) Again(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again = append(p.again, name)
	return nil
}

func (p *plant) Authorize(_ context.Context, name, state, verifier string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	if len(verifier) < 43 {
		return "", errors.New("the verifier is too short")
	}
	return "https://chat.example.org/oauth/authorize?state=" + state + "&to=" + name, nil
}

func (p *plant) Lend(_ context.Context, _, code, _ string) (config.Secret, func(context.Context), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code != "good" {
		return "", nil, errors.New("the code is used up")
	}
	p.due++
	return adminToken, func(context.Context) { p.mu.Lock(); p.due--; p.mu.Unlock() }, nil
}

// holds returns how many tokens are held, and how many lent ones are not given back.
func (p *plant) holds() (open, due int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, p.due
}

type planned struct{ p *plant }

func (s *planned) Plan() web.Plan {
	return web.Plan{Where: "team <b>x</b>", As: "admin", Blocked: 1, Steps: []web.Step{{Verb: "make", Text: "bot @<b>belfry</b>"}, {Verb: "blocked", Text: "a setting", Who: "who can: you"}}}
}

func (s *planned) CarryOut(ctx context.Context, tell func(web.Step)) (web.End, error) {
	tell(web.Step{Verb: "made", Text: "bot @<b>belfry</b>"})
	select {
	case err := <-s.p.go_:
		tell(web.Step{Verb: "make", Text: "command", Wrong: "403 no", Who: "who can: an administrator"})
		return web.End{Left: 1, Entry: "connections: <b>", File: "/data/conf.d/chat.yaml", Channels: []string{"chat/ops"}, Said: []string{"more"}}, err
	case <-ctx.Done():
		return web.End{}, ctx.Err()
	}
}

func (s *planned) Close() { s.p.mu.Lock(); s.p.open--; s.p.mu.Unlock() }

func openPlant(t *testing.T) (*site, *plant, *clock.Manual) {
	p := &plant{go_: make(chan error), list: []web.Connection{
		{Name: "chat", Kind: "mattermost", Added: true, Made: true, Leaves: true, Lends: true, Address: "https://chat.example.org", Wish: &web.Wish{Name: "chat", URL: "https://chat.example.org", Team: "ops", Bot: "alarms", Triggers: []string{"fridge", "door"}}, Channels: []string{"chat/ops"},
			Asks: true, Looked: time.Now(), Trouble: "the token is <b>refused</b>", Traits: []chat.Trait{{Text: "insecure: no <b>check</b>", Warning: true}, {Text: "goes through the proxy x"}}},
		{Name: "oneway", Kind: "mattermost", Asks: true, Looked: time.Now(), Report: "the webhook is there", Traits: []chat.Trait{{Text: "an incoming webhook is one-way"}}},
	}}
	c := clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	return open(t, func(o *web.Options) { o.Connections, o.Clock = p, c }), p, c
}

func form(more ...string) []string {
	return append([]string{"url", "https://chat.example.org", "team", "ops", "channels", "ops, ~db", "name", "chat", "bot", "belfry", "command", "/belfry", "incident_command", "incident", "triggers", "fridge  door",
		"change_settings", "1", "token", " " + adminToken + "\n"}, more...)
}

// at returns where a plan's page is.
func at(t *testing.T, p page) string {
	t.Helper()
	to := p.header.Get("Location")
	if p.status != 303 || !strings.HasPrefix(to, "/connections/runs/") {
		t.Fatalf("no plan: %d %q %.800s", p.status, to, p.body)
	}
	return to
}

// eventually waits until a page shows a text.
func (b *browser) eventually(path, text string) page {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := b.get(path)
		if strings.Contains(p.text(), text) {
			return p
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%q never stood on the page:\n%s", text, p.text())
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestEveryConnectionIsShownWithItsState(t *testing.T) {
	s, _, _ := openPlant(t)
	root := s.setUp("root")
	p := root.get("/connections").want(t, 200, "trouble", "the token is <b>refused</b>", "Warning:", "insecure: no <b>check</b>", "through the proxy",
		"one-way", "the webhook is there", "works", "Test chat/ops", "Connect a Mattermost server")
	if strings.Contains(p.body, "<b>refused") || strings.Contains(p.body, "<b>check") {
		t.Errorf("markup came through: %s", p.body)
	}
	root.post("/connections/look", "connection", "chat").leadsTo(t, "/connections")
	root.post("/connections/look", "connection", "nowhere").want(t, 404, "no such connection")
}

func TestASetUpIsPlannedThenCarriedOutAndItsTokenForgotten(t *testing.T) {
	for _, c := range []struct {
		err   error
		shows []string
	}{
		{nil, []string{"1 step is left", "connections: <b>", "/data/conf.d/chat.yaml", "Post a test card to chat/ops", "403 no", "who can: an administrator", "more"}},
		{errors.New("can't make the bot: <b>timeout</b>"), []string{"can't make the bot: <b>timeout</b>"}},
	} {
		s, plant, _ := openPlant(t)
		root := s.setUp("root")
		run := at(t, root.post("/connections/mattermost", form()...))
		if w := plant.wishes[0]; strings.Join(w.Channels, " ") != "ops db" || w.Command != "belfry" || !w.ChangeSettings || w.OAuth || w.Name != "chat" || plant.tokens[0] != adminToken ||
			w.IncidentCommand != "incident" || strings.Join(w.Triggers, " ") != "fridge door" {
			t.Errorf("the wish is %+v", w)
		}
		p := root.get(run).want(t, 200, "Nothing is changed yet", "bot @<b>belfry</b>", "who can: you", "1 step needs somebody else", "as @admin")
		if strings.Contains(p.body, "<b>belfry") || strings.Contains(p.body, adminToken) {
			t.Errorf("the plan shows %s", p.body)
		}
		root.post(run+"/carry-out").leadsTo(t, run)
		root.post(run+"/carry-out").leadsTo(t, run) // once is enough
		p = root.eventually(run, "bot @<b>belfry</b>")
		if !strings.Contains(p.body, `http-equiv="refresh"`) {
			t.Error("the page does not follow it")
		}
		plant.go_ <- c.err
		p = root.eventually(run, c.shows[0])
		p.want(t, 200, c.shows...)
		if strings.Contains(p.body, `http-equiv="refresh"`) || strings.Contains(p.body, "<b>timeout") {
			t.Errorf("at its end: %s", p.body)
		}
		until(t, "the token to be forgotten", func() bool { open, _ := plant.holds(); return open == 0 })
	}
}

func TestOneAtATimeForAConnection(t *testing.T) {
	s, plant, _ := openPlant(t)
	root := s.setUp("root")
	first, second := at(t, root.post("/connections/mattermost", form()...)), at(t, root.post("/connections/remove/chat", "token", adminToken))
	root.post(first+"/carry-out").leadsTo(t, first)
	root.post(second+"/carry-out").leadsTo(t, second)
	root.get(second).want(t, 200, "Nothing is changed yet", "is under way")
	plant.go_ <- nil
	root.eventually(first, "1 step is left")
	root.post(second+"/carry-out").leadsTo(t, second)
	plant.go_ <- nil
	root.eventually(second, "1 step is left")
}

func TestAPlanThatIsNotCarriedOutIsForgotten(t *testing.T) {
	s, plant, c := openPlant(t)
	root := s.setUp("root")
	first, second := at(t, root.post("/connections/mattermost", form()...)), at(t, root.post("/connections/remove/chat", "token", adminToken))
	root.post(first+"/drop").leadsTo(t, first)
	root.get(first).want(t, 200, "the token is forgotten")
	until(t, "one to be forgotten", func() bool { open, _ := plant.holds(); return open == 1 })
	c.Advance(11 * time.Minute)
	root.eventually(second, "the token is forgotten")
	if open, _ := plant.holds(); open != 0 {
		t.Errorf("%d tokens are held", open)
	}
	root.post(second+"/carry-out").leadsTo(t, second)
	root.get(second).want(t, 200, "the token is forgotten")
}

func TestWhatIsWrongWithASetUpIsSaidWithoutItsToken(t *testing.T) {
	s, plant, _ := openPlant(t)
	root := s.setUp("root")
	plant.fails = errors.New("the server repeats " + adminToken + "\nsecond <b>line</b>")
	p := root.post("/connections/mattermost", form()...).want(t, 422, "the server repeats", "second <b>line</b>", "ops db")
	if strings.Contains(p.body, adminToken) || strings.Contains(p.body, "<b>line") {
		t.Errorf("the page shows %s", p.body)
	}
	root.post("/connections/mattermost", "url", "https://chat.example.org", "token", " ").want(t, 422, "access token")
	root.post("/connections/remove/oneway", "token", adminToken).want(t, 404, "could be disconnected")
}

// TestACertificateIsLeftUncheckedWhereThatWasSaid: on the form, and as it is
// known of a connection.
func TestACertificateIsLeftUncheckedWhereThatWasSaid(t *testing.T) {
	s, plant, _ := openPlant(t)
	root := s.setUp("root")
	const ticked = `name="insecure" value="1" checked`
	if p := root.get("/connections/mattermost").want(t, 200, "Whoever stands between"); strings.Contains(p.body, ticked) {
		t.Error("it is ticked from the start")
	}
	root.post("/connections/mattermost", form()...)
	root.post("/connections/mattermost", form("insecure", "1")...)
	if plant.wishes[0].Insecure || !plant.wishes[1].Insecure {
		t.Errorf("the wishes are %+v", plant.wishes)
	}
	plant.list[0].Wish.Insecure = true
	if p := root.get("/connections/mattermost?name=chat"); !strings.Contains(p.body, ticked) {
		t.Error("what the connection says is not on its form")
	}
}

func TestAnAdministratorSignsInInsteadOfPastingAToken(t *testing.T) {
	s, plant, c := openPlant(t)
	root := s.setUp("root")
	page := root.get("/connections/mattermost?name=chat").want(t, 200, "Sign in to Mattermost instead", "https://chat.example.org", `value="alarms"`, `value="fridge door"`)
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") {
		t.Errorf("the policy is %s", policy)
	}
	away := func() string {
		t.Helper()
		to := root.post("/connections/mattermost", form("by", "mattermost", "token", "")...).header.Get("Location")
		u, err := url.Parse(to)
		if err != nil || u.Host != "chat.example.org" {
			t.Fatalf("it leads to %q", to)
		}
		return u.Query().Get("state")
	}
	state := away()
	other := s.browser()
	for name, path := range map[string]string{
		"another state":      "/oauth/chat/install?code=good&state=x",
		"no state":           "/oauth/chat/install?code=good",
		"another connection": "/oauth/oneway/install?code=good&state=" + state,
		"denied":             "/oauth/chat/install?error=access_denied",
	} {
		if p := root.get(path); p.status != 403 {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	other.get("/oauth/chat/install?code=good&state="+state).want(t, 403, "for the administrator who began it")
	run := at(t, root.get("/oauth/chat/install?code=good&state="+state))
	root.get("/oauth/chat/install?code=good&state="+state).want(t, 403, "belongs to nothing") // an answer counts once
	root.get(run).want(t, 200, "Nothing is changed yet")
	root.post(run+"/carry-out").leadsTo(t, run)
	plant.go_ <- nil
	until(t, "the token to be given back", func() bool { open, due := plant.holds(); return open == 0 && due == 0 })

	plant.fails = errors.New("no administrator")
	root.get("/oauth/chat/install?code=good&state="+away()).want(t, 422, "no administrator")
	if _, due := plant.holds(); due != 0 {
		t.Error("a token of a plan that failed is not given back")
	}
	plant.fails = nil
	root.get("/oauth/chat/install?code=bad&state="+away()).want(t, 502, "used up")
	late := away()
	c.Advance(11 * time.Minute)
	root.get("/oauth/chat/install?code=good&state="+late).want(t, 403, "too late")
	// Where nobody can lend, the button is no way around the token.
	root.post("/connections/mattermost", form("name", "new", "by", "mattermost", "token", "")...).want(t, 422, "access token")
}

func TestOnlyTheAdministratorWhoBeganGoesOn(t *testing.T) {
	s, plant, _ := openPlant(t)
	root := s.setUp("root")
	run := at(t, root.post("/connections/mattermost", form()...))
	member := s.letIn(root, "bob")
	root.post("/people", "name", "eve", "password", password, "again", password, "role", "admin").leadsTo(t, "/people")
	eve := s.browser()
	eve.post("/signin", "name", "eve", "password", password, "next", "/").leadsTo(t, "/")
	for _, path := range []string{"/connections", "/connections/mattermost", "/connections/remove/chat", run} {
		member.get(path).want(t, 403)
		s.browser().get(path).leadsTo(t, "/signin?next="+url.QueryEscape(path))
	}
	for _, path := range []string{"/connections/mattermost", "/connections/remove/chat", "/connections/look", run + "/carry-out", run + "/drop"} {
		member.post(path, "token", adminToken).want(t, 403)
		s.browser().post(path, "token", adminToken).leadsTo(t, "/signin")
		root.do("POST", path, nil, "Sec-Fetch-Site", "cross-site").want(t, 403, "another site's page")
	}
	eve.get(run).want(t, 404, "somebody else's")
	eve.post(run+"/carry-out").want(t, 404)
	eve.post(run+"/drop").want(t, 404)
	if open, _ := plant.holds(); open != 1 || len(plant.tokens) != 1 {
		t.Errorf("%d plans are held, %d tokens came", open, len(plant.tokens))
	}
}

func TestWithoutConnectionsThereIsNothingToSetUp(t *testing.T) {
	s := open(t, nil)
	root := s.setUp("root")
	root.get("/connections").want(t, 200, "nothing to show")
	root.get("/connections/mattermost").want(t, 404, "Run belfry serve")
	root.post("/connections/mattermost", form()...).want(t, 404)
	root.post("/connections/look", "connection", "chat").want(t, 404)
}

func TestADisconnectionListsWhatGoesAndCanBeTakenBack(t *testing.T) {
	s, plant, _ := openPlant(t)
	plant.list = append(plant.list, web.Connection{Name: "team", Kind: "slack", Leaves: true},
		web.Connection{Name: "half", Kind: "slack", Leaves: true, Left: "half was disconnected by <b>anna</b> on 2026-03-01"},
		web.Connection{Name: "off", Kind: "slack", Leaves: true, Left: "off was disconnected by anna", LeftDone: true})
	root := s.setUp("root")
	carol := s.letIn(root, "carol")
	p := root.get("/connections").want(t, 200, "/connections/remove/team", "being disconnected", "It is not finished", "half was disconnected by <b>anna</b>", "Connect again", "where you take it out")
	if strings.Contains(p.body, "<b>anna") || strings.Contains(p.body, "/connections/remove/off") || !strings.Contains(p.body, "/connections/remove/half") {
		t.Errorf("the page shows\n%s", p.body)
	}
	p = root.get("/connections/remove/team").want(t, 200, "Disconnect team", "Archive the channels")
	if strings.Contains(p.body, "Access token") {
		t.Error("a token is asked for that nobody needs")
	}
	root.get("/connections/remove/chat").want(t, 200, "Access token")
	run := at(t, root.post("/connections/remove/team", "archive", "1"))
	root.get(run).want(t, 200, "bot @<b>belfry</b>")
	root.post(run+"/carry-out").leadsTo(t, run)
	plant.go_ <- nil
	at(t, root.post("/connections/remove/team", "archive", ""))
	root.post("/connections/again/half").leadsTo(t, "/connections")
	root.post("/connections/again/team").want(t, 404)
	for _, path := range []string{"/connections/again/half", "/connections/remove/team"} {
		carol.post(path).want(t, 403)
	}
	plant.mu.Lock()
	defer plant.mu.Unlock()
	if len(plant.again) != 1 || !slices.Equal(plant.removed, []web.Removal{{Name: "team", By: "root", Archive: true}, {Name: "team", By: "root"}}) {
		t.Errorf("%v %v", plant.again, plant.removed)
	}
}

func TestASlackWorkspaceIsConnectedByAForm(t *testing.T) {
	s, plant, _ := openPlant(t)
	root := s.setUp("root")
	root.get("/connections").want(t, 200, "/connections/slack")
	root.get("/connections/slack?name=team").want(t, 200, "https://api.slack.com/apps?new_app=1&name=team", "Slack calls only addresses with https")
	const token, sign = "xoxb-1-secret-of-the-bot", "a-signing-secret"
	fields := []string{"name", "team", "channel", "#ops", "token", " " + token + "\n", "signing_secret", sign}
	plant.fails = errors.New("Slack says <b>no</b> to " + token)
	p := root.post("/connections/slack", fields...).want(t, 422, "Slack says <b>no</b> to", `value="ops"`)
	if strings.Contains(p.body, token) || strings.Contains(p.body, sign) || strings.Contains(p.body, "<b>no") {
		t.Errorf("the page shows %s", p.body)
	}
	plant.fails = nil
	root.post("/connections/slack", fields...).leadsTo(t, "/connections")
	root.post("/connections/slack", "name", "x", "token", strings.Repeat("x", 5000)).want(t, 422, "longer than any")
	carol := s.letIn(root, "carol")
	carol.get("/connections/slack").want(t, 403)
	carol.post("/connections/slack", fields...).want(t, 403)
	plant.mu.Lock()
	defer plant.mu.Unlock()
	if len(plant.slack) != 2 || plant.slack[1].Token.Reveal() != token || plant.slack[1].Channel != "ops" || plant.slack[1].Name != "team" {
		t.Errorf("%+v", plant.slack)
	}
}
