// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"slices"

	"belfry/chat"
)

// What people read when a shortcut on a message leads nowhere.
const (
	sayUnsaid  = "Nobody wrote this message, so nothing was done."
	sayTwice   = "This message stands in the record already."
	sayUnkept  = "Belfry could not keep this message just now. Please try again in a moment."
	sayNoForms = "This Belfry declares no incidents."
)

// declareAbout opens the form for an incident about the message that a shortcut was
// used on. Slack brings the message along; its signature, or its socket, vouches for it.
func (p *Platform) declareAbout(r chat.Responder, i interaction) error {
	declarer, ok := r.(chat.Declarer)
	return p.aboutMessage(i, ok, sayNoForms, func(ctx context.Context, who chat.Actor, m chat.Quoted) chat.Answer {
		return p.showForm(ctx, i, declarer.DeclareAbout(ctx, who, m))
	})
}

// keepMessage puts the message that a shortcut was used on into its incident's timeline.
func (p *Platform) keepMessage(r chat.Responder, i interaction) error {
	recorder, ok := r.(chat.Recorder)
	return p.aboutMessage(i, ok, sayNotKnown, func(ctx context.Context, who chat.Actor, m chat.Quoted) chat.Answer {
		a, err := chat.Recorded(ctx, recorder, chat.Marked{Actor: who, Mark: chat.MarkTimeline, Message: m}, p.log)
		switch {
		case err != nil:
			p.log.Warn("can't keep a message", "err", err)
			return chat.Answer{Whisper: sayUnkept}
		case a.Whisper == "" && a.Reply == nil && a.Link == nil:
			return chat.Answer{Whisper: sayTwice}
		}
		return a
	})
}

// aboutMessage has something done with the message that a shortcut was used on.
func (p *Platform) aboutMessage(i interaction, able bool, unable string, do func(context.Context, chat.Actor, chat.Quoted) chat.Answer) error {
	return p.act(i, func(ctx context.Context) chat.Answer {
		if !able {
			return chat.Answer{Whisper: unable}
		}
		who, say := p.actor(ctx, i)
		if say != "" {
			return chat.Answer{Whisper: say}
		}
		me, err := p.self(ctx)
		if err != nil {
			return chat.Answer{Whisper: sayUnknown}
		}
		var m original
		at := i.ref()
		if json.Unmarshal(i.Message, &m) != nil || !m.ok() || m.TS != at.ts || !slices.Contains(said, m.Subtype) {
			return chat.Answer{Whisper: sayUnsaid}
		}
		return do(ctx, who, p.quoted(ctx, me, at.channel, m))
	})
}
