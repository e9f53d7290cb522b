// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/web"
)

// TestSlackIsConnectedAndDisconnectedOnThePages: with nothing but what the pages
// ask for, and nothing of it is left afterwards.
func TestSlackIsConnectedAndDisconnectedOnThePages(t *testing.T) {
	s := slacktest.Start(t)
	s.AddChannel("ops")
	l := newLeaver(t, "server: {}\n")
	kept := func() (names []string) {
		for _, pattern := range []string{"slack-*", "conf.d/*.yaml"} {
			list, err := filepath.Glob(filepath.Join(l.data, pattern))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, list...)
		}
		return names
	}
	socket, called, err := l.app.SlackApps("team")
	if err != nil || !strings.HasPrefix(socket, "https://api.slack.com/apps?") || called != "" { // this Belfry has no https
		t.Errorf("%q, %q, %v", socket, called, err)
	}
	wish := web.SlackWish{Name: "team", Channel: "ops", Token: config.Secret(s.Token()), SigningSecret: config.Secret(s.SigningSecret()), URL: s.URL()}
	for _, c := range []struct {
		change func(*web.SlackWish)
		want   string
	}{
		{func(w *web.SlackWish) { w.Name = "../x" }, "name"}, {func(w *web.SlackWish) { w.Channel = "" }, "channel"},
		{func(w *web.SlackWish) { w.SigningSecret = "" }, "signing secret"}, {func(w *web.SlackWish) { w.Token = "xoxp-1-2" }, "token"},
		{func(w *web.SlackWish) { w.Token = "xoxb-0-0-stranger" }, "token"},
	} {
		w := wish
		c.change(&w)
		if err := l.app.ConnectSlack(t.Context(), w); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "stranger") {
			t.Errorf("%q: %v", c.want, err)
		}
	}
	if len(kept()) != 0 {
		t.Errorf("what failed left %v", kept())
	}
	if err := l.app.ConnectSlack(t.Context(), wish); err != nil {
		t.Fatal(err)
	}
	if err := l.app.ConnectSlack(t.Context(), wish); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("once more: %v", err)
	}
	for _, path := range kept() {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	l.restart()
	s.CallAt("http://" + l.app.Address() + "/chat/team")
	l.report("web01")
	card := s.Room("ops").WaitCard("web01 is gone")
	if c, ok := l.connection("team"); !ok || !c.Added || !c.Leaves {
		t.Errorf("the page shows %+v", c)
	}
	_, _, end := l.leave(web.Removal{Name: "team", Archive: true})
	contains(t, strings.Join(end.Said, ""), "is taken off")
	if left := s.Left(); len(left) != 0 || len(kept()) != 0 || !card.Shows("no longer kept") {
		t.Errorf("left %v and %v; %s", left, kept(), card.Text())
	}
	if _, ok := l.connection("team"); ok {
		t.Error("the connection is still there")
	}
	l.kept("team", 0)
}

// TestSlackIsConnectedAgainByTheNameOfOneThatWasDisconnected: that was the file's,
// which was taken out of it then.
func TestSlackIsConnectedAgainByTheNameOfOneThatWasDisconnected(t *testing.T) {
	s := slacktest.Start(t)
	s.AddChannel("ops")
	l := newLeaver(t, fmt.Sprintf("connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]\ndefault: {channels: [room/alerts]}\n", s.URL(), s.Token(), s.SigningSecret()))
	l.leave(web.Removal{Name: "team"})
	l.write("server: {}\n")
	l.reload()
	s = slacktest.Start(t) // the token of the one that was left is revoked
	s.AddChannel("ops")
	if err := l.app.ConnectSlack(t.Context(), web.SlackWish{Name: "team", Channel: "ops", Token: config.Secret(s.Token()), SigningSecret: config.Secret(s.SigningSecret()), URL: s.URL()}); err != nil {
		t.Fatal(err)
	}
	if c, ok := l.connection("team"); !ok || c.Left != "" {
		t.Errorf("the page shows %+v", c)
	}
	l.report("web01")
	s.Room("ops").WaitCard("web01 is gone")
}

// meeting is a way to a Slack on which the first questions wait until there are
// as many as people, so that all of them are under way at once.
func meeting(t *testing.T, to string, people int) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	out := &http.Transport{}
	next := &httputil.ReverseProxy{Transport: out, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var came atomic.Int32
	all := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "auth.test") && int(came.Add(1)) == people {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); out.CloseIdleConnections() })
	return s.URL
}

// TestTwoConnectSlackByOneName: one of them does, and keeps the secrets that they
// gave; the other is told, and takes nothing away.
func TestTwoConnectSlackByOneName(t *testing.T) {
	s := slacktest.Start(t)
	s.AddChannel("ops")
	l := newLeaver(t, "server: {}\n")
	wish := web.SlackWish{Name: "team", Channel: "ops", Token: config.Secret(s.Token()), URL: meeting(t, s.URL(), 2)}
	wishes := []web.SlackWish{wish, wish}
	wishes[0].SigningSecret, wishes[1].AppToken = config.Secret(s.SigningSecret()), config.Secret(s.AppToken())
	errs := make([]error, len(wishes))
	var both sync.WaitGroup
	for i, w := range wishes {
		both.Go(func() { errs[i] = l.app.ConnectSlack(t.Context(), w) })
	}
	both.Wait()
	won := slices.Index(errs, nil)
	if won < 0 || errs[1-won] == nil || !strings.Contains(errs[1-won].Error(), "already") {
		t.Fatalf("they are told %v", errs)
	}
	for name, want := range map[string]config.Secret{"token": wishes[won].Token, "signing-secret": wishes[won].SigningSecret, "app-token": wishes[won].AppToken} {
		b, err := os.ReadFile(filepath.Join(l.data, "slack-team."+name))
		if config.Secret(strings.TrimSpace(string(b))) != want || err != nil && want != "" {
			t.Errorf("the %s of who came first is not what is kept: %v", name, err)
		}
	}
	l.restart()
	if _, ok := l.connection("team"); !ok {
		t.Error("the connection is not there")
	}
}
