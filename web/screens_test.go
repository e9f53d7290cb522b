// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/seal"
	"belfry/web/webtest"
)

// sampleCards fills the room with what an estate shows on a bad morning.
func sampleCards(s *site) {
	at := func(minutes int) chat.Span {
		t := time.Now().Add(-time.Duration(minutes) * time.Minute)
		return chat.Span{Text: t.Format("15:04"), Time: t}
	}
	over := s.card("ops", chat.Message{Color: "#00C851", Icon: "🟢", State: "OK", Title: "HTTP on shop.example", Link: "https://monitoring.example/4",
		Summary: "OK: HTTP on shop.example", Lines: []chat.Line{
			{{Text: "resolved at "}, at(3), {Text: " after 22 min · "}, {Text: "#1738", Link: "https://belfry.example/alerts/1738"}},
			{{Text: "was acknowledged by "}, {Text: "bob", Bold: true}, {Text: ": restarting the worker pool"}}},
		Output: "HTTP OK: HTTP/1.1 200 OK - 5120 bytes in 0.041 second response time"})
	s.note(over, "bob acknowledged: restarting the worker pool")
	s.note(over, "resolved after 22 min")
	taken := s.card("ops", chat.Message{Color: "#ffbb33", Icon: "🟡", State: "WARNING", Title: "Load on db02.berlin.example", Link: "https://monitoring.example/5",
		Summary: "WARNING: Load on db02", Open: true, Lines: []chat.Line{
			{{Text: "since "}, at(41), {Text: " · 10.0.4.2 · contact dba-oncall · "}, {Text: "#1740", Link: "https://belfry.example/alerts/1740"}},
			{{Text: "acknowledged by "}, {Text: "alice", Bold: true}, {Text: " at "}, at(12), {Text: ": nightly vacuum, ends at six"}}},
		Output:  "WARNING - load average per CPU: 1.81, 1.64, 1.22",
		Buttons: []chat.Button{{Action: "unack", Label: "Un-acknowledge", Token: "x"}}})
	s.note(taken, "alice acknowledged: nightly vacuum, ends at six")
	s.card("ops", chat.Message{Color: "#CC0000", Icon: "🔴", State: "DOWN", Title: "router-west", Link: "https://monitoring.example/6",
		Summary: "DOWN: router-west", Open: true, Lines: []chat.Line{
			{{Text: "since "}, at(2), {Text: " · 192.0.2.1 · "}, {Text: "#1745", Link: "https://belfry.example/alerts/1745"}},
			{{Text: "acknowledging… for bob: waiting for nagios, the command pipe is not open"}}},
		Output: "PING CRITICAL - Packet loss = 100%"})
	m := diskFull()
	m.Mentions, m.Priority = []string{"storage-oncall"}, chat.PriorityUrgent
	m.Cut, m.More = 7421, "https://belfry.example/alerts/1742"
	s.card("ops", m)
	s.card("db", diskFull())
	s.card("network-and-firewalls", diskFull())
}

// sampleIncidents are two that are over and two that are being run.
func sampleIncidents(s *site, r *response.Response) {
	anna := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	ctx := s.t.Context()
	must(r.Declare(ctx, incident.Declaration{Title: "Mail waits for hours", Severity: "SEV2", Services: []string{"mail"}, By: bert()}, 0, 0))(s.t)
	must(r.Move(ctx, 1, incident.Resolve, anna, "queue emptied"))(s.t)
	must(r.Declare(ctx, incident.Declaration{Title: "The shop is slow, and orders wait for the database", Summary: "Orders take a minute and more.\nThe second replica lags.",
		Severity: "SEV1", Services: []string{"shop"}, By: bert()}, 1, 0))(s.t)
	must(r.Assign(ctx, 2, bert(), "commander", anna))(s.t)
	must(r.AddTask(ctx, 2, incident.ToDo, anna, bert(), "call the provider", time.Now().Add(-time.Hour)))(s.t)
	must(r.AddTask(ctx, 2, incident.FollowUp, anna, incident.Person{}, "buy more disks", time.Time{}))(s.t)
	must(r.Update(ctx, 2, anna, "The replica is being rebuilt; half of the orders go through again."))(s.t)
	must(r.Move(ctx, 2, incident.Mitigate, anna, "read from the first replica"))(s.t)
	must(r.Declare(ctx, incident.Declaration{Title: "Fire drill", Kind: incident.Test, Severity: "SEV3", By: anna, Triage: true}, 0, 0))(s.t)
	must(r.Move(ctx, 3, incident.Cancel, anna, ""))(s.t)
	must(r.Declare(ctx, incident.Declaration{Title: "Certificates end tomorrow", By: anna, Triage: true}, 0, 0))(s.t)
}

