// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"belfry/incident"

	"go.yaml.in/yaml/v4"
)

// callKeys are how a route declares incidents of its alerts.
type callKeys struct {
	Title        string         `yaml:"title"`
	Severity     string         `yaml:"severity"`
	Triage       bool           `yaml:"triage"`
	Types        []string       `yaml:"type"`
	Services     []string       `yaml:"service"`
	Environments []string       `yaml:"environment"`
	Group        []string       `yaml:"group"`
	CoolDown     *time.Duration `yaml:"cooldown"`
	Limit        *int           `yaml:"limit"`
}

// What holds for a route's incidents that says nothing else, and bounds.
const (
	callCoolDown    = 10 * time.Minute
	callLimit       = 5
	maxCallCoolDown = 24 * time.Hour
	maxCallLimit    = 100
	maxCallGroup    = 10
)

// call takes over how a route declares incidents; what refers to the section
// incidents is checked by calls, when that was read.
func (l *loader) call(where string, item *yaml.Node, name string, k routeKeys) bool {
	key, n := child(item, "incident")
	where += "incident: "
	if k.Name == "" {
		l.fault(key, "%sthe route needs a name: it is the route that declares, and what was declared is known by its name", where)
	}
	rule := incident.Rule{Route: name, Title: k.Incident.Title, Severity: k.Incident.Severity, Triage: k.Incident.Triage, Types: k.Incident.Types,
		Services: k.Incident.Services, Environments: k.Incident.Environments, Group: k.Incident.Group, CoolDown: callCoolDown, Limit: callLimit}
	if k.Incident.CoolDown != nil {
		rule.CoolDown = *k.Incident.CoolDown
	}
	if k.Incident.Limit != nil {
		rule.Limit = *k.Incident.Limit
	}
	if rule.CoolDown < 0 || rule.CoolDown > maxCallCoolDown {
		l.fault(valueAt(n, "cooldown", key), "%scooldown: %s is out of bounds; it is between 0 and 24h", where, rule.CoolDown)
	}
	if rule.Limit < 1 || rule.Limit > maxCallLimit {
		l.fault(valueAt(n, "limit", key), "%slimit: %d is out of bounds; a route declares between 1 and %d incidents an hour", where, rule.Limit, maxCallLimit)
	}
	if len(rule.Group) > maxCallGroup {
		l.fault(valueAt(n, "group", key), "%sgroup: %d labels, at most %d are taken", where, len(rule.Group), maxCallGroup)
	}
	for _, of := range []struct {
		key    string
		labels []string
	}{{"group", rule.Group}, {"title", rule.Placeholders()}} {
		for _, label := range of.labels {
			if !isLabel(label) {
				l.fault(valueAt(n, of.key, key), "%s%s is no label; write it of letters, digits and _, in the title like {host}", where, quote(label))
			}
		}
	}
	if utf8.RuneCountInString(rule.Title) > incident.MaxTitle {
		l.fault(valueAt(n, "title", key), "%sthe title has more than %d characters", where, incident.MaxTitle)
	}
	if slices.ContainsFunc(l.file.Rules, func(r incident.Rule) bool { return r.Route == name }) {
		l.fault(key, "%sanother route that declares incidents is called %s, too; give each its own name", where, quote(name))
	}
	l.file.Rules = append(l.file.Rules, rule)
	l.called = append(l.called, calledAt{rule, where, n})
	return true
}

// calledAt is a rule and where it was read.
type calledAt struct {
	rule  incident.Rule
	where string
	node  *yaml.Node
}

// calls checks what routes' incidents refer to.
func (l *loader) calls() {
	s := l.file.Incidents.Settings()
	for _, c := range l.called {
		add := func(key string, err error) {
			if err != nil {
				l.fault(valueAt(c.node, key, c.node), "%s%s: %v", c.where, key, err)
			}
		}
		for _, x := range []struct {
			key, field string
			values     []string
		}{{"type", incident.FieldType, c.rule.Types}, {"service", incident.FieldService, c.rule.Services}, {"environment", incident.FieldEnvironment, c.rule.Environments}} {
			if len(x.values) > 0 {
				_, wrong := s.Fill(map[string]string{x.field: strings.Join(x.values, ",")}, incident.Belfry())
				if text := wrong[x.field]; text != "" {
					add(x.key, fmt.Errorf("%s", text))
				}
			}
		}
		word := c.rule.Severity
		if word == "" {
			word = s.Severity
		}
		if word == "" {
			continue
		}
		v, err := s.FindSeverity(word)
		add("severity", err)
		if err == nil && v.Private {
			add("severity", fmt.Errorf("incidents of %s are private, and nobody takes part in one that a route declares: nobody could see it; take another severity", v.Name))
		}
	}
}

// valueAt is the value of a key of a block, or else the node given.
func valueAt(n *yaml.Node, key string, or *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.MappingNode {
		if _, value := child(n, key); value != nil {
			return value
		}
	}
	return or
}

// isLabel says whether an alert can have a label of that name.
func isLabel(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && (s[0] < '0' || s[0] > '9')
}
