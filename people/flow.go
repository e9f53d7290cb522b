// SPDX-License-Identifier: Apache-2.0

package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/config"
	"belfry/fault"
	"belfry/seal"
	"belfry/store"
)

// FlowLife is how long the way through the platform and back may take, and then
// the confirmation.
const FlowLife = 10 * time.Minute

const (
	// linkLife is how long a link from chat holds.
	linkLife = 10 * time.Minute

	purposeInvite  = "connect link"
	purposeState   = "oauth state"
	purposeFlow    = "oauth flow"
	purposeConfirm = "oauth confirmation"

	maxNext = 512
)

// Refusal is why something was not done, in words for the person; nothing was
// changed.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return string(r) }

// What people read on pages.
const (
	sayDeadInvite   = Refusal("This link holds no more: it works once and for a few minutes. Ask for a new one in chat with the command connect.")
	sayOtherBrowser = Refusal("This did not begin in this browser, or too long ago, so nothing was done. If you followed a link that somebody sent you: they may have wanted you to finish what they began. To begin yourself, go to Belfry's page and sign in, or use the command connect in chat.")
	sayUsed         = Refusal("This answer was used already, so nothing was done. Please begin again.")
	sayNoProvider   = Refusal("Nobody can sign in or link their account by this connection: it has no oauth application. Ask an administrator.")
	sayNotSetUp     = Refusal("Belfry has no administrator yet. Use the link that it printed when it started, first.")
	sayNoAnswer     = Refusal("Nothing was done. Please try again in a moment.")
)

// invitation is what a link from chat says.
type invitation struct {
	Connection string `json:"c"`
	ID         string `json:"u"`
	Name       string `json:"n"`
	Once       string `json:"o"`
	Expires    int64  `json:"x"` // Unix seconds, as in all of these
}

// invite returns the path of a link for one account. Nothing is stored for it:
// its use is.
func (p *People) invite(actor chat.Actor) (string, error) {
	token, err := p.sealer.Seal(purposeInvite, invitation{Connection: actor.Connection, ID: actor.ID, Name: actor.Name,
		Once: seal.Random(), Expires: p.clock.Now().Add(linkLife).Unix()})
	return "/connect/" + token, err
}

// Invited returns for whom a link from chat is, or a Refusal. It does not use
// the link up: programs that look at links before people do must not, either.
func (p *People) Invited(token string) (chat.Actor, error) {
	i, err := p.invitation(token)
	return chat.Actor{Connection: i.Connection, ID: i.ID, Name: i.Name}, err
}

func (p *People) invitation(token string) (invitation, error) {
	var i invitation
	if err := p.sealer.Open(purposeInvite, token, &i); err != nil || p.clock.Now().Unix() > i.Expires {
		return invitation{}, sayDeadInvite
	}
	return i, nil
}

// Purposes of a flow.
const (
	SignIn  = "signin"
	Connect = "connect"
)

// flow is what the browser keeps, sealed, while it is away at the platform.
type flow struct {
	Connection string `json:"c"`
	Purpose    string `json:"p"`
	// Wanted is the account that a link was made for; empty: any.
	Wanted     string `json:"w,omitempty"`
	WantedName string `json:"wn,omitempty"`
	Next       string `json:"n,omitempty"`
	State      string `json:"s"`
	Verifier   string `json:"v"`
	Expires    int64  `json:"x"`
}

// Begin sends a browser on its way: to is where, cookie what it must bring
// back with the answer. next is a path of ours for after a sign-in.
func (p *People) Begin(ctx context.Context, connection, purpose, next string) (to, cookie string, err error) {
	return p.begin(ctx, flow{Connection: connection, Purpose: purpose, Next: next})
}

// BeginInvited does so for a link from chat, which is used up by that.
func (p *People) BeginInvited(ctx context.Context, token string) (to, cookie string, err error) {
	i, err := p.invitation(token)
	if err != nil {
		return "", "", err
	}
	if c, ok := p.connection(i.Connection); !ok || c.Identifier == nil {
		return "", "", sayNoProvider
	}
	first, err := p.store.UseOnce(ctx, purposeInvite+i.Once, time.Unix(i.Expires, 0))
	if err != nil {
		return "", "", err
	}
	if !first {
		return "", "", sayDeadInvite
	}
	return p.begin(ctx, flow{Connection: i.Connection, Purpose: Connect, Wanted: i.ID, WantedName: i.Name})
}

// state is what travels through the platform: random, and nothing else.
type state struct {
	Once    string `json:"o"`
	Expires int64  `json:"x"`
}

