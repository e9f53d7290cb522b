// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/store"
)

func TestSQLiteFileHasOneOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "belfry.db")
	s, err := store.Open(t.Context(), "sqlite:"+path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is for its owner alone: %v, %v", info.Mode(), err)
	}
	if _, err := store.Open(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "pid ") {
		t.Errorf("opened twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(t.Context(), path, store.Options{}); err != nil {
		t.Fatalf("after close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteSaysWhatIsWrongWithTheFile(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(other, []byte(strings.Repeat("Dear Sir, ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, word := range map[string]string{
		other:                            "not a database",
		filepath.Join(dir, "no", "such"): "no such file or directory",
		"mysql://root@localhost/x":       "postgres://",
		"sqlite:":                        "sqlite:PATH",
	} {
		_, err := store.Open(t.Context(), path, store.Options{})
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if b, err := os.ReadFile(other); err != nil || !strings.HasPrefix(string(b), "Dear Sir") {
		t.Errorf("the letter was written over: %.20q, %v", b, err)
	}
}
