// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"belfry/alert"
	"belfry/route"

	"go.yaml.in/yaml/v4"
)

// Limits of one route.
const (
	maxChannels  = 50
	maxMentions  = 10
	maxRouteName = 60
)

// routeKeys are the keys of a route, defaultKeys those of the default.
type routeKeys struct {
	Name     string      `yaml:"name"`
	Match    []string    `yaml:"match"`
	Continue bool        `yaml:"continue"`
	Incident *callKeys   `yaml:"incident"`
	Defaults defaultKeys `yaml:",inline"`
}

type defaultKeys struct {
	Channels []channelKeys `yaml:"channels"`
	Rings    ringKeys      `yaml:",inline"`
}

// channelKeys are a channel of a route: its name alone, or with how its cards
// are announced where that is not as in the others.
type channelKeys struct {
	Channel string   `yaml:"channel,word"`
	Rings   ringKeys `yaml:",inline"`
}

// ringKeys say how a card is announced. What is not written is nil.
type ringKeys struct {
	Mentions   []string `yaml:"mentions"`
	Priority   *string  `yaml:"priority"`
	RequestAck *bool    `yaml:"request_ack"`
}

// or returns k, and what it does not say as in others.
func (k ringKeys) or(others ringKeys) alert.Ring {
	if k.Mentions == nil {
		k.Mentions = others.Mentions
	}
	k.Priority, k.RequestAck = cmp.Or(k.Priority, others.Priority), cmp.Or(k.RequestAck, others.RequestAck)
	r := alert.Ring{RequestAck: k.RequestAck != nil && *k.RequestAck}
	for _, m := range k.Mentions {
		if !slices.Contains(r.Mentions, m) {
			r.Mentions = append(r.Mentions, m)
		}
	}
	if k.Priority != nil && *k.Priority != standardPriority {
		r.Priority = alert.Priority(*k.Priority)
	}
	return r
}

// standardPriority is how no priority is written, where a channel goes without
// the one of its route.
const standardPriority = "standard"

func (l *loader) routes(root *yaml.Node) {
	n := l.section(root, "routes", yaml.SequenceNode)
	if n == nil {
		return
	}
	for i, item := range n.Content {
		where := fmt.Sprintf("route %d: ", i+1)
		var k routeKeys
		failed := l.block(where, item, reflect.ValueOf(&k).Elem())
		if item.Kind != yaml.MappingNode {
			continue
		}
		r := route.Route{Name: fmt.Sprintf("route %d", i+1), Continue: k.Continue}
		if k.Name != "" {
			r.Name = k.Name
			if key, _ := child(item, "name"); len(k.Name) > maxRouteName {
				l.fault(key, "%sthe name is longer than %d bytes", where, maxRouteName)
			}
		}
		if !failed["match"] {
			r.Matchers = l.matchers(where, item, k.Match)
		}
		if len(r.Matchers) == 0 && !r.Continue && !l.faulty(where) {
			l.fault(item, "%sit has no match and so takes everything: nothing below it nor the default is ever reached; add match, or continue: true", where)
		}
		r.Channels, r.Rings = l.targets(where, item, k.Defaults, failed)
		r.Calls = k.Incident != nil && l.call(where, item, r.Name, k)
		l.file.Routes = append(l.file.Routes, r)
	}
}

// faulty says whether a fault was noted that begins like this: what follows
// from it need not be told.
func (l *loader) faulty(where string) bool {
	return slices.ContainsFunc(l.problems, func(p Problem) bool { return strings.HasPrefix(p.Text, where) })
}

func (l *loader) matchers(where string, n *yaml.Node, texts []string) route.Matchers {
	var all route.Matchers
	for i, text := range texts {
		ms, err := route.ParseMatchers(text)
		if err != nil {
			l.fault(itemAt(n, "match", i), "%s%v", where, err)
			continue
		}
		all = append(all, ms...)
	}
	return all
}

// itemAt returns the node of the i-th entry of a list, or of the one word that
// stands for a list.
func itemAt(n *yaml.Node, key string, i int) *yaml.Node {
	_, value := child(n, key)
	if value != nil && value.Kind == yaml.SequenceNode && i < len(value.Content) {
		return value.Content[i]
	}
	return value
}