func (p *People) begin(ctx context.Context, f flow) (to, cookie string, err error) {
	c, ok := p.connection(f.Connection)
	if !ok || c.Identifier == nil {
		return "", "", sayNoProvider
	}
	if f, cookie, err = p.sealFlow(f); err != nil {
		return "", "", err
	}
	to, err = c.Identifier.AuthorizeURL(ctx, p.redirect(c.Name), f.State, f.Verifier)
	if err != nil {
		return "", "", asRefusal(err)
	}
	return to, cookie, nil
}

// sealFlow completes a flow, and seals it as what the browser keeps.
func (p *People) sealFlow(f flow) (_ flow, cookie string, err error) {
	if len(f.Next) > maxNext {
		f.Next = ""
	}
	f.Expires = p.clock.Now().Add(FlowLife).Unix()
	f.Verifier = rand.Text() + rand.Text() // 52 characters; RFC 7636 wants 43 to 128
	if f.State, err = p.sealer.Seal(purposeState, state{Once: seal.Random(), Expires: f.Expires}); err != nil {
		return f, "", err
	}
	cookie, err = p.sealer.Seal(purposeFlow, f)
	return f, cookie, err
}

// redirect is the personal callback URL of a connection's application. (The
// other one, install, belongs to setting Mattermost up.)
func (p *People) redirect(connection string) string {
	return p.base + "/oauth/" + url.PathEscape(connection) + "/personal"
}

// Found is what a finished flow tells.
type Found struct {
	Purpose string
	Account chat.Actor
	// Person is whose account that is; its ID is 0 when it is nobody's.
	Person store.Person
	// Next is as in Begin.
	Next string
	// Cookie is for the confirmation, which Connect needs.
	Cookie string
}

// Finish reads the platform's answer: the connection of the path, the browser's
// cookie, state and code. It returns a Refusal for whatever is not as it should be.
func (p *People) Finish(ctx context.Context, connection, cookie, answered, code string) (Found, error) {
	f, s, err := p.openFlow(connection, cookie, answered)
	if err != nil {
		return Found{}, err
	}
	c, ok := p.connection(connection)
	if !ok || c.Identifier == nil || f.Purpose == Install {
		return Found{}, sayNoProvider
	}
	if err := p.useState(ctx, s); err != nil {
		return Found{}, err
	}
	account, err := c.Identifier.Identify(ctx, p.redirect(c.Name), code, f.Verifier)
	if err != nil {
		return Found{}, asRefusal(err)
	}
	if f.Wanted != "" && f.Wanted != account.ID {
		return Found{}, Refusal(fmt.Sprintf("This link was made for @%s, but this browser is signed in to %s as @%s. Nothing was linked. To link your own account, use the command connect yourself.",
			chat.CleanLine(f.WantedName), connection, account.Name))
	}
	found := Found{Purpose: f.Purpose, Account: account, Next: f.Next}
	found.Person, err = p.store.PersonByIdentity(ctx, connection, account.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Found{}, err
	}
	if f.Purpose != Connect {
		return found, nil
	}
	found.Cookie, err = p.sealer.Seal(purposeConfirm, confirmation{Account: account, Once: seal.Random(), Expires: p.clock.Now().Add(FlowLife).Unix()})
	return found, err
}

// openFlow reads what a browser brought back: what began in it, with this
// connection, a little while ago, and is what the platform answers.
func (p *People) openFlow(connection, cookie, answered string) (f flow, s state, err error) {
	now := p.clock.Now().Unix()
	if err := p.sealer.Open(purposeFlow, cookie, &f); err != nil || f.Connection != connection || now > f.Expires ||
		subtle.ConstantTimeCompare([]byte(f.State), []byte(answered)) != 1 || p.sealer.Open(purposeState, answered, &s) != nil || now > s.Expires {
		return flow{}, state{}, sayOtherBrowser
	}
	return f, s, nil
}

// useState takes a platform's answer, once.
func (p *People) useState(ctx context.Context, s state) error {
	first, err := p.store.UseOnce(ctx, purposeState+s.Once, time.Unix(s.Expires, 0))
	if err == nil && !first {
		err = sayUsed
	}
	return err
}

// Denied says what a person reads who comes back without a code. error comes
// from the platform, without a state: it proves nothing and changes nothing.
func Denied(code string) Refusal {
	if code == "access_denied" {
		return "You did not allow Belfry to ask who you are, so nothing was done."
	}
	if code == "" || len(code) > 40 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
		// Whoever makes an address can write into it what the page would say.
		return "You came back without a code from the chat server, so nothing was done. Please begin again."
	}
	return Refusal(fmt.Sprintf("The chat server sent you back with %q and no code, so nothing was done. Please begin again.", code))
}

