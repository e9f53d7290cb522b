// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/incident"
	"belfry/store"
	"belfry/store/opentest"
	"belfry/web"
)

// leaver is a Belfry with a configuration file that can be restarted.
type leaver struct {
	t          *testing.T
	app        *app.App
	main, data string
}

func newLeaver(t *testing.T, main string) *leaver {
	t.Helper()
	l := &leaver{t: t, main: filepath.Join(t.TempDir(), "belfry.yaml"), data: opentest.Dir(t)}
	l.write(main)
	l.start()
	t.Cleanup(func() {
		if l.app != nil {
			stop(t, l.app)
		}
	})
	return l
}

func (l *leaver) write(main string) {
	l.t.Helper()
	if err := os.WriteFile(l.main, []byte(main), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leaver) read(without ...string) (*config.File, error) {
	f, problems := config.LoadServer(l.main, app.Kinds(), func(s *config.Server) { s.Data = l.data }, without...)
	if len(problems) > 0 {
		return nil, problems
	}
	f.Server.Listen, f.Server.Data = "127.0.0.1:0", l.data
	return f, nil
}

func (l *leaver) start() {
	l.t.Helper()
	f, err := l.read()
	if err != nil {
		l.t.Fatal(err)
	}
	if l.app, err = app.Start(l.t.Context(), app.Options{File: f, Data: l.data, Reread: l.read}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leaver) restart() {
	l.t.Helper()
	stop(l.t, l.app)
	l.start()
}

func (l *leaver) reload() {
	l.t.Helper()
	f, err := l.read()
	if err == nil {
		err = l.app.Reload(f)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *leaver) report(host string) {
	l.t.Helper()
	if err := l.app.Report("nagios")(l.t.Context(), problem(host)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leaver) connection(name string) (web.Connection, bool) {
	l.t.Helper()
	all := l.app.Connections()
	i := slices.IndexFunc(all, func(c web.Connection) bool { return c.Name == name })
	if i < 0 {
		return web.Connection{}, false
	}
	return all[i], true
}

// leave disconnects, and returns what it said it would do and what it did.
func (l *leaver) leave(r web.Removal) (plan, did string, end web.End) {
	l.t.Helper()
	r.By = "anna"
	s, err := l.app.Removal(l.t.Context(), r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	for _, st := range s.Plan().Steps {
		plan += st.Text + "\n"
	}
	end, err = s.CarryOut(l.t.Context(), func(st web.Step) { did += st.Text + " " + st.Wrong + "\n" })
	if err != nil {
		l.t.Fatalf("%v after\n%s", err, did)
	}
	return plan, did, end
}

// breakOff disconnects and is interrupted after the first step.
func (l *leaver) breakOff(r web.Removal) {
	l.t.Helper()
	r.By = "anna"
	s, err := l.app.Removal(l.t.Context(), r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	if _, err := s.CarryOut(ctx, func(web.Step) { cancel() }); err == nil || !strings.Contains(err.Error(), "it goes on from here") {
		l.t.Fatalf("it was not interrupted: %v", err)
	}
}

// kept stops Belfry and looks into its database: what was there is there, and
// nothing waits for the connection any more.
func (l *leaver) kept(connection string, incidents int) {
	l.t.Helper()
	stop(l.t, l.app)
	l.app = nil
	s, err := store.Open(l.t.Context(), filepath.Join(l.data, "belfry.db"), store.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			l.t.Error(err)
		}
	}()
	ctx := l.t.Context()
	list, err := s.Incidents(ctx, store.IncidentFilter{})
	if err != nil || len(list) != incidents {
		l.t.Fatalf("%d incidents are left, %v", len(list), err)
	}
	for _, i := range list {
		entries, err := s.IncidentEntries(ctx, i.ID, store.EntryFilter{})
		if err != nil || len(entries) == 0 {
			l.t.Errorf("the timeline of %s: %v, %v", i.Ref(), entries, err)
		}
	}
	alerts, err := s.Alerts(ctx, store.Filter{})
	if err != nil || len(alerts) == 0 {
		l.t.Fatalf("alerts: %v, %v", alerts, err)
	}
	for _, id := range append(idsOf(list), alerts[len(alerts)-1].ID) {
		duties, err := s.Duties(ctx, id)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, d := range duties {
			if strings.HasPrefix(d.Destination, connection+"/") && (d.State != store.DutyEnded || !strings.Contains(d.LastError, connection+" was disconnected by anna on ")) {
				l.t.Errorf("%s to %s is %s: %q", d.Kind, d.Destination, d.State, d.LastError)
			}
		}
	}
	if unfinished, err := s.Unfinished(ctx); err != nil || len(unfinished) != 0 {
		l.t.Errorf("still waiting: %v, %v", unfinished, err)
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in\n%s", p, text)
		}
	}
}

// TestNothingIsLeftOnMattermost: what the set-up made and what incidents made
// goes, also when it was interrupted and Belfry restarted, and Belfry keeps all.
func TestNothingIsLeftOnMattermost(t *testing.T) {
	m := mattermosttest.Start(t, mattermosttest.Options{Fresh: true})
	m.AddChannel("ops")
	l := newLeaver(t, "default: {channels: [room/alerts]}\n")
	token := func() config.Secret { return config.Secret(m.UserToken("admin")) }
	s, err := l.app.SetUp(t.Context(), web.Wish{Name: "chat", URL: m.URL(), Team: mattermosttest.Team, Channels: []string{"ops"}, Bot: "belfry", Command: "belfry",
		IncidentCommand: "incident", ChangeSettings: true, OAuth: true}, token())
	if err != nil {
		t.Fatal(err)
	}
	if end, err := s.CarryOut(t.Context(), func(web.Step) {}); err != nil || end.Left != 0 {
		t.Fatalf("%+v, %v", end, err)
	}
	s.Close()
	l.write("default: {channels: [room/alerts, chat/ops]}\nincidents: {announce: [chat/ops], channel: {on: [chat], links: [page]}}\n")
	l.reload()
	l.report("web01")
	card := m.Room("ops").WaitCard("web01 is gone")
	m.MoveCommand("incident", "http://"+l.app.Address()+"/chat/chat/command")
	m.Type("alice", "ops", "/incident new SEV1 the shop is slow")
	m.Room("ops").WaitCard("#1 the shop is slow").WaitText("Channel: inc-1-the-shop-is-slow")
	own := m.Room("inc-1-the-shop-is-slow").WaitCard("#1 the shop is slow")
	eventually(t, "the card is pinned", func() bool {
		_, _, pins, _ := m.Look(own.Post().ChannelID)
		return len(pins) == 1
	})
	if left := strings.Join(m.Left("belfry", "admin"), "\n"); !strings.Contains(left, "a pin in") || !strings.Contains(left, "button Acknowledge in ops") || !strings.Contains(left, "command /incident") {
		t.Fatalf("before: %s", left)
	}
	// The file needs the connection: nothing is touched then.
	r := web.Removal{Name: "chat", By: "anna", Token: token(), Archive: true}
	refused, err := l.app.Removal(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := refused.CarryOut(t.Context(), func(web.Step) {}); err == nil || !strings.Contains(err.Error(), "nothing was undone") || len(card.Buttons()) == 0 {
		t.Fatalf("%v", err)
	}
	l.write("default: {channels: [room/alerts]}\n")
	l.reload()
	l.breakOff(r)
	l.restart()
	if c, ok := l.connection("chat"); !ok || c.LeftDone || !strings.Contains(c.Left, "chat was disconnected by anna on ") {
		t.Errorf("half-way the page shows %+v", c)
	}
	l.report("web02") // nothing goes there any more
	plan, did, end := l.leave(web.Removal{Name: "chat", Token: token(), Archive: true})
	contains(t, plan, "channel inc-1-the-shop-is-slow of #1", "it is archived", "bot @belfry is deactivated", "taken out of Belfry's configuration")
	contains(t, did, "inc-1-the-shop-is-slow", "slash command /incident is removed")
	if end.Left != 0 {
		t.Errorf("%+v", end)
	}
	if left := m.Left("belfry", "admin"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, c := range []*mattermosttest.Card{card, m.Room("ops").WaitCard("#1 the shop is slow"), own} {
		if !c.Shows("no longer kept") || !c.Shows("does not change any more") {
			t.Errorf("a card reads\n%s", c.Text())
		}
	}
	if text := posted(m, "ops"); !strings.Contains(text, "web01") || strings.Contains(text, "web02") {
		t.Error("something was posted after the end had begun")
	}
	if _, ok := l.connection("chat"); ok {
		t.Error("the connection is still configured")
	}
	l.kept("chat", 1)
}

// TestNothingIsLeftOnSlack: an app that was installed from the pages is
// uninstalled; the connection of the file is switched off until it is taken out.
func TestNothingIsLeftOnSlack(t *testing.T) {
	s := slacktest.Start(t)
	s.AddChannel("ops")
	l := newLeaver(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
default: {channels: [team/ops]}
incidents: {announce: [team/ops], channel: {on: [team], links: [page]}}
`, s.URL(), s.Token(), s.SigningSecret()))
	s.CallAt("http://" + l.app.Address() + "/chat/team")
	l.report("web01")
	card := s.Room("ops").WaitCard("web01 is gone")
	s.Type("alice", "ops", "/incident new SEV1 the shop is slow")
	s.Room("ops").WaitCard("#1 the shop is slow").WaitShows("Channel: inc-1-the-shop-is-slow")
	own := s.Room("inc-1-the-shop-is-slow").WaitCard("#1 the shop is slow")
	eventually(t, "the card is pinned", func() bool { return len(s.Look("inc-1-the-shop-is-slow").Pins) == 1 })
	if left := strings.Join(s.Left(), "\n"); !strings.Contains(left, "a pin in") || !strings.Contains(left, "button Acknowledge in ops") || !strings.Contains(left, "channel inc-1") {
		t.Fatalf("before: %s", left)
	}
	plan, did, end := l.leave(web.Removal{Name: "team", Archive: true})
	contains(t, plan, "3 cards", "channel inc-1-the-shop-is-slow of #1", "auth.revoke", "take it out of the configuration file")
	contains(t, did, "marked as no longer kept", "auth.revoke")
	contains(t, strings.Join(end.Said, "\n"), "Take the connection team out of the configuration file")
	if left := s.Left(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, c := range []*slacktest.Card{card, own} {
		if !c.Shows("does not change any more") {
			t.Errorf("a card reads\n%s", c.Text())
		}
	}
	if c, ok := l.connection("team"); !ok || !c.LeftDone || !strings.Contains(c.Left, "disconnected by anna") {
		t.Errorf("the page shows %+v", c)
	}
	l.restart()
	if c, ok := l.connection("team"); !ok || !c.LeftDone {
		t.Errorf("after a restart the page shows %+v", c)
	}
	l.kept("team", 1)
}

// runsAnIncident connects a Mattermost on which an incident is run in a channel of
// its own; own is its card there.
func runsAnIncident(t *testing.T) (m *mattermosttest.Server, l *leaver, own *mattermosttest.Card) {
	t.Helper()
	m = mattermosttest.Start(t)
	m.AddChannel("ops")
	token := m.AddCommand("incident", "http://not.yet.example/")
	l = newLeaver(t, fmt.Sprintf(`
connections: [{name: chat, kind: mattermost, url: %q, token: %q, team: %s, command_tokens: [%q]}]
default: {channels: [chat/ops]}
incidents: {announce: [chat/ops], channel: {on: [chat]}}
`, m.URL(), m.Token(), mattermosttest.Team, token))
	m.MoveCommand("incident", "http://"+l.app.Address()+"/chat/chat/command")
	m.Type("alice", "ops", "/incident new SEV1 the shop is slow")
	m.Room("ops").WaitCard("#1 the shop is slow").WaitText("Channel: inc-1-the-shop-is-slow")
	own = m.Room("inc-1-the-shop-is-slow").WaitCard("#1 the shop is slow")
	eventually(t, "the card is pinned", func() bool { _, _, pins, _ := m.Look(own.Post().ChannelID); return len(pins) == 1 })
	return m, l, own
}

func TestChannelsStayWhereThatWasChosenAndTheConnectionCanComeBack(t *testing.T) {
	m, l, own := runsAnIncident(t)
	plan, _, _ := l.leave(web.Removal{Name: "chat"})
	contains(t, plan, "it stays, with everybody in it", "whoever made them there takes them away")
	ch, _, pins, _ := m.Look(own.Post().ChannelID)
	if ch.DeleteAt != 0 || len(pins) != 0 || !strings.Contains(ch.Header, "no longer") {
		t.Errorf("%+v, pins %v", ch, pins)
	}
	if left := strings.Join(m.Left("belfry"), ", "); left != "bot belfry can act, channel inc-1-the-shop-is-slow" {
		t.Errorf("left: %s", left)
	}
	l.report("web01")
	if err := l.app.Again(t.Context(), "chat"); err != nil {
		t.Fatal(err)
	}
	l.report("web02")
	m.Room("ops").WaitCard("web02 is gone")
	m.Room("ops").WaitCard("web01 is gone") // which was reported in between
	eventually(t, "the new card is pinned", func() bool {
		ch, _, pins, _ := m.Look(own.Post().ChannelID)
		return len(pins) == 1 && pins[0] != own.ID() && !strings.Contains(ch.Header, "no longer")
	})
	if c, ok := l.connection("chat"); !ok || c.Left != "" {
		t.Errorf("the page shows %+v", c)
	}
}

// TestAnOpenIncidentHasItsChannelAgainWhenTheConnectionComesBack: it is opened
// again, and who joins from then on is brought in.
func TestAnOpenIncidentHasItsChannelAgainWhenTheConnectionComesBack(t *testing.T) {
	m, l, own := runsAnIncident(t)
	m.Promote("belfry")
	l.leave(web.Removal{Name: "chat", Archive: true})
	if err := l.app.Again(t.Context(), "chat"); err != nil {
		t.Fatal(err)
	}
	m.Type("bob", "ops", "/incident join #1")
	eventually(t, "it is open, with its new card, and bob is in", func() bool {
		ch, members, pins, _ := m.Look(own.Post().ChannelID)
		return ch.DeleteAt == 0 && len(pins) == 1 && pins[0] != own.ID() && len(members) == 3
	})
}

// posted is all that stands in a channel.
func posted(m *mattermosttest.Server, channel string) (text string) {
	for _, p := range m.Posts(channel) {
		text += p.Message + string(p.Props) + "\n"
	}
	return text
}

func idsOf(list []*incident.Incident) (ids []alert.ID) {
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids
}

// TestWhatChatRefusesIsToldAndTheRestGoes: a server in trouble, a card that
// somebody deleted, a channel that the bot was taken out of; and whoever
// disconnects learns nothing of a private incident.
func TestWhatChatRefusesIsToldAndTheRestGoes(t *testing.T) {
	m := mattermosttest.Start(t)
	for _, name := range []string{"ops", "db", "web"} {
		m.AddChannel(name)
	}
	token := m.AddCommand("incident", "http://not.yet.example/")
	l := newLeaver(t, fmt.Sprintf(`
connections: [{name: chat, kind: mattermost, url: %q, token: %q, team: %s, command_tokens: [%q]}]
default: {channels: [chat/ops, chat/db, chat/web]}
incidents: {announce: [chat/ops], channel: {on: [chat]}}
`, m.URL(), m.Token(), mattermosttest.Team, token))
	m.MoveCommand("incident", "http://"+l.app.Address()+"/chat/chat/command")
	l.report("web01")
	m.DeletePost(m.Room("ops").WaitCard("web01 is gone").ID())
	stays, goes := m.Room("db").WaitCard("web01 is gone"), m.Room("web").WaitCard("web01 is gone")
	m.Type("alice", "ops", "/incident new SEV1 private=yes the secret leak")
	eventually(t, "it has a channel", func() bool { return strings.Contains(fmt.Sprint(m.Left("belfry")), "a pin in inc-1-the-secret-leak") })
	m.Leave("belfry", "db")
	m.Fail5xxBefore(2)
	plan, did, end := l.leave(web.Removal{Name: "chat", Archive: true})
	for _, text := range []string{plan, did, strings.Join(end.Said, "\n")} {
		if strings.Contains(text, "leak") {
			t.Errorf("whoever disconnects reads\n%s", text)
		}
	}
	contains(t, plan, "channel (private) of #1")
	contains(t, did, "a card in chat/db")
	contains(t, strings.Join(end.Said, "\n"), "stays as it is there")
	if !goes.Shows("no longer kept") || stays.Shows("no longer kept") || end.Left != 0 {
		t.Errorf("%+v\n%s\n%s", end, goes.Text(), stays.Text())
	}
	if left := fmt.Sprint(m.Left("belfry")); left != "[bot belfry can act button Acknowledge in db button Acknowledge with comment… in db button Declare incident… in db]" {
		t.Errorf("left: %s", left)
	}
	l.kept("chat", 1)
}
