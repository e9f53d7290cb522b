// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/monitor"
	"belfry/store/opentest"
)

// kitchen is a Mattermost whose people talk about a fridge, with a Belfry
// behind it and a fridge that can be asked.
type kitchen struct {
	t      *testing.T
	m      *mattermosttest.Server
	a      *app.App
	clock  *clock.Manual
	fridge *httptest.Server
	asked  atomic.Int32
	// says is what the fridge answers, last what it was asked last.
	says atomic.Pointer[http.HandlerFunc]
	last atomic.Pointer[http.Request]
}

// fridgeSays gives the fridge another answer.
func (k *kitchen) fridgeSays(h http.HandlerFunc) { k.says.Store(&h) }

// watcher is a monitoring system that can be asked.
type watcher struct{ known map[string]monitor.Status }

func (watcher) Decode(string, []byte) (monitor.Decoded, error) { return monitor.Decoded{}, nil }

func (w watcher) Status(_ context.Context, objects []alert.Object) ([]monitor.Status, error) {
	var out []monitor.Status
	for _, o := range objects {
		out = append(out, w.known[o.Host])
	}
	return out, nil
}

const answersYAML = `
answers:
  - name: status
    kind: query
  - name: broken
    kind: template
    words: [broken, kaputt]
    match: host=~".*"
    respond: post
    template: |
      **{{.count}}** broken, asks {{.person}}:
      {{table .alerts "#=number" "What=what" "State=state"}}
  - name: fridge
    kind: http
    url: FRIDGE/api/{1}?by={person}
    username: The fridge
    icon_url: https://fridge.example.org/icon.png
    title: 'Fridge {{index .words 0}}'
    color: '{{if gt .answer.temp 8}}danger{{else}}good{{end}}'
    template: |
      | what | value |
      |:--|:--|
      | temperature | {{.answer.temp}} °C |
      | note | {{.answer.note}} |
  - name: loud
    kind: http
    url: FRIDGE/loud
    template: "fridge says {{.answer.note}}"
`

func newKitchen(t *testing.T, extra string) *kitchen {
	t.Helper()
	return newKitchenWith(t, extra, func(fridge string) string { return strings.ReplaceAll(answersYAML, "FRIDGE", fridge) })
}

// newKitchenWith has other answers; they are told where the fridge is.
func newKitchenWith(t *testing.T, extra string, answers func(fridge string) string) *kitchen {
	t.Helper()
	k := &kitchen{t: t, clock: clock.NewManual(time.Now().Truncate(time.Millisecond))}
	k.m = mattermosttest.Start(t, mattermosttest.Options{Clock: k.clock})
	k.m.AddChannel("ops")
	k.fridgeSays(jsonOf(`{"temp": 4.5, "note": "milk | @channel **all** [x](https://evil.example)"}`))
	k.fridge = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		k.last.Store(r)
		(*k.says.Load())(w, r)
	}))
	t.Cleanup(k.fridge.Close)
	token := k.m.AddOutgoing("belfry", "", "application/json", 0, []string{"status", "broken", "fridge", "loud"}, "http://not.yet.example/")
	f := file(t, "connections: [{name: chat, kind: mattermost, url: \""+k.m.URL()+"\", token: \""+k.m.Token()+"\", team: "+mattermosttest.Team+
		", outgoing_tokens: [\""+token+"\"]"+extra+"}]\ndefault: {channels: [chat/ops]}\n"+answers(k.fridge.URL))
	var err error
	live := watcher{map[string]monitor.Status{"fridge1": {Known: true, OK: true, AsOf: k.clock.Now()}, "fridge2": {Known: true, AsOf: k.clock.Now()}}}
	if k.a, err = app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t), Clock: k.clock, Extra: []app.Extra{{Name: "core", Monitor: live}}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, k.a) })
	k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.CallbackURLs = []string{k.address()} })
	return k
}

func (k *kitchen) address() string { return "http://" + k.a.Address() + "/chat/chat/outgoing" }

// says has somebody write a message and returns its answers.
func (k *kitchen) ask(who, text string) (post string, answers []*mattermosttest.Card) {
	k.t.Helper()
	post = k.m.Say(who, "ops", "", text)
	k.m.HookCalls()
	return post, k.under(post)
}

// under returns what stands below a post.
func (k *kitchen) under(post string) []*mattermosttest.Card {
	for _, c := range k.m.Room("ops").Cards() {
		if c.ID() == post {
			return c.Thread()
		}
	}
	return nil
}

