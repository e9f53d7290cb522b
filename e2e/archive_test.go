// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// endCalls is more than the calls that are made for the end of one incident.
const endCalls = 16

// TestAChannelIsClosedOnceWhateverFails is the other half of
// TestOneChannelWhateverFails: incidents are resolved and closed while another
// call goes wrong with each, and a minute later every other attempt to archive a
// channel does. In the end each channel has its card and one summary, and is
// archived.
func TestAChannelIsClosedOnceWhateverFails(t *testing.T) {
	t.Parallel()
	// Slack takes a message a second in a channel: all that is said here is said in
	// the incidents' own.
	quiet := func(config string) string {
		return strings.Replace(config, "announce: [chat/alerts]", "announce: []", 1)
	}
	whateverFails(t, quiet, func(t *testing.T, p *platform, d *desk, name string, wrong fault) {
		for number := 1; number <= endCalls; number++ {
			p.order(mostCalls, nil)
			p.types(fmt.Sprintf("new SEV1 trouble %d", number))
			until(t, "its card", func() bool { r := p.look(number); return len(r.cards) == 1 && slices.Contains(r.pins, r.card) })
			p.order(number-1, wrong)
			p.ends(t, d, number, name == killing)
		}
		p.alternate(p.shut, wrong)
		for number := 1; number <= endCalls; number++ {
			p.rests(t, d, number)
		}
		if p.hits() == 0 {
			t.Error("no attempt to archive a channel went wrong")
		}
	})
}

// ends has an incident resolved and closed, and waits until that is told. With
// kills Belfry is killed when the call goes wrong.
func (p *platform) ends(t *testing.T, d *desk, number int, kills bool) {
	t.Helper()
	var typed time.Time
	killed := false
	until(t, fmt.Sprintf("the summary of #%d", number), func() bool {
		if d.again() {
			killed, typed = true, time.Time{} // perhaps before it knew
		}
		r := p.look(number)
		if len(r.cards) == 2 && strings.Contains(r.cards[0], "closed") && strings.Contains(r.cards[1], "closed") {
			return killed || !kills || !p.struck()
		}
		if time.Since(typed) > 2*time.Second {
			p.types(fmt.Sprintf("resolve #%d new disk", number))
			p.types(fmt.Sprintf("close #%d", number))
			typed = time.Now()
		}
		return false
	})
}

// rests waits until an incident's channel is archived.
func (p *platform) rests(t *testing.T, d *desk, number int) {
	t.Helper()
	var r roomed
	for end := time.Now().Add(2 * time.Minute); !r.archived; time.Sleep(50 * time.Millisecond) {
		d.again()
		if r = p.look(number); time.Now().After(end) {
			t.Fatalf("the channel of #%d is not archived: %+v", number, r)
		}
	}
	all := strings.Join(r.cards, "\n")
	if len(r.channels) != 1 || len(r.cards) != 2 || !strings.Contains(all, "closed") || !strings.Contains(all, fmt.Sprintf("Summary of #%d", number)) {
		t.Errorf("what is left of #%d: %+v", number, r)
	}
}
