// SPDX-License-Identifier: Apache-2.0

package courier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belfry/chat"
	"belfry/delivery"
	"belfry/fault"
	"belfry/incident"
)

// maxInvited bounds how many are brought into one channel.
const maxInvited = 2 * chat.MaxGroup

// guests are whom an invitation is about: ids in their order, and what people
// are called.
type guests struct {
	ids   []string
	names map[string]string
}

func (g *guests) add(id, name string) {
	if _, known := g.names[id]; !known && id != "" && len(g.ids) < maxInvited {
		g.ids = append(g.ids, id)
		g.names[id] = name
	}
}

// invite brings those in who should be there and were not brought in yet: who
// left is not called back. The receipt keeps whom we brought in. Who can be
// found now does not wait for those that can't.
func (s *stepping) invite(ctx context.Context) delivery.Outcome {
	g := &guests{names: map[string]string{}}
	people, handles := s.rules.Guests(s.i, s.connection)
	waits := errors.Join(s.accounts(ctx, people, g), s.handles(ctx, handles, g))
	in := strings.Fields(s.errand.Receipt)
	known := map[string]bool{}
	for _, id := range in {
		known[id] = true
	}
	var ids []string
	for _, id := range g.ids {
		if !known[id] {
			ids = append(ids, id)
		}
	}
	out := delivery.Outcome{Err: waits}
	if len(ids) == 0 {
		return out
	}
	refused, err := s.keeper.Invite(ctx, s.own.ID, ids)
	if err != nil {
		return delivery.Outcome{Err: err}
	}
	away := map[string]bool{}
	for _, r := range refused {
		away[r.Person] = true
		if err := s.refuse(ctx, r.Person, g.names[r.Person], r.Why); err != nil {
			return s.told(err, out)
		}
	}
	for _, id := range ids {
		if !away[id] {
			in = append(in, id)
		}
	}
	out.Receipt = strings.Join(in, " ")
	return out
}

// refuse notes that somebody can't be brought in, and why.
func (s *stepping) refuse(ctx context.Context, id, name, why string) error {
	if name == "" {
		name = id
	}
	return s.rooms.Record.ChannelTrouble(ctx, s.i.Number, fmt.Sprintf("%d %s", s.errand.ID, id),
		fmt.Sprintf("%s can't be brought into %s on %s: %s", name, s.own.Name, s.connection, why))
}

// accounts finds the accounts that people have here. Who is known elsewhere and
// has none here is left out: whoever is called so here may be somebody else. So
// may whoever has a name by now that was kept without asking: of what is private
// they learn nothing.
func (s *stepping) accounts(ctx context.Context, people []incident.Person, g *guests) error {
	var names []string
	for _, p := range people {
		switch {
		case p.Connection == s.connection && p.ID != "":
			g.add(p.ID, p.Name)
		case p.Connection == s.connection && !s.i.Private:
			names = append(names, p.Name)
		case p.ID != "" && s.rooms.On != nil:
			a, ok, err := s.rooms.On(ctx, chat.Actor{Connection: p.Connection, ID: p.ID, Name: p.Name}, s.connection)
			if err != nil {
				return fault.NewRetry(err)
			}
			if ok {
				g.add(a.ID, a.Name)
			}
		}
	}
	_, err := s.find(ctx, names, g)
	return err
}

// find looks handles up; unknown are those that are nobody's.
func (s *stepping) find(ctx context.Context, handles []string, g *guests) (unknown []chat.Found, err error) {
	directory, ok := s.platform.(chat.Directory)
	if !ok || len(handles) == 0 {
		return nil, nil
	}
	for len(handles) > 0 {
		some := handles[:min(len(handles), chat.MaxFind)]
		handles = handles[len(some):]
		found, err := directory.FindPeople(ctx, some)
		if err != nil {
			return unknown, err
		}
		for _, f := range found {
			if f.Known() {
				g.add(f.Actor.ID, f.Actor.Name)
			} else {
				unknown = append(unknown, f)
			}
		}
	}
	return unknown, nil
}

// handles finds the people and groups that the rules name. What is neither is
// told, and stops nobody.
func (s *stepping) handles(ctx context.Context, handles []string, g *guests) error {
	directory, ok := s.platform.(chat.Directory)
	if !ok {
		return nil
	}
	unknown, err := s.find(ctx, handles, g)
	for _, f := range unknown {
		members, groupErr := directory.FindGroup(ctx, f.Asked)
		decision, _ := fault.Of(groupErr)
		switch decision {
		case fault.None:
			for _, m := range members {
				g.add(m.ID, m.Name)
			}
		case fault.Permanent, fault.Gone:
			why := fmt.Sprintf("@%s %s, and as a group: %v", f.Asked, f.Why, groupErr)
			if err := s.refuse(ctx, "@"+f.Asked, "@"+f.Asked, why); err != nil {
				return fault.NewRetry(err)
			}
		default:
			err = errors.Join(err, groupErr)
		}
	}
	return err
}
