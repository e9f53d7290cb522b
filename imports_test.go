// SPDX-License-Identifier: Apache-2.0

// Package belfry holds no code: here stand the rules that every package keeps.
package belfry

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the prefix of our own import paths.
const module = "belfry/"

// row says on which floor a package stands and which of ours it may import.
// "*" allows everything below.
type row struct {
	floor   int
	imports string
}

// packages is the whole house. Imports only go down, so packages of one floor
// don't know each other. A new package needs a row.
var packages = map[string]row{
	"alert": {1, ""},
	"clock": {1, ""},
	"fault": {1, ""},
	"seal":  {1, ""},

	"outward": {1, ""},

	"chat":     {2, ""},
	"incident": {2, "alert"},
	"monitor":  {2, "alert"},
	"route":    {2, "alert"},

	"config":    {3, "alert incident route"},
	"doctor":    {3, "chat"},
	"message":   {3, "alert chat incident"},
	"store":     {3, "alert clock fault incident"},
	"translate": {3, "alert monitor"},
	"typed":     {3, "chat"},

	"monitor/extcmd":       {3, "alert fault monitor"},
	"monitor/notification": {3, "alert monitor"},

	"delivery":      {4, "alert clock fault store"},
	"desk":          {4, "alert clock fault monitor route seal store"},
	"retrospective": {4, "chat incident message"},
	"response":      {4, "alert clock incident store"},
	"tlscert":       {4, "clock config outward"},
	"trial":         {4, "chat clock fault seal"},

	"metrics": {4, "incident store"},

	"people": {4, "alert chat clock config fault seal store"},

	// One chat platform or monitoring system each.
	"chat/console":            {4, "alert chat clock config fault seal store"},
	"chat/mattermost/install": {4, ""},
	"chat/mattermost/reach":   {4, ""},
	"chat/mattermost":         {4, "alert chat clock config fault outward seal"},
	"chat/slack":              {4, "alert chat clock config doctor fault outward seal"},
	"monitor/alertmanager":    {4, "alert clock config fault monitor"},
	"monitor/chathook":        {4, "alert clock config fault monitor translate"},
	"monitor/estate":          {4, "alert clock config fault monitor"},
	"monitor/nagios":          {4, "alert clock config doctor fault monitor monitor/extcmd monitor/notification"},
	"monitor/openitcockpit":   {4, "alert clock config doctor fault monitor monitor/extcmd monitor/notification outward"},
	"monitor/webhook":         {4, "alert clock config fault monitor translate"},

	"api":                     {5, "alert config incident response store"},
	"answer":                  {5, "alert chat clock config message outward route"},
	"command/incidents":       {5, "alert chat clock incident message response retrospective seal store typed"},
	"command":                 {5, "alert chat clock desk message monitor route store typed"},
	"chat/mattermost/checkup": {5, "chat chat/mattermost chat/mattermost/reach clock config doctor"},
	"chat/mattermost/setup":   {5, "chat chat/mattermost chat/mattermost/reach clock config seal"},

	"doctor/self": {5, "clock config doctor outward store tlscert"},

	"farewell":    {5, "alert chat clock fault incident message store"},
	"courier":     {5, "alert chat clock delivery desk fault incident message monitor seal store"},
	"interaction": {5, "alert chat clock desk fault message seal store"},
	"notify":      {5, "clock config fault monitor/notification seal"},
	"server":      {5, "alert chat clock config desk doctor fault monitor seal store trial"},
	"web":         {5, "alert chat chat/console clock config desk doctor fault incident message people response retrospective seal store trial typed"},

	"app":        {6, "*"},
	"cmd/belfry": {7, "app chat/mattermost/setup chat/slack clock command command/incidents config doctor monitor/estate monitor/webhook notify seal server translate trial tlscert chat/mattermost/install"},

	// Suites and fakes; only tests and each other import them.
	"config/secrettest":              {4, "config"},
	"doctor/doctortest":              {4, "doctor"},
	"store/opentest":                 {4, "store"},
	"store/pgtest":                   {4, ""},
	"store/storetest":                {4, "alert clock fault incident store"},
	"monitor/monitortest":            {4, "alert clock fault monitor"},
	"chat/chattest":                  {5, "chat clock config/secrettest fault seal"},
	"chat/console/consoletest":       {6, "*"},
	"chat/mattermost/mattermosttest": {4, "clock"},
	"chat/slack/slacktest":           {4, "clock"},
	"monitor/nagios/nagiostest":      {4, ""},
	"notify/notifytest":              {5, "monitor/notification"},
	"tlscert/acmetest":               {4, ""},
	"web/webtest":                    {4, ""},

	"monitor/openitcockpit/openitcockpittest": {4, ""},

	// Belfry as a whole, from outside.
	"e2e":   {8, "*"},
	"bench": {8, "*"},
}

