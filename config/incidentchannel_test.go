// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/config"
	"belfry/incident"
)

func (s *chatSpec) PostsOnly() bool { return s.Forbidden != "" || s.Port == 7 }

const twoChats = `default: {channels: [room/x]}
connections:
  - {name: chat, kind: mattermost, url: "https://chat.example.org"}
  - {name: hook, kind: mattermost, url: "https://chat.example.org", port: 7}
`

func TestChannelsOfIncidentsAreRead(t *testing.T) {
	f, problems := config.Load("belfry.yaml", []byte(twoChats+`
incidents:
  services: [shop, mail relay]
  channel:
    on: [chat, room]
    name: "{date}-{slug}"
    title: "{severity} {title}"
    topic: "led by {commander}"
    private: [sev1, SEV0]
    rename: false
    pin: false
    links: [page]
    invite:
      declarer: false
      always: [chat/@oncall]
      services: {Mail-Relay: [chat/@post, room/@anna]}
      private: true
    archive: 2d
  posts: {created: false, resolved: false}
`), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := f.Incidents.Settings()
	want := incident.ChannelRules{On: []string{"chat", "room"}, Name: "{date}-{slug}", Title: "{severity} {title}", Topic: "led by {commander}",
		PrivateFor: []string{"SEV1", "SEV0"}, Links: []string{"page"}, Archive: 48 * time.Hour,
		Invite: incident.InviteRules{Roles: true, Always: []string{"chat/@oncall"}, Services: map[string][]string{"mail relay": {"chat/@post", "room/@anna"}}, Private: true}}
	if diff := cmp.Diff(want, s.Channel); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]incident.EntryKind{incident.EntryDeclared, incident.EntryResolved, incident.EntryClosed}, s.Silent); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]incident.ChannelRules{
		"{on: [chat], create: false}":    {},
		"{on: chat, private: always}":    {On: []string{"chat"}, Private: true},
		"{on: [chat], private: never}":   {On: []string{"chat"}},
		"{on: [chat], private: [SEV2]}":  {On: []string{"chat"}, PrivateFor: []string{"SEV2"}},
		"{on: [chat], archive: 0s}":      {On: []string{"chat"}},
		"{on: [chat], archive: 90m}":     {On: []string{"chat"}, Archive: 90 * time.Minute},
		"{on: [chat], links: []}":        {On: []string{"chat"}, Links: []string{}},
		"{on: [chat], invite: {}}":       {On: []string{"chat"}},
		"{on: [chat], topic: \"\"}":      {On: []string{"chat"}},
		"{on: [room], title: in {type}}": {On: []string{"room"}, Title: "in {type}"},
	} {
		f, problems := config.Load("belfry.yaml", []byte(twoChats+"incidents: {channel: "+strings.ReplaceAll(text, "in {type}", `"in {type}"`)+"}\n"), kinds())
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		got := f.Incidents.Settings().Channel
		if diff := cmp.Diff([]any{want.On, want.Private, want.PrivateFor, want.Archive}, []any{got.On, got.Private, got.PrivateFor, got.Archive}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestFaultsInChannelsOfIncidents(t *testing.T) {
	for text, want := range map[string]string{
		"channel:\n    on: [chat, talk]":                                     `belfry.yaml:7: incidents: channel: there is no connection "talk"`,
		"channel:\n    on:\n      - chat\n      - hook":                      `belfry.yaml:9: incidents: channel: the connection "hook" has an incoming webhook alone`,
		"channel:\n    on: [chat, chat]":                                     `belfry.yaml:7: incidents: channel: "chat" is there twice`,
		"channel:\n    name: inc-{nummer}":                                   `belfry.yaml:7: incidents: channel.name: there is no {nummer}; there are {number}`,
		"channel:\n    name: ''":                                             `belfry.yaml:7: incidents: channel.name: a channel needs a name`,
		"channel:\n    topic: led by {captain}":                              `belfry.yaml:7: incidents: channel.topic: there is no {captain}`,
		"channel:\n    title: in {":                                          `belfry.yaml:7: incidents: channel.title: a { or } stands alone`,
		"channel:\n    private: [SEV1, always]":                              `belfry.yaml:7: incidents: channel.private: always stands alone`,
		"channel:\n    private: [often]":                                     `belfry.yaml:7: incidents: channel.private: write always, never, or severities: there is no severity "often"; there are SEV0`,
		"channel:\n    links: [pages]":                                       `belfry.yaml:7: incidents: channel.links: there is no link "pages"`,
		"channel:\n    archive: 10s":                                         `belfry.yaml:7: incidents: channel.archive: at least 1m`,
		"channel:\n    archive: 9000h":                                       `belfry.yaml:7: incidents: channel.archive: at least 0s, which is never, and at most 366d`,
		"channel:\n    archive: 10":                                          `belfry.yaml:7: incidents: channel: archive: "10" has no unit`,
		"channel:\n    invite:\n      always: [anna]":                        `belfry.yaml:8: incidents: channel.invite.always: "anna" won't do: people and groups are written like chat/@handle`,
		"channel:\n    invite:\n      always: [talk/@anna]":                  `belfry.yaml:8: incidents: channel: there is no connection "talk"`,
		"channel:\n    invite:\n      services:\n        door: [chat/@anna]": `belfry.yaml:9: incidents: channel.invite.services.door: no service is configured`,
		"channel:\n    colour: red":                                          `belfry.yaml:7: incidents: channel: unknown key "colour"`,
		"posts:\n    created: perhaps":                                       `belfry.yaml:7: incidents: posts: created: true or false is wanted`,
	} {
		_, problems := config.Load("belfry.yaml", []byte(twoChats+"incidents:\n  "+text+"\n"), kinds())
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), want) {
			t.Errorf("%q\n got %v\nwant %s", text, problems, want)
		}
	}
}
