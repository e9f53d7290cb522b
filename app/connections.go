// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/setup"
	"belfry/web"
)

// checkWithin bounds the look at a connection.
const checkWithin = 15 * time.Second

// checkChats asks every connection once whether it works and writes down what
// it says. It is for administrators only: deliveries find out by themselves.
func (a *App) checkChats(ctx context.Context, p *parts) {
	for name := range p.platforms {
		a.checkChat(ctx, p, name)
	}
}

// checkChat asks one; false: it can't be asked.
func (a *App) checkChat(ctx context.Context, p *parts, name string) bool {
	c, ok := p.platforms[name].(chat.SelfChecker)
	if !ok {
		return false
	}
	p.health.set(name, looked{})
	a.wg.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, checkWithin)
		defer cancel()
		report, err := c.SelfCheck(ctx)
		now := looked{at: a.opt.Clock.Now(), report: report}
		switch {
		case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		case err != nil:
			now.report, now.trouble = "", err.Error()
			a.opt.Log.Warn("a connection does not work; deliveries to it wait", "connection", name, "err", err)
		default:
			a.opt.Log.Info("a connection works", "connection", name, "report", report)
		}
		p.health.set(name, now)
	})
	return true
}

// LookAgain implements web.Connections.
func (a *App) LookAgain(name string) bool {
	return a.checkChat(a.base, a.parts.Load(), name)
}

// Connections implements web.Connections.
func (a *App) Connections() []web.Connection {
	p := a.parts.Load()
	out := make([]web.Connection, 0, len(p.file.Connections))
	for _, c := range p.file.Connections {
		platform := p.platforms[c.Name]
		left, off := p.left[c.Name]
		if off {
			platform = left.platform
		}
		one := web.Connection{Name: c.Name, Kind: c.Kind, Added: c.From != "", Made: setup.Noted(a.opt.Data, c.Name)}
		one.Leaves = a.CanSetUp() && platform != chat.Platform(a.room)
		if off {
			one.Left, one.LeftDone = left.departure.why(c.Name), left.departure.Done
		} else if d, ok := platform.(chat.Describer); ok {
			one.Traits = d.Traits()
		}
		if s, ok := c.Spec.(interface{ Address() string }); ok {
			one.Address = s.Address()
		}
		if _, one.Asks = p.platforms[c.Name].(chat.SelfChecker); one.Asks {
			l := p.health.of(c.Name)
			one.Looked, one.Report, one.Trouble = l.at, l.report, l.trouble
			for _, t := range one.Traits { // said once is enough
				one.Report = strings.ReplaceAll(one.Report, "; "+t.Text, "")
			}
		}
		spec, ok := c.Spec.(*mattermost.Config)
		if ok {
			one.Lends = spec.OAuth != nil
			if w, noted := setup.Earlier(a.opt.Data, c.Name); noted {
				one.Wish = &web.Wish{Name: c.Name, URL: w.URL, Team: w.Team, Channels: w.Channels, Bot: w.Bot, Command: w.Command,
					IncidentCommand: w.IncidentCommand, Triggers: w.Triggers, OAuth: w.OAuth, CAFile: spec.CAFile, Proxy: spec.Proxy, Insecure: spec.Insecure}
			}
		}
		one.Made = one.Made && ok
		for _, name := range a.TestChannels() {
			if strings.HasPrefix(name, c.Name+"/") {
				one.Channels = append(one.Channels, name)
			}
		}
		out = append(out, one)
	}
	return out
}

// closeAll lets go of what a configuration's connections and sources hold.
func closeAll(ctx context.Context, p *parts) error {
	var errs []error
	if p.answers != nil {
		p.answers.Close()
	}
	platforms := slices.Collect(maps.Values(p.platforms))
	for _, left := range p.left {
		platforms = append(platforms, left.platform)
	}
	for _, platform := range platforms {
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