// maxLines is how long a file may be: more hold more than one thing.
const maxLines = 450

// source is one parsed file.
type source struct {
	path string // from the module's root
	pkg  string // its folder
	text []byte
	ast  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// own lists which of our packages it imports.
func (s source) own(t *testing.T) []string {
	var out []string
	for _, spec := range s.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(name, module); ok {
			out = append(out, rest)
		}
	}
	return out
}

// sources parses every Go file of the module but those of the tools.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "tools" || strings.HasPrefix(base, "belfry-data")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		out = append(out, source{path: name, pkg: path.Dir(name), text: text, ast: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImportsGoDown(t *testing.T) {
	for pkg, r := range packages {
		if r.imports == "*" {
			continue
		}
		for _, below := range strings.Fields(r.imports) {
			b, known := packages[below]
			if !known || b.floor >= r.floor {
				t.Errorf("the table lets %s (floor %d) import %s, which is not below it", pkg, r.floor, below)
			}
		}
	}
	for _, s := range sources(t) {
		if s.pkg == "." {
			continue
		}
		r, known := packages[s.pkg]
		if !known {
			t.Errorf("%s: package %s has no row in the table of imports_test.go", s.path, s.pkg)
			continue
		}
		for _, name := range s.own(t) {
			if why := forbidden(s, r, name); why != "" {
				t.Errorf("%s must not import %s: %s", s.path, name, why)
			}
		}
	}
}

// forbidden says why s, whose package has row r, may not import name.
func forbidden(s source, r row, name string) string {
	below, known := packages[name]
	switch {
	case !known:
		return "it is not in the table"
	case s.isTest():
		// Tests may look at what does not stand above, and from outside
		// (package x_test) at everything.
		outside := strings.HasSuffix(s.ast.Name.Name, "_test")
		if outside || name == s.pkg || isSuite(name) || below.floor <= r.floor {
			return ""
		}
		return "it stands above"
	case isSuite(name) && !isSuite(s.pkg) && r.floor < packages["e2e"].floor:
		return "only tests may import it"
	case r.imports == "*" && below.floor < r.floor, slices.Contains(strings.Fields(r.imports), name):
		return ""
	}
	return "the table does not allow it"
}

// isSuite says whether a package is only there for tests.
func isSuite(pkg string) bool { return strings.HasSuffix(pkg, "test") }

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	commented := make(map[string]bool)
	all := make(map[string]bool)
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		all[s.pkg] = true
		if s.ast.Doc != nil {
			commented[s.pkg] = true
		}
		switch path.Base(s.pkg) {
		case "util", "utils", "common", "helper", "helpers", "misc", "types", "base":
			t.Errorf("%s: a package is named after what it holds, not %s", s.path, path.Base(s.pkg))
		}
	}
	for pkg := range all {
		if !commented[pkg] {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

func TestEveryFileKeepsTheRules(t *testing.T) {
	for _, s := range sources(t) {
		if !bytes.HasPrefix(s.text, []byte("// SPDX-License-Identifier: Apache-2.0\n\n")) {
			t.Errorf("%s: the first line is not the licence's, followed by an empty one", s.path)
		}
		if lines := bytes.Count(s.text, []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: which part of it is something of its own?", s.path, lines, maxLines)
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init functions; belfry notify must start in a few milliseconds", s.path)
			}
		}
	}
}
