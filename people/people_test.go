// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
	"belfry/people"
	"belfry/seal"
	"belfry/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "https://belfry.example.org"

// provider is a chat platform that knows who allowed what: a code is
// "code of NAME for REDIRECT with VERIFIER".
type provider struct {
	who map[string]chat.Actor
	err error
}

func (p *provider) Site() string { return "https://chat.example.org" }

func (p *provider) AuthorizeURL(_ context.Context, redirect, state, verifier string) (string, error) {
	return p.Site() + "/oauth/authorize?" + url.Values{"redirect_uri": {redirect}, "state": {state}, "v": {verifier}}.Encode(), p.err
}

func (p *provider) Identify(_ context.Context, redirect, code, verifier string) (chat.Actor, error) {
	if p.err != nil {
		return chat.Actor{}, p.err
	}
	name, rest, _ := strings.Cut(code, "|")
	who, ok := p.who[name]
	if !ok || rest != redirect+"|"+verifier {
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("mattermost refuses: bad code"))
	}
	return who, nil
}

// allow is what name's browser comes back with.
func allow(t *testing.T, name, to string) (state, code string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	return q.Get("state"), name + "|" + q.Get("redirect_uri") + "|" + q.Get("v")
}

type house struct {
	*people.People
	t     *testing.T
	store *store.Store
	clock *clock.Manual
	chat  *provider
	rules people.Connection
	admin store.Person
}

func actor(name string) chat.Actor {
	return chat.Actor{Connection: "chat", ID: "id-of-" + name, Name: name}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := emptyHouse(t)
	h.admin = h.person("root", store.RoleAdmin)
	return h
}

// emptyHouse has nobody in it.
func emptyHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), chat: &provider{who: map[string]chat.Actor{}}}
	for _, name := range []string{"alice", "bob", "mallory"} {
		h.chat.who[name] = actor(name)
	}
	var err error
	if h.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "belfry.db"), store.Options{Clock: h.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer, err := seal.New(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h.People = people.New(h.store, sealer, base, h.clock)
	h.rules = people.Connection{Name: "chat", Act: config.Act{Linked: true}, Identifier: h.chat}
	h.apply()
	return h
}

func (h *house) apply() {
	h.Apply([]people.Connection{h.rules, {Name: "other", Act: h.rules.Act, Identifier: h.chat}, {Name: "plain"},
		{Name: "room", Room: true, Act: h.rules.Act}})
}

func (h *house) person(name, role string) store.Person {
	h.t.Helper()
	p, err := h.store.CreatePerson(h.t.Context(), store.Person{Name: name, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) link(p store.Person, a chat.Actor) {
	h.t.Helper()
	if err := h.store.Link(h.t.Context(), store.Identity{Connection: a.Connection, UserID: a.ID, Name: a.Name, Person: p.ID}); err != nil {
		h.t.Fatal(err)
	}
}

// unchanged checks that nobody came and nothing was linked.
func (h *house) unchanged() {
	h.t.Helper()
	all, err := h.store.Identities(h.t.Context(), 0)
	n, _ := h.store.CountPeople(h.t.Context())
	if len(all) != 0 || n != 1 || err != nil {
		h.t.Errorf("%d people, accounts %v, %v", n, all, err)
	}
}

func TestWhoMayActIsReadEachTime(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	may := func(a chat.Actor) string {
		if no := h.May(ctx, a); no != nil {
			if no.Link != nil {
				return no.Whisper + " " + no.Link.Text
			}
			return no.Whisper
		}
		return "may"
	}
	h.rules.Act = config.Act{}
	h.apply()
	if got := may(actor("alice")); got != "may" {
		t.Errorf("anyone: %s", got)
	}
	h.rules.Act = config.Act{Linked: true}
	h.apply()
	if got := may(actor("alice")); !strings.Contains(got, "is not") || !strings.HasSuffix(got, "Connect") {
		t.Errorf("unlinked: %s", got)
	}
	alice := h.person("alice", store.RoleMember)
	h.link(alice, actor("alice"))
	for name, a := range map[string]chat.Actor{
		"the same id elsewhere": {Connection: "other", ID: actor("alice").ID, Name: "alice"},
		"the same name":         {Connection: "chat", ID: "another", Name: "alice"},
		"nobody":                {Connection: "chat"},
		"no connection":         {Connection: "gone", ID: actor("alice").ID},
	} {
		if got := may(a); got == "may" {
			t.Errorf("%s may", name)
		}
	}
	steps := []struct {
		do   func() error
		need string
		want string
	}{
		{nil, "", "may"},
		{nil, "member", "may"},
		{nil, "responder", "takes the role responder"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleResponder) }, "responder", "may"},
		{nil, "admin", "takes the role admin"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleAdmin) }, "admin", "may"},
		{nil, "responder", "may"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleMember) }, "responder", "takes the role responder"},
		{func() error { return h.store.Unlink(ctx, alice.ID, "chat", actor("alice").ID) }, "", "is not"},
		{func() error { h.link(alice, actor("alice")); return nil }, "", "may"},
		{func() error { return h.store.RemovePerson(ctx, alice.ID) }, "", "is not"},
	}
	for i, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				t.Fatal(err)
			}
		}
		h.rules.Act = config.Act{Linked: true, Role: s.need}
		h.apply()
		if got := may(actor("alice")); !strings.Contains(got, s.want) {
			t.Errorf("step %d: %s", i, got)
		}
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := may(actor("alice")); !strings.Contains(got, "could not look up") {
		t.Errorf("without a database: %s", got)
	}
}

