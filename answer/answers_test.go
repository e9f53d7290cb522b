// SPDX-License-Identifier: Apache-2.0

package answer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/answer"
	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// board has one open problem.
type board struct{ fails bool }

func (b board) Open(context.Context) ([]*alert.Alert, error) {
	if b.fails {
		return nil, errors.New("the disk is gone")
	}
	return []*alert.Alert{
		{ID: 7, Number: 3, Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical, State: "CRITICAL",
			StartsAt: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), Object: alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk"},
			Output: "97 %", Labels: alert.Labels{"team": "ops"}, Ack: alert.Ack{Phase: alert.AckSet, By: "alice"}},
		{ID: 8, Number: 4, Topic: alert.TopicDowntime, Status: alert.Firing, Object: alert.Object{Kind: alert.KindHost, Host: "web02"}},
	}, nil
}

func (board) Live(_ context.Context, text string) chat.Message {
	return chat.Message{Title: "live " + text, Mentions: []string{"all"}, Buttons: []chat.Button{{Action: "x"}}}
}

func (board) Problems(_ context.Context, text string) chat.Message {
	return chat.Message{Title: "problems " + text}
}

// house is a configuration's answers with what stands around them.
type house struct {
	*answer.Answers
	t     *testing.T
	clock *clock.Manual
	log   strings.Builder
}

