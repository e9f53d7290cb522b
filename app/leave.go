// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/setup"
	"belfry/chat/slack"
	"belfry/config"
	"belfry/farewell"
	"belfry/web"
)

// departure is a connection that is disconnected, or on its way to be: as long
// as it is noted nothing is posted there and nobody acts from there, whatever
// the configuration says. It is kept as a setting of the store.
type departure struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
	// Done says that nothing is left to be done in chat.
	Done bool `json:"done,omitempty"`
}

// leftBehind is a connection of the configuration that is switched off.
type leftBehind struct {
	platform  chat.Platform
	departure departure
}

func departureOf(connection string) string { return "disconnected " + connection }

func (d departure) why(connection string) string {
	return fmt.Sprintf("%s was disconnected by %s on %s", connection, d.By, d.At.UTC().Format("2006-01-02 15:04 UTC"))
}

// departed reads whether a connection is disconnected.
func (a *App) departed(ctx context.Context, connection string) (d departure, is bool, err error) {
	text, is, err := a.store.Setting(ctx, departureOf(connection))
	if err != nil || !is {
		return d, false, err
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, false, fmt.Errorf("what is noted of the end of connection %s can't be read: %w", connection, err)
	}
	return d, true, nil
}

func (a *App) depart(ctx context.Context, connection string, d departure) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return a.store.SetSetting(ctx, departureOf(connection), string(text))
}

// Again implements web.Connections: the connection works again from here on, and
// what is open gets new cards.
func (a *App) Again(ctx context.Context, name string) error {
	if err := a.comeBack(ctx, name); err != nil {
		return err
	}
	return a.reread()()
}

// comeBack forgets that a connection was disconnected.
func (a *App) comeBack(ctx context.Context, name string) error {
	if _, err := a.store.Revive(ctx, name); err != nil {
		return err
	}
	_, _, err := a.store.TakeSetting(ctx, departureOf(name))
	return err
}

// removing is the end of a connection that was planned on the pages. It
// implements web.SetUp.
type removing struct {
	app  *App
	wish web.Removal
	// of undoes a set-up on a Mattermost server; nil: none is noted.
	of    *setup.Removal
	steps []string
}

// Removal implements web.Connections.
func (a *App) Removal(ctx context.Context, w web.Removal) (web.SetUp, error) {
	c, ok := a.configured(w.Name)
	if !ok {
		return nil, fmt.Errorf("there is no connection %s", w.Name)
	}
	platform := a.platformOf(w.Name)
	if platform == nil || platform == chat.Platform(a.room) {
		return nil, fmt.Errorf("%s is a part of Belfry, which stays", w.Name)
	}
	r := &removing{app: a, wish: w}
	var err error
	if r.steps, err = a.farewell(w, platform, "").Plan(ctx); err != nil {
		return nil, err
	}
	if spec, ok := c.Spec.(*mattermost.Config); ok && setup.Noted(a.opt.Data, w.Name) {
		if r.of, err = setup.Undo(setup.Wish{Connection: w.Name, Data: a.opt.Data}.ReachedAs(spec)); err != nil {
			return nil, err
		}
		r.steps = append(r.steps, r.of.Steps()...)
	} else if leaver, ok := platform.(chat.Leaver); ok {
		r.steps = append(r.steps, leaver.Leaving())
	} else {
		r.steps = append(r.steps, "the bot, its token and what else was made for it by hand stay: whoever made them there takes them away")
	}
	if c.From == "" {
		r.steps = append(r.steps, "connection "+w.Name+" is switched off; you take it out of the configuration file, which Belfry doesn't write")
	} else {
		r.steps = append(r.steps, "connection "+w.Name+" is taken out of Belfry's configuration")
	}
	return r, nil
}

// platformOf returns the platform of a connection, switched off or not.
func (a *App) platformOf(name string) chat.Platform {
	p := a.parts.Load()
	if left, ok := p.left[name]; ok {
		return left.platform
	}
	return p.platforms[name]
}

func (a *App) farewell(w web.Removal, platform chat.Platform, why string) *farewell.Farewell {
	return farewell.New(farewell.Options{Connection: w.Name, Platform: platform, Store: a.store, Record: a.response, Clock: a.opt.Clock,
		Say: a.sayNow, Why: why, Archive: w.Archive})
}

