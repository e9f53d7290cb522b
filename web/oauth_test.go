// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/people"
	"belfry/seal"
	"belfry/store"
	"belfry/web"
	"belfry/web/webtest"
)

// square is a site and a Mattermost that know each other.
type square struct {
	*site
	m      *mattermosttest.Server
	app    mattermosttest.OAuthApp
	people *people.People
	rules  people.Connection
	log    *bytes.Buffer
}

func openSquare(t testing.TB) *square {
	t.Helper()
	q := &square{m: mattermosttest.Start(t), log: &bytes.Buffer{}}
	sealer, err := seal.New(bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	late := &lateAccounts{}
	q.site = open(t, func(o *web.Options) {
		o.Accounts = late
		o.Log = slog.New(slog.NewTextHandler(q.log, nil))
	})
	q.app = q.m.AddOAuthApp("Belfry", q.url+"/oauth/chat/personal")
	c := &mattermost.Config{URL: q.m.URL(), Token: config.Secret(q.m.Token()), Team: mattermosttest.Team,
		OAuth: &mattermost.OAuth{ClientID: q.app.ID, ClientSecret: config.Secret(q.app.ClientSecret)}}
	platform, err := c.Open(mattermost.Options{Name: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close(t.Context()) })
	q.people = people.New(q.store, sealer, q.url, clock.System{})
	late.People = q.people
	q.rules = people.Connection{Name: "chat", Act: config.Act{Linked: true}, Identifier: platform}
	q.people.Apply([]people.Connection{q.rules})
	return q
}

// lateAccounts are known only after the site's address is.
type lateAccounts struct{ *people.People }

// openTo lets everybody with an account in.
func (q *square) openTo(rule config.SignIn) {
	q.rules.SignIn = rule
	q.people.Apply([]people.Connection{q.rules})
}

// actor is somebody of Mattermost's.
func (q *square) actor(name string) chat.Actor {
	return chat.Actor{Connection: "chat", ID: q.m.User(name).ID, Name: name}
}

func (q *square) link(person, account string) {
	q.t.Helper()
	p, err := q.store.PersonByName(q.t.Context(), person)
	if err != nil {
		q.t.Fatal(err)
	}
	a := q.actor(account)
	if err := q.store.Link(q.t.Context(), store.Identity{Connection: a.Connection, UserID: a.ID, Name: a.Name, Person: p.ID}); err != nil {
		q.t.Fatal(err)
	}
}

// accounts lists what is linked, as person:account.
func (q *square) accounts() string {
	q.t.Helper()
	all, err := q.store.Identities(q.t.Context(), 0)
	if err != nil {
		q.t.Fatal(err)
	}
	var out []string
	for _, i := range all {
		p, err := q.store.PersonByID(q.t.Context(), i.Person)
		if err != nil {
			q.t.Fatal(err)
		}
		out = append(out, p.Name+":"+i.Name)
	}
	return strings.Join(out, " ")
}

// sentTo checks that the answer leads to Mattermost and returns where.
func (q *square) sentTo(p page) string {
	q.t.Helper()
	to := p.header.Get("Location")
	if p.status != http.StatusSeeOther || !strings.HasPrefix(to, q.m.URL()+"/oauth/authorize?") {
		q.t.Fatalf("%d %q: %.500s", p.status, to, p.text())
	}
	return to
}

// back is the path of an address of ours.
func (q *square) back(address string) string {
	q.t.Helper()
	path, ours := strings.CutPrefix(address, q.url)
	if !ours {
		q.t.Fatal(address)
	}
	return path
}

// invited is the path of the link that somebody gets in chat.
func (q *square) invited(name string) string {
	q.t.Helper()
	link := q.people.Connect(q.t.Context(), q.actor(name)).Link
	if link == nil {
		q.t.Fatal("no link")
	}
	return q.back(link.URL)
}

func TestAnAccountIsLinkedFromChat(t *testing.T) {
	q := openSquare(t)
	b := q.setUp("root")
	path := q.invited("alice")
	b.get(path).want(t, 200, "Connect @alice", "Go on to chat")
	back := q.back(q.m.Allow("alice", q.sentTo(b.post(path))))
	b.get(back).leadsTo(t, "/oauth/confirm")
	if got := q.accounts(); got != "" {
		t.Errorf("linked before anybody said yes: %s", got)
	}
	body := b.get("/oauth/confirm").want(t, 200, "Link @alice with root").body
	id := hidden(t, body, "person")
	b.post("/oauth/confirm", "person", "0").want(t, 409, "nothing was done")
	b.post("/oauth/confirm", "person", id).leadsTo(t, "/profile")
	b.get("/profile").want(t, 200, "@alice is linked with you now.", "@alice in chat")
	if got := q.accounts(); got != "root:alice" {
		t.Error(got)
	}
	b.post("/oauth/confirm", "person", id).want(t, 403, "did not begin in this browser")
	b.get(back).want(t, 403, "nothing was done")
	b.post(path).want(t, 403, "This link holds no more")
	q.nothingSecret(t)
}

// hidden is the value of a hidden field.
func hidden(t testing.TB, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no field %s in %s", name, body)
	}
	return value
}

