// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/pkg/labels"

	"belfry/alert"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/route"
)

var update = flag.Bool("update", false, "write the golden files anew")

// chatSpec has a field of every type that a spec may have.
type chatSpec struct {
	URL       string            `yaml:"url"`
	Token     config.Secret     `yaml:"token"`
	Secure    bool              `yaml:"secure"`
	Port      int               `yaml:"port"`
	Small     uint8             `yaml:"small"`
	Rate      float64           `yaml:"rate"`
	Timeout   time.Duration     `yaml:"timeout"`
	Channels  []string          `yaml:"channels"`
	Ports     []int             `yaml:"ports"`
	Headers   map[string]string `yaml:"headers"`
	TLS       *tlsSpec          `yaml:"tls"`
	Maybe     *int              `yaml:"maybe,omitempty"`
	More      retrySpec         `yaml:",inline"`
	Forbidden string            `yaml:"-"`
}

type tlsSpec struct {
	CAFile string `yaml:"ca_file"`
	Verify *bool  `yaml:"verify"`
}

type retrySpec struct {
	Retries int32 `yaml:"retries"`
}

func (s *chatSpec) Validate() []error {
	var wrong []error
	if s.URL == "" {
		wrong = append(wrong, config.Wrong("url", "is missing; write it like https://chat.example.org"))
	}
	if s.Port == 13 {
		wrong = append(wrong, config.Wrong("port", "13 is not a port for this; take 443"))
	}
	if s.TLS != nil && s.TLS.CAFile == "bad" {
		wrong = append(wrong, config.Wrong("tls.ca_file", "there is no file bad"))
	}
	for i, c := range s.Channels {
		if c == "bad" {
			wrong = append(wrong, config.Wrong("channels", "entry %d is bad", i+1))
		}
	}
	if s.URL == "both" && s.Rate > 0 {
		wrong = append(wrong, errors.New("url both and rate don't go together"))
	}
	return wrong
}

// oauthSpec is a kind by which accounts can be linked.
type oauthSpec struct {
	OAuth bool `yaml:"oauth"`
}

func (*oauthSpec) Validate() []error { return nil }

func (s *oauthSpec) Links() bool { return s.OAuth }

type nagiosSpec struct {
	Pipe string `yaml:"command_pipe"`
}

func (*nagiosSpec) Validate() []error { return nil }

type roomSpec struct {
	Channels []string `yaml:"channels"`
}

func (*roomSpec) Validate() []error { return nil }

// saySpec is an answer without keys of its own.
type saySpec struct{}

func (*saySpec) Validate() []error { return nil }

func kinds() config.Kinds {
	return config.Kinds{
		Connections: map[string]func() config.Spec{
			"mattermost": func() config.Spec { return new(chatSpec) },
			"console":    func() config.Spec { return new(roomSpec) },
			"accounts":   func() config.Spec { return new(oauthSpec) },
		},
		Sources: map[string]func() config.Spec{
			"nagios":       func() config.Spec { return new(nagiosSpec) },
			"alertmanager": func() config.Spec { return new(nagiosSpec) },
		},
		Answers: map[string]func() config.Spec{"say": func() config.Spec { return new(saySpec) }},
	}
}

const whole = `
server:
  listen: ":9000"
  public_url: https://belfry.example.org
  data: /var/lib/belfry
  database: postgres://belfry@db/belfry
  retention: 30d
  time_zone: UTC
connections:
  - name: chat
    kind: mattermost
    url: https://chat.example.org
    token: 12345678901234567890123
    secure: true
    port: 443
    small: 255
    rate: 0.5
    timeout: 1h30m
    channels: one
    ports: [1, -2]
    headers: {X-A: "1", X-B: two}
    tls: {ca_file: /ca.pem, verify: false}
    maybe: 0
    retries: 3
sources:
  - {name: nagios, kind: nagios, token: 0123456789abcdef, command_pipe: /nagios.cmd}
  - name: am
    kind: alertmanager
    token_file: /etc/belfry/am.token
routes:
  - match: severity="critical", team=~"db.*"
    channels: [chat/ops, room/alerts]
    mentions: [oncall]
    continue: true
  - name: network
    match: ['kind="host"', rule!=""]
    channels: chat/net
  - match: team="loud"
    channels:
      - chat/ops
      - {channel: chat/oncall, priority: urgent, mentions: [here], request_ack: true}
      - {channel: room/quiet, priority: standard, mentions: []}
    mentions: dba
    priority: important
default:
  channels: [room/alerts]
  mentions: [here]
`

