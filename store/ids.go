// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"belfry/alert"
)

// nodeBits are the low bits of an id, random for each process: two processes
// that make an id in the same microsecond make different ones. (Should they
// not, the primary key refuses one and the writer repeats it with a new id.)
const nodeBits = 10

// ids makes numbers that grow with time and fit in 63 bits until the year 2255.
// Only the writer goroutine uses it.
type ids struct {
	node alert.ID
	last alert.ID
}

func newIDs() ids {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return ids{node: alert.ID(binary.BigEndian.Uint16(b[:]) & (1<<nodeBits - 1))}
}

// after makes sure that the next id is above id, whatever the clock says:
// another process, or this one before its clock was set back, made it.
func (g *ids) after(id alert.ID) {
	if id > g.last {
		g.last = id&^(1<<nodeBits-1) | g.node
		if id > g.last {
			g.last += 1 << nodeBits
		}
	}
}

func (g *ids) next(now time.Time) alert.ID {
	g.last = max(g.last+1<<nodeBits, alert.ID(now.UnixMicro())<<nodeBits|g.node)
	return g.last
}

// secretLen is the length of a secret: 26 characters of 5 bits are 130.
const secretLen = 26

// secret returns 26 random characters a–z 2–7 (130 bits).
func secret() string { return secrets(1) }

// secrets returns n secrets one after the other.
func secrets(n int) string {
	b := make([]byte, n*secretLen)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz234567"[b[i]&31]
	}
	return string(b)
}

// micros is how times are stored: UTC microseconds, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
