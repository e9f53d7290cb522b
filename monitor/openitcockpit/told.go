// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"sync"
	"time"

	"belfry/alert"
)

const (
	// lag is how long a command may take through queue, core and database until
	// a list shows it: 2 to 4 s where somebody measured. What a list shows
	// within that time proves nothing about a command that does not show.
	lag = 8 * time.Second
	// rememberTold is how long a command's traces are looked for.
	rememberTold = 5 * time.Minute
	mostTold     = 10000
)

// order is a command that changes an acknowledgement.
type order struct {
	// removes is true for the removal; else these are its words.
	removes         bool
	author, comment string
	// acked and before are what was there when it was handed over.
	acked  bool
	before words
	at     time.Time
}

// told remembers the last order for each object, so that its traces are
// recognised as soon as they show. Without it, after a restart, they are
// believed once the list is newer than the order by lag.
type told struct {
	mu   sync.Mutex
	last map[string]order
}

func newTold() *told { return &told{last: map[string]order{}} }

func (t *told) note(r row, o order) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) >= mostTold {
		for k, old := range t.last {
			if o.at.Sub(old.at) > rememberTold {
				delete(t.last, k)
			}
		}
	}
	if len(t.last) >= mostTold {
		clear(t.last)
	}
	t.last[r.key()] = o
}

// done says whether r shows what the last order for it was about, and did not
// before: then the order was carried out, whatever the lists' lag is.
func (t *told) done(r row, now time.Time) bool {
	t.mu.Lock()
	o, ok := t.last[r.key()]
	t.mu.Unlock()
	switch {
	case !ok, now.Sub(o.at) > rememberTold:
		return false
	case o.removes:
		return o.acked && !r.acked
	}
	had := o.acked && o.before == words{r.author, r.comment}
	return r.acked && !had && alert.SamePerson(r.author, o.author) && r.comment == o.comment
}

// key identifies the object.
func (r row) key() string {
	if r.service != "" {
		return r.service
	}
	return r.host
}
