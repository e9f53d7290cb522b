// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"belfry/alert"
	"belfry/store"
)

// Dead are the deliveries that were given up.
func (a *App) Dead(ctx context.Context) ([]store.Duty, error) { return a.store.DeadDuties(ctx, 100) }

// Resend sends one of them again, as the page does.
func (a *App) Resend(ctx context.Context, id alert.ID) error { return a.store.Resend(ctx, id) }
