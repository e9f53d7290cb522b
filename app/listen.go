// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"belfry/chat"
)

// listen lets every platform that fetches what people do do so until ctx ends;
// run starts a goroutine.
func (a *App) listen(ctx context.Context, p *parts, run func(func())) {
	for name, platform := range p.platforms {
		l, ok := platform.(chat.Listener)
		if !ok {
			continue
		}
		run(func() {
			if err := l.Listen(ctx, a.responder(p)); err != nil && ctx.Err() == nil {
				a.opt.Log.Error("stopped listening to a connection", "connection", name, "err", err)
			}
		})
	}
}