func target(conn, channel string) route.Target {
	return route.Target{Connection: conn, Channel: channel}
}

func TestLoadTakesEverything(t *testing.T) {
	got, problems := config.Load("belfry.yaml", []byte(whole), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	zero, no := 0, false
	matchers := func(s string) route.Matchers {
		m, err := route.ParseMatchers(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	want := &config.File{
		Server: config.Server{Listen: ":9000", PublicURL: "https://belfry.example.org", Data: "/var/lib/belfry",
			Database: "postgres://belfry@db/belfry", Retention: 30 * 24 * time.Hour, TimeZone: "UTC"},
		Connections: []config.Connection{
			{Name: "room", Kind: "console", Spec: &roomSpec{}},
			{Name: "chat", Kind: "mattermost", Line: 10, Spec: &chatSpec{
				URL: "https://chat.example.org", Token: "12345678901234567890123", Secure: true, Port: 443, Small: 255, Rate: 0.5,
				Timeout: 90 * time.Minute, Channels: []string{"one"}, Ports: []int{1, -2},
				Headers: map[string]string{"X-A": "1", "X-B": "two"}, TLS: &tlsSpec{CAFile: "/ca.pem", Verify: &no}, Maybe: &zero, More: retrySpec{3}}},
		},
		Sources: []config.Source{
			{Name: "nagios", Kind: "nagios", Token: "0123456789abcdef", Spec: &nagiosSpec{Pipe: "/nagios.cmd"}, Line: 26},
			{Name: "am", Kind: "alertmanager", TokenFile: "/etc/belfry/am.token", Spec: &nagiosSpec{}, Line: 27},
		},
		Routes: []route.Route{
			{Name: "route 1", Matchers: matchers(`severity="critical",team=~"db.*"`), Continue: true,
				Channels: []route.Target{target("chat", "ops"), target("room", "alerts")},
				Rings:    []alert.Ring{{Mentions: []string{"oncall"}}, {Mentions: []string{"oncall"}}}},
			{Name: "network", Matchers: matchers(`kind="host",rule!=""`), Channels: []route.Target{target("chat", "net")}},
			{Name: "route 3", Matchers: matchers(`team="loud"`),
				Channels: []route.Target{target("chat", "ops"), target("chat", "oncall"), target("room", "quiet")},
				Rings: []alert.Ring{{Mentions: []string{"dba"}, Priority: alert.PriorityImportant},
					{Mentions: []string{"here"}, Priority: alert.PriorityUrgent, RequestAck: true}, {}}},
		},
		Default:    route.Route{Name: "default", Channels: []route.Target{target("room", "alerts")}, Rings: []alert.Ring{{Mentions: []string{"here"}}}},
		HasDefault: true,
		Incidents:  config.Default(kinds()).Incidents,
	}
	sameMatcher := cmp.Comparer(func(a, b *labels.Matcher) bool { return a.String() == b.String() })
	// Secret prints as (secret): compare what it holds.
	reveal := cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, got, sameMatcher, reveal); diff != "" {
		t.Error(diff)
	}
	if _, err := route.New(got.Routes, got.Default); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{"12345678901234567890123", "0123456789abcdef", "postgres://belfry@db/belfry"} {
		secrettest.Check(t, secret, got, *got, got.Connections, got.Connections[1].Spec, got.Sources, got.Server)
	}
}

func TestNothingIsNeeded(t *testing.T) {
	for name, text := range map[string]string{
		"an empty file": "", "a comment": "# nothing\n", "a document mark": "---\n", "null": "~\n", "one setting": "server: {listen: ':1'}\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := config.Load("f", []byte(text), kinds())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			want := config.Default(kinds())
			want.Server.Listen = got.Server.Listen
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	d := config.Default(kinds())
	if faults := d.Server.Validate(); len(faults) > 0 {
		t.Error("the defaults don't pass:", faults)
	}
	if d.Server.Listen != "127.0.0.1:8080" || d.Server.Data != "./belfry-data" || d.Server.Database != "" ||
		d.Sources[0].Token != "" || d.Sources[0].Spec == nil || d.Connections[0].Name != config.RoomName {
		t.Errorf("the defaults are %+v", d)
	}
	if _, err := route.New(d.Routes, d.Default); err != nil {
		t.Error(err)
	}
}

func TestTheRoomCanBeConfigured(t *testing.T) {
	got, problems := config.Load("f", []byte("connections: [{name: room, kind: console, channels: [ops]}]\ndefault: {channels: [room/ops]}\n"), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []config.Connection{{Name: "room", Kind: "console", Spec: &roomSpec{Channels: []string{"ops"}}, Line: 1}}
	if diff := cmp.Diff(want, got.Connections); diff != "" {
		t.Error(diff)
	}
}

// TestFaults loads every testdata/*.yaml and compares all that is told with the
// golden file beside it.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			file, problems := config.Load(filepath.Base(path), data, kinds())
			if len(problems) == 0 || file != nil {
				t.Fatalf("no faults were found; file %v", file)
			}
			got := problems.Error() + "\n"
			for _, secret := range []string{"SECRET-in-the-file-0001", "SECRETPASSWORD"} {
				secrettest.Check(t, secret, problems, got)
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; go test ./config -update writes it", err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (look at it; go test ./config -update takes it over):\n%s", golden, diff)
			}
		})
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "belfry.yaml")
	if _, problems := config.LoadFile(path, kinds()); len(problems) != 1 || !strings.Contains(problems.Error(), "no such file") {
		t.Errorf("a missing file: %v", problems)
	}
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, problems := config.LoadFile(path, kinds()); len(problems) > 0 || f.Server.Listen != ":9000" {
		t.Errorf("%v %v", f, problems)
	}
	if err := os.WriteFile(path, []byte("a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := config.LoadFile(path, kinds())
	if want := path + ":1: unknown key \"a\"; known are answers, connections, default, incidents, routes, server, sources"; problems.Error() != want {
		t.Errorf("got  %s\nwant %s", problems.Error(), want)
	}
}

func TestOverride(t *testing.T) {
	s := config.Default(kinds()).Server
	s.PublicURL = "https://from-the-file.example.org"
	s.Override(func(name string) string {
		return map[string]string{"BELFRY_LISTEN": ":1", "BELFRY_DATA": "/d", "BELFRY_DATABASE": "postgres://x"}[name]
	})
	want := config.Server{Listen: ":1", Data: "/d", Database: "postgres://x", Retention: 90 * 24 * time.Hour, PublicURL: s.PublicURL}
	if !cmp.Equal(s, want) {
		t.Errorf("got %+v", s)
	}
	s.Override(func(name string) string { return map[string]string{"BELFRY_PUBLIC_URL": "ftp://x"}[name] })
	if faults := s.Validate(); len(faults) != 1 || !strings.Contains(faults[0].Error(), `public_url: "ftp://x" is not an http or https URL`) {
		t.Errorf("faults %v", faults)
	}
}

func TestServerHidesThePassword(t *testing.T) {
	const secret = "SECRETPASSWORD"
	for _, dsn := range []string{"mysql://u:" + secret + "@h/d", "postgres://u:" + secret + "@h/d", "postgres://u:" + secret + "@%zz"} {
		s := config.Default(kinds()).Server
		s.Database = config.Secret(dsn)
		secrettest.Check(t, secret, s, errors.Join(s.Validate()...))
	}
	s := config.Default(kinds()).Server
	s.PublicURL = "https://u:" + secret + "@example.org"
	if faults := s.Validate(); len(faults) != 1 {
		t.Error("a password in the public URL was taken", faults)
	} else {
		secrettest.Check(t, secret, faults[0])
	}
}

func TestLocation(t *testing.T) {
	for zone, want := range map[string]*time.Location{"": time.Local, "UTC": time.UTC, "No/Where": time.Local} {
		if got := (&config.Server{TimeZone: zone}).Location(); got != want {
			t.Errorf("%q: %v, want %v", zone, got, want)
		}
	}
}
