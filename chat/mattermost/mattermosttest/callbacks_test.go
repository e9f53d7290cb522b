// SPDX-License-Identifier: Apache-2.0

package mattermosttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// withButton is the props of a card whose button leads to url.
func withButton(url, id string) string {
	return `,"props":{"mine":"kept","attachments":[{"title":"t","text":"a \"integration\": {}","actions":[{"id":"` + id + `","integration":{"url":"` + url +
		`","context":{"token":"s,e}c","deep":[{"integration":1}]}},"name":"Go","type":"button"},{"id":"b2","name":"Other","type":"button","integration":{"url":"` + url + `"}}]}]}`
}

func TestIntegrationIsNeverShown(t *testing.T) {
	s := start(t)
	made := s.post("x", withButton("http://127.0.0.1:1/", "go"))
	for name, a := range map[string]answer{"created": made, "read": s.call("GET", "/posts/"+made.ID, ""), "listed": s.call("GET", "/channels/"+s.ops+"/posts", "")} {
		if strings.Contains(a.raw, "s,e}c") || strings.Contains(a.raw, "127.0.0.1:1") || !strings.Contains(a.raw, `"name":"Go"`) || !strings.Contains(a.raw, `"Other"`) {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	// Props that were read and sent back have no working button.
	read, err := json.Marshal(made.Props)
	if err != nil {
		t.Fatal(err)
	}
	s.call("PUT", "/posts/"+made.ID+"/patch", `{"props":`+string(read)+`}`)
	if out := s.Room("ops").Cards()[0].Click("Go"); !strings.HasPrefix(out.Failed, "404 api.post.do_action.action_id.app_error") {
		t.Errorf("the click shows %+v", out)
	}
	s.call("PUT", "/posts/"+made.ID+"/patch", `{"props":{"mine":"alone"}}`)
	if got := s.Posts("ops")[0]; strings.Contains(string(got.Props), "from_bot") {
		t.Errorf("a patch of props keeps what it does not name: %s", got.Props)
	}
}

// integration is what buttons and dialogs lead to: it keeps what came and
// answers as told.
type integration struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	reply  string
	got    map[string]any
	method string
	auth   string
}

func integrate(t *testing.T) *integration {
	t.Helper()
	in := &integration{status: 200, reply: "{}"}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.got = map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&in.got) // nothing comes after a redirect
		in.method, in.auth = r.Method, r.Header.Get("Authorization")
		if in.status == 302 && r.URL.Path != "/there" {
			http.Redirect(w, r, "/there", in.status)
			return
		}
		if in.status == 302 {
			in.status = 200
		}
		w.Header().Set("Content-Type", "application/json") // commands want it
		w.WriteHeader(in.status)
		_, _ = io.WriteString(w, in.reply) // the reader may be gone
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *integration) answers(status int, reply string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status, in.reply = status, reply
}

// last returns what came last.
func (in *integration) last() (got map[string]any, method, auth string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.got, in.method, in.auth
}

