// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"belfry/chat"
	"belfry/fault"
)

var _ chat.Directory = (*Platform)(nil)

// Why somebody is not found, to follow the name.
const (
	sayNoHandle  = "is no handle of Mattermost; write it like @anna"
	sayNotKnown  = "is not known on this server"
	sayProgram   = "is a program's account"
	sayNoMail    = "can't be looked up by mail address: this server shows those to its administrators alone; write the handle, like @anna"
	perPage      = 200 // the most that the API gives at once
	maxUserName  = 64  // 22 before 6.0
	groupLicence = "this Mattermost has no groups (they take a license for Professional or Enterprise, and custom groups version 6.3); name a channel instead, like ~ops"
)

// FindPeople implements chat.Directory. Handles are asked for in one call,
// mail addresses one by one.
func (p *Platform) FindPeople(ctx context.Context, names []string) ([]chat.Found, error) {
	if len(names) > chat.MaxFind {
		return nil, fault.NewPermanent(fmt.Errorf("can't look %d people up at once; ask for %d at most", len(names), chat.MaxFind))
	}
	out := make([]chat.Found, len(names))
	known := map[string]person{}
	var handles []string
	for i, name := range names {
		out[i].Asked = name
		handle := handleIn(name)
		if isID(handle) { // an id is nobody's choice, so it goes before whoever is called so
			who, err := p.known(ctx, handle)
			if d, _ := fault.Of(err); err != nil && d != fault.Permanent {
				return nil, err
			}
			if err == nil {
				known[handle] = who
				continue
			}
		}
		switch {
		case isMail(handle):
		case !isUserName(handle):
			out[i].Why = sayNoHandle
		case !slices.Contains(handles, handle):
			handles = append(handles, handle)
		}
	}
	if len(handles) > 0 {
		var got []person
		if err := p.client.do(ctx, http.MethodPost, "/users/usernames", handles, &got); err != nil {
			return nil, p.decide(err, reads, "look people up")
		}
		for _, who := range got {
			known[who.Username] = who
		}
	}
	for i := range out {
		if out[i].Why != "" {
			continue
		}
		who, why, err := p.personCalled(ctx, handleIn(out[i].Asked), known)
		if err != nil {
			return nil, err
		}
		out[i] = chat.Found{Asked: out[i].Asked, Actor: p.actorOf(who), Why: why}
		if why != "" {
			out[i].Actor = chat.Actor{}
		}
	}
	return out, nil
}

// handleIn is what a name is looked up by: without "@", in small letters.
func handleIn(name string) string { return strings.ToLower(strings.TrimPrefix(name, "@")) }

// isMail holds for what is to be looked up as a mail address: nothing else
// that people are called by has an "@" within.
func isMail(name string) bool {
	user, domain, ok := strings.Cut(name, "@")
	return ok && user != "" && domain != "" && len(name) <= chat.MaxPersonName && !strings.ContainsAny(name, " \t\r\n<>/\\,;") && !strings.Contains(domain, "@")
}

