// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"belfry/chat/mattermost"
	"belfry/chat/mattermost/setup"
	"belfry/command"
	"belfry/command/incidents"
	"belfry/config"
	"belfry/route"
	"belfry/web"
)

var _ web.Connections = (*App)(nil)

// CanSetUp implements web.Connections: nothing can be set up where no
// configuration can be read again (belfry demo).
func (a *App) CanSetUp() bool { return a.opt.Reread != nil }

// included is the file that the pages write for a connection.
func (a *App) included(name string) string {
	return filepath.Join(a.opt.Data, config.IncludeDir, name+".yaml")
}

// configured returns a connection as it is configured now.
func (a *App) configured(name string) (config.Connection, bool) {
	all := a.parts.Load().file.Connections
	i := slices.IndexFunc(all, func(c config.Connection) bool { return c.Name == name })
	if i < 0 {
		return config.Connection{}, false
	}
	return all[i], true
}

// settingUp is a set-up that was planned on the pages. It implements web.SetUp.
type settingUp struct {
	app  *App
	wish setup.Wish
	of   *setup.Setup
	plan *setup.Plan
}

// SetUp implements web.Connections.
func (a *App) SetUp(ctx context.Context, w web.Wish, token config.Secret) (web.SetUp, error) {
	if !route.ValidName(w.Name) {
		return nil, fmt.Errorf("the connection's name %q is not 1 to 31 small letters, digits and -", w.Name)
	}
	if c, ok := a.configured(w.Name); ok && c.From == "" {
		return nil, fmt.Errorf("the connection %s stands in the configuration file, which Belfry doesn't write: take another name, or use belfry mattermost setup --write on Belfry's host", w.Name)
	}
	if len(w.Channels) == 0 {
		return nil, errors.New("name a channel at least: its handle, as in its address")
	}
	wish := setup.Wish{URL: w.URL, Team: w.Team, Channels: w.Channels, CreateChannels: w.CreateChannels, Connection: w.Name, Bot: w.Bot,
		PublicURL: a.publicURL, CallbackURL: a.publicURL + "/chat/" + w.Name, Command: w.Command,
		CommandHint: command.Hint(), Triggers: w.Triggers,
		IncidentCommand: w.IncidentCommand, IncidentHint: incidents.Hint(), OAuth: w.OAuth, ChangeSettings: w.ChangeSettings,
		Data: a.opt.Data, CAFile: w.CAFile, Proxy: w.Proxy, Insecure: w.Insecure}
	s, err := setup.Open(wish, token, setup.Options{Clock: a.opt.Clock})
	if err != nil {
		return nil, err
	}
	plan, err := s.Plan(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	return &settingUp{app: a, wish: wish, of: s, plan: plan}, nil
}

// Plan implements web.SetUp.
func (s *settingUp) Plan() web.Plan {
	p := web.Plan{Where: "team " + s.plan.Team + " of " + s.plan.URL, As: s.plan.As, Todo: s.plan.Todo(), Blocked: s.plan.Blocked()}
	for _, st := range s.plan.Steps {
		one := web.Step{Verb: string(st.Verb), Text: st.Text}
		if st.Verb == setup.Blocked || st.Verb == setup.Note {
			one.Who = st.Who
		}
		p.Steps = append(p.Steps, one)
	}
	return p
}

// Close implements web.SetUp.
func (s *settingUp) Close() { s.of.Close() }

// CarryOut implements web.SetUp: everything on the server, then the connection's
// file, and the configuration is read again.
func (s *settingUp) CarryOut(ctx context.Context, tell func(web.Step)) (web.End, error) {
	left, err := s.of.Apply(ctx, s.plan, func(o setup.Outcome) {
		st := web.Step{Verb: map[setup.Verb]string{setup.Make: "made", setup.Change: "changed"}[o.Step.Verb], Text: o.Step.Text}
		if o.Err != nil {
			st.Wrong, st.Who = o.Err.Error(), o.Step.Who
		}
		tell(st)
	})
	end := web.End{Left: left}
	if err != nil {
		return end, fmt.Errorf("%w\nDo the same again, and it goes on from here.", err) //nolint:staticcheck // a whole sentence for a page
	}
	if _, err := os.Stat(s.wish.TokenFile()); err != nil {
		end.Said = append(end.Said, "The bot has no token yet, so there is no connection to configure.")
		return end, nil
	}
	s.app.writing.Lock()
	defer s.app.writing.Unlock()
	path := s.app.included(s.wish.Connection)
	end.File = path
	if end.Entry, err = s.app.written(s.of.Entry(), path); err != nil {
		return end, err
	}
	// One that was disconnected, or half-way so, is connected again by this.
	if err := s.app.comeBack(ctx, s.wish.Connection); err != nil {
		return end, err
	}
	if err := s.app.replace(path, end.Entry); err != nil {
		return end, err
	}
	for _, c := range s.wish.Channels {
		end.Channels = append(end.Channels, s.wish.Connection+"/"+c)
	}
	routed := s.app.parts.Load().channels
	s.app.made.add(end.Channels)
	for _, c := range end.Channels {
		if !slices.Contains(routed, c) {
			end.Said = append(end.Said, "No route leads to "+c+" yet: name it in a route or the default of the configuration file, for alerts to go there.")
		}
	}
	return end, nil
}

// written is a connection's file as it is to be: what people wrote into it
// stays, and it has the default route where nobody has said where alerts go.
func (a *App) written(e setup.Entry, path string) (string, error) {
	old, err := os.ReadFile(path) //nolint:gosec // a path in our own data directory
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("can't read what the connection was: %w", err)
	}
	text, err := e.File(old, !a.parts.Load().file.HasDefault)
	if err != nil {
		return "", fmt.Errorf("%s %w", path, err)
	}
	return text, nil
}

// replace puts a file among the included ones (text "": takes it away) and has
// the configuration read again. With faults everything is left as it was: a
// configuration that is at fault would keep the next start from happening.
func (a *App) replace(path, text string) error {
	old, err := os.ReadFile(path) //nolint:gosec // a path in our own data directory
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("can't read what the connection was: %w", err)
	}
	if err := putOrRemove(path, []byte(text)); err != nil {
		return err
	}
	if err := a.reread()(); err != nil {
		return errors.Join(fmt.Errorf("the configuration stays as it was: %w", err), putOrRemove(path, old))
	}
	return nil
}

func putOrRemove(path string, text []byte) error {
	var err error
	if len(text) == 0 {
		if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else {
		err = setup.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("can't write the connection's file: %w", err)
	}
	return nil
}

// lender returns the platform by which an administrator can lend their power.
func (a *App) lender(name string) (*mattermost.Platform, error) {
	p, ok := a.parts.Load().platforms[name].(*mattermost.Platform)
	if !ok {
		return nil, fmt.Errorf("nobody can sign in by the connection %s", name)
	}
	return p, nil
}

// installURL is the install callback URL of a connection.
func (a *App) installURL(name string) string { return a.publicURL + "/oauth/" + name + "/install" }

// Authorize implements web.Connections.
func (a *App) Authorize(ctx context.Context, name, state, verifier string) (string, error) {
	p, err := a.lender(name)
	if err != nil {
		return "", err
	}
	return p.AuthorizeURL(ctx, a.installURL(name), state, verifier)
}

// Lend implements web.Connections.
func (a *App) Lend(ctx context.Context, name, code, verifier string) (config.Secret, func(context.Context), error) {
	p, err := a.lender(name)
	if err != nil {
		return "", nil, err
	}
	return p.Lend(ctx, a.installURL(name), code, verifier)
}
