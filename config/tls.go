// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// TLS says where the server's certificate comes from: exactly one of the
// certificate files, ACME, or one that Belfry signs itself.
type TLS struct {
	// CertFile and KeyFile are PEM files: the certificate followed by those
	// that lead to its root, and its private key.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	ACME     *ACME  `yaml:"acme"`
	// SelfSigned has Belfry make its own certificate in the data directory.
	SelfSigned bool `yaml:"self_signed"`
}

// ACME is how certificates are got from an authority by RFC 8555.
type ACME struct {
	// Domains are the names that certificates are asked for, one each.
	Domains []string `yaml:"domains"`
	// Email is told by the authority when something is wrong; may be empty.
	Email string `yaml:"email"`
	// DirectoryURL is the authority's directory; empty: Let's Encrypt.
	DirectoryURL string `yaml:"directory_url"`
	// CAFile holds certificates to trust for DirectoryURL besides the system's.
	CAFile string `yaml:"ca_file"`
	// AcceptTerms says that the authority's terms of service are agreed to.
	AcceptTerms bool `yaml:"accept_terms"`
	// HTTPListen is a second address for the challenge HTTP-01, which the
	// authority asks at port 80; empty: only TLS-ALPN-01, at port 443.
	HTTPListen string `yaml:"http_listen"`
}

// validate returns what is wrong; fields are named from the server's block.
func (t *TLS) validate() []error {
	var wrong []error
	ways := 0
	for _, way := range []bool{t.CertFile != "" || t.KeyFile != "", t.ACME != nil, t.SelfSigned} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		wrong = append(wrong, Wrong("tls", "write one of cert_file with key_file, acme, or self_signed: true"))
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		wrong = append(wrong, Wrong("tls", "cert_file and key_file go together; one of them is missing"))
	}
	if t.ACME != nil {
		wrong = append(wrong, t.ACME.validate()...)
	}
	return wrong
}

func (a *ACME) validate() []error {
	var wrong []error
	if len(a.Domains) == 0 {
		wrong = append(wrong, Wrong("tls.acme.domains", "no name is here; write the one that people and Mattermost use, like belfry.example.org"))
	}
	for _, d := range a.Domains {
		if text := wrongDomain(d); text != "" {
			wrong = append(wrong, Wrong("tls.acme.domains", "%s %s", quote(d), text))
		}
	}
	if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " \t\r\n<>,")) {
		wrong = append(wrong, Wrong("tls.acme.email", "%s is no address; write it like admin@example.org", quote(a.Email)))
	}
	if a.DirectoryURL != "" {
		if u, err := url.Parse(a.DirectoryURL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			wrong = append(wrong, Wrong("tls.acme.directory_url", "this is not an https URL; write it like https://acme.example.org/directory, or leave it out for Let's Encrypt"))
		}
	}
	if !a.AcceptTerms {
		wrong = append(wrong, Wrong("tls.acme.accept_terms", "the authority gives certificates only to those who agree to its terms of service (Let's Encrypt: https://letsencrypt.org/repository/); write accept_terms: true if you do"))
	}
	if a.HTTPListen != "" {
		if host, port, err := net.SplitHostPort(a.HTTPListen); err != nil || !isPort(port) || strings.ContainsAny(host, " /") {
			wrong = append(wrong, Wrong("tls.acme.http_listen", "%s is not host:port; write it like :80", quote(a.HTTPListen)))
		}
	}
	return wrong
}

// wrongDomain says why no public authority can vouch for a name; "" when it may.
func wrongDomain(d string) string {
	if _, err := netip.ParseAddr(d); err == nil {
		return "is an address; certificates by ACME are for names, so take cert_file or self_signed"
	}
	labels := strings.Split(d, ".")
	if len(labels) < 2 || len(d) > 253 {
		return "is no full name; write it like belfry.example.org"
	}
	for _, l := range labels {
		bad := strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-")
		switch {
		case l == "*":
			return "has a star; an authority proves single names only in the ways that Belfry knows"
		case l == "" || len(l) > 63 || bad:
			return "is no host name; it has a-z, 0-9 and - between dots (xn--… for others)"
		}
	}
	return ""
}
