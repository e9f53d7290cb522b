// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/chat"
	"belfry/fault"
)

var _ chat.Directory = (*Platform)(nil)

// directory knows people and groups by the words that they are called by.
// Slack has no call that finds a person by handle, so the lists of all people
// and of all user groups are read and kept for a while.
type directory struct {
	mu sync.Mutex // not held over a walk
	people
	// groups are the ids of user groups by handle.
	groups map[string]string
	// noPeople and noGroups are why the lists could not be had, nil if they were.
	noPeople, noGroups error
	read               time.Time     // when the lists were had
	tried              time.Time     // when they were last asked for
	walking            chan struct{} // closed when the walk that goes on ends; nil: none does
}

// people are the active accounts of a workspace.
type people struct {
	byID map[string]person
	// byHandle has ids by handle, which is somebody's alone; byDisplay by
	// display name, which several may share.
	byHandle  map[string]string
	byDisplay map[string][]string
}

// called returns who has a word as handle, or as display name where it is
// nobody's handle; several, by their handles, are those who share that.
func (p *people) called(word string) (id string, several []string) {
	word = strings.ToLower(word)
	if id, ok := p.byHandle[word]; ok {
		return id, nil
	}
	shown := p.byDisplay[word]
	if len(shown) == 1 {
		return shown[0], nil
	}
	for _, id := range shown {
		several = append(several, "@"+chat.CleanLine(p.byID[id].Name))
	}
	slices.Sort(several)
	return "", several
}

// someOf names people, those that fit in a line.
func someOf(handles []string) string {
	const most = 5
	n := len(handles)
	if n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(handles[:most], ", "), n-most)
	}
	return strings.Join(handles[:n-1], ", ") + " and " + handles[n-1]
}

// lookAgain is how soon the lists are asked for anew because of a word that is
// not in them, or because they could not be had.
const lookAgain = time.Minute

func newDirectory() *directory { return &directory{people: newPeople(), groups: map[string]string{}} }

func newPeople() people {
	return people{byID: map[string]person{}, byHandle: map[string]string{}, byDisplay: map[string][]string{}}
}

// usergroup is a group as usergroups.list shows it.
type usergroup struct {
	ID         string `json:"id"`
	Handle     string `json:"handle"`
	DateDelete int64  `json:"date_delete"`
}

// consult calls look with the lists as they are, and again with newer ones if
// it says that it misses something. The walk through a large workspace takes
// longer than people wait: it goes on when ctx ends, and whoever asks next
// finds what it brought.
func (p *Platform) consult(ctx context.Context, look func(*directory) (missing bool)) error {
	d := p.directory
	d.mu.Lock()
	now := p.clock.Now()
	missing := look(d)
	old := d.read.IsZero() || now.Sub(d.read) >= listKept
	if !missing && !old || !d.tried.IsZero() && now.Sub(d.tried) < lookAgain && d.walking == nil {
		d.mu.Unlock()
		return nil
	}
	done := d.walking
	if done == nil {
		done = make(chan struct{})
		d.walking, d.tried = done, now
		if !p.work.start(func(ctx context.Context) { p.readDirectory(ctx, done) }) {
			d.mu.Unlock()
			p.readDirectory(ctx, done) // too much goes on for a goroutine of its own
			d.mu.Lock()
		}
	}
	d.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return fault.NewRetry(fmt.Errorf("the people of connection %s are still being read: %w", p.name, ctx.Err()))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	look(d)
	return nil
}

// readDirectory reads both lists; done is closed at the end. What could not be
// read stays as it was.
func (p *Platform) readDirectory(ctx context.Context, done chan struct{}) {
	all := newPeople()
	noPeople := p.walk(ctx, "users.list", url.Values{}, "list the people", func(page *page) {
		for _, who := range page.Members {
			if who.Deleted || !isUserID(who.ID) || who.Name == "" {
				continue
			}
			all.byID[who.ID], all.byHandle[who.Name] = who, who.ID
			if shown := strings.ToLower(who.Profile.DisplayName); shown != "" {
				all.byDisplay[shown] = append(all.byDisplay[shown], who.ID)
			}
		}
	})
	var got page
	noGroups := p.read(ctx, "usergroups.list", url.Values{}, "list the user groups", &got)
	groups := map[string]string{}
	for _, g := range got.Usergroups {
		if g.DateDelete == 0 && isGroupID(g.ID) {
			groups[g.Handle] = g.ID
		}
	}
	for what, err := range map[string]error{"people": noPeople, "user groups": noGroups} {
		if err != nil {
			p.log.Warn("can't look up handles; for mentions in routes, name their ids in mention_ids", "of", what, "err", err)
		}
	}
	d := p.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.noPeople = noPeople; noPeople == nil {
		d.people = all
	}
	if d.noGroups = noGroups; noGroups == nil {
		d.groups = groups
	}
	if noPeople == nil || noGroups == nil {
		d.read = p.clock.Now()
	}
	d.walking = nil
	close(done)
}

