// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// pair is a key of the configuration with its value as it is written.
type pair struct{ key, value string }

// way is how the server is reached, with what that is where nothing is said:
// a key that stands in an entry is put back to it, and no other is written.
type way struct {
	pair
	unset string
}

// Entry is a connection as the configuration has it.
type Entry struct {
	name  string
	pairs []pair
	ways  []way
	// channels are those for the default route, connection/channel.
	channels []string
	// PublicURL is written to the server's settings if they have none.
	PublicURL string
}

// Entry returns the connection that s has set up.
func (s *Setup) Entry() Entry {
	w := s.wish
	e := Entry{name: w.Connection, pairs: []pair{{"name", w.Connection}, {"kind", "mattermost"},
		{"url", quoted(w.URL)}, {"team", quoted(w.Team)}, {"token_file", quoted(w.TokenFile())}}}
	e.ways = []way{{pair{"ca_file", quoted(w.CAFile)}, quoted("")}, {pair{"proxy", quoted(w.Proxy)}, quoted("")}, {pair{"insecure", strconv.FormatBool(w.Insecure)}, "false"}}
	for _, way := range e.ways {
		if way.value != way.unset {
			e.pairs = append(e.pairs, way.pair)
		}
	}
	if w.CallbackURL != strings.TrimRight(w.PublicURL, "/")+"/chat/"+w.Connection {
		e.pairs = append(e.pairs, pair{"callback_url", quoted(w.CallbackURL)})
	}
	if len(w.slashes()) > 0 && holds(w.CommandFile()) {
		e.pairs = append(e.pairs, pair{"command_token_file", quoted(w.CommandFile())})
	}
	if len(w.Triggers) > 0 && holds(w.OutgoingFile()) {
		e.pairs = append(e.pairs, pair{"outgoing_token_file", quoted(w.OutgoingFile())})
	}
	if id := s.ClientID(); w.OAuth && id != "" {
		e.pairs = append(e.pairs, pair{"oauth", "{client_id: " + id + ", client_secret_file: " + quoted(w.OAuthFile()) + "}"})
	}
	for _, c := range w.Channels {
		e.channels = append(e.channels, w.Connection+"/"+c)
	}
	return e
}

// holds says whether a secret's file is there.
func holds(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// quoted writes a value so that it is read as this text.
func quoted(text string) string {
	plain := text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-:", r)
	})
	if c := text; plain && (c[0] >= 'a' && c[0] <= 'z' || c[0] == '/') && !strings.HasSuffix(c, ":") &&
		!slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off"}, strings.ToLower(c)) {
		return text
	}
	return strconv.Quote(text)
}

// Block is the entry as a part of a configuration.
func (e Entry) Block() string { return "connections:\n" + e.item("  ") }

func (e Entry) item(indent string) string {
	var b strings.Builder
	for i, p := range e.pairs {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		fmt.Fprintf(&b, "%s%s%s: %s\n", indent, lead, p.key, p.value)
	}
	return b.String()
}

// File is the entry as a configuration of its own, with the default route if
// that is wanted. What stands in old, the file as it was, stays as Merge keeps it.
func (e Entry) File(old []byte, withDefault bool) (string, error) {
	if !withDefault {
		e.channels = nil // only the default route is made of them
	}
	if len(old) == 0 {
		old = []byte("# Made by Belfry's pages, which change this file or remove it.\n")
	}
	text, err := e.Merge(old)
	return string(text), err
}

func (e Entry) fallback() string {
	return "default:\n  channels: [" + strings.Join(e.channels, ", ") + "]\n"
}

// errByHand says that a file is written in a way that is not edited here.
var errByHand = errors.New("is written in a way that this program does not edit; add the block above by hand")

// Merge returns a configuration with the entry in it, and leaves everything
// else as it stands, comments and all: an entry of the same name gets the keys
// that differ, else one is added; the default route and the server's public
// URL are written where there are none. An error means that text is not to be
// written over.
func (e Entry) Merge(text []byte) ([]byte, error) {
	f := &file{lines: strings.SplitAfter(string(text), "\n")}
	if err := f.parse(text); err != nil {
		return nil, err
	}
	if err := f.merge(e); err != nil {
		return nil, err
	}
	return []byte(f.String()), nil
}

// file is a configuration's lines and what they mean. Edits are gathered and
// made from the last line upwards, so that lines keep their numbers.
type file struct {
	lines []string
	root  *yaml.Node
	edits []edit
	tail  string
}

// edit puts text after a line (counted from 1), or replaces that line.
type edit struct {
	after   int
	replace bool
	text    string
}

func (f *file) parse(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithV4Defaults(), yaml.WithUniqueKeys(false)); err != nil {
		if strings.Contains(err.Error(), "no documents") {
			return nil // nothing but comments
		}
		return fmt.Errorf("is no YAML: %w", err)
	}
	if len(doc.Content) != 1 || doc.Content[0].ShortTag() == "!!null" {
		return nil
	}
	f.root = doc.Content[0]
	if f.root.Kind != yaml.MappingNode || f.root.Style&yaml.FlowStyle != 0 {
		return errByHand
	}
	return nil
}

