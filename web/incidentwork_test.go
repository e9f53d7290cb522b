// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
	"belfry/web"
)

// openToWork is a site at ten past two in the afternoon, whose incidents have a
// field and a channel of their own.
func openToWork(t *testing.T) (*site, *response.Response, *browser, *browser) {
	t.Helper()
	var r *response.Response
	now := clock.NewManual(time.Date(2026, 11, 20, 14, 10, 0, 0, time.UTC))
	s := openAt(t, now, func(o *web.Options) {
		settings := incident.Defaults()
		settings.Services, settings.Environments = []string{"shop", "mail"}, []string{"live", "test"}
		settings.Severities[0].Private = true
		settings.Fields = []incident.Field{{Name: "region", Label: "Region", Options: []string{"north", "south"}}, {Name: "ticket", Label: "Ticket"}}
		r = response.New(o.Store.(*store.Store), func() incident.Settings { return settings }, func() []string { return nil }, now)
		o.Incidents, o.Clock = r, now
		o.Connections = chatOfTwo{}
		o.Locate = func(_ context.Context, name string) (incident.Channel, error) {
			if name == "chat/gone" {
				return incident.Channel{}, errors.New("there is no channel gone")
			}
			return incident.Channel{Connection: "chat", ID: "c1", Name: "ops", URL: "https://chat.example/ops"}, nil
		}
	})
	anna := s.setUp("anna")
	bert := s.letIn(anna, "bert")
	must(r.Declare(t.Context(), incident.Declaration{Title: "orders are stuck", Severity: "SEV2", By: incident.Person{Connection: "chat", ID: "u9", Name: "carol"}}, 0, 0))(t)
	return s, r, anna, bert
}

type connections = web.Connections

// chatOfTwo is a connection with two channels.
type chatOfTwo struct{ connections }

func (chatOfTwo) Connections() []web.Connection {
	return []web.Connection{{Name: "chat", Channels: []string{"chat/ops", "chat/gone"}}}
}

func TestEverythingThatWordsCanDoThePageCan(t *testing.T) {
	s, _, anna, bert := openToWork(t)
	one := func() *incident.Incident { t.Helper(); return must(s.store.Incident(t.Context(), 1))(t) }
	do := func(b *browser, at string, fields ...string) {
		t.Helper()
		b.post("/incidents/1", fields...).leadsTo(t, "/incidents/1"+at)
	}
	do(bert, "#people", "act", "invite", "who", "anna, carol")
	do(anna, "#people", "act", "assign", "role", "commander", "who", "@bert")
	do(bert, "#people", "act", "assign", "role", "scribe", "who", "me")
	i := one()
	if c := i.Roles["commander"]; c.Name != "bert" || c.Connection != "room" || c.ID == "" || i.Roles["scribe"] != c {
		t.Errorf("the roles are held by %+v", i.Roles)
	}
	do(anna, "", "act", "rename", "title", "orders wait")
	do(anna, "", "act", "summary", "summary", "all of\r\nthem")
	do(anna, "", "act", "set", "field", "region", "value", "south")
	do(anna, "", "act", "set", "field", "ticket", "value", "T-1")
	anna.do("POST", "/incidents/1", url.Values{"act": {"set"}, "field": {"service"}, "value": {"shop", "mail"}}).leadsTo(t, "/incidents/1")
	do(bert, "", "act", "note", "text", "ask the provider")
	do(bert, "", "act", "happened", "text", "the disk was full", "when", "13:40", "zone", "UTC")
	do(bert, "", "act", "happened", "text", "the first call", "when", "20m")
	do(bert, "", "act", "happened", "text", "in Berlin it was three", "when", "2026-11-20 15:00", "zone", "Europe/Berlin")
	do(anna, "#tasks", "act", "task", "text", "call", "who", "bert", "due", "2h")
	do(anna, "#tasks", "act", "followup", "text", "buy disks", "due", "2026-12-01")
	do(anna, "", "act", "convert", "channel", "chat/ops")
	i = one()
	if i.Title != "orders wait" || i.Summary != "all of\nthem" || i.Fields["region"] != "south" || i.Fields["ticket"] != "T-1" || strings.Join(i.Services, " ") != "shop mail" {
		t.Errorf("%+v", i)
	}
	if len(i.Tasks) != 2 || i.Tasks[0].Owner.Name != "bert" || !i.Tasks[0].Due.Equal(time.Date(2026, 11, 20, 16, 10, 0, 0, time.UTC)) ||
		!i.Tasks[1].Due.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || i.Tasks[1].Kind != incident.FollowUp {
		t.Errorf("%+v", i.Tasks)
	}
	if len(i.Channels) != 1 || i.Channels[0].ID != "c1" || i.Channels[0].Ours {
		t.Errorf("%+v", i.Channels)
	}
	when := map[string]string{}
	for _, e := range must(s.store.IncidentEntries(t.Context(), i.ID, store.EntryFilter{}))(t) {
		when[e.Text] = e.At.Format("15:04")
	}
	if when["the disk was full"] != "13:40" || when["the first call"] != "13:50" || when["in Berlin it was three"] != "14:00" {
		t.Errorf("%v", when)
	}
	anna.get("/incidents/1").want(t, 200, "orders wait", "Region", "south", "invited anna", "the disk was full", "https://chat.example/ops")
}

