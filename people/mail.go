// SPDX-License-Identifier: Apache-2.0

package people

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belfry/chat"
	"belfry/store"
)

const sayNoMail = "Belfry could not read your mail address, so nothing was linked. Please try again in a moment, or ask an administrator."

// linkByMail links an account with the person whose name its mail address
// begins with, where the administrator allows that for the address's domain.
// It returns nil where it says nothing about this account.
func (p *People) linkByMail(ctx context.Context, c Connection, actor chat.Actor) *chat.Answer {
	if c.Mailer == nil {
		return nil
	}
	address, err := c.Mailer.MailAddress(ctx, actor)
	if err != nil {
		return &chat.Answer{Whisper: sayNoMail}
	}
	name, domain, ok := strings.Cut(strings.ToLower(address), "@")
	if !ok || domain != strings.ToLower(c.Mailer.MailDomain()) || !validName(name) {
		return nil
	}
	who, err := p.store.PersonByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = p.store.Link(ctx, store.Identity{Connection: c.Name, UserID: actor.ID, Name: actor.Name, Person: who.ID})
	}
	if err != nil {
		return &chat.Answer{Whisper: sayNoWho}
	}
	return &chat.Answer{Whisper: fmt.Sprintf("Your account is linked now, by your mail address: in Belfry you are %s, %s.", who.Name, withArticle(who.Role))}
}
