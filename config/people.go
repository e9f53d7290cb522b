// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Act is who may act on a connection: press buttons, fill in forms, type
// commands that change something. It is written as anyone, linked or role:NAME.
// The zero Act means anyone whom the platform names and who reaches the channel.
type Act struct {
	// Linked wants an account that is a person's in Belfry.
	Linked bool
	// Role, with Linked, is one of Roles: the person has it or one above.
	Role string
}

// String is how it is written.
func (a Act) String() string {
	switch {
	case a.Role != "":
		return "role:" + a.Role
	case a.Linked:
		return "linked"
	}
	return "anyone"
}

// Roles are the roles of people, each may what those before it may.
func Roles() []string { return []string{"member", "responder", "admin"} }

// SignIn is whose accounts of a connection open the web pages.
type SignIn string

// SignInLinked, the default, lets in whose account is linked to a person;
// SignInAnyone makes a member of everybody else at their first sign-in.
const (
	SignInLinked SignIn = "linked"
	SignInAnyone SignIn = "anyone"
)

// Linker is a Spec by which people may be able to say who they are.
type Linker interface {
	// Links says whether they are: whether what it takes is configured.
	Links() bool
}

// rules reads the keys about people that all connections have.
func (l *loader) rules(where string, n *yaml.Node, act, signIn string, c *Connection) {
	if key, value := child(n, "act"); key != nil && isWord(value) {
		text := ""
		if c.Act, text = parseAct(act); text != "" {
			l.fault(key, "%sact: %s", where, text)
		}
		if c.Act.Linked && !links(c) {
			l.fault(key, "%sact: %s needs oauth on this connection: nobody could link their account otherwise", where, c.Act)
		}
	}
	if key, value := child(n, "sign_in"); key != nil && isWord(value) {
		c.SignIn = SignIn(signIn)
		switch {
		case c.SignIn != SignInLinked && c.SignIn != SignInAnyone:
			l.fault(key, "%ssign_in: %s is not known; write linked (only whose account is linked) or anyone (everybody with an account becomes a member)", where, quote(signIn))
		case c.Kind == RoomKind || !links(c):
			l.fault(key, "%ssign_in: needs oauth on this connection", where)
		}
	}
}

// isWord says whether n could be read as text; if not, that was told.
func isWord(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }

// links says whether accounts of c can be people's. Whoever is in the built-in
// room is signed in and thus known.
func links(c *Connection) bool {
	if c.Kind == RoomKind {
		return true
	}
	l, ok := c.Spec.(Linker)
	return ok && l.Links()
}

func parseAct(text string) (a Act, wrong string) {
	role, named := strings.CutPrefix(text, "role:")
	switch {
	case text == "anyone":
		return Act{}, ""
	case text == "linked":
		return Act{Linked: true}, ""
	case !named:
		return Act{}, quote(text) + " is not known; write anyone, linked (whose account is linked to a person) or role:NAME"
	case !slices.Contains(Roles(), role):
		return Act{}, fmt.Sprintf("there is no role %s; %s", quote(role), did(role, Roles()))
	}
	return Act{Linked: true, Role: role}, ""
}
