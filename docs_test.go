// SPDX-License-Identifier: Apache-2.0

package belfry

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spans returns the code spans of a document, without its blocks of code.
func spans(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile("(?ms)^```.*?^```$|^    .*?$").ReplaceAllString(string(text), "")
	var out []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(plain, -1) {
		out = append(out, m[1])
	}
	return out
}

func there(path string) bool {
	_, err := os.Stat(filepath.FromSlash(path))
	return err == nil
}

// TestArchitectureNamesWhatThereIs: a span like "desk/ingest.go" or
// "desk/ingest.go: Ingest, intake" names a file and functions or types in it; one
// like "desk" or "store/storetest" a package or folder.
func TestArchitectureNamesWhatThereIs(t *testing.T) {
	file := regexp.MustCompile(`^[\w./-]+\.(?:go|md|png|sh|yaml)$`)
	folder := regexp.MustCompile(`^[a-z]+(?:/[a-z]+)+$`)
	named := map[string]bool{}
	for _, span := range spans(t, "ARCHITECTURE.md") {
		path, names, _ := strings.Cut(span, ": ")
		named[path] = true
		switch {
		case file.MatchString(path):
			if !there(path) {
				t.Errorf("ARCHITECTURE.md names the file %s, which is not there", path)
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for name := range strings.SplitSeq(names, ", ") {
				declared := `(?m)^(?:func (?:\([^)]*\) )?|type |var |\t)` + regexp.QuoteMeta(name) + `\b`
				if name != "" && !regexp.MustCompile(declared).Match(text) {
					t.Errorf("ARCHITECTURE.md looks for %s in %s, where it is not", name, path)
				}
			}
		case folder.MatchString(path) && !there(path) && !notFolders(path):
			t.Errorf("ARCHITECTURE.md names %s, which is not there", path)
		}
	}
	for _, s := range sources(t) {
		if _, known := packages[s.pkg]; known && !named[s.pkg] {
			t.Errorf("ARCHITECTURE.md does not say what package %s is: give it a row among the packages", s.pkg)
			named[s.pkg] = true
		}
	}
}

// notFolders holds for what looks like a folder and is a destination.
func notFolders(span string) bool {
	return slices.Contains([]string{"connection/channel", "monitor/source"}, span)
}

// TestLinksBetweenDocumentsLead: no link within the repository is dead.
func TestLinksBetweenDocumentsLead(t *testing.T) {
	names, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "README.md", "ARCHITECTURE.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(string(text), -1) {
			if target := m[1]; !strings.Contains(target, "://") && !there(filepath.Join(filepath.Dir(name), target)) {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	}
}

// TestMakeHasWhatTheDocumentsSay checks the targets that are named.
func TestMakeHasWhatTheDocumentsSay(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "ARCHITECTURE.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:^    |`)make ([a-z]+)").FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s says make %s, which the Makefile does not have", name, m[1])
			}
		}
	}
}
