// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func file(t *testing.T, text string) *config.File {
	t.Helper()
	f, problems := config.Load("test.yaml", []byte(text), app.Kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	f.Server.Listen = "127.0.0.1:0"
	return f
}

func start(t *testing.T, f *config.File, dir string) *app.App {
	t.Helper()
	a, err := app.Start(t.Context(), app.Options{File: f, Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}

const empty = "server: {}\n"

func TestItStartsAndStopsAgainAndAgain(t *testing.T) {
	dir := t.TempDir()
	var key []byte
	for i := range 3 {
		a := start(t, file(t, empty), dir)
		r, err := http.Get("http://" + a.Address() + "/readyz")
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("not ready: %v %v", r, err)
		}
		_ = r.Body.Close()
		stop(t, a)
		now, err := os.ReadFile(filepath.Join(dir, "belfry.key"))
		if err != nil || i > 0 && string(now) != string(key) {
			t.Fatalf("the key changed at a start: %v", err)
		}
		key = now
	}
}

func TestASecondOneOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	a := start(t, file(t, empty), dir)
	defer stop(t, a)
	if _, err := app.Start(t.Context(), app.Options{File: file(t, empty), Data: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	if r, err := http.Get("http://" + a.Address() + "/livez"); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("the first one was harmed: %v", err)
	} else {
		_ = r.Body.Close()
	}
}

func TestADamagedKeyIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "belfry.key")
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Start(t.Context(), app.Options{File: file(t, empty), Data: dir}); err == nil || !strings.Contains(err.Error(), "damaged") || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "nonsense" {
		t.Error("the key file was written over")
	}
}

func TestAFileThatIsNoSocketIsNotRemoved(t *testing.T) {
	dir := t.TempDir()
	f := file(t, empty)
	f.Server.Socket = filepath.Join(dir, "precious")
	if err := os.WriteFile(f.Server.Socket, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Start(t.Context(), app.Options{File: f, Data: dir}); err == nil {
		t.Error("it started over a file")
	}
	if b, err := os.ReadFile(f.Server.Socket); err != nil || string(b) != "x" {
		t.Error("the file is gone")
	}
}

func problem(host string) []alert.Report {
	return []alert.Report{{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindHost, Host: host}, State: "DOWN", Severity: alert.SeverityCritical, Output: host + " is gone"}}
}

func TestAReloadMovesRoutesAndConnectionsAndAFaultChangesNothing(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("first")
	m.AddChannel("second")
	text := func(channel string) string {
		return "connections: [{name: chat, kind: mattermost, url: \"" + m.URL() + "\", token: \"" + m.Token() + "\", team: " + mattermosttest.Team + "}]\n" +
			"default: {channels: [chat/" + channel + "]}\n"
	}
	a := start(t, file(t, text("first")), opentest.Dir(t))
	defer stop(t, a)
	report := a.Report("nagios")
	if err := report(t.Context(), problem("one")); err != nil {
		t.Fatal(err)
	}
	m.Room("first").WaitCard("one is gone")
	if err := a.Reload(file(t, text("second"))); err != nil {
		t.Fatal(err)
	}
	if err := report(t.Context(), problem("two")); err != nil {
		t.Fatal(err)
	}
	m.Room("second").WaitCard("two is gone")

	broken := file(t, text("first"))
	broken.Sources = append(broken.Sources, config.Source{Name: "x", Kind: "nosuch"})
	if err := a.Reload(broken); err == nil {
		t.Error("a fault was not told")
	}
	if err := report(t.Context(), problem("three")); err != nil {
		t.Fatal(err)
	}
	m.Room("second").WaitCard("three is gone")
	if n := len(m.Room("first").Cards()); n != 1 {
		t.Errorf("%d cards in the first channel, want 1", n)
	}
}

func TestAReloadMovesTheRoomsChannelsAndTellsWhatNeedsAStart(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	text := "connections: [{name: room, kind: console, channels: [%s]}]\ndefault: {channels: [room/%[1]s]}\n"
	a, err := app.Start(t.Context(), app.Options{File: file(t, fmt.Sprintf(text, "one")), Data: opentest.Dir(t), Log: log, DemoKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	next := file(t, fmt.Sprintf(text, "two"))
	next.Server.TimeZone = "Europe/Berlin"
	if err := a.Reload(next); err != nil || said.Len() > 0 {
		t.Fatalf("%v, %s", err, &said)
	}
	if err := a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	if page := waitPage(t, a, "two", "web01 is gone"); strings.Contains(page, "channel=one") {
		t.Error("the room still has the channel that was taken away")
	}
	next.Server.Listen = "127.0.0.1:1"
	if err := a.Reload(next); err != nil || !strings.Contains(said.String(), "listen") || strings.Contains(said.String(), "time_zone") {
		t.Errorf("%v, said %s", err, &said)
	}
}

// waitPage signs in by the demo's key and waits until a channel shows a text.
func waitPage(t *testing.T, a *app.App, channel, text string) string {
	t.Helper()
	client := browser(t)
	get := func(path string) string { return textOf(t)(client.Get(a.URL() + path)) }
	get("/demo?key=k")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		page := get("/?channel=" + channel)
		if strings.Contains(page, text) {
			return page
		}
		if time.Now().After(end) {
			t.Fatalf("#%s never showed %q: %s", channel, text, page)
		}
	}
}

func TestAReloadWhileItStops(t *testing.T) {
	f := file(t, empty)
	a := start(t, f, opentest.Dir(t))
	done := make(chan error)
	go func() {
		var err error
		for range 50 {
			err = a.Reload(f)
		}
		done <- err
	}()
	stop(t, a)
	<-done
	if err := a.Reload(f); err == nil {
		t.Error("a server that has stopped read its configuration again")
	}
}

func TestTwoSourcesWithOneTokenAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("abcdefghijklmnopqrst\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := file(t, "sources: [{name: a, kind: nagios, token_file: "+path+"}, {name: b, kind: alertmanager, token_file: "+path+"}]\n")
	a, err := app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t)})
	if err == nil {
		stop(t, a)
	}
	if err == nil || !strings.Contains(err.Error(), "a and b have the same token") || strings.Contains(err.Error(), "abcdef") {
		t.Errorf("got %v", err)
	}
}

func TestWhatBelongsToAConnectionThatIsGoneWaitsUntilItIsBack(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	with := "connections: [{name: chat, kind: mattermost, url: \"" + m.URL() + "\", token: \"" + m.Token() + "\", team: " + mattermosttest.Team + "}]\ndefault: {channels: [chat/ops]}\n"
	dir := opentest.Dir(t)
	a := start(t, file(t, with), dir)
	m.Stop()
	if err := a.Report("nagios")(t.Context(), problem("one")); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(config.Default(app.Kinds())); err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	m.Restart()
	a = start(t, file(t, empty), dir)
	time.Sleep(50 * time.Millisecond)
	if n := m.PostsIn("ops"); n != 0 {
		t.Errorf("%d posts from a connection that is not configured", n)
	}
	if err := a.Reload(file(t, with)); err != nil {
		t.Fatal(err)
	}
	m.Room("ops").WaitCard("one is gone")
	stop(t, a)
}

func TestAnAddressThatIsTakenIsToldWithTheOptionForAnother(t *testing.T) {
	a := start(t, file(t, empty), opentest.Dir(t))
	defer stop(t, a)
	f := file(t, empty)
	f.Server.Listen = a.Address()
	_, err := app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t)})
	if err == nil || !strings.Contains(err.Error(), "another program listens on "+a.Address()) || !strings.Contains(err.Error(), "--listen 127.0.0.1:9000") {
		t.Error(err)
	}
}
