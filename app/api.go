// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"path/filepath"

	"belfry/api"
	"belfry/chat"
	"belfry/config"
	"belfry/incident"
)

// openAPI makes the API of incidents. Who may use it is a configuration's to say.
func (a *App) openAPI() *api.API {
	return api.New(api.Options{Store: a.store, Response: a.response, BaseURL: a.publicURL, FindPeople: a.findAnybody, Log: a.opt.Log})
}

// findAnybody is findPeople for whoever knows nobody, not even the room's people.
func (a *App) findAnybody(ctx context.Context, connection, name string) ([]incident.Person, error) {
	if a.platformOf(connection) != chat.Platform(a.room) {
		return a.findPeople(ctx, connection, name)
	}
	found, err := a.room.FindPeople(ctx, []string{name})
	if err != nil || !found[0].Known() {
		return nil, err
	}
	return []incident.Person{{Connection: connection, ID: found[0].Actor.ID, Name: found[0].Actor.Name}}, nil
}

// programsOf are those who may use the API, with their tokens: from their files,
// or from one in the data directory that is made at first. No source can have its
// name.
func (a *App) programsOf(f *config.File) (list []api.Program, err error) {
	seen := map[config.Secret]string{}
	for _, p := range f.Incidents.Programs {
		program := api.Program{Name: p.Name, Limit: p.Limit, TokenFile: p.TokenFile}
		if program.Limit == 0 {
			program.Limit = config.DefaultProgramLimit
		}
		if p.TokenFile != "" {
			program.Token, err = config.ReadSecret("", p.TokenFile)
		} else {
			program.Token, program.TokenFile, err = keptToken(filepath.Join(a.opt.Data, "api_"+p.Name+".token"))
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("program %s: %w", p.Name, err)
		case len(program.Token) < config.MinToken:
			return nil, fmt.Errorf("program %s: its token has fewer than %d characters; head -c 24 /dev/urandom | base64 makes one", p.Name, config.MinToken)
		case seen[program.Token] != "":
			return nil, fmt.Errorf("programs %s and %s have the same token: what one does would count as the other's; give each its own", seen[program.Token], p.Name)
		}
		seen[program.Token] = p.Name
		list = append(list, program)
	}
	return list, nil
}

// Programs lists those who may use the API of incidents.
func (a *App) Programs() []api.Program { return a.parts.Load().programs }
