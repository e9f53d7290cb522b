// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/config"
	"belfry/config/secrettest"
)

func TestReadSecret(t *testing.T) {
	const secret = "SECRET-in-a-file-0001"
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		inline      config.Secret
		file        string
		want, wrong string
	}{
		"inline":              {inline: secret, want: secret},
		"neither":             {},
		"inline wins":         {inline: secret, file: "/no/such/file", want: secret},
		"file":                {file: write("f", "  "+secret+"\r\n"), want: secret},
		"missing":             {file: "/no/such/file", wrong: "can't read the secret's file"},
		"empty":               {file: write("f", " \n"), wrong: "is empty"},
		"two lines":           {file: write("f", secret+"\nmore"), wrong: "more than one line"},
		"much too long":       {file: write("f", strings.Repeat(secret, 5000)), wrong: "is it the right file?"},
		"a directory, not it": {file: t.TempDir(), wrong: "can't read the secret's file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.ReadSecret(c.inline, c.file)
			if c.wrong == "" {
				if err != nil || got.Reveal() != c.want {
					t.Errorf("got %q, %v", got.Reveal(), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) || got != "" {
				t.Fatalf("got %q, error %v", got.Reveal(), err)
			}
			secrettest.Check(t, secret, err)
		})
	}
}

func TestHide(t *testing.T) {
	for _, c := range []struct {
		text, want string
		secrets    []config.Secret
	}{
		{"no to xoxb-1 and to xoxb-1, or s2", "no to (secret) and to (secret), or (secret)", []config.Secret{"xoxb-1", "", "s2"}},
		{"nothing to hide", "nothing to hide", []config.Secret{""}},
		{"nothing to hide", "nothing to hide", nil},
	} {
		if got := config.Hide(c.text, c.secrets...); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