func (l *loader) fallback(root *yaml.Node) {
	key, _ := child(root, "default")
	if key == nil {
		if at, name := l.firstOf(root, "routes", "connections"); at != nil {
			l.fault(at, "there are %s but no default: say where alerts go that no route wants, like default: {channels: [room/alerts]}", name)
		}
		return
	}
	n := l.section(root, "default", yaml.MappingNode)
	if n == nil {
		return
	}
	l.file.HasDefault = true
	var k defaultKeys
	failed := l.block("default: ", n, reflect.ValueOf(&k).Elem())
	l.file.Default.Channels, l.file.Default.Rings = l.targets("default: ", n, k, failed)
}

// firstOf returns the first of the keys that the file has.
func (l *loader) firstOf(root *yaml.Node, names ...string) (key *yaml.Node, name string) {
	for _, name := range names {
		if key, _ := child(root, name); key != nil {
			return key, name
		}
	}
	return nil, ""
}

// targets checks the channels of a route and how their cards are announced.
func (l *loader) targets(where string, n *yaml.Node, k defaultKeys, failed map[string]bool) (channels []route.Target, rings []alert.Ring) {
	key, list := child(n, "channels")
	if len(k.Channels) == 0 && !failed["channels"] {
		at := n
		if key != nil {
			at = key
		}
		l.fault(at, "%schannels are missing; write them like channels: [room/alerts]", where)
	}
	if len(k.Channels) > maxChannels {
		l.fault(key, "%s%d channels, at most %d are taken", where, len(k.Channels), maxChannels)
		return nil, nil
	}
	l.ring(where, n, k.Rings, failed)
	silent := true
	for i, c := range k.Channels {
		item := itemAt(n, "channels", i)
		if failed["channels"] && (c.Channel == "" && item.Kind == yaml.MappingNode || item.Kind == yaml.SequenceNode) {
			continue // what is wrong with it was told
		}
		channels = append(channels, l.target(where, item, c.Channel))
		if list.Kind == yaml.SequenceNode && item.Kind == yaml.MappingNode {
			l.ring(where+"channel "+c.Channel+": ", item, c.Rings, nil)
		}
		rings = append(rings, c.Rings.or(k.Rings))
		silent = silent && rings[len(rings)-1].Silent()
	}
	if silent {
		rings = nil
	}
	return channels, rings
}

// target checks one channel. n is its name, or a block with the name in it.
func (l *loader) target(where string, n *yaml.Node, text string) route.Target {
	at := n
	if n.Kind == yaml.MappingNode {
		key, value := child(n, "channel")
		if key == nil {
			l.fault(n, "%sa channel is missing its name; write it like channel: room/alerts", where)
			return route.Target{}
		}
		at = value
	}
	target, err := route.ParseTarget(text)
	switch {
	case err != nil:
		l.fault(at, "%s%v", where, err)
	case !l.blind && !slices.Contains(l.names, target.Connection):
		l.fault(at, "%schannel %s: there is no connection %s; %s", where, quote(text), quote(target.Connection), did(target.Connection, l.names))
	}
	return target
}

// ring checks how cards are announced, as written in the block n.
func (l *loader) ring(where string, n *yaml.Node, k ringKeys, failed map[string]bool) {
	_, value := child(n, "priority")
	if k.Priority != nil && !slices.Contains([]string{standardPriority, string(alert.PriorityImportant), string(alert.PriorityUrgent)}, *k.Priority) {
		l.fault(value, "%spriority: %s is not known; write important, urgent, or standard for none", where, quote(*k.Priority))
	}
	if key, _ := child(n, "mentions"); len(k.Mentions) > maxMentions {
		l.fault(key, "%s%d mentions, at most %d are taken", where, len(k.Mentions), maxMentions)
		return
	}
	for i, m := range k.Mentions {
		if !isHandle(m) && !failed["mentions"] {
			l.fault(itemAt(n, "mentions", i), "%smention %s is no handle: write it without @, of letters, digits and . - _", where, quote(m))
		}
	}
}

// isHandle accepts the handles of people and groups, and the words for a whole
// channel: the operator may ring it, monitoring may not (desk).
func isHandle(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}
