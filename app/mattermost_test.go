// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/mattermost/setup"
	"belfry/config"
	"belfry/store/opentest"
	"belfry/web"
)

// works is a Belfry with a configuration file and a fresh Mattermost beside it.
type works struct {
	*app.App
	t          *testing.T
	mm         *mattermosttest.Server
	main, data string
}

func newWorks(t *testing.T, main string) *works {
	w := &works{t: t, mm: mattermosttest.Start(t, mattermosttest.Options{Fresh: true}), data: opentest.Dir(t), main: filepath.Join(t.TempDir(), "belfry.yaml")}
	w.mm.AddChannel("ops")
	w.write(main)
	read := func(without ...string) (*config.File, error) {
		f, problems := config.LoadServer(w.main, app.Kinds(), func(s *config.Server) { s.Data = w.data }, without...)
		if len(problems) > 0 {
			return nil, problems
		}
		f.Server.Listen, f.Server.Data = "127.0.0.1:0", w.data
		return f, nil
	}
	f, err := read()
	if err != nil {
		t.Fatal(err)
	}
	if w.App, err = app.Start(t.Context(), app.Options{File: f, Data: w.data, Reread: read}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, w.App) })
	return w
}

func (w *works) write(main string) {
	w.t.Helper()
	if err := os.WriteFile(w.main, []byte(main), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *works) wish() web.Wish {
	return web.Wish{Name: "chat", URL: w.mm.URL(), Team: mattermosttest.Team, Channels: []string{"ops"}, Bot: "belfry", Command: "belfry", ChangeSettings: true}
}

func (w *works) token() config.Secret { return config.Secret(w.mm.UserToken("admin")) }

// added is the connection's file, or "".
func (w *works) added() string {
	b, err := os.ReadFile(filepath.Join(w.data, "conf.d", "chat.yaml"))
	if err != nil {
		return ""
	}
	return string(b)
}

func (w *works) setUp(wish web.Wish) (web.End, error) {
	w.t.Helper()
	s, err := w.SetUp(w.t.Context(), wish, w.token())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	return s.CarryOut(w.t.Context(), func(web.Step) {})
}

func (w *works) remove() (web.End, error) {
	w.t.Helper()
	s, err := w.Removal(w.t.Context(), web.Removal{Name: "chat", By: "anna", Token: w.token(), Archive: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	return s.CarryOut(w.t.Context(), func(web.Step) {})
}

// find returns the connection as the page shows it.
func (w *works) find() (web.Connection, bool) {
	for _, c := range w.Connections() {
		if c.Name == "chat" {
			return c, true
		}
	}
	return web.Connection{}, false
}

func TestASetUpLeavesTheFilesDefaultAlone(t *testing.T) {
	w := newWorks(t, "default: {channels: [room/alerts]}\n")
	wish := w.wish()
	wish.Bot, wish.IncidentCommand = "alarms", "incident"
	end, err := w.setUp(wish)
	if err != nil || end.Left != 0 {
		t.Fatalf("%+v, %v", end, err)
	}
	if strings.Contains(w.added(), "default") || !strings.Contains(strings.Join(end.Said, "\n"), "No route leads to chat/ops yet") {
		t.Errorf("said %q, wrote\n%s", end.Said, w.added())
	}
	if c, ok := w.find(); !ok || !c.Added || !c.Made || len(c.Channels) != 1 || c.Wish == nil || c.Wish.Team != mattermosttest.Team || c.Wish.Bot != "alarms" || c.Wish.IncidentCommand != "incident" || len(c.Wish.Channels) != 1 {
		t.Errorf("the page shows %+v", c)
	}
}

func TestTheDefaultThatASetUpMadeStaysAsItIs(t *testing.T) {
	w := newWorks(t, "")
	if _, err := w.setUp(w.wish()); err != nil || !strings.Contains(w.added(), "channels: [chat/ops]") {
		t.Fatalf("%v\n%s", err, w.added())
	}
	w.mm.AddChannel("db")
	again := w.wish()
	again.Channels = []string{"db", "ops"}
	if end, err := w.setUp(again); err != nil || !strings.Contains(w.added(), "channels: [chat/ops]") || !strings.Contains(strings.Join(end.Said, ""), "No route leads to chat/db") {
		t.Errorf("%+v, %v\n%s", end, err, w.added())
	}
	if end, err := w.remove(); err != nil || end.Left != 0 || w.added() != "" {
		t.Errorf("%+v, %v\n%s", end, err, w.added())
	}
	if _, ok := w.find(); ok || w.mm.Knows("belfry") {
		t.Error("something is left")
	}
}

// unvouched is the wish for a connection by HTTPS, with a certificate that nobody
// vouches for, and that certificate.
func (w *works) unvouched(t *testing.T) (web.Wish, []byte) {
	t.Helper()
	h, err := w.mm.HTTPS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	wish := w.wish()
	wish.URL = h.URL
	return wish, h.Certificate
}

// TestThePagesReachAServerAsItsConnectionDoes: what a connection leaves
// unchecked is not checked when it is connected, shown, changed or disconnected.
func TestThePagesReachAServerAsItsConnectionDoes(t *testing.T) {
	w := newWorks(t, "default: {channels: [room/alerts]}\n")
	wish, _ := w.unvouched(t)
	if _, err := w.SetUp(t.Context(), wish, w.token()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	wish.Insecure = true
	if end, err := w.setUp(wish); err != nil || end.Left != 0 || !strings.Contains(w.added(), "insecure: true") {
		t.Fatalf("%+v, %v\n%s", end, err, w.added())
	}
	if c, _ := w.find(); c.Wish == nil || !c.Wish.Insecure || len(c.Traits) == 0 || !c.Traits[0].Warning {
		t.Errorf("the page shows %+v", c)
	}
	s, err := w.Removal(t.Context(), web.Removal{Name: "chat", By: "anna", Token: w.token()})
	if err != nil {
		t.Fatal(err)
	}
	if first := s.Plan().Steps[0]; first.Verb != "note" || first.Text != setup.SayInsecure {
		t.Errorf("the plan begins with %+v", first)
	}
	s.Close()
	if end, err := w.remove(); err != nil || end.Left != 0 || w.added() != "" || w.mm.Knows("belfry") {
		t.Errorf("%+v, %v\n%s", end, err, w.added())
	}
}

// TestACertificateInsteadOfNone: an administrator who names the CA later is not
// left with a connection that is still unchecked, or at fault.
func TestACertificateInsteadOfNone(t *testing.T) {
	w := newWorks(t, "default: {channels: [room/alerts]}\n")
	wish, certificate := w.unvouched(t)
	wish.Insecure = true
	if _, err := w.setUp(wish); err != nil {
		t.Fatal(err)
	}
	wish.Insecure, wish.CAFile = false, filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(wish.CAFile, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	if end, err := w.setUp(wish); err != nil || end.Left != 0 {
		t.Fatalf("%+v, %v\n%s", end, err, w.added())
	}
	if c, _ := w.find(); c.Wish == nil || c.Wish.Insecure || c.Wish.CAFile != wish.CAFile {
		t.Errorf("the page shows %+v from\n%s", c.Wish, w.added())
	}
}

func TestWhatTheConfigurationNeedsIsNotRemoved(t *testing.T) {
	w := newWorks(t, "default: {channels: [room/alerts]}\n")
	if _, err := w.setUp(w.wish()); err != nil {
		t.Fatal(err)
	}
	w.write("routes: [{match: 'team=\"db\"', channels: [chat/ops]}]\ndefault: {channels: [room/alerts]}\n")
	_, err := w.remove()
	if err == nil || !strings.Contains(err.Error(), "nothing was undone") || !strings.Contains(err.Error(), w.main+":1:") {
		t.Errorf("%v", err)
	}
	if w.added() == "" || !w.mm.Knows("belfry") {
		t.Error("it was undone all the same")
	}
}

// TestAFaultElsewhereLeavesEverythingAsItWas: a file that made the next start
// impossible must not stay.
func TestAFaultElsewhereLeavesEverythingAsItWas(t *testing.T) {
	w := newWorks(t, "")
	w.write("conections: []\n")
	_, err := w.setUp(w.wish())
	if err == nil || !strings.Contains(err.Error(), "stays as it was") || !strings.Contains(err.Error(), "conections") {
		t.Errorf("%v", err)
	}
	if w.added() != "" {
		t.Errorf("a file was left:\n%s", w.added())
	}
	w.write("")
	if _, err := w.setUp(w.wish()); err != nil || w.added() == "" {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhatTheFileOwnsIsNotChangedOnThePages(t *testing.T) {
	w := newWorks(t, "connections: [{name: chat, kind: mattermost, url: 'https://chat.example.org', token: x, team: t}]\ndefault: {channels: [chat/ops]}\n")
	if _, err := w.SetUp(t.Context(), w.wish(), w.token()); err == nil || !strings.Contains(err.Error(), "configuration file") {
		t.Errorf("%v", err)
	}
	if c, ok := w.find(); !ok || c.Added || c.Made {
		t.Errorf("the page shows %+v", c)
	}
	for _, c := range []struct {
		change func(*web.Wish)
		want   string
	}{
		{func(w *web.Wish) { w.Name = "../x" }, "name"}, {func(w *web.Wish) { w.Channels = nil }, "channel"},
		{func(w *web.Wish) { w.URL = "x" }, "url"}, {func(w *web.Wish) { w.Bot = "B" }, "bot"}, {func(w *web.Wish) { w.Team = "nowhere" }, "team"},
	} {
		wish := w.wish()
		wish.Name = "other"
		c.change(&wish)
		if _, err := w.SetUp(t.Context(), wish, w.token()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", wish, err)
		}
	}
	if _, err := w.Removal(t.Context(), web.Removal{Name: "nowhere", Token: w.token()}); err == nil {
		t.Error("what is not there can be removed")
	}
}
