// SPDX-License-Identifier: Apache-2.0

// Package reach says which addresses a Mattermost server calls. It calls none
// of its own network on behalf of an integration, unless the setting
// AllowedUntrustedInternalConnections says so.
//
// The rules are those of Mattermost's package httpservice, and have changed:
//
//   - Old servers (5.37 among them) divide the list by white space alone, new
//     ones at commas, too. A value that all of them read has no commas.
//   - An entry that is the host as it stands in the URL, letter by letter,
//     allows it before it is looked up.
//   - Else the host is looked up, and each address is tried that is neither
//     reserved nor the server's own, or lies in a network (CIDR) of the list. A
//     bare address in the list is no network.
//   - New servers hold more networks for reserved than old ones, among them
//     100.64.0.0/10, which VPNs like to use.
package reach

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// Setting is the key of ServiceSettings that holds the list.
const Setting = "AllowedUntrustedInternalConnections"

// Verdict says whether a server calls a host.
type Verdict int

// The verdicts.
const (
	// Called by all servers.
	Called Verdict = iota
	// Depends on the server's version.
	Depends
	// Refused by all servers.
	Refused
)

// reservedEverywhere are the networks that no version calls unasked.
func reservedEverywhere() []netip.Prefix {
	return prefixes("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::/128", "::1/128", "fc00::/7", "fe80::/10")
}

// reservedLater are those that newer versions don't call, either.
func reservedLater() []netip.Prefix {
	return prefixes("100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"224.0.0.0/4", "240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "ff00::/8", "2002::/16", "64:ff9b::/96")
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Private says whether an address is one that some server calls only when told to.
func Private(a netip.Addr) bool {
	return within(a.Unmap(), append(reservedEverywhere(), reservedLater()...))
}

func within(a netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// rules are those of one age of servers.
type rules struct {
	entries  []string
	reserved []netip.Prefix
}

// Judge says whether servers whose AllowedUntrustedInternalConnections is list
// call a URL with this host, exactly as it stands there, which has these
// addresses; own are the server's own addresses. why tells people what a
// verdict other than Called rests on.
func Judge(list, host string, addresses, own []netip.Addr) (v Verdict, why string) {
	strict := rules{strings.Fields(list), append(reservedEverywhere(), reservedLater()...)}
	mild := rules{strings.FieldsFunc(list, divides), reservedEverywhere()}
	if strict.call(host, addresses, own) {
		return Called, ""
	}
	commas := rules{mild.entries, strict.reserved}
	switch {
	case !mild.call(host, addresses, own):
		return Refused, host + " leads to a private address, and the list allows neither the name nor the address's network"
	case commas.call(host, addresses, own):
		return Depends, "the list is divided by commas, which old servers don't understand: it is divided by spaces"
	}
	return Depends, host + " leads to an address that new servers hold for reserved"
}

// call holds when one of the addresses is called.
func (r rules) call(host string, addresses, own []netip.Addr) bool {
	if slices.Contains(r.entries, host) {
		return true
	}
	var allowed []netip.Prefix
	for _, text := range r.entries {
		if p, err := netip.ParsePrefix(text); err == nil {
			allowed = append(allowed, p)
		}
	}
	return len(addresses) == 0 || slices.ContainsFunc(addresses, func(a netip.Addr) bool {
		a = a.Unmap()
		return !within(a, r.reserved) && !slices.Contains(own, a) || within(a, allowed)
	})
}

// Calls says whether all servers call a host; see Judge.
func Calls(list, host string, addresses, own []netip.Addr) bool {
	v, _ := Judge(list, host, addresses, own)
	return v == Called
}

func divides(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }

// Allow returns list with host added, divided so that every server reads it.
func Allow(list, host string) string {
	entries := strings.FieldsFunc(list, divides)
	if !slices.Contains(entries, host) {
		entries = append(entries, host)
	}
	return strings.Join(entries, " ")
}

// Disallow returns list without host, everything else as it stands.
func Disallow(list, host string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(list), func(s string) bool { return s == host }), " ")
}
