// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"belfry/chat"
	"belfry/incident"
)

// lookWithin bounds how long chat is asked who is meant: an act must be
// answered within the platform's three seconds, whatever the platform does.
const lookWithin = 1500 * time.Millisecond

func personOf(a chat.Actor) incident.Person {
	return incident.Person{Connection: a.Connection, ID: a.ID, Name: a.Name}
}

// person takes a person from the line; ok is false when none comes next, and
// nothing is taken then. Who it is must be looked up before anything is done
// (known).
func (c *call) person() (p incident.Person, ok bool) {
	ahead := c.line.Copy()
	word, _ := ahead.Next()
	if p, ok = c.asPerson(word); ok {
		c.line = ahead
	}
	return p, ok
}

// asPerson reads a word that names a person: "@anna", or "me". Whom the
// platform itself takes a word for has their id.
func (c *call) asPerson(word string) (incident.Person, bool) {
	if w := strings.ToLower(word); w == "me" || w == "@me" {
		return c.me, true
	}
	name, is := strings.CutPrefix(strings.TrimRight(word, ",;:"), "@")
	if !is || !isHandle(name) {
		return incident.Person{}, false
	}
	id := c.mentions[strings.ToLower(name)]
	if strings.EqualFold(name, c.me.Name) && (id == "" || id == c.me.ID) {
		return c.me, true
	}
	return incident.Person{Connection: c.who.Connection, ID: id, Name: strings.ToLower(name)}, true
}

// isHandle says whether a platform could have somebody of that name.
func isHandle(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r < '0' && r != '.' && r != '-' || r > '9' && r < 'A' || r > 'Z' && r < 'a' && r != '_' || r > 'z' && r < 0x80
	})
}

// unknown is a name that leads to nobody, and why.
type unknown struct{ name, why string }

// known looks up who is meant, and gives each the account that it is. out are
// those who could not be found; they stay as they were. When nobody could be
// asked, names are kept as they were typed, and the answer says so.
func (c *call) known(people []incident.Person) (out []unknown, err error) {
	var directory chat.Directory
	if c.Directory != nil {
		directory = c.Directory(c.who.Connection)
	}
	var asked []string
	var at []int
	for i, p := range people {
		if p == c.me || p.Name == "" || directory == nil {
			continue
		}
		name := "@" + p.Name
		if p.ID != "" {
			name = p.ID
		}
		asked, at = append(asked, name), append(at, i)
	}
	if len(asked) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(c, lookWithin)
	defer cancel()
	found, err := directory.FindPeople(ctx, asked)
	if err != nil {
		if slices.ContainsFunc(at, func(i int) bool { return people[i].ID == "" }) {
			c.doubt = "I could not ask chat who is meant just now, so I kept the name as you typed it. A name alone opens nothing that is private: say it again later to have the account."
		}
		return nil, nil
	}
	for n, f := range found {
		p := &people[at[n]]
		if f.Known() {
			*p = personOf(f.Actor)
			continue
		}
		// Somebody may be on another platform alone.
		other, ok, err := c.elsewhere(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			*p = other
			continue
		}
		out = append(out, unknown{p.Name, f.Why})
	}
	return out, nil
}

// elsewhere finds who is called so in Belfry.
func (c *call) elsewhere(ctx context.Context, name string) (incident.Person, bool, error) {
	if c.People == nil {
		return incident.Person{}, false, nil
	}
	a, ok, err := c.People.Named(ctx, name, c.who.Connection)
	return personOf(a), ok, err
}

// surely is known for one person, who must be found.
func (c *call) surely(p incident.Person) (incident.Person, error) {
	one := []incident.Person{p}
	out, err := c.known(one)
	if err == nil && len(out) > 0 {
		err = say(out[0].sentence() + " Nothing was changed.")
	}
	return one[0], err
}

// sentence says that nobody was found, and what to do.
func (u unknown) sentence() string {
	return fmt.Sprintf("@%s %s. Write @ and the handle by which chat mentions them, or “me”.", u.name, u.why)
}

// sees says whether who types may know of an incident, by any of their
// accounts. inside is true when they ask in one of its own channels.
func (c *call) sees(i *incident.Incident, inside bool) (bool, error) {
	if i.Visible(c.me, inside) {
		return true, nil
	}
	if c.faces == nil {
		faces, err := c.facesOf(c, c.who)
		if err != nil {
			return false, err
		}
		c.faces = faces
	}
	return slices.ContainsFunc(c.faces, func(p incident.Person) bool { return i.Visible(p, false) }), nil
}

// facesOf are as whom incidents may know somebody: all accounts of the person.
func (c *Commands) facesOf(ctx context.Context, who chat.Actor) ([]incident.Person, error) {
	accounts := []chat.Actor{who}
	if c.People != nil {
		var err error
		if accounts, err = c.People.Accounts(ctx, who); err != nil {
			return nil, errors.Join(errFaces, err)
		}
	}
	out := make([]incident.Person, len(accounts))
	for i, a := range accounts {
		out[i] = personOf(a)
	}
	return out, nil
}

var errFaces = errors.New("can't tell what somebody may see")