func child(n *yaml.Node, key string) (k, v *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func (f *file) merge(e Entry) error {
	if e.PublicURL != "" {
		if err := f.section("server", []pair{{"public_url", quoted(e.PublicURL)}}); err != nil {
			return err
		}
	}
	key, list := child(f.root, "connections")
	switch {
	case key == nil:
		f.tail += e.Block()
	case list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0:
		return errByHand
	default:
		if err := f.entry(e, key, list); err != nil {
			return err
		}
	}
	if key, _ := child(f.root, "default"); key == nil && len(e.channels) > 0 {
		f.tail += e.fallback()
	}
	return nil
}

// section adds keys to a block at the top that has none of them.
func (f *file) section(name string, pairs []pair) error {
	key, block := child(f.root, name)
	if key == nil {
		f.tail += name + ":\n"
		for _, p := range pairs {
			f.tail += "  " + p.key + ": " + p.value + "\n"
		}
		return nil
	}
	if block.Kind != yaml.MappingNode || block.Style&yaml.FlowStyle != 0 || len(block.Content) == 0 {
		return errByHand
	}
	for _, p := range pairs {
		if k, _ := child(block, p.key); k == nil {
			f.edits = append(f.edits, edit{after: key.Line, text: strings.Repeat(" ", block.Column-1) + p.key + ": " + p.value + "\n"})
		}
	}
	return nil
}

// entry changes the entry of this name, or adds one after the last.
func (f *file) entry(e Entry, key, list *yaml.Node) error {
	for _, item := range list.Content {
		if name, value := child(item, "name"); name != nil && value.Value == e.name {
			return f.change(e, item, name)
		}
	}
	first := f.line(list.Content[0].Line)
	indent := first[:len(first)-len(strings.TrimLeft(first, " "))]
	if !strings.HasPrefix(strings.TrimLeft(first, " "), "- ") {
		return errByHand
	}
	f.edits = append(f.edits, edit{after: f.lastLine(key, len(indent)), text: e.item(indent)})
	return nil
}

// lastLine is where the block of a top key ends: before the next top key, its
// comments and empty lines.
func (f *file) lastLine(key *yaml.Node, indent int) int {
	last := len(f.lines)
	for i := 0; i < len(f.root.Content); i += 2 {
		if line := f.root.Content[i].Line; line > key.Line && line-1 < last {
			last = line - 1
		}
	}
	for last > key.Line {
		text := f.line(last)
		trimmed := strings.TrimSpace(text)
		deep := len(text)-len(strings.TrimLeft(text, " ")) > indent
		if trimmed != "" && trimmed != "---" && trimmed != "..." && (deep || trimmed[0] != '#') {
			break
		}
		last--
	}
	return last
}

// change gives an entry the values that differ, each on the line it stands on.
func (f *file) change(e Entry, item, name *yaml.Node) error {
	if item.Style&yaml.FlowStyle != 0 {
		return errByHand
	}
	pairs := e.pairs[1:]
	for _, way := range e.ways {
		if key, old := child(item, way.key); key != nil && old.ShortTag() != "!!null" && way.value == way.unset {
			pairs = append(slices.Clip(pairs), way.pair)
		}
	}
	for _, p := range pairs {
		key, value := child(item, p.key)
		if key == nil {
			f.edits = append(f.edits, edit{after: name.Line, text: strings.Repeat(" ", name.Column-1) + p.key + ": " + p.value + "\n"})
			continue
		}
		if same(value, p.value) {
			continue
		}
		line := f.line(value.Line)
		old, ok := written(line, value)
		if !ok || value.Line != key.Line {
			return errByHand
		}
		f.edits = append(f.edits, edit{after: value.Line, replace: true, text: line[:value.Column-1] + p.value + line[value.Column-1+len(old):]})
	}
	return nil
}

// same says whether a node means what want writes.
func same(n *yaml.Node, want string) bool {
	var a, b any
	if err := n.Decode(&a); err != nil {
		return false
	}
	if err := yaml.Load([]byte(want), &b); err != nil {
		return false
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// written returns a scalar as it stands on its line.
func written(line string, n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Column < 1 || n.Column > len(line) {
		return "", false
	}
	rest := line[n.Column-1:]
	for _, text := range []string{n.Value, strconv.Quote(n.Value), "'" + n.Value + "'"} {
		after, ok := strings.CutPrefix(rest, text)
		after = strings.TrimLeft(after, " \t\r\n")
		if ok && (after == "" || after[0] == '#') {
			return text, true
		}
	}
	return "", false
}

func (f *file) line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return f.lines[n-1]
}

// String is the file with its edits made.
func (f *file) String() string {
	slices.Reverse(f.edits) // of several after one line the first is to stand first
	slices.SortStableFunc(f.edits, func(a, b edit) int { return b.after - a.after })
	for _, e := range f.edits {
		switch {
		case e.replace:
			f.lines[e.after-1] = e.text
		default:
			if before := f.line(e.after); before != "" && !strings.HasSuffix(before, "\n") {
				f.lines[e.after-1] += "\n"
			}
			f.lines = slices.Insert(f.lines, e.after, e.text)
		}
	}
	out := strings.Join(f.lines, "")
	if f.tail == "" {
		return out
	}
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	if strings.TrimSpace(out) != "" {
		out += "\n"
	}
	return out + f.tail
}
