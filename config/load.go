// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds a configuration file in bytes.
const maxFile = 1 << 20

// LoadFile reads the file at path and loads it.
func LoadFile(path string, kinds Kinds) (*File, Problems) {
	data, err := readFile(path)
	if err != nil {
		return nil, Problems{{File: path, Text: err.Error()}}
	}
	return Load(path, data, kinds)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("can't read the configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("can't read the configuration: %w", err)
	}
	return data, nil
}

// Load reads a configuration, and what is included with it. name stands in the
// faults. Either there is a File, or there are Problems: all of them at once.
func Load(name string, data []byte, kinds Kinds, included ...Included) (*File, Problems) {
	root, problem := parse(name, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	l := &loader{decoder: decoder{file: name}, kinds: kinds, file: Default(kinds), names: []string{RoomName}, seen: map[string]place{}}
	if root == nil || l.check(root, 0) {
		l.load(root, included)
	}
	if len(l.problems) > 0 {
		return nil, l.problems.sorted()
	}
	return l.file, nil
}

// parse returns the root node; nil for a file with nothing in it.
func parse(name string, data []byte) (*yaml.Node, *Problem) {
	if len(data) > maxFile {
		return nil, &Problem{name, 0, fmt.Sprintf("the file has more than %d bytes: is it the right one?", maxFile)}
	}
	if i := badByte(data); i >= 0 {
		line := 1 + bytes.Count(data[:i], []byte("\n"))
		return nil, &Problem{name, line, "the file is not plain text in UTF-8; save it as such"}
	}
	var doc yaml.Node
	err := yaml.Load(data, &doc, yaml.WithV4Defaults(), yaml.WithUniqueKeys(false))
	if err == nil {
		if len(doc.Content) != 1 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].ShortTag() == "!!null" {
			return nil, nil
		}
		return doc.Content[0], nil
	}
	loading, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return nil, &Problem{name, 0, "this is not YAML"}
	}
	if strings.Contains(loading.Message, "no documents") {
		return nil, nil
	}
	text := syntaxWords(loading.Message, loading.ContextMsg)
	if begun := loading.ContextMark.Line; begun > 0 && begun < loading.Mark.Line {
		text += fmt.Sprintf(" (what is wrong begins on line %d)", begun)
	}
	return nil, &Problem{name, max(0, loading.Mark.Line), text}
}

// badByte returns where data stops being plain UTF-8 text, or -1.
func badByte(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return i
		}
		i += n
	}
	return -1
}

// loader builds a File.
type loader struct {
	decoder
	kinds Kinds
	file  *File
	// names are the connections that routes may name. One that has faults
	// counts: a route to it is right.
	names []string
	// seen is where the connections stand, by name.
	seen map[string]place
	// blind is true when the names are not all known, because of a fault.
	blind bool
	// called are the routes that declare incidents.
	called []calledAt
}

// sections are the keys at the top of a file.
func sections() []string {
	return []string{"server", "connections", "sources", "routes", "default", "incidents", "answers"}
}

// load reads the file, whose root is nil when nothing is in it, and what is
// included: its connections before the routes, which may name them.
func (l *loader) load(root *yaml.Node, included []Included) {
	if root != nil && root.Kind != yaml.MappingNode {
		l.fault(root, "a configuration is a block of keys, %s; it begins like server: or connections:", what(root))
		return
	}
	for i := 0; root != nil && i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; !slices.Contains(sections(), key.Value) {
			l.fault(key, "unknown key %s; %s", quote(key.Value), did(key.Value, sections()))
		}
	}
	l.server(root)
	l.connections(root, "")
	more := l.documents(included)
	for _, d := range more {
		l.in(d.name, func() { l.connections(d.root, d.name) })
	}
	l.sources(root)
	l.routes(root)
	l.defaults(root, more)
	l.incidents(root)
	l.calls()
	l.answers(root)
}

// section returns the value of a key at the top; nil when there is nothing to read.
func (l *loader) section(root *yaml.Node, name string, kind yaml.Kind) *yaml.Node {
	key, value := child(root, name)
	switch {
	case key == nil:
		return nil
	case value.ShortTag() == "!!null":
		l.fault(key, "%s: nothing is here; write it below, or leave the line out", name)
		return nil
	case value.Kind != kind && kind == yaml.SequenceNode:
		l.fault(value, "%s: a list is wanted, %s; each entry begins with \"- \"", name, what(value))
		return nil
	case value.Kind != kind:
		l.fault(value, "%s: a block of keys is wanted, %s", name, what(value))
		return nil
	case kind == yaml.SequenceNode && len(value.Content) > maxItems:
		l.fault(key, "%s has %d entries, at most %d are taken", name, len(value.Content), maxItems)
		return nil
	}
	return value
}

func (l *loader) server(root *yaml.Node) {
	n := l.section(root, "server", yaml.MappingNode)
	if n == nil {
		return
	}
	l.spec("server: ", n, &l.file.Server)
}

// spec fills s from n and has it judge itself.
func (l *loader) spec(where string, n *yaml.Node, s Spec, others ...string) {
	failed := l.block(where, n, reflect.ValueOf(s).Elem(), others...)
	for _, err := range s.Validate() {
		l.judged(where, n, err, failed)
	}
}

// judged notes what a Spec says of itself, at the line of the field to blame.
// A field that could not be read is not blamed a second time.
func (l *loader) judged(where string, n *yaml.Node, err error, failed map[string]bool) {
	field, ok := errors.AsType[*FieldError](err)
	if !ok {
		if len(failed) == 0 {
			l.fault(n, "%s%v", where, err)
		}
		return
	}
	at, below := n, n
	for name := range strings.SplitSeq(field.Field, ".") {
		name, item, _ := strings.Cut(name, "[")
		key, value := child(below, name)
		if below == n && failed[name] {
			return
		}
		if key == nil {
			break
		}
		at, below = key, value
		if i, err := strconv.Atoi(strings.TrimSuffix(item, "]")); err == nil && value.Kind == yaml.SequenceNode && i < len(value.Content) {
			at, below = value.Content[i], value.Content[i]
		}
	}
	l.fault(at, "%s%v", where, err)
}

// sorted returns the keys of m in their order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