func TestInTheRoomPeopleAreThemselves(t *testing.T) {
	h := newHouse(t)
	h.rules.Act = config.Act{Linked: true, Role: "responder"}
	h.apply()
	bob := h.person("bob", store.RoleMember)
	for id, ok := range map[string]bool{strconv.FormatInt(int64(h.admin.ID), 10): true, strconv.FormatInt(int64(bob.ID), 10): false, "12": false, "x": false} {
		if no := h.May(t.Context(), chat.Actor{Connection: "room", ID: id, Name: "x"}); (no == nil) != ok {
			t.Errorf("%s: %+v", id, no)
		}
	}
}

func TestWho(t *testing.T) {
	h := newHouse(t)
	reads := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, h.Who(t.Context(), actor("alice"))); diff != "" {
			t.Error(diff)
		}
	}
	reads("This account is not linked with anybody in Belfry.", "To act here takes a linked account.")
	h.link(h.person("al", store.RoleResponder), actor("alice"))
	h.rules.Act.Role = "admin"
	h.apply()
	reads("In Belfry you are al, a responder.", "To act here takes a linked account and the role admin.")
	h.rules.Act = config.Act{}
	h.apply()
	reads("In Belfry you are al, a responder.")
	if got := h.Connect(t.Context(), actor("alice")); got.Link != nil || !strings.Contains(got.Whisper, "linked already") {
		t.Errorf("%+v", got)
	}
	if got := h.Connect(t.Context(), chat.Actor{Connection: "plain", ID: "x", Name: "x"}); got.Link != nil || !strings.Contains(got.Whisper, "can't be linked") {
		t.Errorf("%+v", got)
	}
}

// invited is the token of the link that name gets in chat.
func (h *house) invited(name string) string {
	h.t.Helper()
	a := h.Connect(h.t.Context(), actor(name))
	if a.Link == nil {
		h.t.Fatalf("%+v", a)
	}
	token, ok := strings.CutPrefix(a.Link.URL, base+"/connect/")
	if !ok {
		h.t.Fatal(a.Link.URL)
	}
	return token
}

