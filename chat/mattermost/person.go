// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// person is a user as the API shows them.
type person struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	DeleteAt int64  `json:"delete_at"`
	IsBot    bool   `json:"is_bot"`
}

// lookupWait is how long to leave unknown users alone when there are too many.
const lookupWait = time.Second

// errNobody says that a user id belongs to nobody who may act.
var errNobody = errors.New("no active account of the server has this id")

// Person names the user with this id. It is Permanent when nobody active has
// it. Names are believed for ten minutes.
func (p *Platform) Person(ctx context.Context, id string) (chat.Actor, error) {
	who, err := p.known(ctx, id)
	if err != nil {
		return chat.Actor{}, err
	}
	return chat.Actor{Connection: p.name, ID: id, Name: chat.CleanLine(who.Username)}, nil
}

// known is the account with this id, see Person.
func (p *Platform) known(ctx context.Context, id string) (person, error) {
	if !isID(id) {
		return person{}, fault.NewPermanent(fmt.Errorf("can't name a user of connection %s: %w", p.name, errNobody))
	}
	now := p.clock.Now()
	who, ok := p.people.get(id, now)
	if !ok {
		if !p.lookups.Allow() {
			return person{}, fault.NewRetryAfter(fmt.Errorf("too many unknown users of connection %s are being looked up", p.name), lookupWait)
		}
		err := p.client.do(ctx, http.MethodGet, "/users/"+id, nil, &who)
		if got, refused := refusal(err); refused && (got.Status == http.StatusNotFound || got.Status == http.StatusBadRequest) {
			return person{}, fault.NewPermanent(fmt.Errorf("can't name user %s of connection %s: %w", id, p.name, errNobody))
		}
		if err != nil {
			return person{}, p.decide(err, reads, "name user "+id)
		}
		// Only who may act is remembered: a new account works at once.
		if who.ID != id || who.Username == "" || who.DeleteAt > 0 {
			return person{}, fault.NewPermanent(fmt.Errorf("can't name user %s of connection %s: %w", id, p.name, errNobody))
		}
		p.people.put(id, who, now)
	}
	return who, nil
}
