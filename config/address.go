// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"
	"slices"
	"strings"
)

// WrongAddress says what keeps a text from being the address of a server, or of
// a proxy, with one of schemes ("https"); "" when nothing does. It goes behind
// the field's name, and shows nothing of the text, which may hold a password.
func WrongAddress(text string, schemes ...string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not an address"
	case u.Host == "" || !slices.Contains(schemes, u.Scheme):
		return "does not begin with " + strings.Join(schemes, ":// or ") + ":// and a host"
	case u.User != nil:
		return "has a user name or password in it, which is not taken"
	case strings.ContainsAny(text, "?#"):
		return "has ? or # in it"
	}
	return ""
}
