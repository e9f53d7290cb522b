// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"belfry/chat"
	"belfry/config"
)

// Connections are the configured connections to chat, and how Mattermost
// servers are connected and taken off again. *app.App is one.
type Connections interface {
	// Connections lists them in the order of the configuration.
	Connections() []Connection
	// CanSetUp says whether connections can be made and taken off here.
	CanSetUp() bool
	// LookAgain asks a connection anew whether it works; false: there is none of
	// that name.
	LookAgain(name string) bool
	// SetUp reads a server with an administrator's token and plans what a
	// connection needs, Removal how everything of ours is taken out of a workspace. Nothing is changed. Errors
	// are for people.
	SetUp(ctx context.Context, w Wish, token config.Secret) (SetUp, error)
	Removal(ctx context.Context, r Removal) (SetUp, error)
	// SlackApps returns the addresses that open Slack's page for a new app: for
	// one that Belfry calls, and one that calls Belfry (empty where it can't).
	SlackApps(name string) (socket, called string, err error)
	// ConnectSlack connects a workspace. Errors are for people.
	ConnectSlack(ctx context.Context, w SlackWish) error
	// Again connects what was disconnected and still stands in the configuration.
	Again(ctx context.Context, name string) error
	// Authorize is where a browser is sent so that an administrator lends their
	// power to a set-up of the connection; Lend takes what it comes back with.
	// giveBack ends the token.
	Authorize(ctx context.Context, name, state, verifier string) (to string, err error)
	Lend(ctx context.Context, name, code, verifier string) (token config.Secret, giveBack func(context.Context), err error)
}

// Connection is one as the page shows it.
type Connection struct {
	Name, Kind string
	// Address is where its server is; often empty.
	Address string
	// Wish is what its last set-up was to make; nil where none is noted.
	Wish *Wish
	// Added says that it was set up on the pages, so that it can be changed
	// here; Made that a set-up is noted that can be undone.
	Added, Made bool
	// Leaves says that it can be disconnected here. Left says that, and by whom,
	// it was disconnected, or is on its way to be; LeftDone that nothing is left to do.
	Leaves   bool
	Left     string
	LeftDone bool
	// Installs says that the app is installed by an administrator's browser.
	Installs bool
	// Lends says that an administrator can sign in there instead of pasting a token.
	Lends bool
	// Traits say how it works.
	Traits []chat.Trait
	// Looked is when it was last asked whether it works, zero while that is
	// going on; Report is what it said and Trouble why it doesn't.
	Looked          time.Time
	Report, Trouble string
	// Asks says that it can be asked at all.
	Asks bool
	// Channels are those that the configuration names.
	Channels []string
}

// Wish is what a Mattermost connection is to have.
type Wish struct {
	Name, URL, Team string
	Channels        []string
	// Bot is the bot's name, Command and IncidentCommand the slash commands'
	// words, empty for none; Triggers are the words that call for answers.
	Bot, Command, IncidentCommand string
	Triggers                      []string
	// CAFile, Proxy and Insecure are how its server is reached.
	CAFile, Proxy                         string
	Insecure                              bool
	CreateChannels, OAuth, ChangeSettings bool
}

// Removal is the wish to disconnect a connection.
type Removal struct {
	Name string
	// By is who wants it.
	By string
	// Token is an administrator's, where a set-up is to be undone.
	Token config.Secret
	// Archive has the channels archived that Belfry made for incidents.
	Archive bool
}

// SetUp is a plan that can be carried out once. It holds the token until Close.
type SetUp interface {
	Plan() Plan
	// CarryOut tells every step that does something. An error ends it there; the
	// same can be planned again and goes on from there.
	CarryOut(ctx context.Context, tell func(Step)) (End, error)
	Close()
}

// Plan is what will be done, and as whom.
type Plan struct {
	Where, As     string
	Steps         []Step
	Todo, Blocked int
}

// Step is one thing of it.
type Step struct {
	// Verb is ok, make, change, blocked, note or undo.
	Verb, Text string
	// Who says who can help, Wrong why it could not be done.
	Who, Wrong string
}

// End is how it ended.
type End struct {
	// Left counts the steps that somebody else must help with.
	Left int
	// Entry is the connection as the configuration has it, File where that is
	// written; empty: nowhere.
	Entry, File string
	// Channels can be tested now, as connection/channel.
	Channels []string
	// Said is what else there is to know, a line each.
	Said []string
}

type connectionRow struct {
	Connection
	Rows []channelRow
}

type connectionsPage struct {
	Rows []connectionRow
	// Running is true while something goes on: the page then loads itself again.
	Running bool
	CanAdd  bool
}

// listConnections shows every connection with its state and its channels.
func (w *Web) listConnections(rw http.ResponseWriter, r *http.Request) {
	p := connectionsPage{CanAdd: w.canSetUp()}
	w.tests.mu.Lock()
	for _, c := range w.connections() {
		c.Installs = w.o.Accounts != nil && w.o.Accounts.Installs(c.Name)
		row := connectionRow{Connection: c}
		p.Running = p.Running || c.Asks && c.Looked.IsZero()
		for _, name := range c.Channels {
			t := w.tests.last[name]
			row.Rows = append(row.Rows, channelRow{Name: name, Test: t})
			p.Running = p.Running || t.Running
		}
		p.Rows = append(p.Rows, row)
	}
	w.tests.mu.Unlock()
	w.show(rw, r, http.StatusOK, "connections", "Connections", p)
}

func (w *Web) canSetUp() bool { return w.o.Connections != nil && w.o.Connections.CanSetUp() }

func (w *Web) connections() []Connection {
	if w.o.Connections == nil {
		return nil
	}
	return w.o.Connections.Connections()
}

// connection returns the one of this name.
func (w *Web) connection(name string) (Connection, bool) {
	all := w.connections()
	i := slices.IndexFunc(all, func(c Connection) bool { return c.Name == name })
	if i < 0 {
		return Connection{}, false
	}
	return all[i], true
}

// lookAgain asks a connection anew whether it works.
func (w *Web) lookAgain(rw http.ResponseWriter, r *http.Request) {
	if w.o.Connections == nil || !w.o.Connections.LookAgain(r.PostFormValue("connection")) {
		w.fail(rw, r, http.StatusNotFound, "There is no such connection in the configuration any more. Go back and reload the page.")
		return
	}
	http.Redirect(rw, r, "/connections", http.StatusSeeOther)
}