// nothingSecret: neither a secret nor a token of anybody's got into the log, and
// no token is alive.
func (q *square) nothingSecret(t testing.TB) {
	t.Helper()
	for _, secret := range []string{q.app.ClientSecret, q.m.Token(), "code=", "belfry_oauth", "connect/"} {
		if strings.Contains(q.log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, q.log)
		}
	}
	if n := q.m.OAuthTokens(); n != 0 {
		t.Errorf("%d tokens are alive", n)
	}
}

// TestNobodyIsLuredIntoFinishing is the attack of the facts: mallory begins,
// stops before the answer, and has the administrator's browser finish.
func TestNobodyIsLuredIntoFinishing(t *testing.T) {
	q := openSquare(t)
	victim := q.setUp("root")
	q.m.AddUser("mallory")
	t.Run("the answer of another's flow", func(t *testing.T) {
		path := q.invited("mallory")
		mallory := q.browser()
		back := q.back(q.m.Allow("mallory", q.sentTo(mallory.post(path))))
		victim.get(back).want(t, 403, "did not begin in this browser")
		victim.get("/oauth/confirm").want(t, 403)
		victim.post("/oauth/confirm").want(t, 409)
	})
	t.Run("the link of another", func(t *testing.T) {
		path := q.invited("mallory")
		// The victim has allowed Belfry before: Mattermost asks no more.
		back := q.back(q.m.Allow("alice", q.sentTo(victim.post(path))))
		victim.get(back).want(t, 403, "made for @mallory", "signed in to chat as @alice")
	})
	t.Run("an answer that signs in as another", func(t *testing.T) {
		q.letIn(victim, "mallory")
		q.link("mallory", "mallory")
		attacker := q.browser()
		back := q.back(q.m.Allow("mallory", q.sentTo(attacker.post("/oauth/chat/signin"))))
		other := q.browser()
		other.get(back).want(t, 403, "did not begin in this browser")
		other.get("/").leadsTo(t, "/signin")
		victim.get(back).want(t, 403)
		victim.get("/profile").want(t, 200, "root")
	})
	if got := q.accounts(); got != "mallory:mallory" {
		t.Error(got)
	}
	q.nothingSecret(t)
}

