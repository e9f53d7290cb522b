// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"belfry/alert"
	"belfry/answer"
	"belfry/api"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/config"
	"belfry/courier"
	"belfry/delivery"
	"belfry/desk"
	"belfry/message"
	"belfry/monitor"
	"belfry/people"
	"belfry/route"
	"belfry/server"
	"belfry/store"
)

// source is a configured monitoring system.
type source struct {
	name, kind string
	token      config.Secret
	tokenFile  string
	monitor    monitor.Monitor
}

// parts are what a configuration decides. They are made as a whole and then
// put in place, so that a fault in one of them leaves everything as it was.
type parts struct {
	file      *config.File
	platforms map[string]chat.Platform
	// left are connections that are disconnected, whatever the file says.
	left    map[string]leftBehind
	sources map[string]*source
	order   []*source
	routing *routing
	senders map[string]delivery.Sender
	people  []people.Connection
	// zone is that of the times on cards, room the channels of the built-in one.
	zone    *time.Location
	room    []string
	answers *answer.Answers
	// health is what connections said since they were configured.
	health health
	// channels are those that the configuration names, as connection/channel.
	channels []string
	// programs may use the API.
	programs []api.Program
}

// Extra is a source that is not configured but built in (belfry demo).
type Extra struct {
	Name    string
	Monitor monitor.Monitor
}

// build makes the parts of a configuration.
func (a *App) build(f *config.File) (_ *parts, err error) {
	p := &parts{file: f, platforms: map[string]chat.Platform{}, left: map[string]leftBehind{}, sources: map[string]*source{}, senders: map[string]delivery.Sender{}, channels: channelsOf(f)}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(a.base, p)) // what is open of it already
		}
	}()
	p.zone, p.room = f.Server.Location(), roomChannels(f)
	for _, c := range f.Connections {
		platform, err := a.openChat(f, c)
		if err != nil {
			return nil, fmt.Errorf("connection %s: %w", c.Name, err)
		}
		if d, off, err := a.departed(a.base, c.Name); err != nil {
			return nil, err
		} else if off && platform != chat.Platform(a.room) {
			p.left[c.Name] = leftBehind{platform, d}
			continue
		}
		p.platforms[c.Name] = platform
		p.people = append(p.people, rulesOf(c, platform))
		p.senders[c.Name] = courier.NewChat(platform, a.store, a.say, a.sayNow, a.rooms())
	}
	for _, s := range f.Sources {
		src, err := a.openSource(s)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", s.Name, err)
		}
		if other := p.withToken(src.token); other != "" {
			return nil, fmt.Errorf("sources %s and %s have the same token: what one sends would count as the other's; give each its own", other, s.Name)
		}
		p.add(src)
	}
	for _, e := range a.opt.Extra {
		p.add(&source{name: e.Name, kind: "extra", monitor: e.Monitor})
	}
	for _, s := range p.order {
		p.senders[desk.MonitorDestination(s.name)] = courier.NewWriteback(s.name, s.monitor, a.store, a.desk, a.opt.Clock)
	}
	if p.answers, err = a.openAnswers(f); err != nil {
		return nil, err
	}
	if p.programs, err = a.programsOf(f); err != nil {
		return nil, err
	}
	table, err := route.New(f.Routes, f.Default)
	if err != nil {
		return nil, err
	}
	p.routing = &routing{routes: table, connections: map[string]bool{}, home: f.Default.Channels[0].Connection}
	for name := range p.platforms {
		p.routing.connections[name] = true
	}
	return p, nil
}

func (p *parts) add(s *source) {
	p.sources[s.name] = s
	p.order = append(p.order, s)
}

// withToken returns the name of the source that has this token, or "".
func (p *parts) withToken(token config.Secret) string {
	for _, s := range p.order {
		if s.token == token {
			return s.name
		}
	}
	return ""
}

func (a *App) openChat(f *config.File, c config.Connection) (chat.Platform, error) {
	if c.Kind == console.Kind {
		return a.room, nil
	}
	kind, ok := chats[c.Kind]
	if !ok {
		return nil, fmt.Errorf("kind %q is not known", c.Kind)
	}
	return kind(c.Spec, plugin{name: c.Name, callbackURL: a.publicURL + "/chat/" + c.Name, answers: f.AnswersOn(c.Name), clock: a.opt.Clock, memory: a.store, vault: vault{a.identity, a.store},
		log: a.opt.Log.With("connection", c.Name)})
}

