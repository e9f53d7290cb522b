// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"path/filepath"
	"testing"
	"time"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
)

// TestWhatWaitsForASourceThatIsGoneEndsWithAReason: after a day, not at once, for
// a slip in the file must lose nothing.
func TestWhatWaitsForASourceThatIsGoneEndsWithAReason(t *testing.T) {
	o := newOfficeWith(t, "sources: [{name: nagios, kind: nagios, command_pipe: "+filepath.Join(t.TempDir(), "nobody-reads.cmd")+"}]\n")
	o.report(problem("web01")...)
	card := o.m.Room("ops").WaitCard("web01 is gone")
	o.types("alice", "/belfry ack 1 on it", "Its card will tell")
	card.WaitText("acknowledging…")
	f := file(t, "connections: [{name: chat, kind: mattermost, url: \""+o.m.URL()+"\", token: \""+o.m.Token()+"\", team: "+mattermosttest.Team+
		", command_tokens: [\""+o.token+"\"]}]\nsources: [{name: other, kind: alertmanager}]\ndefault: {channels: [chat/ops]}\n")
	if err := o.a.Reload(f); err != nil {
		t.Fatal(err)
	}
	o.tidied() // since when it is missing is noted
	o.clock.Advance(20 * time.Hour)
	o.tidied()
	if !card.Shows("acknowledging…") {
		t.Errorf("it ended too early: %s", card.Text())
	}
	o.clock.Advance(4 * time.Hour)
	o.tidied()
	eventually(t, "alice is told why", func() bool {
		o.clock.Advance(time.Minute) // the next attempt falls due
		return !card.Shows("acknowledging…")
	})
	card.WaitNote("it is not configured in Belfry any more, so it was not told")
}

// tidied turns the clock a few minutes on and waits until Belfry has tidied up: it
// forgets then that chat, which is configured, was missed.
func (o *office) tidied() {
	o.t.Helper()
	for range 2 { // what is seen first may have begun before
		if err := o.a.Miss(o.t.Context(), "chat"); err != nil {
			o.t.Fatal(err)
		}
		var turned time.Time
		eventually(o.t, "Belfry tidies up", func() bool {
			if time.Since(turned) > 200*time.Millisecond { // it may not have waited yet
				o.clock.Advance(time.Minute)
				turned = time.Now()
			}
			is, err := o.a.Missed(o.t.Context(), "chat")
			if err != nil {
				o.t.Fatal(err)
			}
			return !is
		})
	}
}

// TestAConnectionThatIsBackIsNotMissedAnyMore: whether anything waits for it or
// not, or the next slip in the file would end at once what waits then.
func TestAConnectionThatIsBackIsNotMissedAnyMore(t *testing.T) {
	o := newOffice(t)
	with := file(t, "connections: [{name: chat, kind: mattermost, url: \""+o.m.URL()+"\", token: \""+o.m.Token()+"\", team: "+mattermosttest.Team+
		", command_tokens: [\""+o.token+"\"]}]\ndefault: {channels: [chat/ops]}\n")
	missed := func() bool {
		o.clock.Advance(time.Minute)
		is, err := o.a.Missed(t.Context(), "chat")
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	o.m.Stop()
	o.report(problem("web01")...)
	if err := o.a.Reload(config.Default(app.Kinds())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is noted that the connection is missing", missed)
	o.m.Restart()
	if err := o.a.Reload(with); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing waits, before Belfry tidies up again", func() bool {
		list, err := o.a.Unfinished(t.Context())
		return err == nil && len(list) == 0
	})
	eventually(t, "the connection is not missed any more", func() bool { return !missed() })
}

// TestAConnectionThatIsBackGoesOnWhereItWas: it was missing for days, and what had
// changed by then stands on the cards that were there before.
func TestAConnectionThatIsBackGoesOnWhereItWas(t *testing.T) {
	o := newOffice(t)
	with := file(t, "connections: [{name: chat, kind: mattermost, url: \""+o.m.URL()+"\", token: \""+o.m.Token()+"\", team: "+mattermosttest.Team+
		", command_tokens: [\""+o.token+"\"]}]\ndefault: {channels: [chat/ops]}\n")
	o.report(problem("web01")...)
	o.report(problem("web02")...)
	over, open := o.m.Room("ops").WaitCard("web01 is gone"), o.m.Room("ops").WaitCard("web02 is gone")
	if err := o.a.Reload(config.Default(app.Kinds())); err != nil {
		t.Fatal(err)
	}
	ended := problem("web01")
	ended[0].Kind, ended[0].State, ended[0].Severity = alert.ReportRecovery, "UP", alert.SeverityOK
	o.report(ended...)
	eventually(t, "what waits there ends", func() bool {
		o.clock.Advance(2 * time.Hour)
		list, err := o.a.Unfinished(t.Context())
		return err == nil && len(list) == 0
	})
	if err := o.a.Reload(with); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the card tells that it is over", func() bool {
		o.clock.Advance(time.Minute)
		return over.Shows("is over") || over.Shows("resolved") || over.Shows("UP")
	})
	again := problem("web02")
	again[0].Output = "web02 is still gone"
	o.report(again...)
	open.WaitText("web02 is still gone")
	if n := o.m.PostsIn("ops"); n > 3 { // two cards, and a note in a thread
		t.Errorf("%d posts", n)
	}
}