// Why somebody is not found, to follow the name.
const (
	whyNoHandle  = "is no handle of Slack; write it like @anna, picked from the list that Slack offers"
	whyNotKnown  = "is not known in this workspace"
	whyProgram   = "is a program's account"
	whyElsewhere = "belongs to another workspace"
	whySeveral   = "is what %s are shown as; write which of them is meant"
	whyNoMail    = "can't be looked up by mail address: the app lacks the scope users:read.email; write the handle, like @anna"
)

// FindPeople implements chat.Directory. People who read "@Anna" in Slack read a
// display name, so that is looked for where it is nobody's handle.
func (p *Platform) FindPeople(ctx context.Context, names []string) ([]chat.Found, error) {
	if len(names) > chat.MaxFind {
		return nil, fault.NewPermanent(fmt.Errorf("can't look %d people up at once; ask for %d at most", len(names), chat.MaxFind))
	}
	me, err := p.self(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	out := make([]chat.Found, len(names))
	for i, name := range names {
		who, why, err := p.personCalled(ctx, me, strings.TrimPrefix(name, "@"))
		if err != nil {
			return nil, err
		}
		if out[i] = (chat.Found{Asked: name, Why: why}); why == "" {
			out[i].Actor = p.actorOf(who)
		}
	}
	return out, nil
}

func (p *Platform) actorOf(who person) chat.Actor {
	return chat.Actor{Connection: p.name, ID: who.ID, Name: chat.CleanLine(who.Name)}
}

func (p *Platform) personCalled(ctx context.Context, me self, name string) (who person, why string, err error) {
	if id := p.words[name]; isUserID(id) {
		name = id
	}
	switch {
	case name == "" || len(name) > chat.MaxPersonName:
		return who, whyNoHandle, nil
	case isUserID(name) && len(name) >= 8:
		who, err = p.person(ctx, name)
	case strings.Contains(name, "@"):
		who, why, err = p.personByMail(ctx, name)
	default:
		who, why, err = p.personByHandle(ctx, name)
	}
	switch {
	case errors.Is(err, errBot):
		return who, whyProgram, nil
	case errors.Is(err, errStranger):
		return who, whyElsewhere, nil
	case errors.Is(err, errNobody):
		return who, whyNotKnown, nil
	case err != nil || why != "":
		return who, why, err
	case who.Deleted || who.ID == slackbot:
		return who, whyNotKnown, nil
	case who.Bot:
		return who, whyProgram, nil
	case who.Stranger || !me.employs(who):
		return who, whyElsewhere, nil
	}
	return who, "", nil
}

func (p *Platform) personByHandle(ctx context.Context, name string) (who person, why string, err error) {
	var trouble error
	err = p.consult(ctx, func(d *directory) bool {
		who, why, trouble = person{}, "", d.noPeople
		switch id, several := d.called(name); {
		case len(several) > 0:
			why = fmt.Sprintf(whySeveral, someOf(several))
		case id == "":
			why = whyNotKnown
		default:
			who = d.byID[id]
		}
		return why == whyNotKnown
	})
	switch {
	case err == nil && why == whyNotKnown && trouble != nil:
		err = trouble // nobody may be known because nobody could be asked
	case err == nil && why == whyNotKnown && !isHandle(name):
		why = whyNoHandle
	}
	return who, why, err
}

func (p *Platform) personByMail(ctx context.Context, address string) (who person, why string, err error) {
	var got struct {
		User person `json:"user"`
	}
	err = p.read(ctx, "users.lookupByEmail", url.Values{"email": {address}}, "look a person up by mail", &got)
	switch {
	case refusedAs(err, "missing_scope", "no_permission"):
		return who, whyNoMail, nil
	case refusedAs(err, "users_not_found", "user_not_found", "user_not_visible", "invalid_arguments", "invalid_email"):
		return who, whyNotKnown, nil
	}
	return got.User, "", err
}

// FindGroup implements chat.Directory.
func (p *Platform) FindGroup(ctx context.Context, name string) ([]chat.Actor, error) {
	doing := fmt.Sprintf("read who belongs to %.80q", chat.CleanLine(name))
	method, args := "conversations.members", url.Values{"limit": {namesAtOnce}}
	if strings.HasPrefix(name, "~") || strings.HasPrefix(name, "#") {
		id, err := p.resolve(ctx, name[1:])
		if err != nil {
			return nil, err
		}
		args.Set("channel", id)
	} else {
		id, err := p.groupCalled(ctx, strings.TrimPrefix(name, "@"), doing)
		if err != nil {
			return nil, err
		}
		method, args = "usergroups.users.list", url.Values{"usergroup": {id}}
	}
	var ids []string
	for range listPages {
		var got struct {
			Members  []string `json:"members"`
			Users    []string `json:"users"`
			Metadata struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		switch err := p.read(ctx, method, args, doing, &got); {
		case err != nil && args.Has("usergroup"):
			return nil, p.groupTrouble(err, doing)
		case err != nil:
			return nil, err
		}
		ids = append(append(ids, got.Members...), got.Users...)
		if got.Metadata.Cursor == "" {
			return p.actorsOf(ctx, ids, doing)
		}
		if len(ids) > 2*chat.MaxGroup { // programs and guests are among them, but so many?
			break
		}
		args.Set("cursor", got.Metadata.Cursor)
	}
	return nil, tooMany(doing)
}

func tooMany(doing string) error {
	return fault.NewPermanent(fmt.Errorf("can't %s: there are more than %d; name smaller groups", doing, chat.MaxGroup))
}

// groupCalled finds a user group's id by its handle.
func (p *Platform) groupCalled(ctx context.Context, name, doing string) (id string, err error) {
	if known := p.words[name]; isGroupID(known) || isGroupID(name) && len(name) >= 8 {
		if known == "" {
			known = name
		}
		return known, nil
	}
	var trouble error
	err = p.consult(ctx, func(d *directory) bool {
		id, trouble = d.groups[strings.ToLower(name)], d.noGroups
		return id == ""
	})
	switch {
	case err != nil:
		return "", err
	case id == "" && trouble != nil:
		return "", p.groupTrouble(trouble, doing)
	case id == "":
		return "", fault.NewPermanent(fmt.Errorf("can't %s: connection %s has no such user group; name one by its handle like @oncall, or a channel like #ops", doing, p.name))
	}
	return id, nil
}

// groupTrouble decides what a refusal to read user groups means.
func (p *Platform) groupTrouble(err error, doing string) error {
	switch {
	case refusedAs(err, "plan_upgrade_required"):
		return fault.NewPermanent(fmt.Errorf("can't %s: user groups take a paid plan of Slack; name a channel instead, like #ops: %w", doing, err))
	case refusedAs(err, "missing_scope", "no_permission"):
		return fault.NewPermanent(fmt.Errorf("can't %s: add the scope usergroups:read to the app of connection %s and install it again, or name a channel instead, like #ops: %w", doing, p.name, err))
	}
	return err
}

// actorsOf names the people with these ids; programs and those who can't act
// are left out.
func (p *Platform) actorsOf(ctx context.Context, ids []string, doing string) ([]chat.Actor, error) {
	me, err := p.self(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]person{}
	var trouble error
	err = p.consult(ctx, func(d *directory) bool {
		clear(known)
		trouble = d.noPeople
		for _, id := range ids {
			if who, ok := d.byID[id]; ok {
				known[id] = who
			}
		}
		return len(ids) > 0 && len(known) == 0 // others were switched off
	})
	if err == nil && len(known) == 0 && len(ids) > 0 {
		err = trouble
	}
	if err != nil {
		return nil, err
	}
	var out []chat.Actor
	for _, id := range ids {
		who, ok := known[id]
		if !ok || who.Bot || who.Stranger || id == slackbot || !me.employs(who) {
			continue
		}
		delete(known, id)
		out = append(out, p.actorOf(who))
	}
	if len(out) > chat.MaxGroup {
		return nil, tooMany(doing)
	}
	return out, nil
}
