// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"belfry/chat"
)

// press finds a card's button on the page and presses it as a form does.
func (b *browser) press(card, label string, header ...string) page {
	b.t.Helper()
	body := b.get("/").want(b.t, 200, card).body
	for _, article := range strings.Split(body, "<article ")[1:] {
		article, _, _ = strings.Cut(article, "</article>")
		if !strings.Contains(html.UnescapeString(article), card) {
			continue
		}
		id := regexp.MustCompile(`name="message" value="(\d+)"`).FindStringSubmatch(article)
		for _, button := range regexp.MustCompile(`<button name="action" value="(\w+)"[^>]*>([^<]*)<`).FindAllStringSubmatch(article, -1) {
			if html.UnescapeString(button[2]) == label {
				return b.do("POST", "/room/press", map[string][]string{"message": {id[1]}, "action": {button[1]}}, header...)
			}
		}
	}
	b.t.Fatalf("no card %q with a button %q", card, label)
	return page{}
}

func commentDialog() *chat.Dialog {
	return &chat.Dialog{Title: "Acknowledge", Intro: "Disk /var on web01", SubmitLabel: "Acknowledge", State: "secret-state",
		Fields: []chat.Field{{Name: "comment", Label: "Comment", Multiline: true, MaxLength: 50}}}
}

func TestOpenProblemsStandFirst(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	b.get("/").want(t, 200, "Nothing has been said in this channel yet")
	old := diskFull()
	old.Title = "the old open one"
	s.card("ops", old)
	over := diskFull()
	over.Title, over.Buttons, over.Open, over.State = "the one that is over", nil, false, "OK"
	s.card("ops", over)
	next := diskFull()
	next.Title = "the new open one"
	s.card("ops", next)
	elsewhere := diskFull()
	elsewhere.Title = "in another room"
	s.card("db", elsewhere)
	body := b.get("/?channel=ops").want(t, 200, "# db", "# ops").body
	last := -1
	for _, title := range []string{"the new open one", "the old open one", "the one that is over"} {
		at := strings.Index(body, title)
		if at <= last {
			t.Errorf("%q stands in the wrong place", title)
		}
		last = at
	}
	if strings.Contains(body, "in another room") {
		t.Error("a card of another channel is shown")
	}
	b.get("/").want(t, 200, "the old open one") // the channel is remembered
	s.browser().get("/").leadsTo(t, "/signin")
}

func TestOlderCardsAreAPageAway(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	for i := range 103 {
		m := diskFull()
		m.Title = fmt.Sprintf("object %03d", i)
		s.card("ops", m)
	}
	first := b.get("/").want(t, 200, "object 102", "object 003", "Older cards")
	link := regexp.MustCompile(`href="(/\?channel=ops[^"]*before=\d+)"`).FindStringSubmatch(first.body)
	if link == nil {
		t.Fatal("no link to older cards")
	}
	older := b.get(html.UnescapeString(link[1])).want(t, 200, "object 002", "object 000", "Back to the newest")
	if strings.Contains(older.body, "object 003") || strings.Contains(older.body, "Older cards") {
		t.Error("the older page shows too much")
	}
}

func TestPressWithoutScripts(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	bob := s.letIn(admin, "bob")
	ref := s.card("ops", diskFull())
	s.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Whisper: "Alice was <faster>."} }
	bob.press("Disk /var", "Acknowledge").leadsTo(t, "/?channel=ops#card-"+ref.Post)
	if strings.Contains(admin.get("/").body, "faster") {
		t.Error("alice reads what is for bob")
	}
	bob.get("/").want(t, 200, "Alice was <faster>.")
	if strings.Contains(bob.get("/").body, "faster") {
		t.Error("the whisper stays")
	}
	got := s.rec.Presses()
	if len(got) != 1 || got[0].Actor.Name != "bob" || got[0].Actor.Connection != "room" || got[0].Token != "secret-token.ack" || got[0].Ref != ref {
		t.Errorf("the responder got %+v", got)
	}
	bob.post("/room/press").want(t, 400)
	bob.post("/room/press", "message", "x", "action", "ack").want(t, 400)
}

func TestFormWithoutScripts(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	s.card("ops", diskFull())
	s.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: commentDialog()} }
	p := b.press("Disk /var", "Acknowledge with comment…").want(t, 200, "Comment", "Acknowledge")
	id := regexp.MustCompile(`name="form" value="(\w+)"`).FindStringSubmatch(p.body)
	if id == nil {
		t.Fatalf("no form:\n%s", p.body)
	}
	b.post("/room/submit", "form", id[1], "v.comment", "").want(t, 200, "Please fill this in.")
	b.post("/room/submit", "form", id[1], "v.comment", strings.Repeat("ä", 51)).want(t, 200, "at most 50", strings.Repeat("ä", 51))
	b.post("/room/submit", "form", id[1], "v.comment", "on it\r\nnow").leadsTo(t, "/")
	got := s.rec.Submits()
	if len(got) != 1 || got[0].Actor.Name != "alice" || got[0].State != "secret-state" || got[0].Values["comment"] != "on it\nnow" {
		t.Errorf("the responder got %+v", got)
	}
	b.post("/room/submit", "form", id[1], "v.comment", "again").leadsTo(t, "/")
	b.get("/").want(t, 200, "This form has expired")
	b.post("/room/submit").want(t, 400)
}

func TestScriptsGetJSON(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	s.card("ops", diskFull())
	s.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Whisper: "<b>hi</b>", Dialog: commentDialog()} }
	p := b.press("Disk /var", "Acknowledge", "Accept", "application/json").want(t, 200)
	var got struct{ Whisper, Form string }
	if err := json.Unmarshal([]byte(p.body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Whisper != "<b>hi</b>" || !strings.HasPrefix(got.Form, "<form ") {
		t.Errorf("the script gets %+v", got)
	}
	b.do("POST", "/room/press", map[string][]string{"message": {strings.Repeat("9", 70<<10)}, "action": {"ack"}}, "Accept", "application/json").want(t, 400)
}

// What belongs to the server alone is on no page.
func TestSecretsAreOnNoPage(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	s.card("ops", diskFull())
	sampleAlerts(s)
	s.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: commentDialog()} }
	all := b.press("Disk /var", "Acknowledge").body + b.press("Disk /var", "Acknowledge", "Accept", "application/json").body
	for _, path := range []string{"/", "/alerts", sampleAlertPath(s), "/deliveries", "/people", "/profile", "/signin", "/nowhere"} {
		all += b.get(path).body
	}
	duties, err := s.store.DeadDuties(t.Context(), 10)
	if err != nil || len(duties) == 0 {
		t.Fatal(err)
	}
	alice, err := s.store.PersonByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{"a button's token": "secret-token", "a dialog's state": "secret-state",
		"a delivery's reference": duties[0].Ref, "a delivery's key": duties[0].Key, "a password's hash": alice.PasswordHash, "hashes": "argon2"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is on a page", what)
		}
	}
}
