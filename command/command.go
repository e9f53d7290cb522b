// SPDX-License-Identifier: Apache-2.0

// Package command understands the lines that people type to Belfry in chat:
// "/belfry ack 42 on it". It answers questions and has the desk carry acts out.
//
// The flow: a platform that takes typed lines names the person and calls
// Commands.Command. The first word chooses an entry of the table below (table);
// the rest of the line is its to read (package typed). Alerts are named by number or
// by their object (find.go), looked up in a picture of all open alerts
// (board.go). The answer is for that person alone. Acts are only wished for
// there and then: what came of one is told by the alert's card, once the
// monitoring system has confirmed it.
package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/desk"
	"belfry/message"
	"belfry/monitor"
	"belfry/store"
	"belfry/typed"
)

// answerWithin bounds a command: chat platforms wait three seconds and people
// less.
const answerWithin = 2 * time.Second

// Store is what is looked up.
type Store interface {
	// Changed returns the alerts that changed after a point, see store.Changed.
	Changed(ctx context.Context, after alert.ID) ([]*alert.Alert, alert.ID, error)
	AlertByNumber(ctx context.Context, number int64) (*alert.Alert, error)
}

// Desk carries the acts out.
type Desk interface {
	Acknowledge(ctx context.Context, id alert.ID, generation int, by, comment string) error
	Unacknowledge(ctx context.Context, id alert.ID, generation int, by string) error
	Instruct(ctx context.Context, id alert.ID, by, text string, what alert.Instruction) error
	Mute(ctx context.Context, by, matchers string, lasts time.Duration, reason string) (store.Mute, error)
	Unmute(ctx context.Context, by string, number int64) (store.Mute, error)
	Mutes(ctx context.Context) ([]store.Mute, error)
	Muted(l alert.Labeled) bool
}

// Cards finds cards by where they stand.
type Cards interface {
	// CardAt returns the card of an open alert by its receipt, see store.CardAt.
	CardAt(ctx context.Context, connection, receipt string) (store.Duty, error)
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
}

// Source is a monitoring system that can be asked how its objects stand.
type Source struct {
	Name string
	Read monitor.StatusReader
}

// Options are what commands work with. Store, Desk, Can, Say, Clock and Cards must be set.
type Options struct {
	Store Store
	Desk  Desk
	// Can says what a source's monitoring system can be told.
	Can desk.Abilities
	// Say returns how alerts are said: links, time zone.
	Say   func() message.Options
	Clock clock.Clock
	// Sources are asked for the state of objects without an open alert; nil: none.
	Sources func() []Source
	// Cards finds the card that a line was typed below.
	Cards Cards
	// Gate says who may act; nil: everybody whom the platform named.
	Gate chat.Gate
	// Connect links somebody's chat account to a person; nil: it can't be.
	Connect func(ctx context.Context, who chat.Actor) chat.Answer
	// Who says who somebody is to Belfry beyond their name in chat, a line
	// each; nil: nothing is known.
	Who func(ctx context.Context, who chat.Actor) []string
}

// Commands implements chat.Commander.
type Commands struct {
	Options
	board *board
}

var _ chat.Commander = (*Commands)(nil)

// New returns the commands.
func New(o Options) *Commands { return &Commands{Options: o, board: newBoard(o.Store)} }

// call is one line being answered.
type call struct {
	*Commands
	context.Context
	who   chat.Actor
	words *typed.Line
	// thread is the message that the line was typed below; nil: none.
	thread *chat.Ref
}

// word is one entry of the table.
type word struct {
	name string
	// also are other words for it.
	also []string
	// usage is what follows the word.
	usage string
	about string
	// example is a line that works.
	example string
	// acts is true when it changes something.
	acts bool
	do   func(c *call) (chat.Message, error)
}

