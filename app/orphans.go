// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/courier"
	"belfry/desk"
)

// missedFor is how long a connection or source may be missing in the
// configuration before what waits for it ends: a slip in the file loses nothing.
const missedFor = 24 * time.Hour

func missedSetting(name string) string { return "missed " + name }

// senderName is the connection or source that a destination belongs to.
func senderName(destination string) string {
	if strings.HasPrefix(destination, "monitor/") {
		return destination
	}
	name, _, _ := strings.Cut(destination, "/")
	return name
}

// endOrphans ends what waits for connections and sources that are gone for
// good, with the reason: those that were disconnected, and those that the
// configuration has not named for a day.
func (a *App) endOrphans(ctx context.Context) error {
	list, err := a.store.Unfinished(ctx)
	if err != nil {
		return err
	}
	p, now := a.parts.Load(), a.opt.Clock.Now()
	if err := a.forgetMissed(ctx, slices.Sorted(maps.Keys(p.senders))); err != nil {
		return err
	}
	for _, destination := range list {
		name := senderName(destination)
		_, there := p.senders[name]
		left, off := p.left[name]
		switch {
		case there:
			continue
		case off && !left.departure.Done:
			continue // it ends with everything else there
		case off:
			if _, err := a.store.EndDuties(ctx, destination, left.departure.why(name)); err != nil {
				return err
			}
			continue
		}
		since, err := a.missedSince(ctx, name, now)
		if err != nil {
			return err
		}
		if now.Sub(since) < missedFor {
			continue
		}
		if err := a.endMissed(ctx, destination, since); err != nil {
			return err
		}
	}
	return nil
}

// forgetMissed ends what is noted of those who are configured: they may have
// been missed earlier, and when they are missed again that begins anew, whether
// anything waits for them now or not. What ended in a chat meanwhile goes on: its
// cards stand there as they were.
func (a *App) forgetMissed(ctx context.Context, names []string) error {
	for _, name := range names {
		_, noted, err := a.store.Setting(ctx, missedSetting(name))
		if err == nil && noted {
			err = a.goOn(ctx, name)
		}
		if err == nil && noted {
			_, _, err = a.store.TakeSetting(ctx, missedSetting(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// goOn takes back what endMissed did to a connection.
func (a *App) goOn(ctx context.Context, name string) error {
	if strings.HasPrefix(name, "monitor/") {
		return nil // who waited was told that it was not carried out
	}
	n, err := a.store.Restore(ctx, name)
	if n > 0 {
		a.opt.Log.Info("a connection is configured again; its cards and channels are kept again", "connection", name, "deliveries", n)
	}
	return err
}

// missedSince is since when a name is not configured any more, as far as that
// was noticed.
func (a *App) missedSince(ctx context.Context, name string, now time.Time) (time.Time, error) {
	if _, err := a.store.SetSettingOnce(ctx, missedSetting(name), now.UTC().Format(time.RFC3339)); err != nil {
		return now, err
	}
	text, _, err := a.store.Setting(ctx, missedSetting(name))
	if err != nil {
		return now, err
	}
	since, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now, fmt.Errorf("since when %s is missing can't be read: %w", name, err)
	}
	return since, nil
}

// endMissed ends what waits for one destination. Whoever waits for a source to
// be told something is told that it won't be, by courier.Removed.
func (a *App) endMissed(ctx context.Context, destination string, since time.Time) error {
	why := fmt.Sprintf("%s is not configured any more, since %s", strings.TrimPrefix(senderName(destination), "monitor/"), since.UTC().Format("2006-01-02 15:04 UTC"))
	if strings.HasPrefix(destination, "monitor/") {
		a.gone.Store(destination, true)
		a.engine.Wake([]string{destination})
		_, err := a.store.EndDead(ctx, destination, why)
		return err
	}
	n, err := a.store.EndDuties(ctx, destination, why)
	if n > 0 {
		a.opt.Log.Warn("deliveries ended, because nobody is configured to take them", "destination", destination, "ended", n)
	}
	return err
}

// removedSource is the sender of a source that is gone for good.
func (a *App) removedSource(destination string) (*courier.Removed, bool) {
	if _, gone := a.gone.Load(destination); !gone {
		return nil, false
	}
	name := strings.TrimPrefix(destination, desk.MonitorDestination(""))
	return &courier.Removed{Writeback: courier.NewWriteback(name, nil, a.store, a.desk, a.opt.Clock)}, true
}
