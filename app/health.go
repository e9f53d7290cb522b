// SPDX-License-Identifier: Apache-2.0

package app

import (
	"sync"
	"time"
)

// health is what connections last said about themselves, by name.
type health struct {
	mu   sync.Mutex
	last map[string]looked
}

// looked is one answer; its time is zero while it is waited for.
type looked struct {
	at              time.Time
	report, trouble string
}

func (h *health) set(name string, l looked) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[string]looked{}
	}
	h.last[name] = l
}

func (h *health) of(name string) looked {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last[name]
}
