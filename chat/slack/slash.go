// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"strings"

	"belfry/chat"
)

// commandReply is our answer to a slash command.
type commandReply struct {
	Kind string `json:"response_type"`
	shown
}

// typedLine answers a slash command. The answer goes back with the request,
// for the person alone; what takes longer is told by the response_url.
func (p *Platform) typedLine(r chat.Responder, t typed) (any, error) {
	commander, ok := r.(chat.Commander)
	if !ok {
		return p.told(chat.Answer{Whisper: sayNoCommands}), nil
	}
	to := whisperTo{user: t.User, channel: t.Channel, response: t.Response}
	a, err := p.soon(func(ctx context.Context) chat.Answer {
		who, say := p.named(ctx, t.User, t.Team, t.Enterprise)
		if say != "" {
			return chat.Answer{Whisper: say}
		}
		text, mentions := lineOf(t.Text)
		answer := commander.Command(ctx, chat.Command{Actor: who, Channel: t.Channel, Word: strings.ToLower(strings.TrimPrefix(t.Command, "/")), Text: text, Mentions: mentions})
		if answer.Dialog == nil {
			return answer
		}
		if err := p.openView(ctx, t.Trigger, t.Channel, answer.Dialog); err != nil {
			p.log.Warn("can't open a form", "err", err)
			return chat.Answer{Whisper: sayNoDialog}
		}
		answer.Dialog = nil
		return answer
	}, func(ctx context.Context, a chat.Answer) { p.whisper(ctx, to, orDone(a)) })
	if err != nil {
		a = chat.Answer{Whisper: sayBusy}
	}
	return p.told(a), nil
}

// told is an answer to a command.
func (p *Platform) told(a chat.Answer) any {
	m, ok := p.shownOf(a)
	if !ok {
		return nil // a form was opened, or the card tells: nothing need be said
	}
	return commandReply{Kind: "ephemeral", shown: m}
}

// orDone says so where there is nothing else to say.
func orDone(a chat.Answer) chat.Answer {
	if a.Whisper == "" && a.Reply == nil {
		a.Whisper = sayDone
	}
	return a
}
