// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"belfry/alert"
	"belfry/chat"
	"belfry/command/incidents"
	"belfry/courier"
	"belfry/desk"
	"belfry/incident"
	"belfry/response"
	"belfry/seal"
	"belfry/typed"
)

// lines passes typed lines on: those of the incidents' word to who runs
// incidents, all others to rest. "/incident list" is a command of its own where
// the platform has it; "/belfry incident list" works everywhere.
type lines struct {
	word      func() string
	incidents chat.Commander
	rest      chat.Commander
}

// Command implements chat.Commander.
func (l lines) Command(ctx context.Context, c chat.Command) chat.Answer {
	word := l.word()
	if c.Word == word {
		return l.incidents.Command(ctx, c)
	}
	line := typed.New(c.Text)
	if first, _ := line.Next(); strings.EqualFold(strings.TrimPrefix(first, "/"), word) && len(c.Text) <= typed.MaxText {
		c.Text = line.Rest()
		return l.incidents.Command(ctx, c)
	}
	return l.rest.Command(ctx, c)
}

// locate finds a channel of a configured connection, "connection/channel".
func (a *App) locate(ctx context.Context, name string) (incident.Channel, error) {
	connection, channel, _ := strings.Cut(name, "/")
	p, ok := a.parts.Load().platforms[connection].(chat.Locator)
	if !ok {
		return incident.Channel{}, fmt.Errorf("the connection %s can't look channels up", connection)
	}
	c, err := p.Locate(ctx, channel)
	return incident.Channel{Connection: connection, ID: c.ID, Name: c.Name, URL: c.URL}, err
}

// findPeople asks the connections that keep a directory, all at once, who has a
// name. The room is not asked: its people are known to whoever asks here.
func (a *App) findPeople(ctx context.Context, connection, name string) ([]incident.Person, error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var list []incident.Person
	var wrong []error
	for at, p := range a.parts.Load().platforms {
		directory, ok := p.(chat.Directory)
		if !ok || p == chat.Platform(a.room) || connection != "" && at != connection || len(name) > chat.MaxPersonName {
			continue
		}
		wait.Go(func() {
			found, err := directory.FindPeople(ctx, []string{name})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				wrong = append(wrong, err)
			}
			for _, f := range found {
				if f.Known() {
					list = append(list, incident.Person{Connection: at, ID: f.Actor.ID, Name: f.Actor.Name})
				}
			}
		})
	}
	wait.Wait()
	slices.SortFunc(list, func(a, b incident.Person) int { return strings.Compare(a.Connection, b.Connection) })
	return list, errors.Join(wrong...)
}

// newResponse makes what carries out acts on incidents, by the configuration of
// the moment.
func (a *App) newResponse() *response.Response {
	r := response.New(a.store, func() incident.Settings { return a.parts.Load().file.Incidents.Settings() },
		func() []string { return a.parts.Load().file.Incidents.Announce }, a.opt.Clock)
	r.AcknowledgeWith(func(ctx context.Context, id alert.ID, by, comment string) error {
		return a.desk.Acknowledge(ctx, id, desk.AnyGeneration, by, comment)
	})
	r.Connected(func(connection string) bool { return a.parts.Load().platforms[connection] != nil })
	return r
}

// rule returns how a route declares incidents now; false when it declares none.
func (a *App) rule(route string) (incident.Rule, bool) {
	rules := a.parts.Load().file.Rules
	if n := slices.IndexFunc(rules, func(r incident.Rule) bool { return r.Route == route }); n >= 0 {
		return rules[n], true
	}
	return incident.Rule{}, false
}

// newLines makes what understands typed lines, and the forms by which incidents
// are declared.
func (a *App) newLines(sealer *seal.Sealer) chat.Commander {
	run := incidents.New(incidents.Options{
		Directory: a.directory, People: a.people,
		Store: a.store, Clock: a.opt.Clock, Say: a.sayNow, Gate: a.people, Connect: a.people.Connect, Sealer: sealer, Once: a.store.UseOnce,
		Response: a.response,
	})
	a.interaction.TakeForms(run)
	a.record = run
	return lines{word: func() string { return a.parts.Load().file.Incidents.Command }, rest: a.commands, incidents: run}
}

// directory returns who knows the people of a connection; nil: nobody does.
func (a *App) directory(connection string) chat.Directory {
	d, _ := a.parts.Load().platforms[connection].(chat.Directory)
	return d
}

// rooms is what it takes to make channels for incidents.
func (a *App) rooms() courier.Rooms {
	return courier.Rooms{Record: a.response, Clock: a.opt.Clock, On: a.people.On,
		Rules: func() incident.ChannelRules { return a.parts.Load().file.Incidents.Settings().Channel }}
}