func TestAlertsAreFoundAndAttachedOnThePage(t *testing.T) {
	s, _, anna, _ := openToWork(t)
	for _, name := range []string{"Disk /var", "Disk /home", "Load"} {
		s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", name), State: "CRITICAL", Severity: alert.SeverityCritical})
	}
	if p := anna.get("/incidents/1").want(t, 200, "None is attached."); strings.Contains(p.body, "Disk /var") {
		t.Error("alerts are listed before anybody looked")
	}
	if p := anna.get("/incidents/1?find=disk+web01").want(t, 200, "Disk /var", "Disk /home"); strings.Contains(p.body, "Load on web01") {
		t.Error("the search lets others through")
	}
	anna.get("/incidents/1?find=%231").want(t, 200, "Disk /var")
	anna.get("/incidents/1?find=nothing").want(t, 200, "No open alert is like that.")
	anna.post("/incidents/1", "act", "attach", "alert", "1").leadsTo(t, "/incidents/1#alerts")
	anna.get("/incidents/1").want(t, 200, "Disk /var on web01", "CRITICAL")
	if p := anna.get("/incidents/1?find=disk"); strings.Count(p.body, "Disk /var on web01") != 2 { // the list of what is attached, and the timeline
		t.Errorf("an alert is offered again: %s", p.body)
	}
	a := must(s.store.AlertByNumber(t.Context(), 1))(t)
	anna.get("/alerts/"+strconv.FormatInt(int64(a.ID), 10)).want(t, 200, "Incidents", "orders are stuck")
	s.report(alert.Report{Kind: alert.ReportRecovery, Object: service("web01", "Disk /var"), State: "OK", Severity: alert.SeverityOK})
	anna.get("/incidents/1").want(t, 200, "tone-green")
}

func TestWhatStillFiresIsAcknowledgedOnThePage(t *testing.T) {
	s, r, anna, _ := openToWork(t)
	s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk /var"), State: "CRITICAL", Severity: alert.SeverityCritical})
	anna.post("/incidents/1", "act", "ack").want(t, 422, "none fires that nobody has acknowledged")
	anna.post("/incidents/1", "act", "attach", "alert", "1").leadsTo(t, "/incidents/1#alerts")
	anna.get("/incidents/1").want(t, 200, "1 of them still fires, not acknowledged", "Acknowledge all")
	anna.post("/incidents/1", "act", "resolve").leadsTo(t, "/incidents/1")
	anna.get("/incidents/1").want(t, 200, "It is resolved, and 1 of its alerts still fires", "1 of them still fires")
	r.AcknowledgeWith(func(ctx context.Context, id alert.ID, by, _ string) error {
		_, err := s.store.Change(ctx, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
			a := v.Alert.Clone()
			e, err := a.RequestAck(by, "", true, time.Now())
			return []store.Effect{{Alert: a, Events: []alert.Event{e}}}, err
		}})
		return err
	})
	anna.post("/incidents/1", "act", "ack").leadsTo(t, "/incidents/1#alerts")
	if p := anna.get("/incidents/1").want(t, 200, "acknowledged"); strings.Contains(p.body, "Acknowledge all") {
		t.Error("it is offered again")
	}
}

