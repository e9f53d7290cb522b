// SPDX-License-Identifier: Apache-2.0

package reach_test

import (
	"net/netip"
	"strings"
	"testing"

	"belfry/chat/mattermost/reach"
)

func TestWhatMattermostCalls(t *testing.T) {
	const private, public, vpn = "10.0.16.20", "1.1.1.1", "100.64.3.4"
	for _, c := range []struct {
		list, host string
		addresses  string // divided by spaces
		own        string
		want       reach.Verdict
	}{
		{"", "b.example.org", public, "", reach.Called},
		{"", "b.example.org", public, public, reach.Refused}, // it would reach itself past its firewall
		{"", "b.example.org", private, "", reach.Refused},
		{"b.example.org", "b.example.org", private, "", reach.Called},
		{"b.example.org", "B.example.org", private, "", reach.Refused}, // letter by letter, as in the URL
		{"example.org", "b.example.org", private, "", reach.Refused},
		{"*.example.org", "b.example.org", private, "", reach.Refused},
		{"b.example.org:8080", "b.example.org", private, "", reach.Refused},
		{"https://b.example.org", "b.example.org", private, "", reach.Refused},
		{"10.0.16.20", "b.example.org", private, "", reach.Refused}, // a bare address is no network
		{"10.0.16.20", "10.0.16.20", private, "", reach.Called},     // unless it stands in the URL
		{"10.0.16.20/32", "b.example.org", private, "", reach.Called},
		{"10.0.16.0/20", "b.example.org", private, "", reach.Called},
		{"10.0.0.0/20", "b.example.org", private, "", reach.Refused},
		{"a,b.example.org", "b.example.org", private, "", reach.Depends},
		{"10.0.16.0/20,b", "b.example.org", private, "", reach.Depends},
		{"a, b.example.org", "b.example.org", private, "", reach.Called},
		{"b.example.org, a", "b.example.org", private, "", reach.Depends},
		{"x\t10.0.0.0/8\ny", "b.example.org", private, "", reach.Called},
		{"", "b.example.org", vpn, "", reach.Depends},
		{"100.64.0.0/10", "b.example.org", vpn, "", reach.Called},
		{"", "b.example.org", private + " " + public, "", reach.Called}, // it tries each
		{"", "b.example.org", private + " " + vpn, "", reach.Depends},
		{"", "::1", "::1", "", reach.Refused},
		{"::1", "::1", "::1", "", reach.Called},
		{"", "b.example.org", "fd00::1", "", reach.Refused},
		{"", "b.example.org", "::ffff:10.0.0.1", "", reach.Refused},
		{"", "b.example.org", "2606:4700:4700::1111", "", reach.Called},
	} {
		addresses, own := parse(c.addresses), parse(c.own)
		got, why := reach.Judge(c.list, c.host, addresses, own)
		if got != c.want || (why == "") != (got == reach.Called) {
			t.Errorf("Judge(%q, %q, %s) = %v %q", c.list, c.host, c.addresses, got, why)
		}
		if reach.Calls(c.list, c.host, addresses, own) != (c.want == reach.Called) {
			t.Errorf("Calls(%q, %q, %s) says otherwise", c.list, c.host, c.addresses)
		}
		list := reach.Allow(c.list, c.host)
		if !reach.Calls(list, c.host, addresses, own) || strings.Contains(list, ",") {
			t.Errorf("Allow(%q, %q) = %q does not allow it everywhere", c.list, c.host, list)
		}
	}
}

func parse(text string) (out []netip.Addr) {
	for _, a := range strings.Fields(text) {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestPrivate(t *testing.T) {
	for text, want := range map[string]bool{"10.1.2.3": true, "192.168.0.1": true, "::ffff:127.0.0.1": true, "100.100.1.1": true, "1.1.1.1": false, "2606:4700::1": false} {
		if got := reach.Private(netip.MustParseAddr(text)); got != want {
			t.Errorf("Private(%s) = %v", text, got)
		}
	}
}

func TestWhatWasAddedIsTakenOutAgain(t *testing.T) {
	if got := reach.Disallow(reach.Allow("10.0.0.0/8 jenkins", "belfry.example.org"), "belfry.example.org"); got != "10.0.0.0/8 jenkins" {
		t.Errorf("got %q", got)
	}
}
