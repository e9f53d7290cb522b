// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
)

// send calls our callback address as anybody could and returns the answer,
// which is always 200 with JSON.
func (c *connection) send(t *testing.T, method, path, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.callback.URL+"/chat/main/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.callback.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &got) != nil {
		t.Fatalf("the answer is %s %s %q", res.Status, res.Header.Get("Content-Type"), raw)
	}
	return got
}

func pressBody(user string) string {
	const id = "abcdefghijklmnopqrstuvwxyz"
	return `{"user_id":"` + user + `","user_name":"admin","channel_id":"` + id + `","post_id":"` + id + `","trigger_id":"x","context":{"belfry":"claim.mac"}}`
}

// TestForgedCallbacks: whatever is sent gets a clear answer, and the Responder
// never hears of it unless a real account acts.
func TestForgedCallbacks(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	nobody := "abcdefghijklmnopqrstuvwxyz"
	for name, body := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "no json": "user_id=x", "cut": `{"user_id":`,
		"wrong types": `{"user_id":7,"context":{"belfry":[]}}`, "path as user": pressBody("../../users/me/../../x/aaa"),
		"no token": strings.Replace(pressBody(nobody), "claim.mac", "", 1), "unknown user": pressBody(nobody),
		"endless": `{"user_id":"` + strings.Repeat("x", 100<<10) + `"}`,
	} {
		if text, _ := c.send(t, http.MethodPost, "action", body)["ephemeral_text"].(string); !strings.Contains(text, "nothing was done") {
			t.Errorf("press, %s: %q", name, text)
		}
		if text, _ := c.send(t, http.MethodPost, "dialog", body)["error"].(string); !strings.Contains(text, "nothing was done") {
			t.Errorf("dialog, %s: %q", name, text)
		}
	}
	if len(rec.Presses())+len(rec.Submits()) != 0 {
		t.Errorf("taken: %v, %v", rec.Presses(), rec.Submits())
	}
	// The handle is the API's, whatever the body says.
	c.send(t, http.MethodPost, "action", pressBody(c.fake.User("alice").ID))
	if got := rec.Presses(); len(got) != 1 || got[0].Actor.Name != "alice" {
		t.Errorf("presses: %v", got)
	}
}

// knowing is a Responder that made nothing.
type knowing struct{ *chattest.Recorder }

func (knowing) Genuine(string) bool { return false }

// TestInventionsAreNotLookedUp: who can reach us must not make us use up the
// server's rate limit, which our posts live on.
func TestInventionsAreNotLookedUp(t *testing.T) {
	rec := knowing{&chattest.Recorder{}}
	c := connect(t, rec)
	before := c.fake.Calls()
	for range 10 {
		if text, _ := c.send(t, http.MethodPost, "action", pressBody(c.fake.User("alice").ID))["ephemeral_text"].(string); !strings.Contains(text, "nothing was done") {
			t.Errorf("said %q", text)
		}
		body := `{"type":"dialog_submission","state":"claim.mac","user_id":"` + c.fake.User("alice").ID + `","submission":{}}`
		if text, _ := c.send(t, http.MethodPost, "dialog", body)["error"].(string); !strings.Contains(text, "nothing was done") {
			t.Errorf("said %q", text)
		}
	}
	if n := c.fake.Calls() - before; n != 0 || len(rec.Presses())+len(rec.Submits()) != 0 {
		t.Errorf("%d calls, %v, %v", n, rec.Presses(), rec.Submits())
	}
}

func TestRedirectedCallbackIsExplained(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	text, _ := c.send(t, http.MethodGet, "action", "")["ephemeral_text"].(string)
	if !strings.Contains(text, "redirect") || !strings.Contains(text, "administrator") {
		t.Errorf("a GET is told %q", text)
	}
	if text, _ := c.send(t, http.MethodGet, "dialog", "")["error"].(string); !strings.Contains(text, "redirect") {
		t.Errorf("a GET is told %q", text)
	}
	// The real way: a redirect in front of us.
	inner := c.callback.Config.Handler
	c.callback.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/moved"+r.URL.Path, http.StatusFound)
			return
		}
		inner.ServeHTTP(w, r)
	})
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	if out := c.fake.Room("ops").Card("disk full").Click("Acknowledge"); !strings.Contains(out.Whisper, "redirect") {
		t.Errorf("alice sees %+v", out)
	}
	if len(rec.Presses()) != 0 {
		t.Error("a press without content was taken")
	}
}

func TestLookUpFails(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	card := c.fake.Room("ops").Card("disk full")
	c.fake.FailUserLookups(1)
	if out := card.Click("Acknowledge"); !strings.Contains(out.Whisper, "look you up") || out.Failed != "" {
		t.Errorf("alice sees %+v", out)
	}
	if len(rec.Presses()) != 0 {
		t.Error("a press by nobody was taken")
	}
	if out := card.Click("Acknowledge"); out.Whisper != "" || len(rec.Presses()) != 1 {
		t.Errorf("the next press: %+v, %v", out, rec.Presses())
	}
}

