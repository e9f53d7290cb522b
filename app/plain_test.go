// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"belfry/config"
)

func TestPlainHTTPBeyondThisMachineIsWarnedOf(t *testing.T) {
	for name, c := range map[string]struct {
		listen, publicURL string
		warns             bool
	}{
		"loopback":           {"127.0.0.1:8080", "http://127.0.0.1:8080", false},
		"loopback 6":         {"[::1]:8080", "http://[::1]:8080", false},
		"everywhere":         {"[::]:8080", "http://[::]:8080", true},
		"a network, http":    {"192.0.2.7:8080", "http://belfry.example.org", true},
		"behind a TLS proxy": {"0.0.0.0:8080", "https://belfry.example.org", false},
	} {
		address, err := net.ResolveTCPAddr("tcp", c.listen)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		warnPlain(slog.New(slog.NewTextHandler(&log, nil)), address, c.publicURL)
		if got := strings.Contains(log.String(), "plain HTTP on"); got != c.warns {
			t.Errorf("%s: warned %v, want %v: %s", name, got, c.warns, log.String())
		}
	}
}

func TestWhereTheServerIsWhenNobodySays(t *testing.T) {
	acme := func(http string) *config.TLS {
		return &config.TLS{ACME: &config.ACME{Domains: []string{"a.example.org", "b.example.org"}, HTTPListen: http}}
	}
	for want, way := range map[string]*config.TLS{
		"http://127.0.0.1:8443":      nil,
		"https://127.0.0.1:8443":     {SelfSigned: true},
		"https://a.example.org":      acme(""),
		"https://a.example.org:8443": acme(":80"),
	} {
		if got := DefaultURL(config.Server{TLS: way}, "127.0.0.1:8443"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
