// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

// TestReloadsLeaveOneSessionOfAnAccount: that of the connection as it is now,
// although cards were on their way by the ones before; and the end leaves none.
func TestReloadsLeaveOneSessionOfAnAccount(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	m.AddUser("robot")
	m.SetPassword("robot", "correct horse battery staple")
	l := newLeaver(t, "connections: [{name: chat, kind: mattermost, url: \""+m.URL()+"\", team: "+mattermosttest.Team+", login_id: robot, password: correct horse battery staple}]\n"+
		"default: {channels: [chat/ops]}\n")
	l.report("web00")
	m.Room("ops").WaitCard("web00 is gone")
	m.Slow(20 * time.Millisecond)
	for _, host := range []string{"web01", "web02", "web03"} {
		before := m.Calls()
		l.report(host)
		eventually(t, "the card is on its way", func() bool { return m.Calls() > before })
		l.reload()
	}
	for _, host := range []string{"web01", "web02", "web03"} {
		m.Room("ops").WaitCard(host + " is gone")
	}
	var sessions int
	eventually(t, "one session stands", func() bool { _, sessions = m.Logins("robot"); return sessions == 1 })
	stop(t, l.app)
	l.app = nil
	if _, sessions = m.Logins("robot"); sessions != 0 || m.PostsIn("ops") != 4 {
		t.Errorf("%d sessions are left behind, %d posts stand", sessions, m.PostsIn("ops"))
	}
}
