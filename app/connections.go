// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"time"

	"belfry/chat"
)

// checkWithin bounds the look at a connection.
const checkWithin = 15 * time.Second

// checkChats asks every connection once whether it works and writes down what
// it says. It is for administrators only: deliveries find out by themselves.
func (a *App) checkChats(ctx context.Context, p *parts) {
	for name, platform := range p.platforms {
		c, ok := platform.(chat.SelfChecker)
		if !ok {
			continue
		}
		a.wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkWithin)
			defer cancel()
			report, err := c.SelfCheck(ctx)
			switch {
			case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
			case err != nil:
				a.opt.Log.Warn("a connection does not work; deliveries to it wait", "connection", name, "err", err)
			default:
				a.opt.Log.Info("a connection works", "connection", name, "report", report)
			}
		})
	}
}

// closeAll lets go of what a configuration's connections and sources hold.
func closeAll(ctx context.Context, p *parts) error {
	var errs []error
	if p.answers != nil {
		p.answers.Close()
	}
	for _, platform := range p.platforms {
		if c, ok := platform.(chat.Closer); ok {
			errs = append(errs, c.Close(ctx))
		}
	}
	for _, s := range p.sources {
		if c, ok := s.monitor.(chat.Closer); ok {
			errs = append(errs, c.Close(ctx))
		}
	}
	return errors.Join(errs...)
}
