// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"log/slog"
	"time"

	"belfry/clock"
	"belfry/desk"
	"belfry/monitor"
)

const (
	// watchEvery is how often open problems are compared with what their
	// monitoring system shows.
	watchEvery = 10 * time.Second
	// watchWithin bounds one comparison.
	watchWithin = 10 * time.Second
)

// watch compares a source's open problems with what its monitoring system
// shows, until ctx ends: what nobody was notified of (an acknowledgement set
// without a notification or removed, a recovery outside the notification
// period) gets onto the cards all the same.
func watch(ctx context.Context, c clock.Clock, d *desk.Desk, source string, read monitor.StatusReader, log *slog.Logger) {
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.After(watchEvery):
		}
		looking, cancel := context.WithTimeout(ctx, watchWithin)
		err := d.Observe(looking, source, read)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said: // once, not every ten seconds
			said = err.Error()
			log.Warn("can't compare open problems with the monitoring system, will try again", "source", source, "err", err)
		}
	}
}