func TestALinkFromChatLinksItsAccount(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	token := h.invited("alice")
	for range 2 { // looking does not use it up
		if who, err := h.Invited(token); err != nil || who != actor("alice") {
			t.Fatal(who, err)
		}
	}
	to, cookie, err := h.BeginInvited(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.BeginInvited(ctx, token); !refused(err, "holds no more") {
		t.Errorf("twice: %v", err)
	}
	state, code := allow(t, "alice", to)
	found, err := h.Finish(ctx, "chat", cookie, state, code)
	if err != nil || found.Account != actor("alice") || found.Person.ID != 0 || found.Purpose != people.Connect {
		t.Fatalf("%+v, %v", found, err)
	}
	h.unchanged() // not before the person said yes
	if who, open, err := h.Pending(found.Cookie); err != nil || open || who != actor("alice") {
		t.Error(who, open, err)
	}
	if _, err := h.Confirm(ctx, found.Cookie, h.admin.ID); err != nil {
		t.Fatal(err)
	}
	if no := h.May(ctx, actor("alice")); no != nil {
		t.Errorf("%+v", no)
	}
	if _, err := h.Confirm(ctx, found.Cookie, h.admin.ID); !refused(err, "used already") {
		t.Errorf("confirmed twice: %v", err)
	}
}

func refused(err error, says string) bool {
	r, ok := errors.AsType[people.Refusal](err)
	return ok && strings.Contains(string(r), says)
}

// TestNobodyFinishesWhatAnotherBegan: the ways to lure somebody.
func TestNobodyFinishesWhatAnotherBegan(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	begin := func(purpose string) (cookie, state, code string) {
		t.Helper()
		to, cookie, err := h.Begin(ctx, "chat", purpose, "/")
		if err != nil {
			t.Fatal(err)
		}
		state, code = allow(t, "mallory", to)
		return cookie, state, code
	}
	t.Run("the answer in a browser without the cookie", func(t *testing.T) {
		_, state, code := begin(people.Connect)
		if _, err := h.Finish(ctx, "chat", "", state, code); !refused(err, "did not begin in this browser") {
			t.Error(err)
		}
	})
	t.Run("the answer in a browser with another flow", func(t *testing.T) {
		_, state, code := begin(people.Connect)
		cookie, _, _ := begin(people.Connect)
		if _, err := h.Finish(ctx, "chat", cookie, state, code); !refused(err, "did not begin in this browser") {
			t.Error(err)
		}
	})
	t.Run("a link from chat, used by another", func(t *testing.T) {
		to, cookie, err := h.BeginInvited(ctx, h.invited("mallory"))
		if err != nil {
			t.Fatal(err)
		}
		state, code := allow(t, "bob", to)
		if _, err := h.Finish(ctx, "chat", cookie, state, code); !refused(err, "made for @mallory, but this browser is signed in to chat as @bob") {
			t.Error(err)
		}
	})
	t.Run("a confirmation without the cookie", func(t *testing.T) {
		if _, err := h.Confirm(ctx, "", h.admin.ID); !refused(err, "did not begin in this browser") {
			t.Error(err)
		}
	})
	t.Run("the cookie of one step for another", func(t *testing.T) {
		cookie, state, code := begin(people.Connect)
		if _, err := h.Confirm(ctx, cookie, h.admin.ID); !refused(err, "did not begin in this browser") {
			t.Error(err)
		}
		found, err := h.Finish(ctx, "chat", cookie, state, code)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Finish(ctx, "chat", found.Cookie, state, code); !refused(err, "did not begin") {
			t.Error(err)
		}
	})
	h.unchanged()
}

func TestAnswersThatAreNotRightChangeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(h *house, connection, cookie, state, code *string)
		says  string
	}{
		"an altered state":    {func(_ *house, _, _, s, _ *string) { *s += "x" }, "did not begin"},
		"no state":            {func(_ *house, _, _, s, _ *string) { *s = "" }, "did not begin"},
		"an altered cookie":   {func(_ *house, _, c, _, _ *string) { *c = "A" + *c }, "did not begin"},
		"another connection":  {func(_ *house, n, _, _, _ *string) { *n = "other" }, "did not begin"},
		"too late":            {func(h *house, _, _, _, _ *string) { h.clock.Advance(people.FlowLife + time.Second) }, "did not begin"},
		"an invented code":    {func(_ *house, _, _, _, c *string) { *c = "alice|x|y" }, "bad code"},
		"a code of elsewhere": {func(_ *house, _, _, _, c *string) { *c = "carol" }, "bad code"},
		"no oauth any more":   {func(h *house, _, _, _, _ *string) { h.rules.Identifier = nil; h.apply() }, "no oauth application"},
		"trouble":             {func(h *house, _, _, _, _ *string) { h.chat.err = fault.NewRetry(errors.New("no answer")) }, "try again"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.rules.SignIn = config.SignInAnyone
			h.apply()
			to, cookie, err := h.Begin(t.Context(), "chat", people.SignIn, "/alerts")
			if err != nil {
				t.Fatal(err)
			}
			connection := "chat"
			state, code := allow(t, "alice", to)
			c.spoil(h, &connection, &cookie, &state, &code)
			if found, err := h.Finish(t.Context(), connection, cookie, state, code); !refused(err, c.says) {
				t.Errorf("%+v, %v", found, err)
			}
			h.unchanged()
		})
	}
}

func TestAnAnswerCountsOnce(t *testing.T) {
	h := newHouse(t)
	to, cookie, err := h.Begin(t.Context(), "chat", people.SignIn, "/alerts")
	if err != nil {
		t.Fatal(err)
	}
	state, code := allow(t, "alice", to)
	found, err := h.Finish(t.Context(), "chat", cookie, state, code)
	if err != nil || found.Next != "/alerts" {
		t.Fatal(found, err)
	}
	if _, err := h.Finish(t.Context(), "chat", cookie, state, code); !refused(err, "used already") {
		t.Error(err)
	}
}