// TestCallbacks: only 200 with JSON counts.
func TestCallbacks(t *testing.T) {
	s, in := start(t), integrate(t)
	s.post("text", withButton(in.URL, "go"))
	card := s.Room("ops").Cards()[0]
	for _, c := range []struct {
		status int
		body   string
		failed bool
	}{
		{200, "{}", false}, {200, "null", false}, {200, "", true}, {200, "<html>", true}, {201, "{}", true}, {204, "", true}, {500, "{}", true}, {302, "{}", false},
	} {
		in.answers(c.status, c.body)
		out := card.Click("Go")
		if c.failed != strings.HasPrefix(out.Failed, "400 ") || c.failed && !strings.Contains(out.Failed, "Action integration error.") {
			t.Errorf("%d %q: %+v", c.status, c.body, out)
		}
	}
	if got, method, _ := in.last(); method != "GET" || len(got) != 0 {
		t.Errorf("a redirect was followed with %s and %v", method, got)
	}
	in.answers(200, `{"ephemeral_text":"psst **you**","update":{"message":"new"}}`)
	out := card.ClickAs("bob", "Go")
	if out.Whisper != "psst you" || !card.Shows("new") || len(card.Buttons()) != 2 {
		t.Errorf("%+v; %s, %q", out, card.Text(), card.Buttons())
	}
	bob := s.User("bob")
	got, _, auth := in.last()
	if got["user_id"] != bob.ID || got["user_name"] != "bob" || got["post_id"] != card.ID() || auth != "" ||
		cmp.Diff(map[string]any{"token": "s,e}c", "deep": []any{map[string]any{"integration": 1.0}}}, got["context"]) != "" {
		t.Errorf("the callback has %v, authorization %q", got, auth)
	}
	in.answers(200, `{"update":{"props":{}}}`)
	if card.Click("Go"); card.Text() != "" || len(card.Buttons()) != 0 {
		t.Errorf("an update without message blanks it, {} clears the props: %q %q", card.Text(), card.Buttons())
	}
	if out := card.PressAs("bob", "go"); !strings.HasPrefix(out.Failed, "404 api.post.do_action.action_id.app_error") {
		t.Errorf("a stale screen: %+v", out)
	}
	s.post("dashed", withButton(in.URL, "go-now"))
	if out := s.Room("ops").Card("dashed").Click("Go"); !strings.HasPrefix(out.Failed, "404 api.context.404.app_error") {
		t.Errorf("an action id with a dash: %+v", out)
	}
}

func TestDialogs(t *testing.T) {
	s, in := start(t), integrate(t)
	s.post("x", withButton(in.URL, "go"))
	s.Room("ops").Card("x").Click("Go")
	click, _, _ := in.last()
	open := func() answer {
		return s.call("POST", "/actions/dialogs/open", fmt.Sprintf(`{"trigger_id":%q,"url":%q,"dialog":{"title":"T","state":"st","notify_on_cancel":true,
			"elements":[{"display_name":"A","name":"a","type":"text"},{"display_name":"B","name":"b","type":"text","optional":true}]}}`, click["trigger_id"], in.URL))
	}
	s.token = "" // the trigger id is the permission
	s.clock.Advance(3 * time.Second)
	if a := open(); a.Status != 200 {
		t.Fatalf("after 3 s: %+v", a)
	}
	d := s.WaitDialog("alice")
	if out := d.Submit(); out.Errors["a"] == "" {
		t.Errorf("a required field may be left empty: %+v", out)
	}
	in.answers(200, `{"errors":{"nowhere":"x"}}`)
	if out := d.Fill("A", "text").Submit(); out.Dialog != nil || out.Failed != "" {
		t.Errorf("errors of no field close the dialog as if accepted: %+v", out)
	}
	got, _, _ := in.last()
	if diff := cmp.Diff(map[string]any{"a": "text", "b": nil}, got["submission"]); diff != "" || got["user_id"] != s.User("alice").ID || got["state"] != "st" {
		t.Errorf("the submission: %v", got)
	}
	in.answers(200, `{"errors":{"a":"no"}}`)
	if out := d.Submit(); out.Errors["a"] != "no" || out.Dialog == nil {
		t.Errorf("an error keeps it open: %+v", out)
	}
	in.answers(200, "garbage is accepted")
	if out := d.Submit(); out.Failed != "" || out.Dialog != nil {
		t.Errorf("garbage: %+v", out)
	}
	in.answers(500, "")
	if out := d.Submit(); out.Failed == "" || out.Dialog != nil {
		t.Errorf("our side is down: %+v", out)
	}
	in.answers(200, "{}")
	d.Cancel()
	if got, _, _ := in.last(); got["cancelled"] != true || got["submission"] != nil {
		t.Errorf("cancelled: %v", got)
	}
	s.clock.Advance(time.Second)
	s.wants(open(), 400, "interactive_message.decode_trigger_id.expired")
}