func TestWhatIsRefusedComesBackWithWhatWasTyped(t *testing.T) {
	s, r, anna, _ := openToWork(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "the leak", Private: true, By: bert()}, 0, 0))(t)
	for _, c := range []struct {
		want  []string
		typed []string
	}{
		{[]string{`nobody is known here as "zoe"`, `value="zoe"`, "selected>scribe"}, []string{"act", "assign", "role", "scribe", "who", "zoe"}},
		{[]string{"there is no role", "anna"}, []string{"act", "assign", "role", "king", "who", "anna"}},
		{[]string{"say whom, by their name"}, []string{"act", "invite", "who", " , "}},
		{[]string{`nobody is known here as "zoe"`, "anna, zoe"}, []string{"act", "invite", "who", "anna, zoe"}},
		{[]string{"carol takes part in #1 already"}, []string{"act", "invite", "who", "carol"}},
		{[]string{`"soon" is no date`, "call <i>", `value="soon"`}, []string{"act", "task", "text", "call <i>", "due", "soon"}},
		{[]string{"at most a year away"}, []string{"act", "task", "text", "call", "due", "500d"}},
		{[]string{"time zone of your browser"}, []string{"act", "task", "text", "call", "due", "17:00", "zone", "../../etc/passwd"}},
		{[]string{`"noon" is no time`, "lunch"}, []string{"act", "happened", "text", "lunch", "when", "noon"}},
		{[]string{"an event lies in the past", "lunch"}, []string{"act", "happened", "text", "lunch", "when", "2026-11-21 10:00"}},
		{[]string{"nothing is written"}, []string{"act", "note", "text", ""}},
		{[]string{"the title has 201 characters"}, []string{"act", "rename", "title", strings.Repeat("x", 201)}},
		{[]string{`there is no Region "west"`, "<details class=\"panel fold\" open>"}, []string{"act", "set", "field", "region", "value", "west"}},
		{[]string{`there is no field "colour"`}, []string{"act", "set", "field", "colour", "value", "red"}},
		{[]string{"say which alert"}, []string{"act", "attach", "alert", "x"}},
		{[]string{"there is no such alert as #9"}, []string{"act", "attach", "alert", "9"}},
		{[]string{"there is no such incident as #2, or it is private", `value="#2"`}, []string{"act", "duplicate", "other", "#2"}},
		{[]string{"there is no such incident as #77, or it is private"}, []string{"act", "duplicate", "other", "77"}},
		{[]string{"repeat"}, []string{"act", "duplicate", "other", "1"}},
		{[]string{"choose one of the channels"}, []string{"act", "convert", "channel", "chat/secret-room"}},
		{[]string{"there is no channel gone"}, []string{"act", "convert", "channel", "chat/gone"}},
	} {
		anna.post("/incidents/1", c.typed...).want(t, 422, append(c.want, "That was not done: ")...)
	}
	i := must(s.store.Incident(t.Context(), 1))(t)
	if i.Entries != 1 || len(i.People) != 1 {
		t.Errorf("something was done: %+v", i)
	}
	if two := must(s.store.Incident(t.Context(), 2))(t); two.Entries != 1 || len(two.Duplicates) != 0 {
		t.Errorf("the private one was touched: %+v", two)
	}
}

func TestANameThatTwoHaveIsNotGuessed(t *testing.T) {
	s, r, anna, _ := openToWork(t)
	must(r.Invite(t.Context(), 1, incident.Person{Connection: "chat", ID: "u9", Name: "carol"}, incident.Person{Connection: "chat", ID: "u2", Name: "bert"}))(t)
	anna.post("/incidents/1", "act", "assign", "role", "scribe", "who", "bert").want(t, 422, "there are several", "bert (chat), bert (room)")
	anna.post("/incidents/1", "act", "assign", "role", "scribe", "who", "bert (chat)").leadsTo(t, "/incidents/1#people")
	if p := must(s.store.Incident(t.Context(), 1))(t).Roles["scribe"]; p.ID != "u2" {
		t.Errorf("%+v", p)
	}
	// Whose account is linked is one person, and known in chat.
	me := must(s.store.PersonByName(t.Context(), "bert"))(t)
	if err := s.store.Link(t.Context(), store.Identity{Connection: "chat", UserID: "u2", Name: "bert", Person: me.ID}); err != nil {
		t.Fatal(err)
	}
	anna.post("/incidents/1", "act", "assign", "role", "commander", "who", "bert").leadsTo(t, "/incidents/1#people")
	if p := must(s.store.Incident(t.Context(), 1))(t).Roles["commander"]; p.ID != "u2" || p.Connection != "chat" {
		t.Errorf("%+v", p)
	}
}

func TestWhoeverIsKnownInChatCanBeNamed(t *testing.T) {
	var down error
	s, r := openWithIncidents(t, func(o *web.Options) {
		o.FindPeople = func(_ context.Context, connection, name string) (list []incident.Person, err error) {
			for _, at := range []string{"chat", "slack"} {
				if (connection == "" || connection == at) && down == nil && (name == "zoe" || name == "max" && at == "chat") {
					list = append(list, incident.Person{Connection: at, ID: at + "-" + name, Name: name})
				}
			}
			return list, down
		}
	})
	anna := s.setUp("anna")
	must(r.Declare(t.Context(), incident.Declaration{Title: "x", By: bert()}, 0, 0))(t)
	anna.post("/incidents/1", "act", "invite", "who", "@max").leadsTo(t, "/incidents/1#people")
	anna.post("/incidents/1", "act", "assign", "role", "scribe", "who", "zoe").want(t, 422, "there are several", "zoe (chat), zoe (slack)")
	anna.post("/incidents/1", "act", "assign", "role", "scribe", "who", "zoe (slack)").leadsTo(t, "/incidents/1#people")
	anna.post("/incidents/1", "act", "assign", "role", "commander", "who", "nobody").want(t, 422, "nobody is known here as")
	down = errors.New("Mattermost of connection chat does not answer")
	anna.post("/incidents/1", "act", "assign", "role", "commander", "who", "nobody").want(t, 422, "can't be looked up in chat now: Mattermost of connection chat does not answer")
	i := must(s.store.Incident(t.Context(), 1))(t)
	if p := i.Roles["scribe"]; p.ID != "slack-zoe" || p.Connection != "slack" || !i.Takes(incident.Person{Connection: "chat", ID: "chat-max"}) {
		t.Errorf("%+v", i)
	}
}

