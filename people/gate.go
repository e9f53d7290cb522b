// SPDX-License-Identifier: Apache-2.0

package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"belfry/alert"
	"belfry/chat"
	"belfry/config"
	"belfry/store"
)

// What people read when they may not act.
const (
	sayNoConnection = "Belfry doesn't know this connection any more, so nothing was done."
	sayNoLookup     = "Belfry could not look up what you may do, so nothing was done. Please try again in a moment."
	sayNobody       = "You are nobody in Belfry any more, so nothing was done. Ask an administrator."
	sayUnlinked     = "Only people whose account is linked with Belfry may do that here, and yours is not. Nothing was done. Connect it, then try again."
	sayNoWay        = "Accounts of this connection can't be linked with people yet: an administrator gives it an oauth application in the configuration."
	sayNoWho        = "Belfry could not look you up. Please try again in a moment."
	connectLabel    = "Connect"
)

// who returns the person whose account acts, or store.ErrNotFound.
func (p *People) who(ctx context.Context, c Connection, actor chat.Actor) (store.Person, error) {
	if !c.Room {
		return p.store.PersonByIdentity(ctx, c.Name, actor.ID)
	}
	id, err := strconv.ParseInt(actor.ID, 10, 64)
	if err != nil {
		return store.Person{}, fmt.Errorf("%q is no person's id: %w", actor.ID, store.ErrNotFound)
	}
	return p.store.PersonByID(ctx, alert.ID(id))
}

// May implements chat.Gate.
func (p *People) May(ctx context.Context, actor chat.Actor) *chat.Answer {
	c, ok := p.connection(actor.Connection)
	if !ok || actor.ID == "" {
		return &chat.Answer{Whisper: sayNoConnection}
	}
	if !c.Act.Linked {
		return nil
	}
	who, err := p.who(ctx, c, actor)
	switch {
	case errors.Is(err, store.ErrNotFound) && c.Room:
		return &chat.Answer{Whisper: sayNobody}
	case errors.Is(err, store.ErrNotFound):
		return &chat.Answer{Whisper: sayUnlinked, Link: p.link(c, actor)}
	case err != nil:
		return &chat.Answer{Whisper: sayNoLookup}
	case rank(who.Role) < rank(c.Act.Role):
		return &chat.Answer{Whisper: fmt.Sprintf("That takes the role %s here, and you (%s) are %s. Nothing was done. An administrator can change that on Belfry's page People.",
			c.Act.Role, who.Name, withArticle(who.Role))}
	}
	return nil
}

// rank orders roles; a rule without one is met by all.
func rank(role string) int { return slices.Index(config.Roles(), role) }

func withArticle(role string) string {
	if role == store.RoleAdmin {
		return "an administrator"
	}
	return "a " + role
}

// Who says in plain lines as whom Belfry knows the actor.
func (p *People) Who(ctx context.Context, actor chat.Actor) []string {
	c, ok := p.connection(actor.Connection)
	if !ok {
		return []string{sayNoConnection}
	}
	var lines []string
	who, err := p.who(ctx, c, actor)
	switch {
	case errors.Is(err, store.ErrNotFound):
		lines = append(lines, "This account is not linked with anybody in Belfry.")
	case err != nil:
		return []string{sayNoWho}
	default:
		lines = append(lines, fmt.Sprintf("In Belfry you are %s, %s.", who.Name, withArticle(who.Role)))
	}
	switch {
	case c.Act.Role != "":
		lines = append(lines, fmt.Sprintf("To act here takes a linked account and the role %s.", c.Act.Role))
	case c.Act.Linked:
		lines = append(lines, "To act here takes a linked account.")
	}
	return lines
}

// Connect offers the actor a link by which they say who they are in Belfry.
func (p *People) Connect(ctx context.Context, actor chat.Actor) chat.Answer {
	c, ok := p.connection(actor.Connection)
	if !ok {
		return chat.Answer{Whisper: sayNoConnection}
	}
	who, err := p.who(ctx, c, actor)
	switch {
	case err == nil:
		return chat.Answer{Whisper: fmt.Sprintf("Your account is linked already: in Belfry you are %s, %s. You can unlink it there on your own page.", who.Name, withArticle(who.Role))}
	case !errors.Is(err, store.ErrNotFound):
		return chat.Answer{Whisper: sayNoWho}
	}
	if answer := p.linkByMail(ctx, c, actor); answer != nil {
		return *answer
	}
	link := p.link(c, actor)
	if link == nil {
		return chat.Answer{Whisper: sayNoWay}
	}
	return chat.Answer{Whisper: fmt.Sprintf("Say who you are in Belfry. This link is for @%s alone, works once, and holds for %d minutes.", actor.Name, int(linkLife.Minutes())), Link: link}
}

// link offers the actor the way to link their account; nil where there is none.
func (p *People) link(c Connection, actor chat.Actor) *chat.Link {
	if c.Identifier == nil {
		return nil
	}
	path, err := p.invite(actor)
	if err != nil {
		return nil
	}
	return &chat.Link{Text: connectLabel, URL: p.base + path}
}
