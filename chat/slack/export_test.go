// SPDX-License-Identifier: Apache-2.0

package slack

import "time"

// Idle waits until nothing is worked on that people did.
func (p *Platform) Idle() {
	for len(p.work.slots) > 0 {
		time.Sleep(time.Millisecond)
	}
}

// SetTempo makes a listener's waits short.
func (p *Platform) SetTempo(linger, first time.Duration) {
	p.tempo.linger, p.tempo.first, p.tempo.most = linger, first, 10*first
}

// SetPatience sets how long an answer is waited for.
func (p *Platform) SetPatience(d time.Duration) { p.patience = d }
