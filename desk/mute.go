// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/route"
	"belfry/store"
)

const (
	// mutesEvery is how often mutes are read anew: another process on the same
	// database may have made one.
	mutesEvery = 5 * time.Second
	// mutesLag is how long a process may take to hear that a mute was ended,
	// and a little more. Only then nothing can be kept back by it any more.
	mutesLag = 15 * time.Second
	// dealAtOnce bounds the alerts of one transaction when a mute is over.
	dealAtOnce = 200
)

// MaxMute is how long a mute may last.
const MaxMute = 90 * 24 * time.Hour

// Errors about mutes. Their texts are shown to people.
var (
	ErrMuteAll     = errors.New("that would mute everything; say which alerts, like host=\"web01\" or severity=\"warning\"")
	ErrMuteTime    = fmt.Errorf("a mute lasts at least a minute and at most %d days", int(MaxMute.Hours())/24)
	ErrNoMute      = errors.New("there is no such mute in force")
	ErrMutesEnough = errors.New("there are too many mutes already; end some that nobody needs")
)

// mutes are what is muted, as far as this process knows.
type mutes struct {
	list *atomic.Pointer[[]mute]
	// nudge wakes KeepMutes.
	nudge chan struct{}
	// dealt are those that ended and whose cards were made once; KeepMutes' own.
	dealt map[alert.ID]bool
}

type mute struct {
	store.Mute
	matchers route.Matchers
}

func newMutes() mutes {
	return mutes{list: &atomic.Pointer[[]mute]{}, nudge: make(chan struct{}, 1), dealt: map[alert.ID]bool{}}
}

// Muted says whether alerts with these labels get no cards now.
func (d *Desk) Muted(l alert.Labeled) bool {
	list := d.mutes.list.Load()
	if list == nil {
		return false
	}
	now := d.clock.Now()
	for i := range *list {
		if m := &(*list)[i]; now.Before(m.Until) && m.matchers.Match(l) {
			return true
		}
	}
	return false
}

// Mute keeps new alerts that fit the matchers out of chat until a time. They
// are recorded all the same, and those still firing at its end get their cards
// then. Cards that are there already live on. Errors are those of
// route.ParseMatchers, ErrMuteAll, ErrMuteTime and ErrMutesEnough.
func (d *Desk) Mute(ctx context.Context, by, matchers string, lasts time.Duration, reason string) (store.Mute, error) {
	parsed, err := route.ParseMatchers(matchers)
	switch {
	case err != nil:
		return store.Mute{}, err
	case parsed.Match(alert.Labels{}):
		return store.Mute{}, ErrMuteAll
	case lasts < time.Minute || lasts > MaxMute:
		return store.Mute{}, ErrMuteTime
	}
	m, err := d.store.CreateMute(ctx, store.Mute{Matchers: parsed.String(), By: by, Reason: reason, Until: d.clock.Now().Add(lasts)})
	if errors.Is(err, store.ErrTooMany) {
		return store.Mute{}, ErrMutesEnough
	}
	if err != nil {
		return store.Mute{}, err
	}
	d.reload(ctx)
	return m, nil
}

// Unmute ends a mute now. ErrNoMute when there is none with this number.
func (d *Desk) Unmute(ctx context.Context, by string, number int64) (store.Mute, error) {
	m, err := d.store.EndMute(ctx, number, by)
	if errors.Is(err, store.ErrNotFound) {
		return m, ErrNoMute
	}
	if err != nil {
		return m, err
	}
	d.reload(ctx)
	return m, nil
}

// Mutes returns the mutes in force, the first to end first.
func (d *Desk) Mutes(ctx context.Context) ([]store.Mute, error) {
	list, err := d.store.Mutes(ctx)
	if err != nil {
		return nil, err
	}
	now := d.clock.Now()
	return slices.DeleteFunc(list, func(m store.Mute) bool { return !now.Before(m.Until) }), nil
}

// LoadMutes reads what is muted. Call it before anything is taken in;
// KeepMutes does so from then on.
func (d *Desk) LoadMutes(ctx context.Context) error {
	stored, err := d.store.Mutes(ctx)
	if err != nil {
		return err
	}
	list := make([]mute, 0, len(stored))
	for _, m := range stored {
		parsed, err := route.ParseMatchers(m.Matchers)
		if err != nil {
			// Of a later Belfry, say: nothing may be kept back by guess.
			parsed = nil
			m.Until = m.CreatedAt
		}
		list = append(list, mute{m, parsed})
	}
	d.mutes.list.Store(&list)
	return nil
}

// reload is LoadMutes for a change that was just made, which KeepMutes is to
// hear of. Should it fail, KeepMutes reads them soon anyway.
func (d *Desk) reload(ctx context.Context) {
	_ = d.LoadMutes(ctx)
	select {
	case d.mutes.nudge <- struct{}{}:
	default:
	}
}

// KeepMutes makes the cards that mutes kept back once they are over, until ctx
// ends. What is due is in the store: a restart loses nothing.
func (d *Desk) KeepMutes(ctx context.Context, log *slog.Logger) {
	for ctx.Err() == nil {
		wait, err := d.settleMutes(ctx)
		if err != nil && ctx.Err() == nil {
			log.Warn("can't settle the mutes that are over, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-d.mutes.nudge:
		case <-d.clock.After(wait):
			if err := d.LoadMutes(ctx); err != nil && ctx.Err() == nil {
				log.Warn("can't read what is muted, will try again", "err", err)
			}
		}
	}
}

// settleMutes looks after the mutes that are over and says when to look again.
func (d *Desk) settleMutes(ctx context.Context) (wait time.Duration, err error) {
	wait = mutesEvery
	list := d.mutes.list.Load()
	if list == nil {
		return wait, nil
	}
	now := d.clock.Now()
	for i := range *list {
		m := &(*list)[i]
		if left := m.Until.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		// Dealt at once, for people who wait for it; and once more when no
		// process keeps anything back by it any more.
		last := now.Sub(m.Until) >= mutesLag
		if d.mutes.dealt[m.ID] && !last {
			continue
		}
		if err := d.deal(ctx, m.matchers); err != nil {
			return wait, err
		}
		d.mutes.dealt[m.ID] = true
		if last {
			if err := d.store.SettleMute(ctx, m.ID); err != nil {
				return wait, err
			}
			delete(d.mutes.dealt, m.ID)
		}
	}
	return wait, nil
}

// deal gives the alerts that fit and are firing the cards they should have.
func (d *Desk) deal(ctx context.Context, matchers route.Matchers) error {
	firing, _, err := d.store.Changed(ctx, 0)
	if err != nil {
		return err
	}
	var changes []store.Change
	for _, a := range firing {
		if !matchers.Match(a) {
			continue
		}
		if cards, calls := d.routed(a.Clone()); len(cards)+len(calls) > 0 {
			changes = append(changes, store.Change{ID: a.ID, Apply: d.dealt})
		}
	}
	for part := range slices.Chunk(changes, dealAtOnce) {
		errs, err := d.store.Change(ctx, part...)
		if err := errors.Join(append(errs, err)...); err != nil {
			return err
		}
	}
	return nil
}

// dealt gives one alert the cards it should have.
func (d *Desk) dealt(v store.View) ([]store.Effect, error) {
	if v.Alert == nil || v.Alert.Status != alert.Firing {
		return nil, nil
	}
	a := v.Alert.Clone()
	e := d.effect(a, []alert.Event{a.Refresh(d.clock.Now())})
	if len(e.NewCards)+len(e.Calls) == 0 {
		return nil, nil
	}
	return []store.Effect{e}, nil
}
