// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