func TestLinksFromChatThatDoNotHold(t *testing.T) {
	h := newHouse(t)
	good := h.invited("alice")
	for _, token := range []string{"", "x", good + "x", "A" + good} {
		if _, err := h.Invited(token); !refused(err, "holds no more") {
			t.Errorf("%q: %v", token, err)
		}
		if _, _, err := h.BeginInvited(t.Context(), token); !refused(err, "holds no more") {
			t.Errorf("%q: %v", token, err)
		}
	}
	h.clock.Advance(11 * time.Minute)
	if _, _, err := h.BeginInvited(t.Context(), good); !refused(err, "holds no more") {
		t.Error(err)
	}
	if _, _, err := h.Begin(t.Context(), "plain", people.SignIn, ""); !refused(err, "no oauth application") {
		t.Error(err)
	}
	h.unchanged()
}

func TestWhoMayComeIn(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	if _, err := h.Admit(ctx, actor("alice")); !refused(err, "is not linked with anybody") {
		t.Error(err)
	}
	h.unchanged()
	h.rules.SignIn = config.SignInAnyone
	h.apply()
	alice, err := h.Admit(ctx, actor("alice"))
	if err != nil || alice.Name != "alice" || alice.Role != store.RoleMember {
		t.Fatal(alice, err)
	}
	// A name that somebody has is not given away, and their person not taken over.
	h.person("bob", store.RoleAdmin)
	if _, err := h.Admit(ctx, actor("bob")); !refused(err, "somebody called bob in Belfry already") {
		t.Error(err)
	}
	if _, err := h.store.PersonByIdentity(ctx, "chat", actor("bob").ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	// The first is an administrator, and does not come this way.
	empty := emptyHouse(t)
	empty.rules.SignIn = config.SignInAnyone
	empty.apply()
	if _, err := empty.Admit(ctx, actor("alice")); !refused(err, "no administrator yet") {
		t.Error(err)
	}
}

func TestAnAccountOfAnotherIsNotTaken(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.link(h.person("alice", store.RoleMember), actor("alice"))
	to, cookie, err := h.Begin(ctx, "chat", people.Connect, "")
	if err != nil {
		t.Fatal(err)
	}
	state, code := allow(t, "alice", to)
	found, err := h.Finish(ctx, "chat", cookie, state, code)
	if err != nil || found.Person.Name != "alice" {
		t.Fatal(found, err)
	}
	if _, err := h.Confirm(ctx, found.Cookie, h.admin.ID); !refused(err, "linked with another person") {
		t.Error(err)
	}
	if p, err := h.store.PersonByIdentity(ctx, "chat", actor("alice").ID); err != nil || p.Name != "alice" {
		t.Error(p, err)
	}
}

// TestNothingSecretTravels: the address that leads to the platform has neither
// the cookie nor what the cookie holds but the state.
func TestNothingSecretTravels(t *testing.T) {
	h := newHouse(t)
	to, cookie, err := h.Begin(t.Context(), "chat", people.SignIn, "/alerts?x=private")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(to, cookie) || strings.Contains(to, "private") {
		t.Error(to)
	}
	for _, text := range []string{string(people.Denied("<b>&access")), string(people.Denied("access_denied"))} {
		if !strings.Contains(text, "nothing was done") {
			t.Error(text)
		}
	}
}

func FuzzFinish(f *testing.F) {
	sealer, err := seal.New(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		f.Fatal(err)
	}
	p := people.New(nil, sealer, base, clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	p.Apply([]people.Connection{{Name: "chat", Identifier: &provider{}, SignIn: config.SignInAnyone}})
	_, cookie, err := p.Begin(context.Background(), "chat", people.SignIn, "/")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("chat", cookie, "", "code")
	f.Add("", "", "", "")
	f.Add("chat", cookie+".", "e30.x", "|")
	f.Fuzz(func(t *testing.T, connection, cookie, state, code string) {
		// Whoever can't make seals is refused before the store is asked (there is none).
		if _, err := p.Finish(t.Context(), connection, cookie, state, code); !refused(err, "did not begin") {
			t.Errorf("%v", err)
		}
		if _, err := p.Invited(state); !refused(err, "") {
			t.Error(err)
		}
	})
}
