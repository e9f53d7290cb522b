// SPDX-License-Identifier: Apache-2.0

package mattermosttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
)

// called is an integration that answers outgoing webhooks.
type called struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	kinds  []string
	answer string
	status int
}

func newCalled(t *testing.T, answer string) *called {
	c := &called{answer: answer, status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies, c.kinds = append(c.bodies, string(raw)), append(c.kinds, r.Header.Get("Content-Type"))
		w.WriteHeader(c.status)
		_, _ = io.WriteString(w, c.answer)
	}))
	t.Cleanup(c.Close)
	return c
}

// hooked is a server with one webhook for the words "fridge" and "say".
func hooked(t *testing.T, kind, answer string, when int) (*mattermosttest.Server, *called) {
	t.Helper()
	s := mattermosttest.Start(t)
	s.AddChannel("ops")
	s.AddChannelIn(mattermosttest.Team, "secret", "P")
	c := newCalled(t, answer)
	s.AddOutgoing("bob", "", kind, when, []string{"fridge", "say"}, c.URL)
	return s, c
}

func TestWhatCallsAnOutgoingWebhook(t *testing.T) {
	s, c := hooked(t, "application/json", "", 0)
	s.AddBot("parrot")
	for _, post := range []struct{ who, channel, text string }{
		{"alice", "ops", "fridge"}, {"alice", "ops", "fridge top"}, {"alice", "ops", "  say\nx"}, {"parrot", "ops", "fridge"}, // these do
		{"alice", "ops", "Fridge"}, {"alice", "ops", "fridges"}, {"alice", "ops", "the fridge"}, {"alice", "secret", "fridge"}, {"alice", "ops", ""},
	} {
		s.Say(post.who, post.channel, "", post.text)
		s.HookCalls()
	}
	root := s.Say("alice", "ops", "", "hello")
	s.Say("alice", "ops", root, "fridge") // in threads, too
	s.SayByHook("alice", "ops", "fridge")
	s.EditAs("alice", root, "fridge")
	if n := len(s.HookCalls()); n != 5 || len(c.bodies) != 5 {
		t.Errorf("called %d times: %q", n, c.bodies)
	}
	s.SetSetting("EnableOutgoingWebhooks", false)
	s.Say("alice", "ops", "", "fridge")
	if n := len(s.HookCalls()); n != 5 {
		t.Error("called although they are off")
	}
	s, _ = hooked(t, "application/json", "", 1)
	s.Say("alice", "ops", "", "fridges")
	if got := s.HookCalls(); len(got) != 1 || got[0].Word != "fridge" {
		t.Errorf("%+v", got)
	}
}

func TestWhatAnOutgoingWebhookSends(t *testing.T) {
	s, c := hooked(t, "application/json", "", 0)
	id := s.Say("alice", "ops", "", "fridge top")
	s.HookCalls()
	if !strings.Contains(c.bodies[0], `"post_id":"`+id+`"`) || !strings.Contains(c.bodies[0], `"trigger_word":"fridge"`) || len(between(c.bodies[0], `"timestamp":`, ",")) != 13 || c.kinds[0] != "application/json" {
		t.Errorf("%q", c.bodies)
	}
	s, c = hooked(t, "application/x-www-form-urlencoded", "", 0)
	s.Say("alice", "ops", "", "fridge ü&x")
	s.HookCalls()
	form, err := url.ParseQuery(c.bodies[0])
	if err != nil || len(form.Get("timestamp")) != 10 || form.Get("text") != "fridge ü&x" || form.Get("user_name") != "alice" || c.kinds[0] != "application/x-www-form-urlencoded" {
		t.Errorf("%v %v", form, err)
	}
	// Of two addresses only the first gets a body (up to 9.8).
	s.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.CallbackURLs = []string{c.URL, c.URL} })
	s.Say("alice", "ops", "", "say")
	if s.HookCalls(); len(c.bodies) != 3 || c.bodies[1] != "" && c.bodies[2] != "" {
		t.Errorf("%q", c.bodies)
	}
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	got, _, _ := strings.Cut(rest, to)
	return got
}

func TestWhatAnAnswerBecomes(t *testing.T) {
	const named = `{"text":"fridge <!here> <https://e.example|x>","username":"The fridge","icon_url":"http://i","response_type":"comment","props":{"a":1,"from_webhook":"no"},"attachments":[{"text":"in it"}]}`
	s, c := hooked(t, "application/json", named, 0)
	id := s.Say("alice", "ops", "", "fridge")
	s.HookCalls()
	posts := s.Posts("ops")
	if len(posts) != 2 || posts[1].UserID != s.User("bob").ID || posts[1].RootID != id || posts[1].Message != "fridge @here [x](https://e.example)" || len(c.bodies) != 1 {
		t.Fatalf("%+v, called %d times", posts, len(c.bodies))
	}
	for _, want := range []string{`"override_username":"The fridge"`, `"override_icon_url":"http://i"`, `"from_webhook":"true"`, `"a":1`, "in it"} {
		if !strings.Contains(string(posts[1].Props), want) {
			t.Errorf("%s is not in %s", want, posts[1].Props)
		}
	}
	s.SetSetting("EnablePostUsernameOverride", false)
	s.SetSetting("EnablePostIconOverride", false)
	s.Say("alice", "ops", "", "fridge")
	s.HookCalls()
	if last := s.Posts("ops")[3]; strings.Contains(string(last.Props), "override") {
		t.Errorf("%s", last.Props)
	}
	// Below a reply 5.37 drops a comment, and tells only its own log.
	s.Say("alice", "ops", id, "fridge")
	if calls := s.HookCalls(); calls[2].Failed == "" || calls[2].Answered != "" || s.PostsIn("ops") != 5 {
		t.Errorf("%+v", calls)
	}
	for answer, made := range map[string]int{"": 0, "{}": 0, `{"text":""}`: 1, "<html>": 0, `{"text":"` + strings.Repeat("x", 20000) + `"}`: 2, `{"attachments":[{"text":"x"}]}`: 1} {
		s, c := hooked(t, "application/json", answer, 0)
		c.status = http.StatusTeapot // decides nothing
		s.Say("alice", "ops", "", "fridge")
		if s.HookCalls(); s.PostsIn("ops")-1 != made {
			t.Errorf("%.20q becomes %d posts, not %d", answer, s.PostsIn("ops")-1, made)
		}
	}
}
