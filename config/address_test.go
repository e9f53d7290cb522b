// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"strings"
	"testing"

	"belfry/config"
)

// TestAWrongAddressIsToldWithoutItsText: it may hold a password.
func TestAWrongAddressIsToldWithoutItsText(t *testing.T) {
	for text, want := range map[string]string{
		"https://chat.example.org/sub": "", "http://[::1]:8065": "",
		"https://[s3cret": "is not an address", "": "https://", "s3cret.example.org": "http:// or https://", "ftp://s3cret": "http:// or https://", "https://": "and a host",
		"https://anna:s3cret@chat.example.org": "password", "https://chat.example.org/?s3cret": "? or #", "https://chat.example.org/#s3cret": "? or #",
		"https://chat.example.org?": "? or #",
	} {
		got := config.WrongAddress(text, "http", "https")
		if (got == "") != (want == "") || !strings.Contains(got, want) || strings.Contains(got, "s3cret") {
			t.Errorf("%q: %q, without %q", text, got, want)
		}
	}
}
