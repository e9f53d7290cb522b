// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"belfry/alert"
	"belfry/store"
)

// Dead are the deliveries that were given up.
func (a *App) Dead(ctx context.Context) ([]store.Duty, error) { return a.store.DeadDuties(ctx, 100) }

// Missed says whether it is noted that a connection is not configured any more.
func (a *App) Missed(ctx context.Context, name string) (bool, error) {
	_, is, err := a.store.Setting(ctx, missedSetting(name))
	return is, err
}

// Miss notes that it is, as tidying up does.
func (a *App) Miss(ctx context.Context, name string) error {
	_, err := a.missedSince(ctx, name, a.opt.Clock.Now())
	return err
}

// Unfinished are the destinations for which something waits.
func (a *App) Unfinished(ctx context.Context) ([]string, error) { return a.store.Unfinished(ctx) }

// Resend sends one of them again, as the page does.
func (a *App) Resend(ctx context.Context, id alert.ID) error { return a.store.Resend(ctx, id) }
