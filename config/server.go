// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Server is how the server itself runs.
type Server struct {
	// Listen is the address of the HTTP server, host:port; port 0 takes any.
	Listen string `yaml:"listen"`
	// PublicURL is where people and chat platforms reach the server, without a
	// slash at its end; empty: http:// (https:// with TLS) and the address it
	// listens on.
	PublicURL string `yaml:"public_url"`
	// TLS has the server speak HTTPS itself; nil: plain HTTP, for loopback or
	// behind a proxy.
	TLS *TLS `yaml:"tls"`
	// Data is the directory for database, key, tokens and socket.
	Data string `yaml:"data"`
	// Socket is the unix socket for belfry notify on the same host; empty:
	// belfry.sock in Data. Whoever may open it may hand over for any source.
	Socket string `yaml:"socket"`
	// TrustedProxies are networks (CIDR) or addresses of proxies that may say
	// in X-Forwarded-For whose request they pass on.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Database is "postgres://…", or the path of a SQLite file; empty: a SQLite
	// file in Data. It is a secret because it can hold a password.
	Database Secret `yaml:"database"`
	// Retention is how long an alert is kept after its end.
	Retention time.Duration `yaml:"retention"`
	// Metrics serves /metrics over TCP, to whoever shows the token that is made
	// in Data; the socket serves them always.
	Metrics bool `yaml:"metrics"`
	// TimeZone is the zone of the times on cards, as in Europe/Berlin; empty:
	// the machine's.
	TimeZone string `yaml:"time_zone"`
}

// Bounds of Server.Retention.
const (
	minRetention = time.Hour
	maxRetention = 10 * 365 * 24 * time.Hour
)

// Override takes what the environment sets: BELFRY_LISTEN, BELFRY_PUBLIC_URL,
// BELFRY_DATA and BELFRY_DATABASE. Empty values set nothing. Call Validate
// after the last override: an option wins over the environment, the
// environment over the file.
func (s *Server) Override(env func(name string) string) {
	if v := env("BELFRY_LISTEN"); v != "" {
		s.Listen = v
	}
	if v := env("BELFRY_PUBLIC_URL"); v != "" {
		s.PublicURL = v
	}
	if v := env("BELFRY_DATA"); v != "" {
		s.Data = v
	}
	if v := env("BELFRY_DATABASE"); v != "" {
		s.Database = Secret(v)
	}
}

// Proxies returns TrustedProxies as networks. Validate has found those that
// are none.
func (s *Server) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range s.TrustedProxies {
		if p, err := parseNetwork(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// Location returns the zone of the times on cards; time.Local when none is
// set. Validate has found those that don't exist.
func (s *Server) Location() *time.Location {
	if s.TimeZone == "" {
		return time.Local
	}
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.Local
	}
	return loc
}

// Validate implements Spec.
func (s *Server) Validate() []error {
	var wrong []error
	if host, port, err := net.SplitHostPort(s.Listen); err != nil || !isPort(port) || strings.ContainsAny(host, " /") {
		wrong = append(wrong, Wrong("listen", "%s is not host:port; write it like 127.0.0.1:8080, or :8080 for every address", quote(s.Listen)))
	}
	if text := wrongURL(s.PublicURL); s.PublicURL != "" && text != "" {
		wrong = append(wrong, Wrong("public_url", "%s; write it like https://belfry.example.org", text))
	}
	if s.TLS != nil {
		wrong = append(wrong, s.TLS.validate()...)
	}
	if s.Data == "" || !validText(s.Data) {
		wrong = append(wrong, Wrong("data", "the data directory is empty; write it like ./belfry-data or /var/lib/belfry"))
	}
	// 108 bytes is what Linux takes for a socket's path, its end included.
	if len(s.Socket) > 107 || !validText(s.Socket) {
		wrong = append(wrong, Wrong("socket", "the path has %d bytes, a socket's has at most 107", len(s.Socket)))
	}
	for _, text := range s.TrustedProxies {
		if _, err := parseNetwork(text); err != nil {
			wrong = append(wrong, Wrong("trusted_proxies", "%s is neither an address nor a network; write it like 10.0.0.5 or 10.0.0.0/24", quote(text)))
		}
	}
	if scheme, _, ok := strings.Cut(s.Database.Reveal(), "://"); ok && scheme != "postgres" && scheme != "postgresql" {
		wrong = append(wrong, Wrong("database", "this kind of database is not known; write postgres://user@host/name, or the path of a SQLite file"))
	}
	if s.Retention < minRetention || s.Retention > maxRetention {
		wrong = append(wrong, Wrong("retention", "%s is out of bounds; it is between 1h and 3650d", s.Retention))
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		wrong = append(wrong, Wrong("time_zone", "%s is no time zone of this machine; write it like Europe/Berlin or UTC (Debian: package tzdata)", quote(s.TimeZone)))
	}
	return wrong
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n <= 65535
}

// wrongURL says what is wrong with a public base URL; "" when nothing is.
func wrongURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "this is not a URL"
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return quote(s) + " is not an http or https URL"
	case u.User != nil:
		return "a URL for people has no user or password in it"
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s, "?#"):
		return quote(s) + ` has a part after "?" or "#"`
	}
	return ""
}
