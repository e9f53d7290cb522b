// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"

	"belfry/route"

	"go.yaml.in/yaml/v4"
)

// MinToken is how long a token is at least by which somebody who calls Belfry is
// known, in bytes: 16 letters and digits drawn at random can't be guessed over
// the network. It holds for sources, for programs, and for what chat servers
// send along.
const MinToken = 16

// maxToken bounds a source's token, in bytes.
const maxToken = 1024

// reserved are names that stand for something else in destinations.
const reserved = "monitor"

// connections reads those of a file; from is its name if it is included.
func (l *loader) connections(root *yaml.Node, from string) {
	n := l.section(root, "connections", yaml.SequenceNode)
	if n == nil {
		key, _ := child(root, "connections")
		l.blind = l.blind || key != nil
		return
	}
	for i, item := range n.Content {
		var head struct {
			Name   string `yaml:"name"`
			Kind   string `yaml:"kind"`
			Act    string `yaml:"act"`
			SignIn string `yaml:"sign_in"`
		}
		where, spec := l.entry("connection", i, item, &head, &head.Name, &head.Kind, l.seen, l.kinds.Connections)
		if route.ValidName(head.Name) {
			l.names = append(l.names, head.Name)
		} else {
			l.blind = true
		}
		if spec == nil {
			continue
		}
		c := Connection{Name: head.Name, Kind: head.Kind, Spec: spec, Line: item.Line, From: from}
		l.rules(where, item, head.Act, head.SignIn, &c)
		key, _ := child(item, "name")
		switch {
		case c.Kind == RoomKind && c.Name != RoomName && key != nil:
			l.fault(key, "%sthere is one built-in room, and its name is %s", where, RoomName)
		case c.Kind == RoomKind:
			l.file.Connections[0] = c
		case c.Name == RoomName:
			l.fault(key, "%s%s is the name of the built-in room; take another", where, RoomName)
		default:
			l.file.Connections = append(l.file.Connections, c)
		}
	}
}

func (l *loader) sources(root *yaml.Node) {
	n := l.section(root, "sources", yaml.SequenceNode)
	if n == nil {
		return
	}
	l.file.Sources = nil
	seen, tokens := map[string]place{}, map[Secret]string{}
	for i, item := range n.Content {
		var head struct {
			Name      string `yaml:"name"`
			Kind      string `yaml:"kind"`
			Token     Secret `yaml:"token"`
			TokenFile string `yaml:"token_file"`
		}
		where, spec := l.entry("source", i, item, &head, &head.Name, &head.Kind, seen, l.kinds.Sources)
		if key, value := child(item, "token"); key != nil && string(head.Token) == value.Value && value.Kind == yaml.ScalarNode {
			if text := wrongToken(head.Token, head.TokenFile); text != "" {
				l.fault(key, "%stoken: %s", where, text)
			} else if other := tokens[head.Token]; other != "" {
				l.fault(key, "%stoken: source %s has the same one; give each its own", where, other)
			}
			tokens[head.Token] = head.Name
		}
		if spec != nil {
			l.file.Sources = append(l.file.Sources, Source{head.Name, head.Kind, head.Token, head.TokenFile, spec, item.Line})
		}
	}
}

func wrongToken(token Secret, file string) string {
	text := token.Reveal()
	switch {
	case file != "":
		return "token_file is set too; keep one of the two"
	case len(text) < MinToken:
		return fmt.Sprintf("it has %d characters, at least %d are wanted; head -c 24 /dev/urandom | base64 makes one", len(text), MinToken)
	case len(text) > maxToken:
		return fmt.Sprintf("it has more than %d characters", maxToken)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "it has white space or characters outside ASCII, which can't be sent in a header"
	}
	return ""
}

// entry reads one connection or source: the keys that all kinds have into
// head, where name and kind are fields, and the kind's own into a new Spec. The
// Spec is nil when the entry can't be used. where begins further faults.
func (l *loader) entry(noun string, i int, n *yaml.Node, head any, name, kind *string, seen map[string]place,
	kinds map[string]func() Spec) (where string, spec Spec) {
	where = fmt.Sprintf("%s %d: ", noun, i+1)
	if n.Kind != yaml.MappingNode {
		l.fault(n, "%sa block of keys is wanted, %s", where, what(n))
		return where, nil
	}
	v := reflect.ValueOf(head).Elem()
	common := fields(v)
	failed := map[string]bool{}
	for _, key := range sorted(common) {
		if k, value := child(n, key); k != nil && !l.value(where+key, k, value, common[key]) {
			failed[key] = true
		}
	}
	if !failed["name"] {
		where = l.named(where, noun, n, *name, seen)
	}
	if failed["kind"] {
		return where, nil
	}
	key, _ := child(n, "kind")
	if key == nil {
		l.fault(n, "%skind is missing; known are %s", where, strings.Join(sorted(kinds), ", "))
		return where, nil
	}
	newKind, ok := kinds[*kind]
	if !ok {
		l.fault(key, "%skind %s is not known; %s", where, quote(*kind), knownKinds(*kind, kinds))
		return where, nil
	}
	spec = newKind()
	l.spec(where, n, spec, sorted(common)...)
	return where, spec
}

// knownKinds names them all, whether or not one is near: they are few.
func knownKinds(kind string, kinds map[string]func() Spec) string {
	known := sorted(kinds)
	text := "known are " + strings.Join(known, ", ")
	if near := nearest(kind, known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// named checks a name and returns how further faults begin.
func (l *loader) named(where, noun string, n *yaml.Node, name string, seen map[string]place) string {
	key, _ := child(n, "name")
	switch {
	case key == nil:
		l.fault(n, "%sname is missing; write it like name: %s", where, map[string]string{"connection": "chat", "source": "nagios", "answer": "fridge"}[noun])
		return where
	case !route.ValidName(name):
		l.fault(key, "%sname %s won't do: it is 1 to 31 characters a-z, 0-9 and -, and begins with a letter or digit", where, quote(name))
		return where
	}
	where = noun + " " + name + ": "
	switch {
	case name == reserved && noun != "answer":
		l.fault(key, "%sthis name stands for monitoring systems in Belfry; take another", where)
	case seen[name] != place{}:
		l.fault(key, "%sthis name is taken, by the %s %s", where, noun, seen[name].from(l.decoder.file))
	default:
		seen[name] = place{l.decoder.file, key.Line}
	}
	return where
}
