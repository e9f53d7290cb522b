// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret is a text that must not be seen: whatever prints, logs or encodes it
// gets "(secret)". Call Reveal where the text itself is needed. Package fmt can
// not be kept out of unexported fields: a struct that has one must not be
// printed (secrettest.Check finds it).
type Secret string

const hidden = "(secret)"

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString implements fmt.GoStringer, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Hide returns a text, such as what a server answered, without these secrets.
func Hide(text string, secrets ...Secret) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s.Reveal(), s.String())
		}
	}
	return text
}

// maxSecretFile bounds a secret's file: no token is near it.
const maxSecretFile = 64 << 10

// ReadSecret returns inline, or else the content of file without the white
// space around it. Errors name the file, never its content.
func ReadSecret(inline Secret, file string) (Secret, error) {
	if inline != "" || file == "" {
		return inline, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("can't read the secret's file: %w", err)
	}
	if info.Size() > maxSecretFile {
		return "", fmt.Errorf("the secret's file %s has %d bytes, more than %d: is it the right file?", file, info.Size(), maxSecretFile)
	}
	b, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return "", fmt.Errorf("can't read the secret's file: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("the secret's file %s is empty", file)
	}
	if strings.ContainsAny(text, "\r\n") {
		return "", errors.New("the secret's file " + file + " has more than one line")
	}
	return Secret(text), nil
}
