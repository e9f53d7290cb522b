// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"

	"belfry/chat"
)

// interact answers an interaction. The answer goes back with the request: it
// is nothing, but for forms, which are told what is wrong with them.
func (p *Platform) interact(r chat.Responder, i interaction) (any, error) {
	switch i.Kind {
	case kindBlockActions:
		return nil, p.press(r, i)
	case kindLegacy:
		return nil, p.foreign(r, i)
	case kindMessage:
		return nil, p.shortcut(r, i)
	case kindSubmission:
		return p.submitted(r, i)
	case kindClosed:
		return nil, p.closed(r, i)
	case kindSuggestion:
		return map[string][]string{"options": {}}, nil
	case kindShortcut:
		p.log.Warn("a shortcut was used that Belfry doesn't have; is the app's manifest the current one?", "callback", i.Callback)
	}
	return nil, nil
}

// act has something done for who pressed, and tells them what there is to tell.
func (p *Platform) act(i interaction, do func(ctx context.Context) chat.Answer) error {
	w := whisperTo{user: i.User.ID, channel: i.ref().channel, response: i.Response}
	tell := func(ctx context.Context, a chat.Answer) { p.whisper(ctx, w, a) }
	a, err := p.soon(do, tell)
	if a.Whisper != "" || a.Reply != nil {
		p.later(func(ctx context.Context) { tell(ctx, a) })
	}
	return err
}

// press hands a button of a card to the Responder.
func (p *Platform) press(r chat.Responder, i interaction) error {
	b := i.Actions[0]
	if i.View != nil || b.Kind != "" && b.Kind != "button" || b.Value == "" {
		return nil // a link, or a choice in a form: nothing is asked of us
	}
	return p.act(i, func(ctx context.Context) chat.Answer {
		if !genuine(r, b.Value) {
			return chat.Answer{Whisper: sayForged}
		}
		who, say := p.actor(ctx, i)
		if say != "" {
			return chat.Answer{Whisper: say}
		}
		at := i.ref()
		return p.showForm(ctx, i, r.Press(ctx, chat.Press{Actor: who, Token: b.Value, Ref: chat.Ref{Channel: at.channel, Post: at.ts}}))
	})
}

// showForm shows the form that an answer has, while the press still allows it.
func (p *Platform) showForm(ctx context.Context, i interaction, a chat.Answer) chat.Answer {
	if a.Dialog == nil {
		return a
	}
	if err := p.openView(ctx, i.Trigger, i.ref().channel, a.Dialog); err != nil {
		p.log.Warn("can't open a form", "err", err)
		return chat.Answer{Whisper: sayNoDialog}
	}
	a.Dialog = nil
	return a
}

// shortcut does what a shortcut in a message's menu stands for. It may be used
// on a card or on anything in its thread.
func (p *Platform) shortcut(r chat.Responder, i interaction) error {
	switch i.Callback {
	case shortcutDeclare:
		return p.declareAbout(r, i)
	case shortcutKeep:
		return p.keepMessage(r, i)
	}
	act := map[string]string{shortcutAck: chat.ReactAck, shortcutUnack: chat.ReactUnack}[i.Callback]
	reactor, ok := r.(chat.Reactor)
	return p.act(i, func(ctx context.Context) chat.Answer {
		if !ok || act == "" {
			return chat.Answer{Whisper: sayNotKnown}
		}
		who, say := p.actor(ctx, i)
		if say != "" {
			return chat.Answer{Whisper: say}
		}
		for _, at := range i.cards() {
			ref := chat.Ref{Channel: at.channel, Post: at.ts}
			open, err := reactor.IsOpen(ctx, p.name, ref)
			if err != nil {
				p.log.Warn("can't look up a card", "err", err)
				return chat.Answer{Whisper: sayBroken}
			}
			if open {
				return reactor.React(ctx, chat.Reaction{Actor: who, Ref: ref, Act: act})
			}
		}
		return chat.Answer{Whisper: sayNoCard}
	})
}

// cards are the messages that a message of a card's thread can be about.
func (i *interaction) cards() []place {
	out := []place{i.ref()}
	var m struct {
		Thread string `json:"thread_ts"`
	}
	if json.Unmarshal(i.Message, &m) == nil && isTS(m.Thread) && m.Thread != out[0].ts {
		out = append(out, place{out[0].channel, m.Thread})
	}
	return out
}
