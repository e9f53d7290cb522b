// SPDX-License-Identifier: Apache-2.0

// Package incidents understands the lines by which people run incidents from
// chat: "/incident mitigate rolled back".
//
// The flow: Commands.Command looks the first word up in a table (table.go). In
// the channel of an incident the line is about that one; anywhere else about
// the #42 in it; and where neither tells, the open incidents are offered, so
// that no line does nothing (which.go). Acts go to package response, which
// stores them; the answer is for the person alone. Whoever is named in a line
// ("@anna") is looked up first, so that an act is about an account (who.go).
package incidents

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/seal"
	"belfry/store"
	"belfry/typed"
)

// answerWithin bounds a command: chat platforms wait three seconds.
const answerWithin = 2 * time.Second

// Store is what is looked up.
type Store interface {
	Incident(ctx context.Context, number int64) (*incident.Incident, error)
	IncidentIn(ctx context.Context, connection, channel string) (*incident.Incident, error)
	Incidents(ctx context.Context, f store.IncidentFilter) ([]*incident.Incident, error)
	IncidentEntries(ctx context.Context, id alert.ID, f store.EntryFilter) ([]incident.Entry, error)
	// IncidentChannels returns the own channels on a connection of incidents
	// that are not over, those of the newest first.
	IncidentChannels(ctx context.Context, connection string, limit int) ([]string, error)
	// Retrospective returns what people made of it, or store.ErrNotFound.
	Retrospective(ctx context.Context, id alert.ID) (incident.Retrospective, error)
	// IncidentsOf returns the incidents that an alert is attached to.
	IncidentsOf(ctx context.Context, id alert.ID) ([]*incident.Incident, error)
}

// Options are what commands work with. Store, Response, Say and Clock must be set.
type Options struct {
	Store    Store
	Response *response.Response
	// Say returns how things are said: time zone, links.
	Say   func() message.Options
	Clock clock.Clock
	// Gate says who may act; nil: everybody whom the platform named.
	Gate chat.Gate
	// Connect links somebody's chat account to a person; nil: it can't be.
	Connect func(ctx context.Context, who chat.Actor) chat.Answer
	// Directory returns who knows the people of a connection; nil, or nil for a
	// connection: nobody does, and names are kept as they were typed.
	Directory func(connection string) chat.Directory
	// People knows which accounts are one person's; nil: nobody does.
	People People
	// Sealer seals forms, and Once says whether something is used for the first
	// time (see store.UseOnce); nil: incidents are declared by typing alone.
	Sealer *seal.Sealer
	Once   func(ctx context.Context, token string, until time.Time) (first bool, err error)
}

// People knows the people of this Belfry. *people.People is one.
type People interface {
	// Accounts returns all accounts of the person whose account this is, who
	// among them.
	Accounts(ctx context.Context, who chat.Actor) ([]chat.Actor, error)
	// Named returns the account on a connection, or else any, of the person who
	// is called so in Belfry.
	Named(ctx context.Context, name, connection string) (account chat.Actor, ok bool, err error)
}

// Commands implements chat.Commander.
type Commands struct{ Options }

var _ chat.Commander = (*Commands)(nil)

// New returns the commands.
func New(o Options) *Commands { return &Commands{o} }

// call is one line being answered, or what else somebody does in a channel.
type call struct {
	*Commands
	context.Context
	word *word
	// typed is the command's word; empty where no form can be opened.
	typed   string
	who     chat.Actor
	me      incident.Person
	channel string
	line    *typed.Line
	// number is that of the "#42" in the line; 0: there was none.
	number int64
	// cut says that there may be more incidents than were looked through.
	cut bool
	// mentions are chat.Command.Mentions.
	mentions map[string]string
	// faces are as whom incidents may know who types; nil: not looked up yet.
	faces []incident.Person
	// knows is which other incidents the person may know of.
	knows incident.Sees
	// doubt is told with the answer when it isn't empty.
	doubt string
}

// call begins what somebody does in a channel.
func (c *Commands) call(ctx context.Context, who chat.Actor, channel string) *call {
	l := &call{Commands: c, Context: ctx, who: who, me: personOf(who), channel: channel}
	l.knows = incident.Sees(func(number int64) (bool, error) {
		i, err := l.byNumber(number, nil)
		return i != nil, err
	}).Once()
	return l
}

