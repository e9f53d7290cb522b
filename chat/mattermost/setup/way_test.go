// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/chat/mattermost"
	"belfry/chat/mattermost/setup"
	"belfry/config"
)

// overHTTPS has the wish's server reached by HTTPS with a certificate that
// nobody vouches for, and returns a file with it.
func (s *scene) overHTTPS() (caFile string) {
	s.t.Helper()
	h, err := s.mm.HTTPS()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(h.Close)
	s.wish.URL = h.URL
	caFile = filepath.Join(s.t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, h.Certificate, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return caFile
}

// undo undoes the set-up by way of a connection as it is configured.
func (s *scene) undo(c *mattermost.Config) (warning string, err error) {
	s.t.Helper()
	r, err := setup.Undo(setup.Wish{Connection: s.wish.Connection, Data: s.wish.Data}.ReachedAs(c))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	left, err := r.Run(s.t.Context(), config.Secret(s.mm.UserToken(s.as)), func(string, error) {})
	if err == nil && left > 0 {
		s.t.Errorf("%d steps are left", left)
	}
	return r.Warning(), err
}

// TestAServerIsReachedAsItsConnectionIs: set-up and removal check the
// certificate exactly where the connection does.
func TestAServerIsReachedAsItsConnectionIs(t *testing.T) {
	for name, c := range map[string]struct {
		wish    func(w *setup.Wish, ca string)
		entry   string
		warning bool
	}{
		"unchecked":  {func(w *setup.Wish, _ string) { w.Insecure = true }, "    insecure: true\n", true},
		"by a CA":    {func(w *setup.Wish, ca string) { w.CAFile = ca }, "    ca_file: ", false},
		"not at all": {func(*setup.Wish, string) {}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			ca := s.overHTTPS()
			c.wish(&s.wish, ca)
			made, err := setup.Open(s.wish, config.Secret(s.mm.UserToken(s.as)), setup.Options{Lookup: lookup})
			if err != nil {
				t.Fatal(err)
			}
			defer made.Close()
			if c.entry == "" {
				if _, err := made.Plan(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
					t.Errorf("a certificate that nobody vouches for: %v", err)
				}
				return
			}
			if _, _, text := s.plan(); strings.Contains(text, setup.SayInsecure) != c.warning {
				t.Errorf("the plan:\n%s", text)
			}
			s.finish()
			if block := made.Entry().Block(); !strings.Contains(block, c.entry) {
				t.Errorf("no %q in\n%s", c.entry, block)
			}
			as := &mattermost.Config{URL: s.wish.URL, CAFile: s.wish.CAFile, Insecure: s.wish.Insecure}
			if warning, err := s.undo(as); err != nil || (warning == setup.SayInsecure) != c.warning {
				t.Errorf("%q, %v", warning, err)
			}
			if s.mm.Knows("belfry") {
				t.Error("the bot is left")
			}
		})
	}
}

func TestAServerIsNotReachedInTwoWays(t *testing.T) {
	s := fresh(t)
	s.wish.CAFile, s.wish.Insecure = s.overHTTPS(), true
	if _, err := setup.Open(s.wish, "x", setup.Options{}); err == nil || !strings.Contains(err.Error(), "insecure: is given beside ca_file") {
		t.Errorf("%v", err)
	}
}

// TestWhatIsUncheckedIsThatConnectionsServerAlone: a connection that leads
// elsewhere by now opens no way to the server that it led to before.
func TestWhatIsUncheckedIsThatConnectionsServerAlone(t *testing.T) {
	s := fresh(t)
	s.overHTTPS()
	s.wish.Insecure = true
	s.finish()
	elsewhere := &mattermost.Config{URL: "https://chat.example.org", Insecure: true}
	if warning, err := s.undo(elsewhere); err == nil || !strings.Contains(err.Error(), "certificate") || warning != "" {
		t.Errorf("%q, %v", warning, err)
	}
	if w := (setup.Wish{URL: s.wish.URL}).ReachedAs(elsewhere); w.Insecure {
		t.Error("another server's certificate would not be checked")
	}
	here := &mattermost.Config{URL: s.wish.URL + "/", Insecure: true, Proxy: "http://proxy.example.org:3128"}
	if w := (setup.Wish{URL: s.wish.URL}).ReachedAs(here); !w.Insecure || w.Proxy != here.Proxy {
		t.Errorf("%+v", w)
	}
}

// TestAConnectionsWayIsChangedInItsEntry: what is not wanted any more goes, and
// nothing is written that was not said.
func TestAConnectionsWayIsChangedInItsEntry(t *testing.T) {
	const head = "connections:\n- name: chat\n  kind: mattermost\n  url: https://chat.example.org\n  team: ops-team\n  token_file: /var/lib/belfry/mattermost-chat.token\n"
	for name, c := range map[string]struct {
		wish      setup.Wish
		old, want string
	}{
		"a CA instead of nothing":  {setup.Wish{CAFile: "/ca.pem"}, "  insecure: true # for now\n", "  insecure: false # for now\n"},
		"nothing instead of a CA":  {setup.Wish{Insecure: true}, "  ca_file: /ca.pem\n", "  ca_file: \"\"\n"},
		"no proxy any more":        {setup.Wish{}, "  proxy: http://proxy.example.org:3128\n", "  proxy: \"\"\n"},
		"what says nothing stays":  {setup.Wish{}, "  proxy:\n  ca_file: ''\n  insecure: false\n", "  proxy:\n  ca_file: ''\n  insecure: false\n"},
		"and what is said already": {setup.Wish{Insecure: true}, "  insecure: true\n", "  insecure: true\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.wish
			w.URL, w.Team, w.Connection, w.Bot, w.Data = "https://chat.example.org", "ops-team", "chat", "belfry", "/var/lib/belfry"
			w.PublicURL, w.CallbackURL = "https://belfry.example.org", "https://belfry.example.org/chat/chat"
			if w.CAFile != "" {
				w.CAFile = fresh(t).overHTTPS()
			}
			made, err := setup.Open(w, "x", setup.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer made.Close()
			got, err := made.Entry().Merge([]byte(head + c.old))
			if err != nil || !strings.Contains(string(got), c.want) {
				t.Errorf("%v\n%s", err, got)
			}
			if c.old == c.want && string(got) != head+c.old {
				t.Errorf("something else was written:\n%s", got)
			}
		})
	}
}
