// SPDX-License-Identifier: Apache-2.0

package courier

import (
	"context"
	"errors"
	"fmt"

	"belfry/alert"
	"belfry/delivery"
	"belfry/fault"
	"belfry/store"
)

// Removed ends the write-backs of a source that is not configured any more:
// nobody can be told, and whoever waits is told that.
type Removed struct{ *Writeback }

var _ delivery.Sender = (*Removed)(nil)

// Send implements delivery.Sender.
func (r *Removed) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	const why = "it is not configured in Belfry any more, so it was not told"
	a, err := r.store.Alert(ctx, e.AlertID)
	var event alert.Event
	if err == nil {
		event, err = eventOf(ctx, r.store, e)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return delivery.Outcome{}
	case err != nil:
		return delivery.Outcome{Err: fault.NewRetry(fmt.Errorf("can't read what %s was to be told: %w", r.source, err)), Unknown: !e.UnknownSince.IsZero()}
	}
	switch event.Kind {
	case alert.EventAckWanted, alert.EventUnackWanted:
		o := order{Writeback: r.Writeback, errand: e, alert: a, event: event, set: event.Kind == alert.EventAckWanted}
		if !o.moot() {
			return o.refuse(ctx, why)
		}
	case alert.EventInstructed:
		return ours(r.desk.Instructed(ctx, a.ID, event, r.source+": "+why))
	}
	return delivery.Outcome{}
}
