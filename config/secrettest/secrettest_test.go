// SPDX-License-Identifier: Apache-2.0

package secrettest_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"belfry/config"
	"belfry/config/secrettest"
)

const secret = `s3cr&t/pass"word+1`

// recorder notes whether a check failed.
type recorder struct {
	testing.TB
	failed, fatal bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fatalf(string, ...any) { r.fatal = true }

type holder struct {
	Name  string
	token string
}

func TestCheckFindsTheSecret(t *testing.T) {
	inner := fmt.Errorf("token %s refused", secret)
	for name, leak := range map[string]any{
		"text":                  "before " + secret + " after",
		"bytes":                 []byte("x" + secret),
		"error":                 inner,
		"wrapped, text hidden":  hiding{inner},
		"joined, text hidden":   hidingMany{[]error{errors.New("other"), inner}},
		"unexported field":      holder{"x", secret},
		"pointer":               &holder{"x", secret},
		"map key":               map[string]int{secret: 1},
		"basic auth":            "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret)),
		"basic auth, shifted":   "Basic " + base64.StdEncoding.EncodeToString([]byte("users:"+secret+"more")),
		"base64url":             base64.RawURLEncoding.EncodeToString([]byte("ab" + secret)),
		"hexadecimal":           hex.EncodeToString([]byte(secret)),
		"query":                 "https://x/?t=" + url.QueryEscape(secret),
		"user of a URL":         (&url.URL{Scheme: "postgres", User: url.UserPassword("belfry", secret), Host: "db"}).String(),
		"quoted":                fmt.Sprintf("%q", secret),
		"logged by its own way": leaky{},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			if secrettest.Check(r, secret, "harmless", leak); !r.failed {
				t.Error("the secret was not seen")
			}
		})
	}
}

func TestCheckPassesWhatHidesIt(t *testing.T) {
	for name, fine := range map[string]any{
		"nothing":         nil,
		"a secret":        config.Secret(secret),
		"in a struct":     struct{ T config.Secret }{config.Secret(secret)},
		"in a pointer":    &config.Source{Name: "n", Token: config.Secret(secret)},
		"in a map":        map[string]config.Secret{"t": config.Secret(secret)},
		"in a slice":      []config.Secret{config.Secret(secret)},
		"in the server":   config.Server{Database: config.Secret("postgres://u:" + secret + "@h/d")},
		"another error":   errors.New("the token was refused"),
		"part of a token": secret[:5],
	} {
		t.Run(name, func(t *testing.T) { secrettest.Check(t, secret, fine) })
	}
}

func TestCheckWantsARealSecret(t *testing.T) {
	r := &recorder{TB: t}
	if secrettest.Check(r, "short", "x"); !r.fatal {
		t.Error("a secret that proves nothing was taken")
	}
}

type hiding struct{ error }

func (hiding) Error() string   { return "hidden" }
func (h hiding) Unwrap() error { return h.error }

type hidingMany struct{ all []error }

func (hidingMany) Error() string     { return "hidden" }
func (h hidingMany) Unwrap() []error { return h.all }
func (hidingMany) String() string    { return "hidden" }
func (hidingMany) GoString() string  { return "hidden" }

type leaky struct{}

func (leaky) String() string   { return "hidden" }
func (leaky) GoString() string { return "hidden" }
func (leaky) MarshalJSON() ([]byte, error) {
	return []byte(`"` + hex.EncodeToString([]byte(secret)) + `"`), nil
}
