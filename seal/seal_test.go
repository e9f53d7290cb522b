// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

type claim struct {
	Card int64  `json:"c"`
	Who  string `json:"w"`
}

func newSealer(t testing.TB, fill byte) *Sealer {
	t.Helper()
	s, err := New(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsSealedComesBack(t *testing.T) {
	s := newSealer(t, 1)
	text, err := s.Seal("button", claim{7, "alice"})
	if err != nil {
		t.Fatal(err)
	}
	var got claim
	if err := s.Open("button", text, &got); err != nil || got != (claim{7, "alice"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEveryAlteredByteIsRefused(t *testing.T) {
	s := newSealer(t, 1)
	text, err := s.Seal("button", claim{7, "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, b := range []byte{'A', 'b', '0', '.', '-'} {
			altered := text[:i] + string(b) + text[i+1:]
			if altered == text {
				continue
			}
			got := claim{1, "before"}
			if err := s.Open("button", altered, &got); !errors.Is(err, ErrForged) || got != (claim{1, "before"}) {
				t.Fatalf("byte %d as %q: got %+v, %v", i, b, got, err)
			}
		}
	}
}

func TestAnotherPurposeAnotherKeyAndJunkAreRefused(t *testing.T) {
	s := newSealer(t, 1)
	text, err := s.Seal("button", claim{7, "alice"})
	if err != nil {
		t.Fatal(err)
	}
	var got claim
	for name, err := range map[string]error{
		"purpose": s.Open("dialog", text, &got),
		"key":     newSealer(t, 2).Open("button", text, &got),
		"empty":   s.Open("button", "", &got),
		"dot":     s.Open("button", ".", &got),
		"long":    s.Open("button", strings.Repeat("a", 1<<20)+"."+text, &got),
	} {
		if !errors.Is(err, ErrForged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	if _, err := New(make([]byte, 31)); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
}

func TestRandomIsLettersAndDigitsAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		r := Random()
		if len(r) != 26 || strings.Trim(r, "abcdefghijklmnopqrstuvwxyz234567") != "" || seen[r] {
			t.Fatalf("got %q", r)
		}
		seen[r] = true
	}
}

func FuzzOpen(f *testing.F) {
	s := newSealer(f, 1)
	good, err := s.Seal("button", claim{7, "alice"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", ".", "a.b", good + "x", strings.ToUpper(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got claim
		if err := s.Open("button", text, &got); err == nil && text != good {
			t.Errorf("%q was accepted as %+v", text, got)
		}
	})
}