// sampleChannels are an incident's that is run, and another's that is over.
func sampleChannels(s *site, r *response.Response) {
	ctx := s.t.Context()
	for _, x := range []struct {
		name, title, topic string
		number             int64
		private            bool
	}{{"INC-1 mail waits", "Mail waits for hours", "SEV2 · resolved", 1, false}, {"INC-2 shop slow", "The shop is slow, and orders wait for the database", "SEV1 · mitigated · commander: anna · since 09:12", 2, true},
		{"INC-3 fire drill", "Fire drill", "", 3, false}} {
		c, err := s.room.OpenChannel(ctx, chat.NewChannel{Key: seal.Random(), Name: x.name, Title: x.title, Purpose: "about shop and database", Private: x.private})
		if err != nil {
			s.t.Fatal(err)
		}
		s.bring(c.ID, "alice", "bob")
		i, err := s.store.Incident(ctx, x.number)
		if err != nil {
			s.t.Fatal(err)
		}
		ref := s.card(c.Name, message.Incident(i, message.Options{Now: time.Now(), Location: time.UTC}))
		s.note(ref, "anna mitigated it: read from the first replica")
		s.card(c.Name, diskFull())
		for _, err := range []error{s.room.Describe(ctx, c.ID, chat.Description{Topic: x.topic, Purpose: "about shop and database"}), s.room.Pin(ctx, ref),
			s.room.Bookmark(ctx, c.ID, []chat.Link{{Text: i.Ref() + " in Belfry", URL: s.url + "/incidents/1"}, {Text: "Video call", URL: "https://meet.example/shop"}})} {
			if err != nil {
				s.t.Fatal(err)
			}
		}
		must(r.Run(ctx, x.number, bert(), incident.Channel{Connection: "room", ID: c.ID, Name: c.Name}))(s.t)
		if x.number == 1 {
			if err := s.room.Archive(ctx, c.ID); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// TestScreens takes pictures of the pages into the directory that BELFRY_SHOTS
// names, for people to look at; without it there is nothing to do.
func TestScreens(t *testing.T) {
	dir := os.Getenv("BELFRY_SHOTS")
	if dir == "" {
		t.Skip("set BELFRY_SHOTS to a directory to get pictures of the pages")
	}
	chrome := webtest.Start(t)
	t.Run("card", func(t *testing.T) { picture(t, chrome, dir) })
	t.Run("pages", func(t *testing.T) { pages(t, chrome, dir) })
}

func pages(t *testing.T, chrome *webtest.Chrome, dir string) {
	s, r := openWithIncidents(t)
	admin := s.setUp("alice")
	sampleCards(s)
	sampleAlerts(s)
	sampleIncidents(s, r)
	s.letIn(admin, "bob")
	sampleChannels(s, r)
	s.rec.OnPress = func(chat.Press) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Acknowledge", Intro: "Disk /var on web01 is CRITICAL.", SubmitLabel: "Acknowledge", State: "x",
			Fields: []chat.Field{{Name: "comment", Label: "Comment", Help: "Everybody can read it.", Multiline: true, MaxLength: 500}}}}
	}
	for _, screen := range []struct {
		name  string
		width int64
		dark  bool
		path  string
		// open is the label of a button that opens a form.
		open string
	}{
		{"room-desktop-light", 1280, false, "/?channel=ops", ""}, {"room-desktop-dark", 1280, true, "/?channel=ops", ""},
		{"room-phone-light", 375, false, "/?channel=ops", ""}, {"room-phone-dark", 375, true, "/?channel=ops", ""},
		{"channel-desktop", 1280, false, "/?channel=inc-2-shop-slow", ""}, {"channel-dark", 1280, true, "/?channel=inc-2-shop-slow", ""},
		{"channel-phone", 375, false, "/?channel=inc-2-shop-slow", ""}, {"channel-archived", 1280, false, "/?channel=inc-1-mail-waits", ""},
		{"channel-archived-phone", 375, true, "/?channel=inc-1-mail-waits", ""},
		{"form-phone", 375, false, "/?channel=ops", "Acknowledge with"}, {"form-desktop", 1280, true, "/?channel=ops", "Acknowledge with"},
		{"alerts-desktop", 1280, false, "/alerts", ""}, {"alerts-phone", 375, true, "/alerts", ""},
		{"alert-desktop", 1280, false, sampleAlertPath(s), ""}, {"alert-phone", 375, false, sampleAlertPath(s), ""},
		{"incidents-desktop", 1280, false, "/incidents", ""}, {"incidents-phone", 390, false, "/incidents", ""},
		{"incident-desktop", 1280, true, "/incidents/2", ""}, {"declare-phone", 390, false, "/incidents/new", ""}, {"retrospective-desktop", 1280, false, "/incidents/2/retrospective", ""},
		{"retrospective-phone", 390, false, "/incidents/2/retrospective/html", ""}, {"figures-desktop", 1280, false, "/incidents/figures", ""}, {"figures-phone", 390, true, "/incidents/figures", ""},
		{"incident-phone", 390, false, "/incidents/2", ""},
		{"deliveries", 1280, false, "/deliveries", ""}, {"people", 375, false, "/people", ""},
		{"signin", 375, true, "/signin", ""}, {"missing", 1280, false, "/nowhere", ""},
	} {
		tab := chrome.Tab(t)
		if screen.name != "signin" {
			as(tab, admin)
		}
		scheme := "light"
		if screen.dark {
			scheme = "dark"
		}
		tab.Prefer("prefers-color-scheme", scheme)
		tab.Do(chromedp.EmulateViewport(screen.width, 1150))
		tab.Open(s.url + screen.path)
		tab.Do(chromedp.Sleep(700 * time.Millisecond))
		if screen.open != "" {
			tab.Click("button", screen.open)
			tab.Until(`document.querySelector("dialog[open]")`)
		}
		if err := os.WriteFile(filepath.Join(dir, screen.name+".png"), tab.Picture(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
