// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
	"belfry/people"
	"belfry/seal"
	"belfry/store"
)

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
	for _, name := range []string{"", "Al", "a;b", "-x", "a b", strings.Repeat("a", 65)} {
		if _, err := h.Admit(ctx, chat.Actor{Connection: "chat", ID: "odd", Name: name}); !refused(err, "can't be a name") {
			t.Errorf("%q: %v", name, err)
		}
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

// TestAnAddressPutsNoWordsOnThePage: anybody can make somebody open one.
func TestAnAddressPutsNoWordsOnThePage(t *testing.T) {
	for _, code := range []string{"Your account is locked, call 555-1234", "<b>", "", strings.Repeat("a", 41)} {
		if text := string(people.Denied(code)); strings.Contains(text, "with \"") || !strings.Contains(text, "nothing was done") {
			t.Errorf("%q: %s", code, text)
		}
	}
	if text := string(people.Denied("server_error")); !strings.Contains(text, `"server_error"`) {
		t.Error(text)
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