// asRefusal shows what the platform's errors say, which is for people.
func asRefusal(err error) error {
	if d, _ := fault.Of(err); d == fault.Permanent {
		return Refusal(upperFirst(err.Error()) + ". Nothing was done.")
	}
	return Refusal(upperFirst(err.Error()) + ". " + string(sayNoAnswer))
}

func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// confirmation is what the browser keeps, sealed, until the person has said yes.
type confirmation struct {
	Account chat.Actor `json:"a"`
	Once    string     `json:"o"`
	Expires int64      `json:"x"`
}

// Pending returns the account that waits for a confirmation in this browser,
// and whether its owner may become a new person.
func (p *People) Pending(cookie string) (account chat.Actor, open bool, err error) {
	c, err := p.confirmation(cookie)
	if err != nil {
		return chat.Actor{}, false, err
	}
	conn, ok := p.connection(c.Account.Connection)
	if !ok || conn.Identifier == nil {
		return chat.Actor{}, false, sayNoProvider
	}
	return c.Account, conn.SignIn == config.SignInAnyone, nil
}

func (p *People) confirmation(cookie string) (confirmation, error) {
	var c confirmation
	if err := p.sealer.Open(purposeConfirm, cookie, &c); err != nil || p.clock.Now().Unix() > c.Expires {
		return confirmation{}, sayOtherBrowser
	}
	return c, nil
}

// use takes the confirmation, once.
func (p *People) use(ctx context.Context, cookie string) (chat.Actor, error) {
	c, err := p.confirmation(cookie)
	if err != nil {
		return chat.Actor{}, err
	}
	if _, _, err := p.Pending(cookie); err != nil {
		return chat.Actor{}, err
	}
	first, err := p.store.UseOnce(ctx, purposeConfirm+c.Once, time.Unix(c.Expires, 0))
	if err == nil && !first {
		err = sayUsed
	}
	return c.Account, err
}

// Confirm links the account that waits to the person.
func (p *People) Confirm(ctx context.Context, cookie string, person alert.ID) (chat.Actor, error) {
	account, err := p.use(ctx, cookie)
	if err != nil {
		return account, err
	}
	err = p.store.Link(ctx, store.Identity{Connection: account.Connection, UserID: account.ID, Name: account.Name, Person: person})
	switch {
	case errors.Is(err, store.ErrExists):
		return account, Refusal(fmt.Sprintf("@%s is linked with another person in Belfry. Nothing was done; whoever that is, or an administrator, unlinks it first.", account.Name))
	case errors.Is(err, store.ErrNotFound):
		return account, Refusal(sayNobody)
	}
	return account, err
}

// ConfirmNew makes a person of the account that waits, where the connection
// allows that.
func (p *People) ConfirmNew(ctx context.Context, cookie string) (store.Person, error) {
	account, err := p.use(ctx, cookie)
	if err != nil {
		return store.Person{}, err
	}
	return p.Admit(ctx, account)
}

// Admit makes a member of an account's owner at their first sign-in, where the
// connection allows that.
func (p *People) Admit(ctx context.Context, account chat.Actor) (store.Person, error) {
	c, ok := p.connection(account.Connection)
	if !ok || c.SignIn != config.SignInAnyone {
		return store.Person{}, Refusal(fmt.Sprintf("@%s is not linked with anybody in Belfry. If you are in Belfry, sign in with your password and link the account on your own page; otherwise ask an administrator to let you in.", account.Name))
	}
	if !validName(account.Name) {
		return store.Person{}, Refusal("That account's name can't be a name in Belfry (small letters, digits, \".\", \"-\" and \"_\"), so nothing was done. An administrator can let you in under another one; link the account then.")
	}
	// The first person is an administrator, and comes by the link that is printed.
	n, err := p.store.CountPeople(ctx)
	if err != nil {
		return store.Person{}, err
	}
	if n == 0 {
		return store.Person{}, sayNotSetUp
	}
	made, err := p.store.CreateLinkedPerson(ctx, store.Person{Name: account.Name, Role: store.RoleMember},
		store.Identity{Connection: account.Connection, UserID: account.ID, Name: account.Name})
	if errors.Is(err, store.ErrExists) {
		return made, Refusal(fmt.Sprintf("There is somebody called %s in Belfry already. If that is you, sign in with your password and link the account on your own page; otherwise ask an administrator.", account.Name))
	}
	return made, err
}

// validName keeps to what monitoring systems take as the author of an
// acknowledgement, as the page People does.
func validName(name string) bool {
	ok := name != "" && len(name) <= 64
	for i, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '.' || c == '-' || c == '_'))
	}
	return ok
}
