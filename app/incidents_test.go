// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"strings"
	"testing"

	"belfry/alert"
	"belfry/chat/mattermost/mattermosttest"
)

// TestIncidentsAreRunFromMattermost: by their own command, by the other one, and
// in a channel that became the incident's.
func TestIncidentsAreRunFromMattermost(t *testing.T) {
	o := newOffice(t)
	o.m.AddChannel("war")
	o.m.AddCommand("incident", o.address())
	o.m.SetCommandToken("incident", o.token)
	o.types("alice", "/incident new SEV1 the shop is slow", "#1 SEV1 started: the shop is slow")
	o.types("bob", "/belfry incident assign #1 commander @alice", "You made alice commander.")
	o.types("bob", "/incident assign #1 scribe @nobody", "@nobody is not known on this server", "Nothing was changed")
	o.types("bob", "/incident invite #1 @alice @belfry", "belfry is a program's account", "Alice takes part in #1 already")
	o.types("bob", "/belfry incident", "Type")
	o.types("bob", "/incident mitigate", "Which one?", "the shop is slow")
	o.types("bob", "/belfry status", "Nothing is wrong at this moment.")
	in := func(line, want string) {
		t.Helper()
		seen := o.m.Type("bob", "war", line)
		text := mattermosttest.Visible(seen.Whisper)
		for _, look := range seen.Reading.Looks {
			text += "\n" + mattermosttest.Visible(look)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%q: %q, without %q", line, text, want)
		}
	}
	in("/incident convert #1", "You made the channel")
	in("/incident mitigate rolled back", "#1 SEV1 mitigated")
	in("/incident mitigate", "#1 is mitigated already, by bob")
	in("/incident timeline", "mitigated it: rolled back")
}

// TestAnAnnouncedIncidentIsOneLivingCard: where incidents are announced, and in
// the channel in which it is run.
func TestAnAnnouncedIncidentIsOneLivingCard(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops]}\n")
	o.m.AddChannel("war")
	o.types("alice", "/belfry incident new SEV1 the shop is slow", "#1 SEV1 started")
	card := o.m.Room("ops").WaitCard("#1 the shop is slow")
	card.WaitText("started")
	o.m.Type("bob", "war", "/belfry incident convert #1")
	own := o.m.Room("war").WaitCard("#1 the shop is slow")
	o.m.Type("bob", "war", "/belfry incident mitigate rolled back")
	for _, c := range []*mattermosttest.Card{card, own} {
		c.WaitText("mitigated").WaitNote("mitigated it: rolled back")
	}
	o.m.Type("bob", "war", "/belfry incident assign commander me")
	card.WaitText("commander: bob")
}

func TestAnIncidentIsDeclaredByAFormInMattermost(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops], services: [shop]}\n")
	o.m.AddCommand("incident", o.address())
	o.m.SetCommandToken("incident", o.token)
	form := o.m.Type("alice", "ops", "/incident new").Dialog
	if form == nil {
		t.Fatal("no form opened")
	}
	again := form.Fill("Title", "the shop is slow").Forge("Severity", "SEV9").Submit()
	if again.Dialog == nil || !strings.Contains(again.Errors["severity"], "there are SEV0") {
		t.Fatalf("a wrong severity: %+v", again)
	}
	if done := form.Fill("Severity", "SEV1").Fill("Service", "shop").Submit(); done.Dialog != nil || done.Failed != "" {
		t.Fatalf("the right one: %+v", done)
	}
	o.m.Room("ops").WaitCard("#1 the shop is slow").WaitText("SEV1").WaitText("by alice")
}

func TestAnIncidentIsDeclaredFromACard(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops]}\n")
	o.report(problem("web01")...)
	card := o.m.Room("ops").WaitCard("web01 is gone")
	card.WaitButtons("Acknowledge", "Acknowledge with comment…", "Declare incident…")
	form := card.ClickAs("bob", "Declare incident…").Dialog
	if form == nil || !strings.Contains(form.Intro, "Alert #1, web01, is attached.") {
		t.Fatalf("the form is %+v", form)
	}
	if done := form.Submit(); done.Dialog != nil || done.Failed != "" {
		t.Fatalf("%+v", done)
	}
	o.m.Room("ops").WaitCard("by bob").WaitText("1 alert").WaitText("#1 web01")
	if again := card.ClickAs("alice", "Declare incident…").Dialog; again == nil || !strings.Contains(again.Intro, "It belongs to #1 already.") {
		t.Errorf("then the form is %+v", again)
	}
	card.ClickAs("alice", "Acknowledge")
	card.WaitText("acknowledged by alice")
}

// TestWhatBecomesOfAttachedAlertsIsTold: acknowledged from a card, over, and back
// again, in the timeline and on the incident's card.
func TestWhatBecomesOfAttachedAlertsIsTold(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops]}\n")
	o.report(problem("web01")...)
	card := o.m.Room("ops").WaitCard("web01 is gone")
	o.types("alice", "/belfry incident new SEV1 the shop is slow", "#1 SEV1 started")
	own := o.m.Room("ops").WaitCard("#1 the shop is slow")
	o.types("alice", "/belfry incident attach #1 1", "You attached alert #1, web01.")
	own.WaitText("1 alert")
	card.ClickAs("bob", "Acknowledge")
	card.WaitText("acknowledged by bob")
	recovered := problem("web01")
	recovered[0].Kind, recovered[0].State, recovered[0].Severity, recovered[0].Output = alert.ReportRecovery, "UP", alert.SeverityOK, "web01 is there"
	o.report(recovered...)
	own.WaitText("1 alert, 1 over")
	o.report(problem("web01")...)
	own.WaitText("2 alerts, 1 over")
	o.types("alice", "/belfry incident timeline #1", "acknowledged alert #1, web01", "alert #1, web01, is over: web01 is there", "alert #2, web01, is the same problem again: web01 is gone")
}
