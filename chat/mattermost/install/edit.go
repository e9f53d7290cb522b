// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// edit is one change to config.json.
type edit struct {
	key, value string
	// isNew: the file did not have it.
	isNew bool
}

func parseEdits(set []string) ([]edit, error) {
	var out []edit
	for _, text := range set {
		key, value, ok := strings.Cut(text, "=")
		section, name, dotted := strings.Cut(key, ".")
		if !ok || !dotted || section == "" || name == "" || strings.ContainsAny(key, " \t\r\n\"") {
			return nil, fmt.Errorf("--set %s is not understood; write it like ServiceSettings.SiteURL=https://chat.example.org", key)
		}
		out = append(out, edit{key: key, value: value})
	}
	return out, nil
}

// checkEdits makes the changes to nothing but a copy in memory.
func (p *plan) checkEdits(dir string) error {
	if len(p.edits) == 0 {
		return nil
	}
	_, _, err := p.edited(dir)
	return err
}

// edited returns the configuration in dir, changed.
func (p *plan) edited(dir string) (doc []byte, mode fs.FileMode, err error) {
	file := filepath.Join(dir, configFile)
	doc, mode = []byte("{}\n"), 0o600
	switch info, err := os.Lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, 0, err
	default:
		if mode = info.Mode().Perm(); !info.Mode().IsRegular() {
			return nil, 0, fmt.Errorf("%s is no plain file", file)
		}
		if doc, err = readConfig(file); err != nil {
			return nil, 0, err
		}
	}
	for i, e := range p.edits {
		if doc, p.edits[i].isNew, err = set(doc, e.key, e.value); err != nil {
			return nil, 0, fmt.Errorf("--set %s: %w", e.key, err)
		}
	}
	return doc, mode, nil
}

// applyEdits changes the new installation's configuration.
func (p *plan) applyEdits() error {
	if len(p.edits) == 0 {
		return nil
	}
	doc, mode, err := p.edited(p.next)
	if err != nil {
		return err
	}
	d, file := p.o.disk, filepath.Join(p.next, configFile)
	uid, gid := p.uid, p.gid
	if now, err := statOf(file); err == nil {
		uid, gid = now.uid, now.gid
	}
	if _, err := os.Lstat(filepath.Dir(file)); errors.Is(err, fs.ErrNotExist) {
		if err := errors.Join(d.mkdir(filepath.Dir(file), 0o750), d.own(filepath.Dir(file), uid, gid)); err != nil {
			return fmt.Errorf("can't change the configuration: %w", err)
		}
	}
	if err := d.removeAll(file); err != nil {
		return fmt.Errorf("can't change the configuration: %w", err)
	}
	if err := d.create(file, mode, bytes.NewReader(doc)); err != nil {
		return fmt.Errorf("can't change the configuration: %w", err)
	}
	if err := d.own(file, uid, gid); err != nil {
		return fmt.Errorf("can't change the configuration: %w", err)
	}
	return d.stamp(file, mode, time.Time{})
}

// node is a JSON value and where it stands, so that one can be replaced with
// everything around it left as it is.
type node struct {
	kind       byte // { [ " 0 t n: object, array, text, number, boolean, null
	start, end int
	members    []member
}

type member struct {
	name  string
	start int
	value *node
}

const maxDepth = 64