// isUserName holds for handles of Mattermost: small letters, digits, ".", "-"
// and "_" (model.IsValidUsername; accounts of bridges and old ones begin with any of them).
func isUserName(name string) bool {
	return name != "" && len(name) <= maxUserName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// personCalled is who has a handle, a mail address or an id, or why nobody
// that can act has.
func (p *Platform) personCalled(ctx context.Context, name string, known map[string]person) (who person, why string, err error) {
	who, ok := known[name]
	switch {
	case ok:
	case isMail(name):
		if who, why, err = p.personByMail(ctx, name); why != "" || err != nil {
			return who, why, err
		}
	}
	switch {
	case who.ID == "" || who.Username == "":
		return who, sayNotKnown, nil
	case who.DeleteAt > 0:
		return who, switchedOff, nil
	case who.IsBot:
		return who, sayProgram, nil
	}
	return who, "", nil
}

func (p *Platform) personByMail(ctx context.Context, address string) (who person, why string, err error) {
	err = p.client.do(ctx, http.MethodGet, "/users/email/"+url.PathEscape(address), nil, &who)
	switch r, refused := refusal(err); {
	case refused && r.Status == http.StatusForbidden:
		return who, sayNoMail, nil
	case refused && (r.Status == http.StatusNotFound || r.Status == http.StatusBadRequest):
		return who, sayNotKnown, nil
	case err != nil:
		return who, "", p.decide(err, reads, "look a person up by mail")
	}
	return who, "", nil
}

func (p *Platform) actorOf(who person) chat.Actor {
	return chat.Actor{Connection: p.name, ID: who.ID, Name: chat.CleanLine(who.Username)}
}

// FindGroup implements chat.Directory.
func (p *Platform) FindGroup(ctx context.Context, name string) ([]chat.Actor, error) {
	doing := fmt.Sprintf("read who belongs to %.80q", chat.CleanLine(name))
	if strings.HasPrefix(name, "~") || strings.HasPrefix(name, "#") {
		c, err := p.resolve(ctx, name[1:])
		if err != nil {
			return nil, err
		}
		out, err := p.everybody(ctx, "/users?in_channel="+c.ID+"&active=true", doing, func(got *[]person) any { return got })
		if r, ok := refusal(err); ok && r.Status == http.StatusForbidden {
			return nil, fault.NewPermanent(fmt.Errorf("can't %s: %s is not in that channel; invite it: %w", doing, p.handle(), &r))
		}
		return out, err
	}
	handle := handleIn(name)
	if !isUserName(handle) {
		return nil, fault.NewPermanent(fmt.Errorf("can't %s: write a group's name like @oncall, or a channel like ~ops", doing))
	}
	id, err := p.groupID(ctx, handle, doing)
	if err != nil {
		return nil, err
	}
	return p.everybody(ctx, "/groups/"+id+"/members?", doing, func(got *[]person) any {
		return &struct {
			Members *[]person `json:"members"`
		}{got}
	})
}

// groupID finds a group by its name; the API finds by parts of names.
func (p *Platform) groupID(ctx context.Context, name, doing string) (string, error) {
	for page := range chat.MaxGroup / perPage {
		var groups []struct {
			ID       string `json:"id"`
			Name     string `json:"name"` // null for one that can't be mentioned
			DeleteAt int64  `json:"delete_at"`
		}
		path := fmt.Sprintf("/groups?q=%s&page=%d&per_page=%d", url.QueryEscape(name), page, perPage)
		if err := p.client.do(ctx, http.MethodGet, path, nil, &groups); err != nil {
			return "", p.groupTrouble(err, doing)
		}
		for _, g := range groups {
			if strings.ToLower(g.Name) == name && g.DeleteAt == 0 && isID(g.ID) {
				return g.ID, nil
			}
		}
		if len(groups) < perPage {
			break
		}
	}
	return "", fault.NewPermanent(fmt.Errorf("can't %s: connection %s has no such group; “~%s” would be the people in a channel", doing, p.name, name))
}

// groupTrouble decides what a refusal to read groups means. Servers without the
// license answer 501, newer ones 403 with an id that names it.
func (p *Platform) groupTrouble(err error, doing string) error {
	r, ok := refusal(err)
	switch {
	case ok && (r.Status == http.StatusNotImplemented || r.ID == idNoEndpoint || strings.Contains(r.ID, "license") || strings.Contains(r.ID, "feature_disabled")):
		return fault.NewPermanent(fmt.Errorf("can't %s: %s: %w", doing, groupLicence, &r))
	case ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound):
		return fault.NewPermanent(fmt.Errorf("can't %s: %s may not; an administrator of the server can allow it, or name a channel instead, like ~ops: %w", doing, p.handle(), &r))
	}
	return p.decide(err, reads, doing)
}

// everybody reads a list of accounts page by page; into says where in an
// answer the list stands.
func (p *Platform) everybody(ctx context.Context, path, doing string, into func(*[]person) any) ([]chat.Actor, error) {
	var out []chat.Actor
	seen := map[string]bool{}
	for page := 0; ; page++ {
		var got []person
		err := p.client.do(ctx, http.MethodGet, path+"&page="+strconv.Itoa(page)+"&per_page="+strconv.Itoa(perPage), nil, into(&got))
		if err != nil {
			return nil, p.groupTrouble(err, doing)
		}
		for _, who := range got {
			if who.DeleteAt == 0 && !who.IsBot && isID(who.ID) && who.Username != "" && !seen[who.ID] {
				seen[who.ID] = true
				out = append(out, p.actorOf(who))
			}
		}
		if len(out) > chat.MaxGroup {
			return nil, fault.NewPermanent(fmt.Errorf("can't %s: there are more than %d; name smaller groups", doing, chat.MaxGroup))
		}
		if len(got) < perPage {
			return out, nil
		}
	}
}
