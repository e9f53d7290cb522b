// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"net/netip"
	"slices"
	"strings"
)

// untrusted are the networks that a Mattermost server does not call unless
// AllowedUntrustedInternalConnections says so (its package httpservice).
func untrusted() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{"0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// Calls says whether a Mattermost server whose AllowedUntrustedInternalConnections
// is list calls a URL with this host, which has these addresses; own are the
// server's own addresses, which it calls only when told to.
//
// The list is divided by white space, so a comma makes its neighbours useless.
// The host is compared as it stands in the URL, before it is looked up; after
// that only networks (CIDR) count: a bare address in the list allows a URL with
// that very address, not a name that leads to it.
func Calls(list, host string, addresses, own []netip.Addr) bool {
	allowed := strings.Fields(list)
	if slices.Contains(allowed, host) {
		return true
	}
	var networks []netip.Prefix
	for _, text := range allowed {
		if p, err := netip.ParsePrefix(text); err == nil {
			networks = append(networks, p)
		}
	}
	for _, a := range addresses {
		a = a.Unmap()
		inside := func(p netip.Prefix) bool { return p.Contains(a) }
		if (slices.ContainsFunc(untrusted(), inside) || slices.Contains(own, a)) && !slices.ContainsFunc(networks, inside) {
			return false
		}
	}
	return true
}

// Allow returns list with host added, its entries divided as the server wants.
func Allow(list, host string) string {
	entries := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	if !slices.Contains(entries, host) {
		entries = append(entries, host)
	}
	return strings.Join(entries, " ")
}

// disallow returns list without host, everything else as it stands.
func disallow(list, host string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(list), func(s string) bool { return s == host }), " ")
}
