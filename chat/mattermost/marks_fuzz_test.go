// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"encoding/json"
	"testing"
)

// FuzzText: whatever the attachments of a program's post are, reading them
// breaks nothing down, and a person's words are never taken from them.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		`{"message":"","props":{"attachments":[{"pretext":"a","title":"b","text":"c","fallback":"d"}]}}`,
		`{"message":"","props":{"attachments":[{"fallback":"d"}],"override_username":"Builds @all"}}`,
		`{"message":"words","props":{"attachments":[{"text":"c"}]}}`, `{"props":{"attachments":"x"}}`, `{"props":{"attachments":[{"text":7}]}}`, `{}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s said
		if json.Unmarshal(raw, &s) != nil {
			return
		}
		if text := s.text(); s.Message != "" && text != s.Message || len(text) > 3*len(raw) {
			t.Errorf("%q says %q", raw, text)
		}
	})
}
