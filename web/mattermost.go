// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"

	"belfry/alert"
	"belfry/config"
	"belfry/seal"
	"belfry/store"
)

// maxAdminToken bounds what is taken for a token, in bytes.
const maxAdminToken = 4 << 10

// setupForm is the page that asks for what a set-up or a removal needs. The
// token is never in it.
type setupForm struct {
	Wish
	ChannelList string
	TriggerList string
	// Removal asks for the token alone, and not for that where Made is false;
	// Archive is what becomes of the channels that Belfry made.
	Removal, Made, Archive bool
	// Lends says that there is a way without a token.
	Lends bool
	Wrong string
}

// showSetUpForm is the form, filled in with what is known of a connection.
func (w *Web) showSetUpForm(rw http.ResponseWriter, r *http.Request) {
	if !w.canSetUp() {
		w.noSetUp(rw, r)
		return
	}
	f := setupForm{Wish: Wish{Name: "chat", Bot: "belfry", Command: "belfry", IncidentCommand: "incident"}}
	if c, ok := w.connection(r.URL.Query().Get("name")); ok && c.Added && c.Wish != nil {
		f.Wish, f.Lends = *c.Wish, c.Lends
	} else if taken, _ := w.connection(f.Name); taken.Name != "" {
		f.Name = ""
	}
	w.setUpForm(rw, r, http.StatusOK, f)
}

func (w *Web) setUpForm(rw http.ResponseWriter, r *http.Request, status int, f setupForm) {
	f.ChannelList, f.TriggerList = strings.Join(f.Channels, " "), strings.Join(f.Triggers, " ")
	title := "Connect Mattermost"
	if f.Removal {
		title = "Disconnect " + f.Name
	}
	w.leave(rw)
	w.show(rw, r, status, "setupform", title, f)
}

// readWish is what the form asks for.
func readWish(r *http.Request) Wish {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	words := func(name string) []string {
		return strings.FieldsFunc(value(name), func(c rune) bool {
			return c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t' || c == '~'
		})
	}
	return Wish{
		Name: value("name"), URL: value("url"), Team: value("team"), Bot: value("bot"), Command: strings.TrimPrefix(value("command"), "/"),
		CAFile: value("ca_file"), Proxy: value("proxy"), Insecure: value("insecure") != "",
		IncidentCommand: strings.TrimPrefix(value("incident_command"), "/"), Channels: words("channels"), Triggers: words("triggers"),
		CreateChannels: value("create_channels") != "", OAuth: value("oauth") != "", ChangeSettings: value("change_settings") != "",
	}
}

// noSetUp says why no connection can be made here.
func (w *Web) noSetUp(rw http.ResponseWriter, r *http.Request) {
	text := "This Belfry reads no configuration, so a connection could not be kept. Run belfry serve."
	if w.o.DemoKey != "" {
		text = "This is the demo: all it writes is removed when it ends, so it makes nothing on other servers. Run belfry serve to connect a Mattermost server or a Slack workspace."
	}
	w.fail(rw, r, http.StatusNotFound, text)
}

// planSetUp shows what a set-up will do.
func (w *Web) planSetUp(rw http.ResponseWriter, r *http.Request) {
	if !w.canSetUp() {
		w.noSetUp(rw, r)
		return
	}
	c, _ := w.connection(strings.TrimSpace(r.PostFormValue("name")))
	w.plan(rw, r, setupForm{Wish: readWish(r), Lends: c.Lends && c.Added})
}

// removable is the connection that the path names; false when the answer was given.
func (w *Web) removable(rw http.ResponseWriter, r *http.Request) (setupForm, bool) {
	c, ok := w.connection(r.PathValue("name"))
	if !ok || !c.Leaves || !w.canSetUp() {
		w.fail(rw, r, http.StatusNotFound, "There is no connection of this name that could be disconnected.")
		return setupForm{}, false
	}
	return setupForm{Wish: Wish{Name: c.Name}, Removal: true, Made: c.Made, Lends: c.Lends && c.Made, Archive: true}, true
}

