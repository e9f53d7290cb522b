// SPDX-License-Identifier: Apache-2.0

package mattermosttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
)

// TestCommandsAsARealServerRunsThem holds the fake to the facts.
func TestCommandsAsARealServerRunsThem(t *testing.T) {
	s := mattermosttest.Start(t)
	s.AddChannel("ops")
	var got url.Values
	var header http.Header
	answer := func(w http.ResponseWriter) {}
	integration := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // what is wrong shows in got
		got, header = r.PostForm, r.Header.Clone()
		answer(w)
	}))
	t.Cleanup(integration.Close)
	token := s.AddCommand("bell", integration.URL)
	json := func(status int, kind, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // the test sees what is missing
		}
	}
	for name, x := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"202":            {json(202, "application/json", `{"text":"x"}`), "returned response 202 Accepted"},
		"500":            {json(500, "application/json", `{"text":"x"}`), "returned response 500"},
		"plain text":     {json(200, "text/plain", "x"), "failed."},
		"a proxy's HTML": {json(200, "text/html", "<h1>log in</h1>"), "failed."},
		"no JSON":        {json(200, "application/json", "x"), "failed."},
		"empty":          {json(200, "application/json", ""), "returned an empty response"},
		"null":           {json(200, "application/json", "null"), "returned an empty response"},
		"nothing in it":  {json(200, "application/json", "{}"), "returned an empty response"},
	} {
		answer = x.answer
		if seen := s.Type("alice", "ops", "/bell x"); !strings.Contains(seen.Failed, "Command with a trigger of 'bell' "+x.want) || seen.Whisper != "" {
			t.Errorf("%s: %+v", name, seen)
		}
	}
	answer = json(200, "application/json; charset=utf-8", `{"response_type":"ephemeral","text":"**hi** <!here> <http://x.example|there>"}`)
	seen := s.Type("alice", "ops", "/BELL  two  spaces\n\"quoted\" @bob")
	if seen.Whisper != "hi @here there" || seen.By != "alice" || len(seen.Reading.Links) != 1 {
		t.Errorf("alice sees %+v", seen)
	}
	if got.Get("text") != " two  spaces\n\"quoted\" @bob" || got.Get("token") != token || got.Get("user_mentions") != "bob" || got.Get("user_name") != "alice" ||
		header.Get("Authorization") != "Token "+token || header.Get("User-Agent") != "Mattermost-Bot/1.1" {
		t.Errorf("sent: %v %v", got, header)
	}
	answer = json(200, "application/json", `{"response_type":"in_channel","text":"for all"}`)
	if seen := s.Type("bob", "ops", "/bell"); seen.Posted == nil || seen.Posted.Text() != "for all" || seen.Posted.Post().UserID != s.User("bob").ID || got.Has("user_mentions") {
		t.Errorf("bob sees %+v", seen)
	}
	if seen := s.Type("alice", "ops", "/nosuch"); !strings.Contains(seen.Failed, "'/nosuch' not found") {
		t.Errorf("an unknown word: %+v", seen)
	}
	s.Leave("alice", "ops")
	if seen := s.Type("alice", "ops", "/bell"); !strings.Contains(seen.Failed, "403") {
		t.Errorf("from outside: %+v", seen)
	}
}

func TestResponseURLHoldsForFiveUses(t *testing.T) {
	s := mattermosttest.Start(t)
	s.AddChannel("ops")
	var address string
	integration := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address = r.FormValue("response_url")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"soon"}`) // the test sees what is missing
	}))
	t.Cleanup(integration.Close)
	s.AddCommand("bell", integration.URL)
	s.Type("alice", "ops", "/bell")
	for i := range 6 {
		res, err := http.Post(address, "application/json", strings.NewReader(`{"text":"late"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // only its status counts
		if want := map[bool]int{true: 200, false: 400}[i < 5]; res.StatusCode != want {
			t.Errorf("use %d: %s", i+1, res.Status)
		}
	}
	if got := s.LateWhispers("alice"); len(got) != 5 || got[0] != "late" {
		t.Errorf("alice sees %q", got)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAnAnswersButtonCanUpdateNothing: what only one person sees is kept
// nowhere, so an update of it fails after everything was done.
func TestAnAnswersButtonCanUpdateNothing(t *testing.T) {
	s, in := start(t), integrate(t)
	s.AddCommand("bell", in.URL)
	in.answers(200, `{"text":"Shall I?","username":"bell","attachments":[{"actions":[{"id":"go","type":"button","name":"Go","integration":{"url":"`+in.URL+`"}}]}]}`)
	shown := s.Type("alice", "ops", "/bell x")
	in.answers(200, `{"ephemeral_text":"done"}`)
	if out := shown.Click("Go"); out.Failed != "" || out.Whisper != "done" {
		t.Errorf("a word: %+v", out)
	}
	in.answers(200, `{ "update": {"message": "done"}, "ephemeral_text": "done" }`)
	if out := shown.Click("Go"); !strings.HasPrefix(out.Failed, "404 ") || out.Whisper != "" {
		t.Errorf("an update: %+v", out)
	}
}