func TestSigningInByAnAccount(t *testing.T) {
	q := openSquare(t)
	admin := q.setUp("root")
	q.letIn(admin, "ally")
	q.link("ally", "alice")
	b := q.browser()
	b.get("/signin").want(t, 200, "Sign in by chat")
	to := q.sentTo(b.post("/oauth/chat/signin", "next", "/alerts?status=all"))
	back := q.back(q.m.Allow("alice", to))
	b.get(back).leadsTo(t, "/alerts?status=all")
	b.get("/profile").want(t, 200, "ally", "Your role is member")
	b.get(back).want(t, 403) // a replay
	b.get("/profile").want(t, 200, "ally")

	t.Run("an account that is nobody's stays outside", func(t *testing.T) {
		b := q.browser()
		b.get(q.back(q.m.Allow("bob", q.sentTo(b.post("/oauth/chat/signin"))))).want(t, 403, "@bob is not linked with anybody")
		b.get("/").leadsTo(t, "/signin")
	})
	t.Run("unless everybody may come", func(t *testing.T) {
		q.openTo(config.SignInAnyone)
		defer q.openTo("")
		b := q.browser()
		b.get(q.back(q.m.Allow("bob", q.sentTo(b.post("/oauth/chat/signin", "next", "//evil.example"))))).leadsTo(t, "/")
		b.get("/profile").want(t, 200, "bob", "Your role is member", "Choose a password")
		b.get("/people").want(t, 403)
		b.post("/profile/unlink", "connection", "chat", "user", q.m.User("bob").ID).want(t, 409, "You have no password")
		if got := q.accounts(); got != "ally:alice bob:bob" {
			t.Error(got)
		}
	})
	t.Run("Deny changes nothing", func(t *testing.T) {
		b := q.browser()
		b.get(q.back(q.m.Deny(q.sentTo(b.post("/oauth/chat/signin"))))).want(t, 403, "You did not allow Belfry to ask")
		b.get("/").leadsTo(t, "/signin")
	})
	t.Run("a removed person is out at once, and their account too", func(t *testing.T) {
		p, err := q.store.PersonByName(t.Context(), "ally")
		if err != nil {
			t.Fatal(err)
		}
		admin.post("/people/"+id(p)+"/remove").leadsTo(t, "/people")
		b.get("/profile").leadsTo(t, "/signin?next=%2Fprofile")
		b.get(q.back(q.m.Allow("alice", q.sentTo(b.post("/oauth/chat/signin"))))).want(t, 403, "not linked with anybody")
		if q.people.May(t.Context(), q.actor("alice")) == nil {
			t.Error("alice may still act")
		}
	})
	q.nothingSecret(t)
}

func TestForgedAnswersChangeNothing(t *testing.T) {
	q := openSquare(t)
	q.openTo(config.SignInAnyone)
	q.setUp("root")
	b := q.browser()
	to := q.sentTo(b.post("/oauth/chat/signin"))
	good, err := url.Parse(q.m.Allow("alice", to))
	if err != nil {
		t.Fatal(err)
	}
	with := func(key, value string) string {
		v := good.Query()
		v.Set(key, value)
		return "/oauth/chat/personal?" + v.Encode()
	}
	for name, path := range map[string]string{
		"no state":           with("state", ""),
		"an altered state":   with("state", good.Query().Get("state")+"x"),
		"another connection": "/oauth/other/personal?" + good.RawQuery,
		"no code":            with("code", ""),
		"an error":           with("code", "") + "&error=" + url.QueryEscape("<script>"),
	} {
		page := b.get(path)
		if page.status != 403 || strings.Contains(page.body, "<script>") && !strings.Contains(page.body, "<script src") {
			t.Errorf("%s: %d %.300s", name, page.status, page.body)
		}
	}
	b.post("/oauth/other/signin").want(t, 403, "no oauth application")
	b.get("/connect/x").want(t, 403, "holds no more")
	b.post("/connect/x.y").want(t, 403, "holds no more")
	b.get("/oauth/chat/install").want(t, 404)
	if n, err := q.store.CountPeople(t.Context()); n != 1 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
	// All that used nothing up: the true answer still counts.
	b.get(q.back(good.String())).leadsTo(t, "/")
	// An endless stream of answers is not passed on.
	for i := 0; ; i++ {
		if p := b.get(q.back(good.String())); p.status == http.StatusTooManyRequests {
			break
		}
		if i > 50 {
			t.Fatal("answers are taken without end")
		}
	}
}