func TestAPrivateIncidentIsInvisibleWhereverItIsLinked(t *testing.T) {
	s, r, anna, _ := openToWork(t)
	a := s.report(alert.Report{Kind: alert.ReportProblem, Object: service("web01", "Disk"), State: "CRITICAL", Severity: alert.SeverityCritical})
	carol := incident.Person{Connection: "chat", ID: "u9", Name: "carol"}
	must(r.Declare(t.Context(), incident.Declaration{Title: "the leak is a part", Private: true, By: carol}, a.Number, 1))(t)                    // #2
	must(r.Declare(t.Context(), incident.Declaration{Title: "the leak repeats", Private: true, Services: []string{"shop"}, By: carol}, 0, 0))(t) // #3
	must(r.Duplicate(t.Context(), 3, carol, 1))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "seen by all", By: carol}, 0, 0))(t)     // #4
	must(r.Declare(t.Context(), incident.Declaration{Title: "the leak, again", By: carol}, 0, 0))(t) // #5
	must(r.Duplicate(t.Context(), 4, carol, 5))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "a part of what one can't see", By: carol}, 0, 5))(t) // #6
	must(r.SetSeverity(t.Context(), 5, carol, "SEV0", ""))(t)
	for _, path := range []string{"/incidents", "/incidents?q=leak", "/incidents?q=%232", "/incidents/1", "/incidents/4", "/incidents/6", "/incidents/figures", "/incidents/1/retrospective",
		"/incidents/1/retrospective/md", "/incidents/1/retrospective/json", "/incidents/1/retrospective/html", "/incidents/4/retrospective/json",
		"/alerts", "/alerts/" + strconv.FormatInt(int64(a.ID), 10)} {
		p := anna.get(path).want(t, 200)
		body := strings.ReplaceAll(p.text(), "?q=leak", "")
		body = strings.ReplaceAll(body, `value="leak"`, "")
		body = strings.ReplaceAll(body, `value="#2"`, "")
		for _, no := range []string{"the leak", "/incidents/2", "/incidents/3", "/incidents/5", `#[235]\b`} {
			if regexp.MustCompile(no).MatchString(body) {
				t.Errorf("%s tells %q:\n%s", path, no, html.UnescapeString(p.body))
			}
		}
	}
	anna.get("/incidents/1").want(t, 200, "a part of this that is private", "another, which is private, repeats this")
	for _, path := range []string{"/incidents/2", "/incidents/2/retrospective", "/incidents/2/retrospective/md", "/incidents/new?parent=2"} {
		anna.get(path).want(t, 404)
	}
	once := onceOf(t, anna.get("/incidents/new?parent=1").want(t, 200, "a part of"))
	anna.post("/incidents/new", "once", once, "parent", "2", "f.title", "into it").want(t, 404)
	anna.post("/incidents/new", "once", once, "parent", "1", "f.title", "a part").leadsTo(t, "/incidents/7")
	anna.get("/incidents/1").want(t, 200, `/incidents/7`)
	anna.get("/incidents").want(t, 200, "part of #1")
	if i := must(s.store.Incident(t.Context(), 7))(t); i.Parent != 1 || i.Kind != incident.Sub {
		t.Errorf("%+v", i)
	}
}

func TestWhatTheConfiguredFormLeavesOutCanBeSaidAsWell(t *testing.T) {
	s, _, anna, _ := openToWork(t)
	form := anna.get("/incidents/new").want(t, 200, "<summary>More</summary>", "Private", "Test", "Environment", "Region", "Ticket")
	if strings.Count(form.body, `name="f.severity"`) != 1 {
		t.Errorf("a question is asked twice: %s", form.body)
	}
	once := onceOf(t, form)
	anna.post("/incidents/new", "once", once, "f.title", "a drill", "f.region", "west").want(t, 422, "<details open>", `there is no Region "west"`)
	anna.post("/incidents/new", "once", once, "f.title", "a drill", "f.private", "yes", "f.test", "yes", "f.environment", "live", "f.ticket", "T-9").leadsTo(t, "/incidents/2")
	i := must(s.store.Incident(t.Context(), 2))(t)
	if i.Kind != incident.Test || !i.Private || i.Fields["ticket"] != "T-9" || len(i.Environments) != 1 {
		t.Errorf("%+v", i)
	}
}
