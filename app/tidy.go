// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"
)

const (
	tidyEvery = time.Hour
	// noticesEvery is how often notices that have said their say are ended.
	noticesEvery = time.Minute
	// tidyBatch keeps each removal short: intake waits behind it.
	tidyBatch = 500
	// retention is how long an alert is kept after its end, unless the
	// configuration says otherwise.
	retention = 90 * 24 * time.Hour
)

// tidy ends notices, and what waits for those who are gone, and removes what has been over for long and sessions that
// have ended.
func (a *App) tidy(ctx context.Context) {
	next := a.opt.Clock.Now().Add(tidyEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.opt.Clock.After(noticesEvery):
		}
		if err := a.desk.EndNotices(ctx); err != nil && ctx.Err() == nil {
			a.opt.Log.Warn("can't end notices, will try again in a minute", "err", err)
		}
		if err := a.endOrphans(ctx); err != nil && ctx.Err() == nil {
			a.opt.Log.Warn("can't end what nobody is left for, will try again in a minute", "err", err)
		}
		if a.opt.Clock.Now().Before(next) {
			continue
		}
		next = a.opt.Clock.Now().Add(tidyEvery)
		a.remove(ctx)
	}
}

// remove deletes what is no longer kept.
func (a *App) remove(ctx context.Context) {
	keep := a.opt.File.Server.Retention
	if keep == 0 {
		keep = retention
	}
	for ctx.Err() == nil {
		n, err := a.store.Prune(ctx, a.opt.Clock.Now().Add(-keep), tidyBatch)
		if err != nil && ctx.Err() == nil {
			a.opt.Log.Warn("can't remove old alerts, will try again in an hour", "err", err)
		}
		if err != nil || n < tidyBatch {
			break
		}
	}
	if _, err := a.store.DeleteExpiredSessions(ctx); err != nil && ctx.Err() == nil {
		a.opt.Log.Warn("can't remove ended sessions, will try again in an hour", "err", err)
	}
}