// set changes one key of a JSON document. The value is read as what stands
// there now: true or false, a number, a list, or text. It says whether the key
// is new.
func set(doc []byte, key, value string) (_ []byte, isNew bool, err error) {
	if !utf8.ValidString(key) || !utf8.ValidString(value) {
		return nil, false, errors.New("this is not text in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	root, err := parse(d, doc, 0)
	if err != nil {
		return nil, false, fmt.Errorf("%s is not JSON: %w", configFile, err)
	}
	if len(bytes.TrimSpace(doc[root.end:])) > 0 {
		return nil, false, fmt.Errorf("%s has something behind its end", configFile)
	}
	if root.kind != '{' {
		return nil, false, fmt.Errorf("%s holds no settings", configFile)
	}
	return root.set(doc, strings.Split(key, "."), value)
}

// set goes down along path. Keys may themselves have dots, as those of plugins do.
func (n *node) set(doc []byte, path []string, value string) ([]byte, bool, error) {
	for i := len(path); i > 0; i-- {
		name := strings.Join(path[:i], ".")
		var found *node
		for _, m := range n.members {
			switch {
			case m.name == name && found != nil:
				return nil, false, fmt.Errorf("%s has %q twice", configFile, name)
			case m.name == name:
				found = m.value
			case strings.EqualFold(m.name, name):
				return nil, false, fmt.Errorf("did you mean %s?", m.name)
			}
		}
		switch {
		case found == nil:
		case i < len(path) && found.kind == '{':
			return found.set(doc, path[i:], value)
		case i < len(path):
			return nil, false, fmt.Errorf("%s has nothing below it", name)
		default:
			text, err := found.typed(value)
			if err != nil {
				return nil, false, err
			}
			return splice(doc, found.start, found.end, text), false, nil
		}
	}
	text, err := (&node{kind: 'n'}).typed(value)
	if err != nil {
		return nil, false, err
	}
	return n.insert(doc, path, text), true, nil
}

// typed writes value as JSON of the kind that stood there.
func (n *node) typed(value string) (string, error) {
	valid := json.Valid([]byte(value))
	switch n.kind {
	case '"':
		return quote(value)
	case 't':
		if value != "true" && value != "false" {
			return "", errors.New("true or false is wanted")
		}
		return value, nil
	case '0':
		var number json.Number
		if !valid || json.Unmarshal([]byte(value), &number) != nil || strings.HasPrefix(value, `"`) {
			return "", errors.New("a number is wanted")
		}
		return value, nil
	case '[', '{':
		if !valid || value[0] != n.kind {
			return "", fmt.Errorf("JSON that begins with %c is wanted", n.kind)
		}
		return value, nil
	}
	if valid {
		return value, nil
	}
	return quote(value)
}

func quote(s string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// insert adds a key, and the sections above it, behind the last one of n.
func (n *node) insert(doc []byte, path []string, text string) []byte {
	for i := len(path) - 1; i > 0; i-- {
		name, _ := quote(path[i])
		text = "{" + name + ": " + text + "}"
	}
	name, _ := quote(path[0])
	text = name + ": " + text
	if len(n.members) == 0 {
		return splice(doc, n.start+1, n.end-1, text)
	}
	first := n.members[0].start
	line := bytes.LastIndexByte(doc[:first], '\n')
	between := " "
	if line >= 0 && len(bytes.TrimSpace(doc[line:first])) == 0 {
		between = string(doc[line:first])
	}
	last := n.members[len(n.members)-1].value.end
	return splice(doc, last, last, ","+between+text)
}

func splice(doc []byte, start, end int, text string) []byte {
	out := make([]byte, 0, len(doc)+len(text))
	out = append(out, doc[:start]...)
	out = append(out, text...)
	return append(out, doc[end:]...)
}

// parse reads one value.
func parse(d *json.Decoder, doc []byte, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is more than %d deep", maxDepth)
	}
	start := skip(doc, int(d.InputOffset()))
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	n := &node{start: start, kind: 'n'}
	switch t := token.(type) {
	case json.Delim:
		n.kind = byte(t)
		for d.More() {
			m := member{start: skip(doc, int(d.InputOffset()))}
			if n.kind == '{' {
				name, err := d.Token()
				if err != nil {
					return nil, err
				}
				m.name, _ = name.(string)
			}
			if m.value, err = parse(d, doc, depth+1); err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	case string:
		n.kind = '"'
	case json.Number:
		n.kind = '0'
	case bool:
		n.kind = 't'
	}
	n.end = int(d.InputOffset())
	return n, nil
}

// skip skips what stands between two tokens.
func skip(doc []byte, at int) int {
	for at < len(doc) && strings.IndexByte(" \t\r\n,:", doc[at]) >= 0 {
		at++
	}
	return at
}
