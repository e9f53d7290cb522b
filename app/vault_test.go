// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// settings is a Memory that shows what it keeps.
type settings map[string]string

func (s settings) UseOnce(context.Context, string, time.Time) (bool, error) { return true, nil }

func (s settings) Setting(_ context.Context, name string) (string, bool, error) {
	text, ok := s[name]
	return text, ok, nil
}

func (s settings) SetSetting(_ context.Context, name, value string) error {
	s[name] = value
	return nil
}

func TestSecretsAreKeptEncrypted(t *testing.T) {
	mine, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	kept := settings{}
	v := vault{mine, kept}
	if _, ok, err := v.Kept(t.Context(), "token"); ok || err != nil {
		t.Errorf("%v, %v before anything was kept", ok, err)
	}
	const secret = "xoxe.xoxb-1-very-secret"
	if err := v.Keep(t.Context(), "token", secret); err != nil {
		t.Fatal(err)
	}
	for name, text := range kept {
		if strings.Contains(text, "very-secret") {
			t.Errorf("%s is in clear: %s", name, text)
		}
	}
	if got, ok, err := v.Kept(t.Context(), "token"); got != secret || !ok || err != nil {
		t.Errorf("%q, %v, %v", got, ok, err)
	}
	if got, _, err := (vault{other, kept}).Kept(t.Context(), "token"); err == nil {
		t.Errorf("another key opens it: %q", got)
	}
	kept["vault token"] = "AAAA"
	if _, _, err := v.Kept(t.Context(), "token"); err == nil {
		t.Error("damage was not noticed")
	}
}
