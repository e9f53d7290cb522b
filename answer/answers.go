// SPDX-License-Identifier: Apache-2.0

// Package answer answers to words in channels: somebody begins a message with
// "status" or "fridge", and everybody in the channel reads how it stands.
//
// Which words, where they hold and what is said are an administrator's, in the
// configuration (config.Answer). There are three kinds (kinds.go): a query shows
// how objects stand by what Belfry knows and monitoring says now; a template is
// filled with open alerts (alerts.go); an http answer asks an endpoint and fills
// its template with the JSON that comes back (endpoint.go).
//
// The flow: a platform hands over what a person wrote (chat.Heard); Hear finds
// the answer by the first word and the channel, asks the Breaker whether this
// still is a conversation, and has the answer's kind make a chat.Reply. Whatever
// goes wrong is said there, too, in plain words.
//
// A template is the administrator's and trusted; what is put into it is not.
// template.go keeps the two apart up to the platform, which shows values
// literally: they can't ring, link, break a table or run anything.
//
// No loops, ever: platforms hand over neither what programs wrote nor edits nor
// a post twice (chat.Heard), and who asks faster or more than people do is not
// answered any more (Breaker). Even a program that looks like a person ends a
// conversation with us that way.
package answer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/message"
)

// Board knows how everything stands.
type Board interface {
	// Open returns the open alerts, the worst first. They must not be changed.
	Open(ctx context.Context) ([]*alert.Alert, error)
	// Live says how what text names stands at this moment, as a table; without
	// text how everything does.
	Live(ctx context.Context, text string) chat.Message
	// Problems lists what is open and fits text.
	Problems(ctx context.Context, text string) chat.Message
}

// Options are what answers work with. Board, Say, Clock and Log must be set.
type Options struct {
	Board Board
	// Say returns how alerts are said: links, time zone.
	Say   func() message.Options
	Clock clock.Clock
	Log   *slog.Logger
	// Breaker ends what looks like two programs talking; nil: one of its own.
	// One Breaker outlives reloads.
	Breaker *Breaker
}

// Answers implements chat.Hearer.
type Answers struct {
	opt     Options
	entries []*entry
}

var _ chat.Hearer = (*Answers)(nil)

// entry is one configured answer.
type entry struct {
	config.Answer
	kind kind
}

// kind makes what is said.
type kind interface {
	// answer returns the reply to a question; where it stands and who says it is
	// filled in by the caller. An error of type trouble is told to people.
	answer(ctx context.Context, a *Answers, q question) (chat.Reply, error)
	close()
}

// question is what was asked.
type question struct {
	chat.Heard
	// word is the trigger word as it was typed, rest what follows it, words the
	// same in single words.
	word, rest string
	words      []string
}

// trouble is an error that is told to people: a whole sentence.
type trouble string

func (t trouble) Error() string { return string(t) }

func troublef(format string, args ...any) error { return trouble(fmt.Sprintf(format, args...)) }

// answerWithin bounds one answer, so that there is time left to say that it
// did not come.
const answerWithin = chat.HearWithin - 2*time.Second

// New opens the configured answers: it reads the files that they name and calls
// nobody. Call Close when they are replaced.
func New(list []config.Answer, o Options) (*Answers, error) {
	if o.Breaker == nil {
		o.Breaker = NewBreaker(o.Clock)
	}
	a := &Answers{opt: o}
	for _, c := range list {
		spec, ok := c.Spec.(opener)
		if !ok {
			return nil, fmt.Errorf("answer %s was read as another kind: %T", c.Name, c.Spec)
		}
		k, err := spec.open(c.Name)
		if err != nil {
			a.Close()
			return nil, fmt.Errorf("answer %s: %w", c.Name, err)
		}
		a.entries = append(a.entries, &entry{c, k})
	}
	return a, nil
}

// Close lets go of connections to endpoints; answers under way end by themselves.
func (a *Answers) Close() {
	for _, e := range a.entries {
		e.kind.close()
	}
}

// firstWord splits a message into its first word and what follows.
func firstWord(text string) (word, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i], strings.TrimSpace(text[i:])
	}
	return text, ""
}

// Hears implements chat.Hearer.
func (a *Answers) Hears(connection, text string) bool {
	word, _ := firstWord(text)
	for _, e := range a.entries {
		if e.has(word) && e.holdsOn(connection) {
			return true
		}
	}
	return false
}

func (e *entry) has(word string) bool {
	for _, w := range e.Words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

func (e *entry) holdsOn(connection string) bool {
	for _, w := range e.Where {
		if w.Connection == connection {
			return true
		}
	}
	return len(e.Where) == 0
}

// holds says whether the answer is given in a channel.
func (e *entry) holds(h chat.Heard) bool {
	for _, w := range e.Where {
		if w.Connection == h.Actor.Connection && (w.Channel == "" || w.Channel == h.ChannelName || w.Channel == h.Channel) {
			return true
		}
	}
	return len(e.Where) == 0
}

// Hear implements chat.Hearer.
func (a *Answers) Hear(ctx context.Context, h chat.Heard) *chat.Reply {
	h.Text = chat.Clean(h.Text)
	q := question{Heard: h}
	q.word, q.rest = firstWord(h.Text)
	q.words = strings.Fields(q.rest)
	for _, e := range a.entries {
		if !e.has(q.word) || !e.holds(h) {
			continue
		}
		goOn, notice := a.opt.Breaker.ask(h.Actor)
		switch {
		case notice != "":
			a.opt.Log.Warn("somebody asks as fast as a program and is not answered any more for a while", "connection", h.Actor.Connection, "who", h.Actor.Name, "answer", e.Name)
			return e.dress(plain(notice))
		case !goOn:
			return nil
		}
		return e.dress(a.say(ctx, e, q))
	}
	return nil
}

// Try answers as Hear does and without limits, for trying out.
func (a *Answers) Try(ctx context.Context, h chat.Heard) (*chat.Reply, bool) {
	without := *a
	without.opt.Breaker = NewBreaker(a.opt.Clock)
	r := without.Hear(ctx, h)
	return r, r != nil
}

// dress says it the way that the configuration wants.
func (e *entry) dress(r chat.Reply) *chat.Reply {
	r.Comment, r.Username, r.IconURL = e.Comment, e.Username, e.IconURL
	r.Message.Mentions, r.Message.Buttons = nil, nil
	return &r
}

// say makes what is said, trouble included.
func (a *Answers) say(ctx context.Context, e *entry, q question) (r chat.Reply) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	defer func() {
		if broke := recover(); broke != nil {
			a.opt.Log.Error("an answer broke down", "answer", e.Name, "panic", broke)
			r = plain(fmt.Sprintf("The answer “%s” broke down. Its administrator finds more in Belfry's log.", e.Name))
		}
	}()
	r, err := e.kind.answer(ctx, a, q)
	if err == nil {
		return r
	}
	a.opt.Log.Warn("an answer could not be given", "answer", e.Name, "connection", q.Actor.Connection, "err", err)
	if text, ok := errors.AsType[trouble](err); ok {
		return plain(string(text))
	}
	return plain(fmt.Sprintf("I can't say that just now (answer “%s”). Please ask again in a moment.", e.Name))
}

// plain is a reply of sentences, one a line.
func plain(text string) chat.Reply {
	var r chat.Reply
	for line := range strings.SplitSeq(text, "\n") {
		r.Message.Lines = append(r.Message.Lines, chat.Line{{Text: line}})
	}
	r.Message.Summary = r.Message.Lines[0].Plain()
	return r
}
