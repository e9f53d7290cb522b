// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"belfry/clock"
)

// How often one address may try a password: ten at once, then one every ten
// seconds.
const (
	attemptBurst = 10
	attemptEvery = 10 * time.Second
	// maxAddresses bounds the memory; beyond it all unknown addresses share
	// one allowance until the others are forgotten.
	maxAddresses = 10_000
)

// attempts holds the allowance of every address that tried lately.
type attempts struct {
	clock clock.Clock
	mu    sync.Mutex
	by    map[netip.Prefix]*rate.Limiter
	swept time.Time
}

func newAttempts(c clock.Clock) *attempts {
	return &attempts{clock: c, by: map[netip.Prefix]*rate.Limiter{}}
}

// allow says whether the address may try now.
func (a *attempts) allow(from netip.Addr) bool {
	key := group(from)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	l, known := a.by[key]
	if !known && len(a.by) >= maxAddresses {
		a.sweep(now)
	}
	if !known && len(a.by) >= maxAddresses {
		key = netip.Prefix{}
		l, known = a.by[key]
	}
	if !known {
		l = rate.NewLimiter(rate.Every(attemptEvery), attemptBurst)
		a.by[key] = l
	}
	return l.AllowN(now, 1)
}

// sweep forgets the addresses whose allowance is whole again.
func (a *attempts) sweep(now time.Time) {
	if now.Sub(a.swept) < attemptEvery {
		return
	}
	a.swept = now
	for key, l := range a.by {
		if l.TokensAt(now) >= attemptBurst {
			delete(a.by, key)
		}
	}
}

// group is what shares an allowance: an IPv4 address, or the /64 that one
// customer has in IPv6.
func group(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	p, err := from.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// address is where a request comes from. A proxy that is trusted is believed
// about the one before it, and so on backwards.
func address(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(at) }) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		at = before.Unmap()
	}
	return at
}
