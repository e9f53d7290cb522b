// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"belfry/alert"
	"belfry/answer"
	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/slack"
	"belfry/clock"
	"belfry/config"
	"belfry/message"
)

// responder returns what a configuration's platforms ask.
func (a *App) responder(p *parts) responder {
	return responder{a.interaction, a.lines, a.probes, p.answers, a.record}
}

// openAnswers opens what the configuration has answered to words in channels.
func (a *App) openAnswers(f *config.File) (*answer.Answers, error) {
	return answer.New(f.Answers, answer.Options{Board: a.commands, Say: a.sayNow, Clock: a.opt.Clock, Log: a.opt.Log, Breaker: a.breaker})
}

// TryAnswer implements server.Answerer.
func (a *App) TryAnswer(ctx context.Context, channel, text string) (string, error) {
	p := a.parts.Load()
	return tryAnswer(ctx, p.answers, p.file, channel, text)
}

// AnswerTrial is a message to try answers with, without a server.
type AnswerTrial struct {
	File *config.File
	// Channel is connection/channel; Text is the whole message.
	Channel, Text string
	// JSON is what the template gets instead of asking: an endpoint's answer; nil:
	// the endpoint is asked.
	JSON  []byte
	Clock clock.Clock
}

// NeedsServer says whether a trial needs what only a running server knows.
func (t AnswerTrial) NeedsServer() bool {
	c, ok := t.find()
	return ok && c.Kind != "http"
}

// find returns the answer that a trial would get.
func (t AnswerTrial) find() (config.Answer, bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(t.Text), " ")
	i := slices.IndexFunc(t.File.Answers, func(c config.Answer) bool {
		return slices.ContainsFunc(c.Words, func(w string) bool { return strings.EqualFold(w, word) }) && holds(c.Where, t.Channel)
	})
	if i < 0 {
		return config.Answer{}, false
	}
	return t.File.Answers[i], true
}

func holds(where []config.Where, channel string) bool {
	connection, name, _ := strings.Cut(channel, "/")
	return channel == "" || len(where) == 0 || slices.ContainsFunc(where, func(w config.Where) bool {
		return w.Connection == connection && (w.Channel == "" || w.Channel == name)
	})
}

// Place is the channel that the message stands in, or one in which it is answered.
func (t AnswerTrial) Place() string {
	if t.Channel != "" {
		return t.Channel
	}
	if c, ok := t.find(); ok && len(c.Where) > 0 {
		return c.Where[0].Connection + "/" + c.Where[0].Channel
	}
	return ""
}

// Try says what would be answered, as TryAnswer does.
func (t AnswerTrial) Try(ctx context.Context) (string, error) {
	c, ok := t.find()
	if !ok {
		return "", t.unanswered()
	}
	if t.JSON != nil {
		spec, ok := c.Spec.(*answer.HTTP)
		if !ok {
			return "", fmt.Errorf("answer %s asks no endpoint, so there is no JSON to give it", c.Name)
		}
		given, err := spec.With(t.JSON)
		if err != nil {
			return "", err
		}
		c.Spec = given
	}
	c.Where = nil // found already
	say := func() message.Options {
		return message.Options{Now: t.Clock.Now(), Location: t.File.Server.Location()}
	}
	all, err := answer.New([]config.Answer{c}, answer.Options{Board: noBoard{}, Say: say, Clock: t.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return "", err
	}
	defer all.Close()
	return tryAnswer(ctx, all, t.File, t.Place(), t.Text)
}

// unanswered says why there is no answer.
func (t AnswerTrial) unanswered() error {
	word, _, _ := strings.Cut(strings.TrimSpace(t.Text), " ")
	var known []string
	for _, c := range t.File.Answers {
		known = append(known, c.Words...)
	}
	switch {
	case len(known) == 0:
		return errors.New("there are no answers in the configuration; see docs/answers.md")
	case slices.ContainsFunc(known, func(w string) bool { return strings.EqualFold(w, word) }):
		return fmt.Errorf("%q has no answer in %s", word, t.Channel)
	}
	return fmt.Errorf("%q has no answer; words that have one are %s", word, strings.Join(known, ", "))
}

// noBoard is what is known without a server.
type noBoard struct{}

var errNoServer = errors.New("a running server is needed to know that")

func (noBoard) Open(context.Context) ([]*alert.Alert, error) { return nil, errNoServer }

func (noBoard) Live(context.Context, string) chat.Message {
	return chat.Message{Lines: []chat.Line{{{Text: errNoServer.Error()}}}}
}

func (b noBoard) Problems(ctx context.Context, text string) chat.Message { return b.Live(ctx, text) }

// previewed shows an answer as the platform of a connection would, which is
// returned, too. Where none is named, or none of that name is configured, it is
// that of the first connection to chat.
func previewed(file *config.File, connection string, r chat.Reply) (shown, platform string, err error) {
	var first config.Spec
	for _, c := range file.Connections {
		if c.Name == connection || first == nil && c.Kind != config.RoomKind {
			first = c.Spec
		}
		if c.Name == connection {
			break
		}
	}
	if _, ok := first.(*slack.Config); ok {
		shown, err = slack.PreviewReply(r)
		return shown, "Slack", err
	}
	shown, err = mattermost.PreviewReply(r)
	return shown, "Mattermost", err
}

// tryAnswer says what a message would be answered with, in plain text.
func tryAnswer(ctx context.Context, all *answer.Answers, file *config.File, channel, text string) (string, error) {
	connection, name, _ := strings.Cut(channel, "/")
	r, ok := all.Try(ctx, chat.Heard{Actor: chat.Actor{Connection: connection, ID: "you", Name: "you"}, ChannelName: name, Text: text})
	if !ok {
		return "", fmt.Errorf("nothing is answered to that in %s", channel)
	}
	shown, platform, err := previewed(file, connection, *r)
	if err != nil {
		return "", err
	}
	where := "as a message of its own"
	if r.Comment {
		where = "below the question"
	}
	if r.Username != "" {
		where += ", signed " + chat.CleanLine(r.Username)
	}
	var b strings.Builder
	b.WriteString(where + ", in " + platform + ":\n")
	for line := range strings.SplitSeq(strings.TrimRight(shown, "\n"), "\n") {
		b.WriteString("| " + line + "\n")
	}
	return b.String(), nil
}
