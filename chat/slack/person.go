// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"belfry/chat"
	"belfry/fault"
)

const (
	// peopleKept is how long a look-up is believed, maxPeople how many are kept.
	peopleKept = 10 * time.Minute
	maxPeople  = 10_000
)

// person is a user as users.info shows them.
type person struct {
	ID      string `json:"id"`
	Team    string `json:"team_id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted"`
	Bot     bool   `json:"is_bot"`
	// Stranger is somebody of another workspace with whom we share a channel.
	Stranger   bool `json:"is_stranger"`
	Enterprise *struct {
		ID string `json:"enterprise_id"`
	} `json:"enterprise_user"`
	Profile struct {
		Email       string `json:"email"`
		DisplayName string `json:"display_name"`
	} `json:"profile"`
}

// slackbot is Slack's own account; is_bot is false for it.
const slackbot = "USLACKBOT"

// Why somebody can't act.
var (
	errNobody   = errors.New("no active account of the workspace has this id")
	errBot      = errors.New("the account is a bot's")
	errStranger = errors.New("the account belongs to another workspace")
)

// peopleCache keeps look-ups of those who may act for a while; a new or
// reactivated account works at once.
type peopleCache struct {
	mu  sync.Mutex
	all map[string]knownPerson
}

type knownPerson struct {
	person
	until time.Time
}

func newPeopleCache() *peopleCache { return &peopleCache{all: map[string]knownPerson{}} }

func (c *peopleCache) get(id string, now time.Time) (person, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.all[id]
	return k.person, ok && now.Before(k.until)
}

func (c *peopleCache) put(who person, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= maxPeople {
		clear(c.all) // cheaper than any bookkeeping, and rare
	}
	c.all[who.ID] = knownPerson{who, now.Add(peopleKept)}
}

// Person names the user with this id. It is Permanent when nobody active of
// our workspace has it. Names are believed for ten minutes.
func (p *Platform) Person(ctx context.Context, id string) (chat.Actor, error) {
	who, err := p.person(ctx, id)
	if err != nil {
		return chat.Actor{}, err
	}
	return chat.Actor{Connection: p.name, ID: id, Name: chat.CleanLine(who.Name)}, nil
}

func (p *Platform) person(ctx context.Context, id string) (person, error) {
	refuse := func(why error) (person, error) {
		return person{}, fault.NewPermanent(fmt.Errorf("can't name user %s of connection %s: %w", chat.CleanLine(id), p.name, why))
	}
	if !isUserID(id) || id == slackbot {
		return refuse(errNobody)
	}
	now := p.clock.Now()
	if who, ok := p.people.get(id, now); ok {
		return who, nil
	}
	me, err := p.self(ctx)
	if err != nil {
		return person{}, err
	}
	var got struct {
		User person `json:"user"`
	}
	err = p.client.call(ctx, "users.info", url.Values{"user": {id}}, &got)
	if r, ok := errors.AsType[*refused](err); ok && (r.Code == "user_not_found" || r.Code == "user_not_visible") {
		return refuse(errNobody)
	}
	if err != nil {
		return person{}, p.decide(err, reads, "name user "+id)
	}
	who := got.User
	switch {
	case who.ID != id || who.Name == "" || who.Deleted:
		return refuse(errNobody)
	case who.Bot:
		return refuse(errBot)
	case who.Stranger || !me.employs(who):
		return refuse(errStranger)
	}
	p.people.put(who, now)
	return who, nil
}

// employs says whether somebody belongs to our workspace, or to the
// organization that it is part of.
func (s self) employs(who person) bool {
	return who.Team == s.TeamID || s.Enterprise != "" && who.Enterprise != nil && who.Enterprise.ID == s.Enterprise
}

// ours says whether something happened in our workspace or organization.
func (s self) ours(team, enterprise string) bool {
	return team == "" && enterprise == "" || team == s.TeamID || s.Enterprise != "" && enterprise == s.Enterprise
}

// actor names who acted; say tells them when that fails. Slack vouches for the
// id by its signature or its socket; the name is read, never taken from what came.
func (p *Platform) actor(ctx context.Context, i interaction) (who chat.Actor, say string) {
	return p.named(ctx, i.User.ID, i.team(), i.enterprise())
}

func (p *Platform) named(ctx context.Context, id, team, enterprise string) (who chat.Actor, say string) {
	me, err := p.self(ctx)
	if err == nil && !me.ours(team, enterprise) {
		p.log.Warn("somebody of another workspace acted; nothing was done", "team", team)
		return chat.Actor{}, sayStranger
	}
	if err == nil {
		who, err = p.Person(ctx, id)
	}
	if err == nil {
		return who, ""
	}
	p.log.Warn("nothing was done for somebody who can't be named", "err", err)
	switch {
	case errors.Is(err, errBot):
		return chat.Actor{}, sayBot
	case errors.Is(err, errStranger):
		return chat.Actor{}, sayStranger
	case errors.Is(err, errNobody):
		return chat.Actor{}, sayNobody
	}
	return chat.Actor{}, sayUnknown
}

var _ chat.Mailer = (*Platform)(nil)

// MailDomain implements chat.Mailer.
func (p *Platform) MailDomain() string { return p.byEmail }

// MailAddress implements chat.Mailer. It needs the scope users:read.email.
func (p *Platform) MailAddress(ctx context.Context, who chat.Actor) (string, error) {
	got, err := p.person(ctx, who.ID)
	return got.Profile.Email, err
}
