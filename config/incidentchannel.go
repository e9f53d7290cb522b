// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/incident"

	"go.yaml.in/yaml/v4"
)

// IncidentChannel is how incidents get channels of their own.
type IncidentChannel struct {
	// On are the connections; none: no channels. Create false makes none, whatever
	// else is written.
	On     []string `yaml:"on"`
	Create bool     `yaml:"create"`
	// Name, Title and Topic are templates (incident.Settings.CheckTemplate).
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	Topic string `yaml:"topic"`
	// Private is "always", "never", or the severities whose channels are private.
	Private []string       `yaml:"private"`
	Rename  bool           `yaml:"rename"`
	Pin     bool           `yaml:"pin"`
	Links   []string       `yaml:"links"`
	Invite  IncidentInvite `yaml:"invite"`
	// Archive is how long after its end a channel is archived; 0: never.
	Archive time.Duration `yaml:"archive"`
}

// IncidentInvite says who is brought into an incident's channel.
type IncidentInvite struct {
	Declarer bool `yaml:"declarer"`
	Roles    bool `yaml:"roles"`
	// Always are people and groups as connection/@handle, Services those of a
	// service.
	Always   []string            `yaml:"always"`
	Services map[string][]string `yaml:"services"`
	Private  bool                `yaml:"private"`
}

// IncidentPosts say which steps of an incident's life are told in chat besides
// showing on its cards.
type IncidentPosts struct {
	Created   bool `yaml:"created"`
	Mitigated bool `yaml:"mitigated"`
	Resolved  bool `yaml:"resolved"`
	Cancelled bool `yaml:"cancelled"`
}

// Words for IncidentChannel.Private.
const (
	privateAlways = "always"
	privateNever  = "never"
)

// maxArchive bounds how long after its end a channel may be archived.
const maxArchive = 366 * 24 * time.Hour

func defaultIncidentChannel() IncidentChannel {
	d := incident.DefaultChannelRules()
	return IncidentChannel{Create: true, Name: d.Name, Title: d.Title, Topic: d.Topic, Rename: d.Rename, Pin: d.Pin, Links: d.Links,
		Invite: IncidentInvite{Declarer: d.Invite.Declarer, Roles: d.Invite.Roles}}
}

// rules are the rules of channels as package incident has them.
func (c *IncidentChannel) rules(s *incident.Settings) incident.ChannelRules {
	r := incident.ChannelRules{On: c.On, Name: c.Name, Title: c.Title, Topic: c.Topic, Rename: c.Rename, Pin: c.Pin, Links: c.Links, Archive: c.Archive,
		Invite: incident.InviteRules{Declarer: c.Invite.Declarer, Roles: c.Invite.Roles, Always: c.Invite.Always, Private: c.Invite.Private}}
	if !c.Create {
		r.On = nil
	}
	if slices.Equal(c.Private, []string{privateAlways}) {
		r.Private = true
	} else if !slices.Equal(c.Private, []string{privateNever}) {
		for _, word := range c.Private {
			if v, err := s.FindSeverity(word); err == nil {
				r.PrivateFor = append(r.PrivateFor, v.Name)
			}
		}
	}
	for word, who := range c.Invite.Services {
		if r.Invite.Services == nil {
			r.Invite.Services = map[string][]string{}
		}
		if name, err := s.FindService(word); err == nil {
			r.Invite.Services[name] = who
		}
	}
	return r
}

// silent are the entries that posts leaves untold.
func (p IncidentPosts) silent() (list []incident.EntryKind) {
	for _, x := range []struct {
		on    bool
		kinds []incident.EntryKind
	}{
		{p.Created, []incident.EntryKind{incident.EntryDeclared}}, {p.Mitigated, []incident.EntryKind{incident.EntryMitigated}},
		{p.Resolved, []incident.EntryKind{incident.EntryResolved, incident.EntryClosed}},
		{p.Cancelled, []incident.EntryKind{incident.EntryCancelled, incident.EntryDuplicate}},
	} {
		if !x.on {
			list = append(list, x.kinds...)
		}
	}
	return list
}