// table is everything that can be typed, in the order of the help.
func table() []word {
	return []word{
		{name: "status", also: []string{"show"}, usage: "[alert, or host [service]]", about: "how everything, or one object, stands", example: "status web01", do: (*call).status},
		{name: "problems", also: []string{"problem", "list", "ls", "alerts"}, usage: "[matchers or words]", about: "what is open, the worst first", example: `problems severity="critical"`, do: (*call).problems},
		{name: "ack", also: []string{"acknowledge"}, usage: "<alert> [comment]", about: "say that you take care of it", example: "ack 42 cleaning up", acts: true, do: (*call).ack},
		{name: "unack", also: []string{"unacknowledge", "deack"}, usage: "<alert>", about: "take that back", example: "unack 42", acts: true, do: (*call).unack},
		{name: "downtime", also: []string{"dt", "maintenance"}, usage: "<alert> <how long> [comment]", about: "tell the monitoring system of planned work", example: "downtime web01 2h new disk", acts: true, do: (*call).downtime},
		{name: "check", also: []string{"recheck"}, usage: "<alert>", about: "have it checked now", example: "check 42", acts: true, do: (*call).check},
		{name: "notifications", also: []string{"notify", "notification"}, usage: "<alert> off|on", about: "have the monitoring system notify of it no more, or again", example: "notifications 42 off", acts: true, do: (*call).notifications},
		{name: "mute", also: []string{"silence", "mutes"}, usage: "<matchers or alert> <how long> [why]", about: "keep new alerts out of chat for a while; \"mute list\" shows what is muted", example: `mute host="web01" 2h moving it`, do: (*call).mute},
		{name: "unmute", also: []string{"unsilence"}, usage: "<number of the mute>", about: "end a mute now", example: "unmute 3", acts: true, do: (*call).unmute},
		{name: "whoami", also: []string{"me"}, about: "who you are to Belfry", do: (*call).whoami},
		{name: "connect", also: []string{"link"}, about: "link your chat account to your account here"},
		{name: "help", also: []string{"?", "-h", "--help", "commands"}, usage: "[command]", about: "this list"},
	}
}

// Words returns the names of all commands, in the order of the help.
func Words() []string {
	var names []string
	for _, w := range table() {
		names = append(names, w.name)
	}
	return names
}

// Hint is what people are shown behind the command's word while they type it.
func Hint() string { return "[" + strings.Join(Words(), " | ") + "]" }

// Command implements chat.Commander.
func (c *Commands) Command(ctx context.Context, in chat.Command) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if len(in.Text) > typed.MaxText {
		return chat.Answer{Whisper: fmt.Sprintf("That line has %d bytes; I read at most %d.", len(in.Text), typed.MaxText)}
	}
	l := &call{Commands: c, Context: ctx, who: in.Actor, words: typed.New(in.Text), thread: in.Thread}
	first, _ := l.words.Next()
	first = strings.ToLower(strings.TrimPrefix(first, "/"))
	if first == "" {
		first = "help"
	}
	w, ok := lookUp(first)
	switch {
	case !ok:
		return chat.Answer{Whisper: unknown(first)}
	case w.name == "help":
		return reply(l.help())
	case w.name == "connect":
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
	if err != nil {
		return chat.Answer{Whisper: l.trouble(err)}
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

func reply(m chat.Message) chat.Answer {
	if m.Summary == "" && len(m.Lines) > 0 {
		m.Summary = m.Lines[0].Plain()
	}
	return chat.Answer{Reply: &m}
}

// trouble says what a person can do about an error. What nobody in chat can do
// anything about is not shown there.
func (c *call) trouble(err error) string {
	if text, ok := errors.AsType[say](err); ok {
		return string(text)
	}
	if errors.Is(err, desk.ErrNoAlert) || errors.Is(err, store.ErrNotFound) {
		return "I don't keep that problem any more, so there is nothing to do."
	}
	for _, known := range []error{alert.ErrResolved, alert.ErrAcknowledged, alert.ErrPending, alert.ErrNotAcked,
		alert.ErrRemoving, alert.ErrNotProblem, desk.ErrMuteAll, desk.ErrMuteTime, desk.ErrNoMute, desk.ErrMutesEnough} {
		if errors.Is(err, known) {
			return sentence(err.Error())
		}
	}
	return "I could not do that just now, and nothing was changed. Please try again in a moment."
}

// sentence makes a sentence of an error's text.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func lookUp(name string) (word, bool) {
	all := table()
	if i := typed.Find(words(), name); i >= 0 {
		return all[i], true
	}
	return word{}, false
}

// words is the table as others read it.
func words() []typed.Word {
	var list []typed.Word
	for _, w := range table() {
		list = append(list, typed.Word{Name: w.name, Also: w.also, Usage: w.usage, About: w.about, Example: w.example})
	}
	return list
}

func unknown(name string) string { return typed.Unknown(words(), name) }

// help is made from the table.
func (c *call) help() chat.Message {
	name, _ := c.words.Next()
	list := words()
	if i := typed.Find(list, strings.ToLower(name)); i >= 0 {
		return typed.HelpOn(list[i])
	}
	return typed.Help(list, "An alert is named by its number (42 or #42), or by its host or host/service when only one is meant. Put names with spaces in quotes.",
		"Spans of time: 90m, 2h, 1d, 1w. Matchers: host=\"web01\", severity=~\"critical|warning\".")
}
