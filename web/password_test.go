// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"belfry/clock"
)

func TestPasswords(t *testing.T) {
	p := newPasswords()
	hash, err := p.hash(t.Context(), "größe: correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"größe: correct horse": true, "größe: correct hors": false, "": false} {
		if got, err := p.check(t.Context(), hash, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if other, err := p.hash(t.Context(), "größe: correct horse"); err != nil || other == hash {
		t.Errorf("two hashes of one password are the same (%v)", err)
	}
	for _, broken := range []string{"", "x", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$" + hash[len(hash)-43:],
		"$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$" + hash[len(hash)-43:], "$argon2id$v=19$m=8,t=0,p=0$a$b", hash + "x", hash[:60]} {
		if got, err := p.check(t.Context(), broken, "größe: correct horse"); got || err != nil {
			t.Errorf("the hash %q matches (%v)", broken, err)
		}
	}
}

// Somebody who does not exist costs the same work as somebody who does: both
// wait for the same turn, and both hash.
func TestNobodyIsCheckedLikeSomebody(t *testing.T) {
	p := newPasswords()
	hashed := 0
	real := p.nobody
	p.nobody = func() string { hashed++; return real() }
	if ok, err := p.check(t.Context(), "", "guess"); ok || err != nil || hashed != 1 {
		t.Errorf("nobody: %v, %v, hashed %d times", ok, err, hashed)
	}
	for range hashesAtOnce {
		p.gate <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, hash := range []string{"", "$argon2id$x"} {
		if _, err := p.check(ctx, hash, "guess"); !errors.Is(err, errBusy) {
			t.Errorf("with all turns taken %q was checked: %v", hash, err)
		}
	}
}

func TestAddressesShareAllowances(t *testing.T) {
	now := clock.NewManual(time.Unix(1_800_000_000, 0))
	a := newAttempts(now)
	use := func(address string) int {
		n := 0
		for a.allow(netip.MustParseAddr(address)) {
			n++
		}
		return n
	}
	if got := use("2001:db8::1"); got != attemptBurst {
		t.Errorf("%d attempts at once", got)
	}
	if got := use("2001:db8::ffff:2"); got != 0 {
		t.Errorf("the neighbour in the same /64 has %d more", got)
	}
	if use("2001:db8:1::1") != attemptBurst || use("192.0.2.1") != attemptBurst || use("192.0.2.2") != attemptBurst {
		t.Error("others have no allowance of their own")
	}
	if use("::ffff:192.0.2.1") != 0 {
		t.Error("an IPv4 address in IPv6 clothes has another allowance")
	}
	now.Advance(attemptEvery)
	if got := use("192.0.2.1"); got != 1 {
		t.Errorf("after a while there are %d more", got)
	}
	for i := range maxAddresses + 100 {
		a.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(a.by) > maxAddresses+1 {
		t.Errorf("%d addresses are remembered", len(a.by))
	}
}

func TestProxiesAreBelievedOnlyWhenTrusted(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.1:5", "203.0.113.9", "192.0.2.1"}, // a stranger claims something
		{"127.0.0.1:5", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:5", "6.6.6.6, 203.0.113.9", "203.0.113.9"}, // the first part is the stranger's
		{"127.0.0.1:5", "203.0.113.9, 10.1.1.1", "203.0.113.9"},
		{"127.0.0.1:5", "", "127.0.0.1"}, {"127.0.0.1:5", "rubbish", "127.0.0.1"},
		{"[::ffff:127.0.0.1]:5", "203.0.113.9", "203.0.113.9"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := address(r, trusted); got.String() != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