func newHouse(t *testing.T, b answer.Board, list ...config.Answer) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	for _, c := range list {
		if wrong := c.Spec.Validate(); len(wrong) > 0 {
			t.Fatal(wrong)
		}
	}
	var err error
	h.Answers, err = answer.New(list, answer.Options{Board: b, Clock: h.clock, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
		Say: func() message.Options {
			return message.Options{BaseURL: "https://belfry.example", Now: h.clock.Now(), Location: time.UTC}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// hear returns what is answered in chat/ops, flat; empty: nothing.
func (h *house) hear(text string) string {
	h.t.Helper()
	r := h.Hear(h.t.Context(), chat.Heard{Actor: chat.Actor{Connection: "chat", ID: "u1", Name: "alice"}, Channel: "c1", ChannelName: "ops", Text: text})
	if r == nil {
		return ""
	}
	if len(r.Message.Mentions)+len(r.Message.Buttons) > 0 {
		h.t.Errorf("%s: an answer rings or has buttons: %+v", text, r.Message)
	}
	out := r.Message.Title
	for _, l := range r.Message.Lines {
		out += l.Plain()
	}
	return strings.TrimSpace(out + " " + flat(r.Body))
}

func TestWordsAndWhereTheyHold(t *testing.T) {
	q := func(name string, where []config.Where, words ...string) config.Answer {
		return config.Answer{Name: name, Words: words, Where: where, Spec: &answer.Query{About: name}}
	}
	h := newHouse(t, board{}, q("here", []config.Where{{Connection: "chat", Channel: "ops"}}, "a"), q("byid", []config.Where{{Connection: "chat", Channel: "c1"}}, "b"),
		q("elsewhere", []config.Where{{Connection: "chat", Channel: "dev"}}, "c"), q("conn", []config.Where{{Connection: "chat"}}, "d"),
		q("other", []config.Where{{Connection: "slack"}}, "e"), q("all", nil, "Frage", "f!"),
		config.Answer{Name: "list", Words: []string{"list"}, Spec: &answer.Query{Show: "problems"}})
	for text, want := range map[string]string{
		"a": "live here", "A  x\ny": "live here x\ny", " \n b": "live byid", "c": "", "d x": "live conn x", "e": "", "frage 1 2": "live all 1 2", "f!": "live all",
		"f": "", "": "", "ab": "", "x a": "", "list team=\"x\"": `problems team="x"`,
	} {
		if got := h.hear(text); got != want {
			t.Errorf("%q is answered %q, want %q", text, got, want)
		}
		h.clock.Advance(48 * time.Hour)
	}
	for text, want := range map[string]bool{"a": true, "c": true, "e": false, "frage": true, "nothing": false, "": false} {
		if h.Hears("chat", text) != want {
			t.Errorf("%q is heard: %v", text, !want)
		}
	}
}

func TestAlertsInATemplate(t *testing.T) {
	spec := &answer.Templated{Match: []string{`team="ops"`}, Form: answer.Form{Color: "{{if .count}}danger{{else}}good{{end}}", Title: "{{.count}} @all",
		Text: `{{range .alerts}}{{.number}} {{.what}} {{.host}} {{.state}} {{.severity}} {{.since}} {{.lasts}} {{.acknowledged_by}} {{.labels.team}} {{.link}} {{.output}}{{end}} {{.person}} {{.channel}} {{.word}} {{.text}}`}}
	h := newHouse(t, board{}, config.Answer{Name: "x", Words: []string{"x"}, Spec: spec})
	const want = "1 @all [3] [Disk on web01] [web01] [CRITICAL] [critical] [11:00 UTC] [1 h] [alice] [ops] [https://belfry.example/alerts/7] [97 %] [alice] [ops] [x] [y z]"
	if got := h.hear("x y z"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	h = newHouse(t, board{fails: true}, config.Answer{Name: "x", Words: []string{"x"}, Spec: spec})
	if got := h.hear("x"); got != "I can't say that just now (answer “x”). Please ask again in a moment." || !strings.Contains(h.log.String(), "the disk is gone") {
		t.Errorf("%q, log %s", got, h.log.String())
	}
}

func TestWhatAnEndpointIsSent(t *testing.T) {
	const secret = "s3cr3t-of-the-fridge"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, body = fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("X-Room"), r.Header.Get("Accept")), string(raw)
		w.Header().Set("Content-Type", "application/vnd.fridge+json; charset=utf-8")
		_, _ = io.WriteString(w, `{"a":1}`)
	}))
	t.Cleanup(server.Close)
	get := &answer.HTTP{URL: server.URL + "/a b/{1}/x?all={text}&who={person}&{2}", TokenFile: file, Headers: map[string]config.Secret{"x-room": "kitchen"}, Form: answer.Form{Text: "{{.answer.a}}"}}
	post := *get
	post.URL, post.Method = server.URL, http.MethodPost
	h := newHouse(t, board{}, config.Answer{Name: "get", Words: []string{"get"}, Spec: get}, config.Answer{Name: "post", Words: []string{"post"}, Spec: &post})
	if said := h.hear("get top&x=1 ü/?"); said != "[1]" || got != "GET /a%20b/top&x=1/x?all=top%26x%3D1+%C3%BC%2F%3F&who=alice&%C3%BC%2F%3F Bearer "+secret+" kitchen application/json" || body != "" {
		t.Errorf("said %q, sent %q %q", said, got, body)
	}
	if said := h.hear("post top"); said != "[1]" || !strings.HasPrefix(got, "POST / Bearer") || body != `{"channel":"ops","connection":"chat","person":"alice","text":"top","word":"post","words":["top"]}` {
		t.Errorf("said %q, sent %q %q", said, got, body)
	}
	got = ""
	for text, want := range map[string]string{"get": "“get” wants 2 words behind it.", "get x": "“get” wants 2 words behind it.", "get .. x": "I can't ask for that word.", "get . x": "I can't ask for that word.",
		"get ../../admin x": "I can't ask for that word.", "get a/.. x": "I can't ask for that word.", `get ..\a x`: "I can't ask for that word.", "get ..;a x": "I can't ask for that word.",
		"get %2e%2e%2fa x":                        "I can't ask for that word.",
		"get " + strings.Repeat("x", 5000) + " y": "That is too long to ask for."} {
		if said := h.hear(text); said != want || got != "" {
			t.Errorf("%.20q: said %q, sent %q", text, said, got)
		}
		h.clock.Advance(time.Hour) // or that were too many
	}
	server.Close()
	if said := h.hear("get x y"); said != "“get” could not be reached." {
		t.Errorf("said %q", said)
	}
	secrettest.Check(t, secret, h.log.String(), get, fmt.Sprintf("%+v", *get))
	secrettest.Check(t, "kitchen-secret", &answer.HTTP{Headers: map[string]config.Secret{"X": "kitchen-secret"}})
}