// Plan implements web.SetUp.
func (r *removing) Plan() web.Plan {
	p := web.Plan{Where: "connection " + r.wish.Name, Todo: len(r.steps)}
	if r.of != nil {
		p.Where = r.of.URL()
		if text := r.of.Warning(); text != "" {
			p.Steps = append(p.Steps, web.Step{Verb: "note", Text: text})
		}
	}
	for _, text := range r.steps {
		p.Steps = append(p.Steps, web.Step{Verb: "undo", Text: text})
	}
	return p
}

// Close implements web.SetUp.
func (r *removing) Close() {
	if r.of != nil {
		r.of.Close()
	}
	r.wish.Token = ""
}

// CarryOut implements web.SetUp. From its first step on nothing is posted to the
// connection any more. What broke off goes on when the same is done again.
func (r *removing) CarryOut(ctx context.Context, tell func(web.Step)) (web.End, error) {
	c, ok := r.app.configured(r.wish.Name)
	if !ok {
		return web.End{}, fmt.Errorf("there is no connection %s any more", r.wish.Name)
	}
	if c.From != "" {
		// What would be at fault without it must be known before it is gone.
		if _, err := r.app.opt.Reread(filepath.Base(c.From)); err != nil {
			return web.End{}, fmt.Errorf("nothing was undone, because the configuration needs the connection: take it out there first.\n%w", err)
		}
	}
	end, err := r.takeAway(ctx, tell)
	if err != nil {
		return end, fmt.Errorf("%w\nDo the same again, and it goes on from here. Until then nothing is posted there.", err) //nolint:staticcheck // a whole sentence for a page
	}
	if end.Left > 0 {
		return end, nil
	}
	return r.takeOff(ctx, c, end)
}

// takeAway takes everything of ours out of chat.
func (r *removing) takeAway(ctx context.Context, tell func(web.Step)) (end web.End, err error) {
	a, name := r.app, r.wish.Name
	told := func(what, wrong string) { tell(web.Step{Verb: "undone", Text: what, Wrong: wrong}) }
	d, is, err := a.departed(ctx, name)
	if err != nil {
		return end, err
	}
	if !is {
		d = departure{By: r.wish.By, At: a.opt.Clock.Now()}
	}
	d.Done = false
	if err := a.depart(ctx, name, d); err != nil {
		return end, err
	}
	if err := a.reread()(); err != nil {
		return end, err
	}
	platform := a.platformOf(name)
	if platform == nil {
		return end, fmt.Errorf("there is no connection %s any more", name)
	}
	stays, err := a.farewell(r.wish, platform, d.why(name)).Run(ctx, told)
	if err != nil {
		return end, err
	}
	if stays > 0 {
		end.Said = append(end.Said, "What chat did not let Belfry change stays as it is there, as said above.")
	}
	if r.of != nil {
		end.Left, err = r.of.Run(ctx, r.wish.Token, func(what string, err error) {
			wrong := ""
			if err != nil {
				wrong = err.Error()
			}
			told(what, wrong)
		})
		return end, err
	}
	if leaver, ok := platform.(chat.Leaver); ok {
		if err = leaver.Leave(ctx); err == nil {
			told(leaver.Leaving(), "")
		}
	}
	return end, err
}

// takeOff ends the connection in Belfry's own configuration.
func (r *removing) takeOff(ctx context.Context, c config.Connection, end web.End) (web.End, error) {
	a, name := r.app, r.wish.Name
	a.writing.Lock()
	defer a.writing.Unlock()
	if c.From == "" {
		d, _, err := a.departed(ctx, name)
		d.Done = true
		if err == nil {
			err = a.depart(ctx, name, d)
		}
		end.Said = append(end.Said, "Take the connection "+name+" out of the configuration file: Belfry doesn't write that. Until then it is switched off.")
		return end, errors.Join(err, a.reread()())
	}
	end.Said = append(end.Said, "The connection "+name+" is taken off.")
	if err := a.replace(a.included(name), ""); err != nil {
		return end, err
	}
	_, _, err := a.store.TakeSetting(ctx, departureOf(name))
	if _, ok := c.Spec.(*slack.Config); ok {
		err = errors.Join(err, a.dropSlack(name))
	}
	return end, err
}
