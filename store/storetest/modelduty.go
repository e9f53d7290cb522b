// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"belfry/store"
)

// duty is what the model knows of one.
type duty struct {
	store.Duty
	// claimed is when a try began that was not settled; tried is what was
	// wanted then; anew: the next success does not count.
	claimed time.Time
	tried   int64
	anew    bool
}

// after is what a duty must be after a settlement.
func (d *duty) after(x store.Settlement, now time.Time) {
	began := d.claimed
	d.claimed = time.Time{}
	if x.Unsent {
		return
	}
	if !x.Unknown {
		d.UnknownSince = time.Time{}
	} else if d.UnknownSince.IsZero() {
		d.UnknownSince = began
	}
	d.Attempts++
	if !x.Failed {
		d.Attempts = 0
	}
	if x.Receipt != "" {
		d.Receipt = x.Receipt
	}
	if x.Forget {
		d.Receipt, d.Reached, d.Key = "", 0, ""
	}
	d.State = x.State
	switch {
	case x.State == store.DutyDue:
		d.DueAt = now
		if x.RetryAt.After(now) {
			d.DueAt = x.RetryAt
		}
	case d.Kind == store.DutyNote && x.State == store.DutyDone:
		d.Reached = 1
	case d.Kind == store.DutyCard && x.State == store.DutyDone:
		d.Reached = x.Reached
		if d.anew {
			d.Reached = 0
		}
		if d.Wanted > d.Reached {
			d.State, d.DueAt = store.DutyDue, now
		}
	case d.Kind == store.DutyCard && (d.anew || d.Wanted > d.tried):
		d.State, d.DueAt, d.Attempts = store.DutyDue, now, 0
	}
	if d.Kind == store.DutyCard && d.anew {
		d.Reached = 0
	}
}