func TestASlowEndpointIsNotWaitedFor(t *testing.T) {
	begun, end := make(chan bool, 10), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		begun <- true
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(end) })
	h := newHouse(t, board{}, config.Answer{Name: "slow", Words: []string{"slow"}, Spec: &answer.HTTP{URL: server.URL, Timeout: 100 * time.Millisecond, Form: answer.Form{Text: "x"}}})
	if said := h.hear("slow"); said != "“slow” did not answer within 100ms." {
		t.Errorf("said %q", said)
	}
}

func TestAnEndpointIsNotAskedTooMuchAtOnce(t *testing.T) {
	begun, end := make(chan bool, 10), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- true
		<-end
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `1`)
	}))
	t.Cleanup(server.Close)
	h := newHouse(t, board{}, config.Answer{Name: "slow", Words: []string{"slow"}, Spec: &answer.HTTP{URL: server.URL, Form: answer.Form{Text: "{{.answer}}"}}})
	said := make(chan string, 4)
	for range 4 {
		go func() { said <- h.hear("slow") }()
		<-begun
	}
	if got := h.hear("slow"); got != "“slow” is asked too much at this moment. Please ask again." {
		t.Errorf("said %q", got)
	}
	close(end)
	for range 4 {
		if got := <-said; got != "[1]" {
			t.Errorf("said %q", got)
		}
	}
}

func TestWhatIsNoEndpoint(t *testing.T) {
	form := answer.Form{Text: "x"}
	for text, want := range map[string]string{
		"":                                "is missing",
		"ftp://x.example/":                "does not begin with http",
		"fridge":                          "does not begin with http",
		"https://{1}/":                    "has { } before its path",
		"https://x.{1}.example/":          "has { } before its path",
		"{1}://x.example/":                "does not begin with http",
		"https://u:p@x.example/":          "has a user name or password",
		"https://x.example/#{1}":          "has # in it",
		"https://x.example/../{1}":        "has . or .. in its path",
		"https://x.example/{what}":        "not {what}",
		"https://x.example/{10}":          "not {10}",
		"https://x.example?{text}/{word}": "",
		"http://[::1]:8080/{9}{channel}":  "",
	} {
		wrong := (&answer.HTTP{URL: text, Form: form}).Validate()
		if want == "" && len(wrong) > 0 || want != "" && (len(wrong) != 1 || !strings.Contains(wrong[0].Error(), want)) {
			t.Errorf("%s: %v, want %q", text, wrong, want)
		}
	}
	for name, spec := range map[string]*answer.HTTP{
		"url: ":            {Form: form},
		"method: ":         {URL: "http://x.example", Method: "DELETE", Form: form},
		"headers: host":    {URL: "http://x.example", Headers: map[string]config.Secret{"host": "x"}, Form: form},
		"headers: \"a b\"": {URL: "http://x.example", Headers: map[string]config.Secret{"a b": "x"}, Form: form},
		"headers: \"x\"":   {URL: "http://x.example", Headers: map[string]config.Secret{"x": "a\nb"}, Form: form},
		"headers: Author":  {URL: "http://x.example", Headers: map[string]config.Secret{"Authorization": "x"}, TokenFile: "/x", Form: form},
		"timeout: ":        {URL: "http://x.example", Timeout: time.Millisecond, Form: form},
		"proxy: ":          {URL: "http://x.example", Proxy: "x", Form: form},
		"template: ":       {URL: "http://x.example"},
		"template_file: ":  {URL: "http://x.example", Form: answer.Form{File: "/nowhere/x"}},
		"color: ":          {URL: "http://x.example", Form: answer.Form{Text: "x", Color: "{{"}},
	} {
		if wrong := spec.Validate(); len(wrong) != 1 || !strings.HasPrefix(wrong[0].Error(), name) {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}
