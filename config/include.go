// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// IncludeDir is the folder of the data directory whose *.yaml files are read
// together with the configuration file: one for each connection that was set up
// on the web pages. They hold connections, and a default where the file has none.
const IncludeDir = "conf.d"

// maxIncluded is how many files are read from there.
const maxIncluded = 100

// Included is a file that is read together with the configuration file.
type Included struct {
	// Name stands in faults: its path.
	Name string
	Data []byte
}

// Includes reads the files that belong to a data directory, in the order of
// their names; there need not be any.
func Includes(data string) ([]Included, error) {
	dir := filepath.Join(data, IncludeDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the connections that were set up on the pages: %w", err)
	}
	var out []Included
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		if len(out) == maxIncluded {
			return nil, fmt.Errorf("%s has more than %d files", dir, maxIncluded)
		}
		name := filepath.Join(dir, e.Name())
		// Opening a FIFO would wait for a writer. Links are followed.
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file; take it out of %s", name, dir)
		}
		text, err := readFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, Included{Name: name, Data: text})
	}
	return out, nil
}

// LoadServer reads what belfry serve reads: the file at path ("": none), and
// what is included from the data directory, which override has the last word
// on (nil: nobody has). override is left to be applied to the whole by the caller.
// Included files whose names (without the folder) are among without are left out.
func LoadServer(path string, kinds Kinds, override func(*Server), without ...string) (*File, Problems) {
	var data []byte
	if path != "" {
		var err error
		if data, err = readFile(path); err != nil {
			return nil, Problems{{File: path, Text: err.Error()}}
		}
	}
	server := DataOf(path, data, kinds)
	if override != nil {
		override(&server)
	}
	included, err := Includes(server.Data)
	if err != nil {
		return nil, Problems{{File: filepath.Join(server.Data, IncludeDir), Text: err.Error()}}
	}
	included = slices.DeleteFunc(included, func(in Included) bool { return slices.Contains(without, filepath.Base(in.Name)) })
	return Load(path, data, kinds, included...)
}

// DataOf reads the server's settings alone, whatever else is wrong: where to
// look for what belongs to the file.
func DataOf(name string, data []byte, kinds Kinds) Server {
	l := &loader{decoder: decoder{file: name}, kinds: kinds, file: Default(kinds)}
	if root, problem := parse(name, data); problem == nil && root != nil && l.check(root, 0) {
		l.server(root)
	}
	return l.file.Server
}

// document is one of the files that make a configuration.
type document struct {
	name string
	root *yaml.Node
}

// documents parses what is included. Faults are noted.
func (l *loader) documents(included []Included) []document {
	var out []document
	for _, in := range included {
		root, problem := parse(in.Name, in.Data)
		if problem != nil {
			l.problems = append(l.problems, *problem)
			l.blind = true
			continue
		}
		l.in(in.Name, func() {
			if root != nil && l.check(root, 0) && l.fits(root) {
				out = append(out, document{in.Name, root})
			}
		})
	}
	return out
}

// in has faults carry another file's name while do runs.
func (l *loader) in(name string, do func()) {
	was := l.decoder.file
	l.decoder.file = name
	do()
	l.decoder.file = was
}

// fits holds an included file to what may stand there.
func (l *loader) fits(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		l.fault(root, "a configuration is a block of keys, %s", what(root))
		return false
	}
	ok := true
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; !slices.Contains([]string{"connections", "default"}, key.Value) {
			l.fault(key, "a file of %s holds connections and a default; move %s to the configuration file", IncludeDir, quote(key.Value))
			ok = false
		}
	}
	return ok
}

// defaults reads the default: the file's own or, where it has none, that of the
// first included file which has one.
func (l *loader) defaults(main *yaml.Node, included []document) {
	if key, _ := child(main, "default"); key == nil {
		for _, d := range included {
			if key, _ := child(d.root, "default"); key != nil {
				l.in(d.name, func() { l.fallback(d.root) })
				return
			}
		}
	}
	l.fallback(main)
}

// place is where something stands.
type place struct {
	file string
	line int
}

// from says where p is, to who reads file.
func (p place) from(file string) string {
	if p.file == file {
		return fmt.Sprintf("on line %d", p.line)
	}
	return fmt.Sprintf("on line %d of %s", p.line, p.file)
}
