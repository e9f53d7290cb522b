// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// Probes prove that somebody else reaches us: a random text goes out by one
// way and has to come back by another. They live in memory, for the process
// that sent them. Probes is safe for concurrent use.
type Probes struct {
	mu      sync.Mutex
	waiting map[[sha256.Size]byte]chan struct{}
}

// probeWord begins every probe, so that people who see one know what it is.
const probeWord = "belfry-doctor-"

// NewProbes returns Probes that wait for nothing.
func NewProbes() *Probes { return &Probes{waiting: map[[sha256.Size]byte]chan struct{}{}} }

// Probe is one text that is out.
type Probe struct {
	// Text is what has to come back: letters, digits and "-".
	Text string
	all  *Probes
	came chan struct{}
}

// Send makes a probe. Call End when nobody waits for it any more.
func (p *Probes) Send() *Probe {
	o := &Probe{Text: probeWord + rand.Text(), all: p, came: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[sha256.Sum256([]byte(o.Text))] = o.came
	return o
}

// Probed says whether text is a probe that somebody waits for, and tells them
// that it came. A second time it is one no more.
func (p *Probes) Probed(text string) bool {
	text = strings.TrimSpace(text)
	if p == nil || !strings.HasPrefix(text, probeWord) {
		return false
	}
	key := sha256.Sum256([]byte(text))
	p.mu.Lock()
	defer p.mu.Unlock()
	came, ok := p.waiting[key]
	if ok {
		delete(p.waiting, key)
		close(came)
	}
	return ok
}

// Came says whether the probe came back, and waits for it a little.
func (o *Probe) Came(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-o.came:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-o.came:
		return true
	default:
		return false
	}
}

// End forgets the probe.
func (o *Probe) End() {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	delete(o.all.waiting, sha256.Sum256([]byte(o.Text)))
}
