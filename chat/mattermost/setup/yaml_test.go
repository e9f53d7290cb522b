// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/mattermost/setup"
)

func entry(t testing.TB) setup.Entry {
	t.Helper()
	w := setup.Wish{URL: "https://chat.example.org", Team: mattermosttest.Team, Channels: []string{"ops"}, Connection: "chat", Bot: "belfry",
		PublicURL: "https://belfry.example.org", CallbackURL: "https://belfry.example.org/chat/chat", Data: "/var/lib/belfry"}
	s, err := setup.Open(w, "x", setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := s.Entry()
	e.PublicURL = w.PublicURL
	return e
}

const item = `  - name: chat
    kind: mattermost
    url: https://chat.example.org
    team: ops-team
    token_file: /var/lib/belfry/mattermost-chat.token
`

func TestAConnectionIsWrittenAndNothingElseTouched(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"an empty file":  {"", "server:\n  public_url: https://belfry.example.org\nconnections:\n" + item + "default:\n  channels: [chat/ops]\n"},
		"only a comment": {"# ours", "# ours\n\nserver:\n  public_url: https://belfry.example.org\nconnections:\n" + item + "default:\n  channels: [chat/ops]\n"},
		"no connections": {"server: # here\n  public_url: http://x\ndefault: {channels: [room/alerts]}", "server: # here\n  public_url: http://x\ndefault: {channels: [room/alerts]}\n\nconnections:\n" + item},
		"no public URL":  {"server:\n    listen: :80\ndefault: {channels: [room/a]}\n", "server:\n    public_url: https://belfry.example.org\n    listen: :80\ndefault: {channels: [room/a]}\n\nconnections:\n" + item},
		"another before it": {
			"server: {public_url: http://x}\nconnections:\n  # the room\n  - name: room\n    kind: console # built in\n\n# routes follow\nroutes: []\ndefault: {channels: [room/a]}\n",
			"server: {public_url: http://x}\nconnections:\n  # the room\n  - name: room\n    kind: console # built in\n" + item + "\n# routes follow\nroutes: []\ndefault: {channels: [room/a]}\n",
		},
		"one that moved": {
			"server:\n  public_url: http://x\nconnections:\n- name: chat\n  kind: mattermost\n  url: 'http://old'   # the old one\n  team: ops-team\n  # kept\n  timeout: 3s\ndefault: {channels: [chat/ops]}\n",
			"server:\n  public_url: http://x\nconnections:\n- name: chat\n  token_file: /var/lib/belfry/mattermost-chat.token\n  kind: mattermost\n  url: https://chat.example.org   # the old one\n  team: ops-team\n  # kept\n  timeout: 3s\ndefault: {channels: [chat/ops]}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := entry(t)
			if strings.Contains(c.old, "{public_url") {
				e.PublicURL = ""
			}
			got, err := e.Merge([]byte(c.old))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
			again, err := e.Merge(got)
			if err != nil || string(again) != string(got) {
				t.Errorf("a second time it is changed: %v\n%s", err, cmp.Diff(string(got), string(again)))
			}
		})
	}
}

func TestWhatCantBeEditedIsLeftAlone(t *testing.T) {
	for _, old := range []string{
		"connections: [{name: chat, kind: mattermost}]\n",
		"connections:\n  - {name: chat, url: http://x}\n",
		"connections:\n  - name: chat\n    url: >-\n      http://x\n",
		"connections: {}\n", "- a\n", "connections:\n", "{connections: []}", "server: [",
	} {
		if got, err := entry(t).Merge([]byte(old)); err == nil {
			t.Errorf("%q became %q", old, got)
		}
	}
}

// FuzzMerge wants a file that is taken to stay readable, to lose no
// line, and to be left alone the second time.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{"", "# x", "server:\n  listen: :1\n", "connections:\n  - name: chat\n    url: 'x'\n", "connections:\n- name: a\n\n# b\nroutes: []", "a: |\n  b\n...\n", "\u00fc: \"\u20ac\"\nconnections:\n  -  name:  chat # \u00e4\n"} {
		f.Add(seed)
	}
	e := entry(f)
	f.Fuzz(func(t *testing.T, old string) {
		got, err := e.Merge([]byte(old))
		if err != nil {
			return
		}
		if strings.Count(string(got), "\n") < strings.Count(old, "\n") {
			t.Errorf("%q lost lines: %q", old, got)
		}
		if again, err := e.Merge(got); err == nil && string(again) != string(got) {
			t.Errorf("%q: a second time %q becomes %q", old, got, again)
		}
	})
}
