// SPDX-License-Identifier: Apache-2.0

// Package secrettest proves that a secret does not leave: Check looks at
// whatever a package gives out (errors, configuration, messages, log records)
// in every form in which it could be printed, logged or encoded.
package secrettest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// minSecret is the shortest secret that can be told from chance, in bytes.
const minSecret = 8

// Check fails the test when the secret shows in one of got. Each is looked at
// as text (errors with all they wrap), with the verbs of fmt, as JSON and as a
// slog record; the secret also in base64, hexadecimal, and escaped for URLs,
// JSON, Go and HTML.
func Check(t testing.TB, secret string, got ...any) {
	t.Helper()
	if len(secret) < minSecret {
		t.Fatalf("a secret of %d bytes proves nothing; take one with at least %d", len(secret), minSecret)
	}
	forms := formsOf(secret)
	for i, g := range got {
		for form, text := range renderings(g) {
			for how, secret := range forms {
				if strings.Contains(text, secret) {
					t.Errorf("value %d (%T) shows the secret (%s) as %s", i+1, g, how, form)
				}
			}
		}
	}
}

// formsOf returns the spellings of a secret. In base64 a text looks different
// for each of the three places where it can begin; letters that its neighbours
// share are left out.
func formsOf(secret string) map[string]string {
	forms := map[string]string{
		"as it is":         secret,
		"URL query":        url.QueryEscape(secret),
		"URL path":         url.PathEscape(secret),
		"Go string":        strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"HTML":             html.EscapeString(secret),
		"hexadecimal":      hex.EncodeToString([]byte(secret)),
		"HEXADECIMAL":      strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"URL user":         strings.TrimPrefix(url.UserPassword("", secret).String(), ":"),
		"bytes in decimal": strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"),
	}
	if b, err := json.Marshal(secret); err == nil {
		forms["JSON"] = strings.Trim(string(b), `"`)
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		first := (shift*8 + 5) / 6
		last := len(padded) * 8 / 6
		forms[fmt.Sprintf("base64 at %d", shift)] = base64.StdEncoding.EncodeToString(padded)[first:last]
		forms[fmt.Sprintf("base64url at %d", shift)] = base64.URLEncoding.EncodeToString(padded)[first:last]
	}
	return forms
}

// renderings returns the texts in which g could leave.
func renderings(g any) map[string]string {
	out := map[string]string{
		"%v":  fmt.Sprintf("%v", g),
		"%+v": fmt.Sprintf("%+v", g),
		"%#v": fmt.Sprintf("%#v", g),
	}
	switch g.(type) {
	case string, []byte, error, fmt.Stringer:
		// Not for other values: go vet finds a verb that does not fit.
		out["%s"], out["%q"] = fmt.Sprintf("%s", g), fmt.Sprintf("%q", g)
	}
	switch x := g.(type) {
	case []byte:
		out["text"] = string(x)
	case error:
		for i, e := range wrapped(x, nil) {
			out[fmt.Sprintf("error %d", i)] = e.Error()
			out[fmt.Sprintf("error %d with %%#v", i)] = fmt.Sprintf("%#v", e)
		}
	}
	if b, err := json.Marshal(g); err == nil {
		out["JSON"] = string(b)
	} else {
		out["JSON error"] = err.Error()
	}
	var text, record bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("check", "got", g)
	slog.New(slog.NewJSONHandler(&record, nil)).Info("check", "got", g)
	out["log as text"], out["log as JSON"] = text.String(), record.String()
	return out
}

// wrapped returns err and every error in it.
func wrapped(err error, seen []error) []error {
	const most = 100
	if err == nil || len(seen) > most {
		return seen
	}
	seen = append(seen, err)
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			seen = wrapped(e, seen)
		}
		return seen
	}
	return wrapped(errors.Unwrap(err), seen)
}