func TestTheFridgeIsAsked(t *testing.T) {
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded"} {
		t.Run(kind, func(t *testing.T) {
			k := newKitchen(t, "")
			k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.ContentType = kind })
			_, got := k.ask("alice", "fridge top/x?y")
			if k.last.Load() == nil {
				t.Fatalf("the fridge was not asked; %d answers; %+v", len(got), k.m.HookCalls())
			}
			path, by := k.last.Load().URL.EscapedPath(), k.last.Load().URL.Query().Get("by")
			if len(got) != 1 || path != "/api/top%2Fx%3Fy" || by != "alice" {
				t.Fatalf("%d answers; asked for %q by %q; %+v", len(got), path, by, k.m.HookCalls())
			}
			reading := got[0].Reading()
			if text := mattermosttest.Visible(reading.Text); !strings.Contains(text, "Fridge top/x?y") || !strings.Contains(text, "temperature 4.5 °C") ||
				!strings.Contains(text, "milk | @channel **all** [x](https://evil.example)") || len(reading.Links) != 0 || len(got[0].Rings()) != 0 || got[0].Color() != "#3fa34d" {
				t.Errorf("it reads %q in %s, links %q, rings %q", text, got[0].Color(), reading.Links, got[0].Rings())
			}
			if props := string(got[0].Post().Props); !strings.Contains(props, `"override_username":"The fridge"`) || !strings.Contains(props, "icon.png") || !strings.Contains(props, `"from_webhook":"true"`) {
				t.Errorf("it is signed %s", props)
			}
		})
	}
}

func TestStatusShowsHowAnObjectStandsAsATable(t *testing.T) {
	k := newKitchen(t, "")
	_, got := k.ask("alice", "status fridge1")
	if len(got) != 1 || !got[0].Shows("No open problem of “fridge1”.") || !got[0].Shows("Source What State As of") || !got[0].Shows("core fridge1 OK") {
		t.Fatalf("%d answers: %q", len(got), texts(got))
	}
	if err := k.a.Report("core")(t.Context(), problem("fridge2")); err != nil {
		t.Fatal(err)
	}
	if _, got = k.ask("bob", "status fridge2"); len(got) != 1 || !got[0].Shows("# State What Since #1 🔴 DOWN fridge2") || !got[0].Shows("core says of fridge2: not OK, as of") {
		t.Errorf("%q", texts(got))
	}
	if _, got = k.ask("bob", "status"); len(got) != 1 || !got[0].Shows("1 problem open") {
		t.Errorf("%q", texts(got))
	}
}

func TestATemplateIsFilledWithAlerts(t *testing.T) {
	k := newKitchen(t, "")
	if err := k.a.Report("core")(t.Context(), problem("web|01@all")); err != nil {
		t.Fatal(err)
	}
	_, below := k.ask("alice", "broken")
	cards := k.m.Room("ops").Cards()
	last := cards[len(cards)-1]
	if len(below) != 0 || !last.Shows("1 broken, asks alice:") || !last.Shows("web|01@all DOWN") || len(last.Rings()) != 0 {
		t.Errorf("below %q, last %q rings %v", texts(below), last.Text(), last.Rings())
	}
}

func texts(cards []*mattermosttest.Card) (out []string) {
	for _, c := range cards {
		out = append(out, mattermosttest.Visible(c.Text()))
	}
	return out
}

func TestWhateverTheEndpointDoesIsSaidInTheThread(t *testing.T) {
	k := newKitchen(t, "")
	for name, c := range map[string]struct {
		says http.HandlerFunc
		want string
	}{
		"a web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, "<html>sign in @all</html>")
		}, "“loud” answers with a web page and not with JSON"},
		"a redirect":        {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "a redirect (302), which is not followed"},
		"an error":          {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusBadGateway) }, "“loud” answers 502 Bad Gateway."},
		"text":              {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "warm") }, "answers with text/plain and not with JSON"},
		"no JSON":           {jsonOf("{"), "What “loud” answers is no JSON."},
		"two values":        {jsonOf("{} {}"), "has something behind its JSON"},
		"too much":          {jsonOf(`"` + strings.Repeat("x", 300<<10) + `"`), "more than 256 KB"},
		"too deep":          {jsonOf(strings.Repeat("[", 100) + strings.Repeat("]", 100)), "nested more than 32 deep"},
		"something missing": {jsonOf(`{"other":1}`), "The answer “loud” can't be put together: there is no “note”"},
		"hangs up":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "“loud” could not be reached."},
	} {
		t.Run(name, func(t *testing.T) {
			k.fridgeSays(c.says)
			k.clock.Advance(25 * time.Hour) // people are not asked too much
			_, got := k.ask("alice", "loud")
			if len(got) != 1 || !got[0].Shows(c.want) || len(got[0].Rings()) != 0 {
				t.Errorf("%q", texts(got))
			}
		})
	}
}

func jsonOf(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, text)
	}
}