// showRemovalForm asks for what a removal needs.
func (w *Web) showRemovalForm(rw http.ResponseWriter, r *http.Request) {
	if f, ok := w.removable(rw, r); ok {
		w.setUpForm(rw, r, http.StatusOK, f)
	}
}

// planRemoval shows what will be taken away, and what undone.
func (w *Web) planRemoval(rw http.ResponseWriter, r *http.Request) {
	if f, ok := w.removable(rw, r); ok {
		f.Archive = r.PostFormValue("archive") != ""
		w.plan(rw, r, f)
	}
}

// connectAgain has a connection that was disconnected work again.
func (w *Web) connectAgain(rw http.ResponseWriter, r *http.Request) {
	c, ok := w.connection(r.PathValue("name"))
	if !ok || c.Left == "" || !w.canSetUp() {
		w.fail(rw, r, http.StatusNotFound, "There is no connection of this name that was disconnected.")
		return
	}
	if err := w.o.Connections.Again(r.Context(), c.Name); err != nil {
		w.log.ErrorContext(r.Context(), "can't connect again", "connection", c.Name, "err", err)
		w.fail(rw, r, http.StatusServiceUnavailable, "It could not be connected again. Nothing is lost; look at the log, and try again.")
		return
	}
	w.log.InfoContext(r.Context(), "connected again", "connection", c.Name, "by", person(r.Context()).Name)
	w.sessions.Put(r.Context(), keyToast, "The connection "+c.Name+" is used again. What is open gets new cards there.")
	http.Redirect(rw, r, "/connections", http.StatusSeeOther)
}

// plan makes a plan with the token of the form, or sends the administrator to
// Mattermost to lend theirs.
func (w *Web) plan(rw http.ResponseWriter, r *http.Request, f setupForm) {
	me := person(r.Context())
	one := &run{id: seal.Random(), by: me.ID, name: f.Name, removal: f.Removal, archive: f.Archive, made: f.Made, wish: f.Wish, began: w.clock.Now()}
	if r.PostFormValue("by") == "mattermost" && f.Lends {
		one.state, one.verifier = seal.Random(), rand.Text()+rand.Text()
		to, err := w.o.Connections.Authorize(r.Context(), f.Name, one.state, one.verifier)
		if err != nil {
			f.Wrong = err.Error()
			w.setUpForm(rw, r, http.StatusBadGateway, f)
			return
		}
		w.runs.add(one)
		http.Redirect(rw, r, to, http.StatusSeeOther) //nolint:gosec // the address of a configured platform
		return
	}
	token := strings.TrimSpace(r.PostFormValue("token"))
	if (!f.Removal || f.Made) && token == "" || len(token) > maxAdminToken {
		f.Wrong = "An access token of a Mattermost administrator is needed."
		w.setUpForm(rw, r, http.StatusUnprocessableEntity, f)
		return
	}
	w.planWith(rw, r, one, f, config.Secret(token), nil)
}

// planWith makes the plan, and leads to it.
func (w *Web) planWith(rw http.ResponseWriter, r *http.Request, one *run, f setupForm, token config.Secret, giveBack func(context.Context)) {
	ctx, cancel := context.WithTimeout(r.Context(), planWithin)
	defer cancel()
	var s SetUp
	var err error
	if one.removal {
		s, err = w.o.Connections.Removal(ctx, Removal{Name: one.name, By: person(r.Context()).Name, Token: token, Archive: one.archive})
	} else {
		s, err = w.o.Connections.SetUp(ctx, one.wish, token)
	}
	if err != nil {
		if giveBack != nil {
			giveBack(context.WithoutCancel(ctx))
		}
		f.Wrong = config.Hide(err.Error(), token)
		w.setUpForm(rw, r, http.StatusUnprocessableEntity, f)
		return
	}
	w.planned(one, s, giveBack)
	w.log.InfoContext(r.Context(), "a set-up is planned", "connection", one.name, "removal", one.removal, "by", person(r.Context()).Name)
	http.Redirect(rw, r, "/connections/runs/"+one.id, http.StatusSeeOther)
}