// Command implements chat.Commander.
func (c *Commands) Command(ctx context.Context, in chat.Command) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if len(in.Text) > typed.MaxText {
		return chat.Answer{Whisper: fmt.Sprintf("That line has %d bytes; I read at most %d.", len(in.Text), typed.MaxText)}
	}
	l := c.call(ctx, in.Actor, in.Channel)
	l.typed, l.line, l.mentions = in.Word, typed.New(in.Text), in.Mentions
	l.takeNumber()
	first, _ := l.line.Next()
	first = strings.ToLower(strings.TrimPrefix(first, "/"))
	if first == "" {
		first = "help"
		if l.number != 0 {
			first = "status"
		}
	}
	table := table()
	at := typed.Find(words(), first)
	if at < 0 {
		return chat.Answer{Whisper: typed.Unknown(words(), first)}
	}
	w := &table[at]
	l.word = w
	l.takeNumber() // it may stand before or after the word
	switch {
	case w.Name == "help":
		return reply(l.help())
	case w.Name == "connect":
		if c.Connect == nil {
			return chat.Answer{Whisper: "There is nothing to connect here: this Belfry knows people by their name in chat alone."}
		}
		return c.Connect(ctx, in.Actor)
	case w.acts:
		if refusal := l.may(); refusal != nil {
			return *refusal
		}
	}
	m, err := w.do(l)
	if no, ok := errors.AsType[refused](err); ok {
		return chat.Answer(no)
	}
	if which, ok := errors.AsType[choice](err); ok {
		return reply(which.Message)
	}
	if form, ok := errors.AsType[opened](err); ok {
		return chat.Answer{Dialog: &form.Dialog}
	}
	if err != nil {
		return chat.Answer{Whisper: trouble(err)}
	}
	if l.doubt != "" {
		m.Lines = append(m.Lines, chat.Line{{Text: l.doubt}})
	}
	return reply(m)
}

// may returns nil when the person may act, or what they are told instead.
func (c *call) may() *chat.Answer {
	if c.Gate == nil {
		return nil
	}
	return c.Gate.May(c, c.who)
}

// refused is an answer to somebody who may not.
type refused chat.Answer

func (refused) Error() string { return "refused" }

// say is an error whose text is meant for the person, whole sentences.
type say string

func (s say) Error() string { return string(s) }

func sayf(format string, args ...any) error { return say(fmt.Sprintf(format, args...)) }

// choice is an error that is answered with a message.
type choice struct{ chat.Message }

func (choice) Error() string { return "ambiguous" }

// opened is an error that is answered with a form.
type opened struct{ chat.Dialog }

func (opened) Error() string { return "a form is to be filled in" }

func reply(m chat.Message) chat.Answer {
	if m.Summary == "" && len(m.Lines) > 0 {
		m.Summary = m.Lines[0].Plain()
	}
	return chat.Answer{Reply: &m}
}

// trouble says what a person can do about an error. What nobody in chat can do
// anything about is not shown there.
func trouble(err error) string {
	if text, ok := errors.AsType[say](err); ok {
		return string(text)
	}
	switch _, no := errors.AsType[*response.RefusedError](err); {
	case errors.Is(err, store.ErrUncertain):
		return "I could not tell whether that was stored. Look with “timeline” before you repeat it."
	case errors.Is(err, store.ErrChannelTaken):
		return "Another open incident is run in this channel; finish that one first, or take another channel. Nothing was changed."
	case errors.Is(err, response.ErrNoIncident):
		return "There is no such incident. “list” shows those that are open."
	case errors.Is(err, response.ErrNoAlert):
		return sentence(err.Error()) + " “/belfry problems” lists what is open."
	case no:
		return sentence(err.Error()) + " Nothing was changed."
	}
	return "I could not do that just now, and nothing was changed. Please try again in a moment."
}

// sentence makes a sentence of an error's text.
func sentence(text string) string {
	r := []rune(text)
	if len(r) == 0 {
		return ""
	}
	return strings.ToUpper(string(r[:1])) + strings.TrimSuffix(string(r[1:]), ".") + "."
}

func (c *call) help() chat.Message {
	name, _ := c.line.Next()
	list := words()
	if i := typed.Find(list, strings.ToLower(name)); i >= 0 {
		return typed.HelpOn(list[i])
	}
	intro := []string{"In an incident's own channel no number is needed; anywhere else put its number into the line: “mitigate #42 rolled back”.",
		"People are named like @anna, or “me”. Spans of time: 90m, 2h, 1d."}
	if emoji := c.marks(); emoji != "" {
		intro = append(intro, emoji)
	}
	return typed.Help(list, intro...)
}