// TestNamesAreBelievedForTenMinutes, and no longer.
func TestNamesAreBelievedForTenMinutes(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	card := c.fake.Room("ops").Card("disk full")
	card.Click("Acknowledge")
	before := c.fake.Calls()
	card.Click("Acknowledge")
	if c.fake.Calls() != before {
		t.Error("a name just read was read again")
	}
	c.fake.Rename("alice", "alice.new")
	c.clock.Advance(10*time.Minute + time.Second)
	card.ClickAs("alice.new", "Acknowledge")
	got := rec.Presses()
	if len(got) != 3 || got[2].Actor.Name != "alice.new" || got[2].Actor.ID != got[0].Actor.ID {
		t.Errorf("presses: %v", got)
	}
	c.fake.Deactivate("alice.new")
	c.clock.Advance(10*time.Minute + time.Second)
	if out := card.ClickAs("alice.new", "Acknowledge"); !strings.Contains(out.Whisper, "no active account") || len(rec.Presses()) != 3 {
		t.Errorf("after the account ended: %+v", out)
	}
}

// TestFloodOfUnknownUsers: forged callbacks can't use up the server's rate limit.
func TestFloodOfUnknownUsers(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	before := c.fake.Calls()
	for i := range 300 {
		id := strings.Repeat("a", 23) + string([]byte{byte('a' + i%26), byte('a' + i/26%26), 'x'})
		c.send(t, http.MethodPost, "action", pressBody(id))
	}
	if n := c.fake.Calls() - before; n > 200 {
		t.Errorf("300 forged presses made %d calls", n)
	}
}

type slowResponder struct {
	chattest.Recorder
	release chan struct{}
}

func (s *slowResponder) Press(context.Context, chat.Press) chat.Answer {
	<-s.release
	return chat.Answer{}
}

type brokenResponder struct{ chattest.Recorder }

func (*brokenResponder) Press(context.Context, chat.Press) chat.Answer { panic("out of order") }

func TestSlowAndBrokenResponders(t *testing.T) {
	slow := &slowResponder{release: make(chan struct{})}
	for name, r := range map[string]chat.Responder{"slow": slow, "broken": &brokenResponder{}} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, r)
			if _, err := c.post(t, "ops"); err != nil {
				t.Fatal(err)
			}
			out := c.fake.Room("ops").Card("disk full").Click("Acknowledge")
			if out.Failed != "" || out.Whisper == "" {
				t.Errorf("alice sees %+v", out)
			}
		})
	}
	close(slow.release)
}

func TestDialogCanNotOpen(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	dialog := &chat.Dialog{Title: "A title with more than 24 characters", State: "s", Fields: []chat.Field{{Name: "comment", Label: "Comment", Multiline: true}}}
	rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: dialog} }
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	card := c.fake.Room("ops").Card("disk full")
	c.fake.FailDialogs(1)
	if out := card.Click("Acknowledge"); out.Failed != "" || !strings.Contains(out.Whisper, "could not be opened") || out.Dialog != nil {
		t.Errorf("alice sees %+v", out)
	}
	// The trigger id is too old.
	rec.OnPress = func(chat.Press) chat.Answer {
		c.clock.Advance(4 * time.Second)
		return chat.Answer{Dialog: dialog}
	}
	if out := card.Click("Acknowledge"); !strings.Contains(out.Whisper, "could not be opened") || out.Dialog != nil {
		t.Errorf("alice sees %+v", out)
	}
	rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: dialog} }
	out := card.Click("Acknowledge")
	if out.Dialog == nil || len([]rune(out.Dialog.Title)) > 24 || out.Dialog.Elements[0].Type != "textarea" {
		t.Fatalf("alice sees %+v", out)
	}
	if c.fake.WaitDialog("alice") != out.Dialog {
		t.Error("the dialog is not on alice's screen")
	}
	// Errors of fields that don't exist would close the dialog as if accepted.
	rec.OnSubmit = func(chat.Submit) chat.Answer {
		return chat.Answer{FieldErrors: map[string]string{"comment": "too short", "other": "and late"}}
	}
	res := out.Dialog.Fill("Comment", "x").Submit()
	if res.Errors["comment"] != "too short" || res.Error != "and late" || res.Dialog == nil {
		t.Errorf("the submit shows %+v", res)
	}
	if res := out.Dialog.Fill("Comment", true).Submit(); res.Failed != "" {
		t.Errorf("a checkbox's value: %+v", res)
	}
	submits := rec.Submits()
	if got := submits[len(submits)-1].Values["comment"]; got != "true" {
		t.Errorf("a checkbox arrives as %q", got)
	}
}

// TestPressesAtOnce: many people at once are all told apart.
func TestPressesAtOnce(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	card := c.fake.Room("ops").Card("disk full")
	var wg sync.WaitGroup
	for range 20 {
		for _, who := range []string{"alice", "bob"} {
			wg.Go(func() {
				if out := card.ClickAs(who, "Acknowledge"); out.Failed != "" || out.Whisper != "" {
					t.Errorf("%s sees %+v", who, out)
				}
			})
		}
	}
	wg.Wait()
	count := map[string]int{}
	for _, p := range rec.Presses() {
		count[p.Actor.Name+p.Actor.ID]++
	}
	if len(count) != 2 || count["alice"+c.fake.User("alice").ID] != 20 {
		t.Errorf("presses: %v", count)
	}
}
