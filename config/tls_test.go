// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/config"
)

func TestTLSInItsThreeWays(t *testing.T) {
	for text, want := range map[string]config.TLS{
		"{self_signed: true}":                   {SelfSigned: true},
		"{cert_file: /c.pem, key_file: /k.pem}": {CertFile: "/c.pem", KeyFile: "/k.pem"},
		"{acme: {domains: belfry.example.org, email: a@example.org, directory_url: https://ca.example.org/d, ca_file: /ca.pem, accept_terms: true, http_listen: ':80'}}": {
			ACME: &config.ACME{Domains: []string{"belfry.example.org"}, Email: "a@example.org", DirectoryURL: "https://ca.example.org/d", CAFile: "/ca.pem", AcceptTerms: true, HTTPListen: ":80"}},
	} {
		f, problems := config.Load("x", []byte("server: {tls: "+text+"}\n"), kinds())
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		if diff := cmp.Diff(&want, f.Server.TLS); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestTLSNeedsExactlyOneWay(t *testing.T) {
	for text, want := range map[string]string{
		"{self_signed: false}":             "write one of",
		"{key_file: /k.pem}":               "go together",
		"{acme: {accept_terms: true}}":     "no name is here",
		"{acme: {domains: a.example.org}}": "terms of service",
		"{self_signed: true, acme: {domains: a.example.org, accept_terms: true}}": "write one of",
	} {
		_, problems := config.Load("x", []byte("server: {tls: "+text+"}\n"), kinds())
		if len(problems) != 1 || !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v, want %q", text, problems, want)
		}
	}
}