// check tells what is wrong with the rules of channels.
func (c *IncidentChannel) check(w *wrongs, s *incident.Settings) {
	d := incident.DefaultChannelRules()
	for _, t := range []struct{ field, text, given string }{{"name", c.Name, d.Name}, {"title", c.Title, d.Title}, {"topic", c.Topic, d.Topic}} {
		if t.text == t.given {
			continue // fits even where there is no commander
		}
		if err := s.CheckTemplate(t.text); err != nil {
			w.add("channel."+t.field, "%v", err)
		}
	}
	if c.Name == "" {
		w.add("channel.name", "a channel needs a name; leave the line out for %s", d.Name)
	}
	for n, word := range c.Private {
		at := fmt.Sprintf("channel.private[%d]", n)
		if word == privateAlways || word == privateNever {
			if len(c.Private) > 1 {
				w.add(at, "%s stands alone, or there are severities", word)
			}
			continue
		}
		if _, err := s.FindSeverity(word); err != nil {
			w.add(at, "write always, never, or severities: %v", err)
		}
	}
	for n, link := range c.Links {
		if !slices.Contains(incident.ChannelLinks(), link) {
			w.add(fmt.Sprintf("channel.links[%d]", n), "there is no link %s; %s", quote(link), did(link, incident.ChannelLinks()))
		}
	}
	if c.Archive < 0 || c.Archive > maxArchive {
		w.add("channel.archive", "at least 0s, which is never, and at most 366d")
	}
	if c.Archive > 0 && c.Archive < time.Minute {
		w.add("channel.archive", "at least 1m, so that people can read the summary; 0s is never")
	}
	c.Invite.check(w, s)
}

func (v *IncidentInvite) check(w *wrongs, s *incident.Settings) {
	w.guests("channel.invite.always", v.Always)
	for _, service := range slices.Sorted(maps.Keys(v.Services)) {
		at := "channel.invite.services." + service
		if strings.ContainsAny(service, ".[") {
			at = "channel.invite.services" // the way to a line has no such names
		}
		if _, err := s.FindService(service); err != nil {
			w.add(at, "%v", err)
		}
		w.guests(at, v.Services[service])
	}
}

// guests checks who is to be invited.
func (w *wrongs) guests(at string, list []string) {
	if len(list) > maxChoices {
		w.add(at, "%d entries are too many; at most %d are taken: name a group", len(list), maxChoices)
	}
	for n, who := range list {
		connection, handle, ok := strings.Cut(who, "/@")
		if !ok || connection == "" || handle == "" || utf8.RuneCountInString(handle) > maxIncidentName || strings.ContainsFunc(handle, unicode.IsSpace) || strings.ContainsAny(handle, "@/<>`,;") {
			w.add(fmt.Sprintf("%s[%d]", at, n), "%s won't do: people and groups are written like chat/@handle", quote(who))
		}
	}
}

// incidentChannel checks what names connections, which only the whole file knows.
func (l *loader) incidentChannel(n *yaml.Node) {
	_, block := child(n, "channel")
	if block == nil || block.Kind != yaml.MappingNode || l.blind {
		return
	}
	c := &l.file.Incidents.Channel
	known := func(at *yaml.Node, name string) {
		if !slices.Contains(l.names, name) {
			l.fault(at, "incidents: channel: there is no connection %s; %s", quote(name), did(name, l.names))
		}
		for _, c := range l.file.Connections {
			if p, ok := c.Spec.(Poster); ok && c.Name == name && p.PostsOnly() {
				l.fault(at, "incidents: channel: the connection %s has an incoming webhook alone, which makes no channels and brings nobody in; give it a token", quote(name))
			}
		}
	}
	for i, name := range c.On {
		known(itemAt(block, "on", i), name)
		if slices.Index(c.On, name) != i {
			l.fault(itemAt(block, "on", i), "incidents: channel: %s is there twice", quote(name))
		}
	}
	_, invite := child(block, "invite")
	if invite == nil || invite.Kind != yaml.MappingNode {
		return
	}
	l.guestsKnown(invite, "always", c.Invite.Always, known)
	if _, services := child(invite, "services"); services != nil {
		for name, list := range c.Invite.Services {
			l.guestsKnown(services, name, list, known)
		}
	}
}

func (l *loader) guestsKnown(n *yaml.Node, key string, list []string, known func(at *yaml.Node, name string)) {
	for i, who := range list {
		if connection, _, ok := strings.Cut(who, "/@"); ok && connection != "" {
			known(itemAt(n, key, i), connection)
		}
	}
}
