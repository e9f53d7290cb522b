// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestKilledWhileARouteDeclares kills the program around the moment in which a
// route declares an incident, a little later each time: there is one incident
// for each group, with one card, and the alert is attached to it.
func TestKilledWhileARouteDeclares(t *testing.T) { killedWhileDeclaring(t, "") }

func TestKilledWhileARouteDeclaresOnPostgreSQL(t *testing.T) {
	killedWhileDeclaring(t, onPostgres(t))
}

func killedWhileDeclaring(t *testing.T, database string) {
	t.Parallel()
	m, chat := mattermost(t)
	m.AddChannel("incidents")
	d := serve(t, database+chat+plainSource+`
incidents: {announce: [chat/incidents]}
routes:
  - name: web
    match: severity="critical"
    channels: [chat/alerts]
    incident: {title: "{service} is down", group: [service], limit: 100}
`)
	const rounds = 10
	for i := range rounds {
		service := fmt.Sprintf("service%d", i)
		d.hand("nagios", problem(service, "PROBLEM", 2))
		time.Sleep(time.Duration(i) * 700 * time.Microsecond)
		d.kill()
		d.start()
		m.Room("incidents").WaitCard(service + " is down").WaitText("web").WaitText("1 alert")
		d.hand("nagios", problem(service, "PROBLEM", 2))
	}
	once(t, m.Room("incidents"), rounds)
	once(t, m.Room("alerts"), rounds)
}
