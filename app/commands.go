// SPDX-License-Identifier: Apache-2.0

package app

import (
	"belfry/chat"
	"belfry/command"
	"belfry/doctor"
	"belfry/interaction"
	"belfry/message"
	"belfry/monitor"
)

// responder takes what people do in chat: presses and forms, typed lines, and
// words in channels.
type responder struct {
	*interaction.Interaction
	chat.Commander
	*doctor.Probes
	chat.Hearer
	recorder
}

// recorder is what messages become incidents by.
type recorder interface {
	chat.Recorder
	chat.Declarer
}

var (
	_ chat.Commander = responder{}
	_ chat.Prober    = responder{}
	_ chat.Hearer    = responder{}
	_ chat.Recorder  = responder{}
	_ chat.Declarer  = responder{}
)

// roomResponder is responder for the built-in room.
type roomResponder struct {
	*interaction.Interaction
	chat.Commander
	recorder
}

// sayNow tells how alerts are said at this moment, without buttons.
func (a *App) sayNow() message.Options {
	return message.Options{BaseURL: a.publicURL, Now: a.opt.Clock.Now(), Location: a.parts.Load().zone}
}

// newCommands makes what understands typed lines.
func (a *App) newCommands() *command.Commands {
	return command.New(command.Options{
		Store: a.store, Cards: a.store, Desk: a.desk, Can: a.can, Clock: a.opt.Clock, Sources: a.askable,
		Say:  a.sayNow,
		Gate: a.people, Connect: a.people.Connect, Who: a.people.Who,
	})
}

// askable are the sources that can be asked how their objects stand.
func (a *App) askable() []command.Source {
	var out []command.Source
	for _, s := range a.parts.Load().order {
		if read, ok := s.monitor.(monitor.StatusReader); ok {
			out = append(out, command.Source{Name: s.name, Read: read})
		}
	}
	return out
}