func (a *App) openSource(s config.Source) (*source, error) {
	kind, ok := monitors[s.Kind]
	if !ok {
		return nil, fmt.Errorf("kind %q is not known", s.Kind)
	}
	m, err := kind(s.Spec, plugin{name: s.Name, clock: a.opt.Clock, log: a.opt.Log.With("source", s.Name)})
	if err != nil {
		return nil, err
	}
	src := &source{name: s.Name, kind: s.Kind, monitor: m, tokenFile: s.TokenFile}
	if src.token, err = config.ReadSecret(s.Token, s.TokenFile); err != nil {
		return nil, err
	}
	if src.token == "" {
		src.token, src.tokenFile, err = sourceToken(a.opt.Data, s.Name)
	}
	return src, err
}

// apply puts parts in place: from here on requests, routes and deliveries go
// by them. The comparisons with the monitoring systems start anew.
func (a *App) apply(ctx context.Context, p *parts) {
	if err := a.room.SetChannels(p.room); err != nil {
		a.opt.Log.Error("the built-in room keeps its channels", "err", err) // never: they were checked when they were read
	}
	a.parts.Store(p)
	a.router.table.Store(p.routing)
	a.people.Apply(p.people)
	a.api.Apply(p.programs)
	setup := server.Setup{Chats: map[string]http.Handler{}}
	for _, s := range p.order {
		a.metrics.Expect(s.name, server.Outcomes()...)
		setup.Sources = append(setup.Sources, server.Source{Name: s.name, Kind: s.kind, Token: s.token, Monitor: s.monitor})
	}
	for name, platform := range p.platforms {
		if r, ok := platform.(chat.Receiver); ok && platform != chat.Platform(a.room) {
			setup.Chats[name] = r.Handler(a.responder(p))
		}
	}
	a.server.Apply(setup)
	a.checkChats(ctx, p)
	a.stopWatching()
	watching, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, s := range p.order {
		if read, ok := s.monitor.(monitor.StatusReader); ok {
			wg.Go(func() { watch(watching, a.opt.Clock, a.desk, s.name, read, a.opt.Log) })
		}
	}
	a.listen(watching, p, wg.Go)
	a.stopWatching = func() { cancel(); wg.Wait() }
}

// needsStart names the settings of the server that differ from those it was
// started with: they count from the next start on. The zone of times does not
// belong to them.
func (a *App) needsStart(f *config.File) (names []string) {
	was, is := reflect.ValueOf(a.opt.File.Server), reflect.ValueOf(f.Server)
	for i := range was.NumField() {
		field := was.Type().Field(i)
		if field.Name != "TimeZone" && !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			names = append(names, field.Tag.Get("yaml"))
		}
	}
	return names
}

// senderOf is asked by the delivery engine for every batch.
func (a *App) senderOf(destination string) (delivery.Sender, bool) {
	p := a.parts.Load()
	if p == nil {
		return nil, false
	}
	if s, ok := p.senders[senderName(destination)]; ok {
		return s, true
	}
	if gone, is := a.removedSource(destination); is {
		return gone, true
	}
	return nil, false
}

// can is asked by the desk.
func (a *App) can(name string, ability desk.Ability) bool {
	s := a.parts.Load().sources[name]
	if s == nil {
		return false
	}
	ok := false
	switch ability {
	case desk.CanAcknowledge:
		_, ok = s.monitor.(monitor.Acknowledger)
	case desk.CanComment:
		_, ok = s.monitor.(monitor.Commenter)
	case desk.CanDowntime:
		_, ok = s.monitor.(monitor.Downtimer)
	case desk.CanCheck:
		_, ok = s.monitor.(monitor.Checker)
	case desk.CanNotifications:
		_, ok = s.monitor.(monitor.Notifier)
	}
	return ok
}

// say tells the courier how an alert is said on a card.
func (a *App) say(al *alert.Alert, card store.Duty) message.Options {
	return message.Options{
		BaseURL:        a.publicURL,
		Now:            a.opt.Clock.Now(),
		Location:       a.parts.Load().zone,
		Token:          a.interaction.Tokens(al, card),
		CanAcknowledge: a.can(al.Source, desk.CanAcknowledge),
		CanDeclare:     len(a.parts.Load().file.Incidents.Announce) > 0,
		SourceName:     al.Source,
		Ring:           al.Rings[card.Destination],
	}
}
