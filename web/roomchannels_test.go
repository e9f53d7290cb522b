// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/seal"
	"belfry/web"
	"belfry/web/webtest"
)

// channel makes a channel for an incident and brings people in.
func (s *site) channel(name string, private bool, members ...string) chat.Channel {
	s.t.Helper()
	c, err := s.room.OpenChannel(s.t.Context(), chat.NewChannel{Key: seal.Random(), Name: name, Title: "The <b>vault</b> is open", Purpose: "about the vault", Private: private})
	if err != nil {
		s.t.Fatal(err)
	}
	s.bring(c.ID, members...)
	return c
}

func (s *site) bring(channel string, members ...string) {
	s.t.Helper()
	var ids []string
	for _, name := range members {
		p, err := s.store.PersonByName(s.t.Context(), name)
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, strconv.FormatInt(int64(p.ID), 10))
	}
	if refused, err := s.room.Invite(s.t.Context(), channel, ids); err != nil || len(refused) != 0 {
		s.t.Fatal(refused, err)
	}
}

// describe puts something above a channel, and pins a card in it.
func (s *site) describe(channel string, pinned chat.Ref) {
	s.t.Helper()
	ctx := s.t.Context()
	for _, err := range []error{
		s.room.Describe(ctx, channel, chat.Description{Topic: "SEV1 · started · commander: alice <i>", Purpose: "about the vault"}),
		s.room.Bookmark(ctx, channel, []chat.Link{{Text: "Incident #7", URL: s.url + "/incidents/7"}, {Text: "Call", URL: "https://meet.example/vault"}}),
		s.room.Pin(ctx, pinned),
	} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func incidentCard() chat.Message {
	m := diskFull()
	m.State, m.Title, m.Summary = "started", "#7 The vault is open", "#7 The vault is open"
	return m
}

// TestAChannelOfAnIncident: topic, links, pins and people stand above it, texts literal.
func TestAChannelOfAnIncident(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	s.letIn(b, "bob")
	s.card("ops", diskFull())
	c := s.channel("inc-7-vault", false, "alice", "bob")
	s.describe(c.ID, s.card(c.Name, incidentCard()))
	page := b.get("/?channel="+c.Name).want(t, 200, "The <b>vault</b> is open", "about the vault", "SEV1 · started · commander: alice <i>", "Incident #7", "https://meet.example/vault",
		"Pinned", "#7 The vault is open", "2 members", "alice, bob", "# inc-7-vault")
	for _, bad := range []string{"<b>vault", "<i>", "javascript"} {
		if strings.Contains(page.body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	// It does not push the channels of problems away: they are what "/" shows first.
	s.browser().get("/").leadsTo(t, "/signin")
	other := s.letIn(b, "carol")
	if other.get("/").want(t, 200, "Disk /var on web01").body == page.body {
		t.Error("a newcomer lands in the incident")
	}
}

// TestAPrivateChannelIsNobodyElses: not in the list, not by its address, not by
// a card's, not by what is pushed; and nothing tells that it is there.
func TestAPrivateChannelIsNobodyElses(t *testing.T) {
	k := &clerk{answer: chat.Answer{Whisper: "heard"}}
	s := open(t, func(o *web.Options) { k.Recorder = o.Responder.(*chattest.Recorder); o.Responder = k })
	alice := s.setUp("alice")
	bob := s.letIn(alice, "bob")
	s.card("ops", diskFull())
	position := func(b *browser) string {
		return regexp.MustCompile(`data-position="([^"]*)"`).FindStringSubmatch(b.get("/?channel=ops").body)[1]
	}
	hers, his := position(alice), position(bob)
	c := s.channel("inc-7-vault", true, "alice")
	ref := s.card(c.Name, incidentCard())
	s.describe(c.ID, ref)
	s.note(ref, "a secret note")
	s.card("ops", chat.Message{Title: "the end", Summary: "the end"})

	alice.get("/?channel="+c.Name).want(t, 200, "#7 The vault is open", "private", `aria-label="private"`, "a secret note")
	alice.get("/").want(t, 200, c.Name)
	if body := bob.get("/?channel=ops").body; strings.Contains(body, "vault") {
		t.Error("bob's list names it")
	}
	secret, never := bob.get("/?channel="+c.Name), bob.get("/?channel=inc-8-never")
	if secret.status != 404 || strings.ReplaceAll(secret.body, c.Name, "") != strings.ReplaceAll(never.body, "inc-8-never", "") {
		t.Errorf("%d: a private channel is told from one that is not there", secret.status)
	}
	for _, channel := range []string{c.Name, "inc-8-never"} {
		k.got = nil
		bob.post("/room/line", "channel", channel, "line", "incident status").want(t, 200, "heard")
		if len(k.got) != 1 || k.got[0].Channel != "" {
			t.Errorf("bob's line in %s is heard as %+v", channel, k.got)
		}
	}
	for _, id := range []string{ref.Post, "1"} {
		if got := bob.do("POST", "/room/press", map[string][]string{"message": {id}, "action": {"ack"}}, "Accept", "application/json"); !strings.Contains(got.body, "no longer there") {
			t.Errorf("bob presses %s: %s", id, got.body)
		}
		if got := bob.do("POST", "/room/press", map[string][]string{"message": {id}, "action": {"ack"}}); strings.Contains(got.header.Get("Location"), "vault") {
			t.Errorf("bob is led to %s", got.header.Get("Location"))
		}
	}
	if n := len(s.rec.Presses()); n != 0 {
		t.Errorf("%d presses of bob's were taken", n)
	}
	for _, channel := range []string{"ops", c.Name, "inc-8-never"} {
		live := bob.listen(t, channel, his, "")
		e := live.next()
		if channel == "ops" && e.name != "card" || channel != "ops" && (e.name != "elsewhere" || e.data["channel"] != "ops") {
			t.Errorf("in %s bob hears %+v", channel, e)
		}
	}
	if e := alice.listen(t, "ops", hers, "").next(); e.name != "elsewhere" || e.data["channel"] != c.Name {
		t.Errorf("alice hears %+v", e)
	}
	// Once he is brought in, he hears of it.
	his = position(bob)
	live := bob.listen(t, "ops", his, "")
	s.bring(c.ID, "bob")
	if e := live.next(); e.name != "elsewhere" || e.data["channel"] != c.Name {
		t.Errorf("bob hears %+v", e)
	}
	bob.get("/?channel="+c.Name).want(t, 200, "#7 The vault is open")
}

// TestAnArchivedChannelIsOnlyRead: it stands apart, and has neither buttons nor a line.
func TestAnArchivedChannelIsOnlyRead(t *testing.T) {
	k := &clerk{answer: chat.Answer{Whisper: "heard"}}
	s := open(t, func(o *web.Options) { k.Recorder = o.Responder.(*chattest.Recorder); o.Responder = k })
	b := s.setUp("alice")
	c := s.channel("inc-7-vault", false)
	ref := s.card(c.Name, incidentCard())
	b.get("/?channel="+c.Name).want(t, 200, `action="/room/line"`, "/room/press")
	if err := s.room.Archive(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	page := b.get("/?channel="+c.Name).want(t, 200, "#7 The vault is open", "This channel is archived", "<summary>Archived</summary>")
	if strings.Contains(page.body, "/room/line") || strings.Contains(page.body, "/room/press") {
		t.Error("it can be written to")
	}
	b.post("/room/line", "channel", c.Name, "line", "status").want(t, 200, "This channel is archived")
	if got := b.do("POST", "/room/press", map[string][]string{"message": {ref.Post}, "action": {"ack"}}, "Accept", "application/json"); !strings.Contains(got.body, "archived") {
		t.Errorf("a press: %s", got.body)
	}
	if len(k.got)+len(s.rec.Presses()) != 0 {
		t.Error("something was done in it")
	}
	if body := b.get("/").body; strings.Contains(body, "aria-current") && strings.Contains(body, c.Name+`" aria-current`) {
		t.Error("the room opens with an archived channel")
	}
}

// TestAPinLeadsToItsCard, also when it is not on the first page any more.
func TestAPinLeadsToItsCard(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	c := s.channel("inc-7-vault", false)
	s.describe(c.ID, s.card(c.Name, incidentCard()))
	link := func() string {
		return strings.ReplaceAll(regexp.MustCompile(`<a href="([^"#]*)#card-`).FindStringSubmatch(b.get("/?channel=" + c.Name).body)[1], "&amp;", "&")
	}
	b.get(link()).want(t, 200, `id="card-`)
	for i := range 105 {
		m := diskFull()
		m.Title = fmt.Sprintf("later %03d", i)
		s.card(c.Name, m)
	}
	page := b.get(link()).want(t, 200, `<article class="card`, "Back to the newest")
	if strings.Contains(page.body, "later 104") || strings.Count(page.text(), "#7 The vault is open") < 2 {
		t.Error("the card that the pin leads to is not on the page")
	}
}

// TestIncidentChannelsInABrowser: what stands above a channel follows by itself,
// an archived one turns into something to read, and all of it fits a phone.
func TestIncidentChannelsInABrowser(t *testing.T) {
	chrome := webtest.Start(t)
	s := open(t, nil)
	alice := s.setUp("alice")
	s.letIn(alice, "bob")
	s.card("ops", diskFull())
	c := s.channel("inc-7-vault", true, "alice")
	ref := s.card(c.Name, incidentCard())
	tab, phone := chrome.Tab(t), chrome.Tab(t)
	for _, one := range []*webtest.Tab{tab, phone} {
		as(one, alice)
		one.Open(s.url + "/?channel=" + c.Name)
		one.Until(`document.querySelector("#head h1")?.textContent.includes("The <b>vault</b> is open")`)
		one.Until(`!document.querySelector("#head .pins")`)
		one.Eval(unreloaded + " = true")
	}
	phone.Do(chromedp.EmulateViewport(375, 700))
	s.describe(c.ID, ref)
	s.bring(c.ID, "bob")
	for _, one := range []*webtest.Tab{tab, phone} {
		one.Until(`document.querySelector("#head .pins a")?.textContent.includes("#7 The vault is open") && document.querySelector("#head .topic").textContent.includes("commander: alice <i>")`)
		one.Until(`document.querySelector("#head .members summary").textContent === "2 members"`)
		if one.Eval(unreloaded) != "true" {
			t.Error("the page was reloaded")
		}
	}
	if got := phone.Eval("document.documentElement.scrollWidth"); got != "375" {
		t.Errorf("the page is %s px wide on a phone of 375", got)
	}
	tab.Click("#head .pins a", "#7")
	tab.Until(`location.hash === "#card-` + ref.Post + `" && document.querySelector(".card:target")`)
	tab.Eval(unreloaded + " = true")
	if err := s.room.Archive(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	tab.Until(unreloaded + ` !== true && document.querySelector("#head[data-archived]") && document.querySelector(".card") && !document.querySelector(".card button") && !document.querySelector("#type")`)
	tab.Until(`document.querySelector("#channels details").open`)
}