func TestSomebodyNewConfirmsOrSignsInFirst(t *testing.T) {
	q := openSquare(t)
	admin := q.setUp("root")
	q.letIn(admin, "ally")
	b := q.browser()
	path := q.invited("alice")
	b.get(q.back(q.m.Allow("alice", q.sentTo(b.post(path))))).leadsTo(t, "/oauth/confirm")
	page := b.get("/oauth/confirm").want(t, 200, "sign in", "ask an administrator")
	if strings.Contains(page.body, "I am new") {
		t.Error("a stranger is offered to come in")
	}
	b.post("/oauth/confirm", "person", "0").want(t, 403, "not linked with anybody") // a form that was made up; it uses the answer up
	b.get(q.back(q.m.Allow("alice", q.sentTo(b.post(q.invited("alice")))))).leadsTo(t, "/oauth/confirm")
	b.post("/signin", "name", "ally", "password", password, "next", "/oauth/confirm").leadsTo(t, "/oauth/confirm")
	id := hidden(t, b.get("/oauth/confirm").want(t, 200, "Link @alice with ally").body, "person")
	b.post("/oauth/confirm", "person", id).leadsTo(t, "/profile")
	if got := q.accounts(); got != "ally:alice" {
		t.Error(got)
	}
	q.openTo(config.SignInAnyone)
	bob := q.browser()
	bob.get(q.back(q.m.Allow("bob", q.sentTo(bob.post(q.invited("bob")))))).leadsTo(t, "/oauth/confirm")
	bob.get("/oauth/confirm").want(t, 200, "I am new: come in as bob")
	bob.post("/oauth/confirm", "person", "0").leadsTo(t, "/profile")
	bob.get("/profile").want(t, 200, "bob", "@bob in chat")
	if got := q.accounts(); got != "ally:alice bob:bob" {
		t.Error(got)
	}
	// From one's own page.
	to := q.sentTo(admin.post("/oauth/chat/connect"))
	admin.get(q.back(q.m.Allow("bob", to))).leadsTo(t, "/oauth/confirm")
	root := hidden(t, admin.get("/oauth/confirm").body, "person")
	admin.post("/oauth/confirm", "person", root).want(t, 403, "linked with another person")
	if got := q.accounts(); got != "ally:alice bob:bob" {
		t.Error(got)
	}
	q.nothingSecret(t)
}

func TestTheCookieIsKeptFromScriptsAndOtherHosts(t *testing.T) {
	q := openSquare(t)
	q.setUp("root")
	var found bool
	answer := q.browser().post("/oauth/chat/signin")
	for _, line := range answer.header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == "belfry_oauth" {
			found = true
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 || c.MaxAge > 600 {
				t.Errorf("%+v", c)
			}
			secrettest.Check(t, c.Value, answer.header.Get("Location"))
		}
	}
	if !found {
		t.Error("no cookie")
	}
}

// TestSigningInWithMattermostInABrowser goes the whole way as a person: the
// button, the consent page of Mattermost, and back.
func TestSigningInWithMattermostInABrowser(t *testing.T) {
	chrome := webtest.Start(t)
	q := openSquare(t)
	q.letIn(q.setUp("root"), "ally")
	tab := chrome.Tab(t)
	signedIn(t, q, tab, "alice")
	// From chat: the link, Mattermost, the password, the confirmation.
	tab.Open(q.url + q.invited("alice"))
	tab.Click("button", "Go on to chat")
	tab.Click("#deny", "Deny")
	tab.Until(`document.body.innerText.includes("You did not allow Belfry")`)
	tab.Open(q.url + q.invited("alice"))
	tab.Click("button", "Go on to chat")
	tab.Click("#allow", "Allow")
	tab.Click("a.button", "I have a password")
	tab.Until(`document.querySelector("#password")`)
	tab.Eval(`document.querySelector("#name").value = "ally"`)
	tab.Eval(`document.querySelector("#password").value = ` + "`" + password + "`")
	tab.Click("form button", "Sign in")
	tab.Click("button", "Link @alice with ally")
	tab.Until(`location.pathname === "/profile" && document.body.innerText.includes("@alice in chat")`)
	if got := q.accounts(); got != "ally:alice" {
		t.Error(got)
	}
	// And now by the account alone; consent is remembered.
	tab.Click(".top button", "Sign out")
	tab.Click("button", "Sign in by chat")
	tab.Until(`location.pathname === "/" && document.querySelector(".top form a").textContent === "ally"`)
	if got := tab.Eval("location.href"); got != q.url+"/" {
		t.Errorf("what Mattermost answered is left in the address: %s", got)
	}
	q.nothingSecret(t)
}

// signedIn makes the tab one of somebody who is signed in to Mattermost.
func signedIn(t testing.TB, q *square, tab *webtest.Tab, name string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(q.m.URL())
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, []*http.Cookie{q.m.Cookie(name)})
	tab.TakeCookies(q.m.URL(), jar)
}