// installed is the install callback URL: an administrator comes back from
// Mattermost with their power, and sees the plan that was begun before.
func (w *Web) installed(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case !w.canSetUp():
		w.notFound(rw, r)
		return
	case person(r.Context()).Role != store.RoleAdmin:
		// Not led to the sign-in: the code would stand in the address of that.
		w.fail(rw, r, http.StatusForbidden, "This is for the administrator who began it, in the same browser. Nothing was done.")
		return
	case q.Get("code") == "":
		w.fail(rw, r, http.StatusForbidden, "Mattermost did not allow it, so nothing was planned or changed. You can begin again on the Connections page.")
		return
	case !w.attempts.allow(address(r, w.o.TrustedProxies)):
		w.fail(rw, r, http.StatusTooManyRequests, sayTooMany)
		return
	}
	one, ok := w.runs.away(person(r.Context()).ID, r.PathValue("connection"), func(state string) bool {
		return subtle.ConstantTimeCompare([]byte(state), []byte(q.Get("state"))) == 1
	}, w.clock.Now())
	if !ok {
		w.fail(rw, r, http.StatusForbidden, "This answer of Mattermost belongs to nothing that you began here, or it is too late, so nothing was done. Begin again on the Connections page.")
		return
	}
	f := setupForm{Wish: one.wish, Removal: one.removal, Made: one.made, Archive: one.archive, Lends: true}
	token, giveBack, err := w.o.Connections.Lend(r.Context(), one.name, q.Get("code"), one.verifier)
	if err != nil {
		f.Wrong = err.Error()
		w.setUpForm(rw, r, http.StatusBadGateway, f)
		return
	}
	w.planWith(rw, r, &one, f, token, giveBack)
}

type runPage struct {
	ID, Name string
	// Made says that a set-up is undone, with an administrator's token.
	Removal, Made bool
	Plan          Plan
	Done          []Step
	End           End
	Wrong         string
	// Planned, Going and Ended say how far it has come.
	Planned, Going, Ended bool
	Minutes               int
}

// showRun shows a plan, how it goes on, or how it ended.
func (w *Web) showRun(rw http.ResponseWriter, r *http.Request) {
	one, ok := w.runs.of(r.PathValue("id"), person(r.Context()).ID)
	if !ok {
		w.sayNoRun(rw, r)
		return
	}
	what := "Set-up of "
	if one.removal {
		what = "Removal of "
	}
	w.show(rw, r, http.StatusOK, "run", what+one.name, runPage{ID: one.id, Name: one.name, Removal: one.removal, Made: one.made, Plan: one.plan, Done: one.done,
		End: one.end, Wrong: one.wrong, Planned: one.phase == runPlanned, Going: one.phase == runGoing, Ended: one.phase == runEnded,
		Minutes: int(planLife.Minutes())})
}

func (w *Web) sayNoRun(rw http.ResponseWriter, r *http.Request) {
	w.fail(rw, r, http.StatusNotFound, "This plan is not here any more: Belfry was restarted, or it is somebody else's. Begin again on the Connections page; what was made already is found.")
}

// carryOutRun begins what was planned.
func (w *Web) carryOutRun(rw http.ResponseWriter, r *http.Request) { w.decideRun(rw, r, w.begin) }

// dropRun forgets a plan and its token.
func (w *Web) dropRun(rw http.ResponseWriter, r *http.Request) { w.decideRun(rw, r, w.drop) }

func (w *Web) decideRun(rw http.ResponseWriter, r *http.Request, do func(string, alert.ID) bool) {
	id, me := r.PathValue("id"), person(r.Context()).ID
	if !do(id, me) {
		if _, ok := w.runs.of(id, me); !ok {
			w.sayNoRun(rw, r)
			return
		}
	}
	http.Redirect(rw, r, "/connections/runs/"+id, http.StatusSeeOther) //nolint:gosec // a path of our own
}
