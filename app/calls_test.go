// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"
	"time"
)

// TestARouteDeclaresAnIncident: of its first alert, the next ones are attached,
// and after its end there is another one.
func TestARouteDeclaresAnIncident(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops]}\nroutes:\n  - name: web\n    match: host=~\"web.*\"\n    channels: [chat/ops]\n"+
		"    incident: {severity: SEV1, title: \"{host} is down\", cooldown: 0}\n")
	o.report(problem("db01")...)
	o.report(problem("web01")...)
	o.report(problem("web01")...)
	card := o.m.Room("ops").WaitCard("#1 web01 is down").WaitText("SEV1").WaitText("started").WaitText("route web").WaitText("1 alert")
	o.report(problem("web02")...)
	card.WaitText("2 alerts")
	o.types("alice", "/belfry incident timeline #1", "route web", "attached alert #2, web01", "attached alert #3, web02")
	o.types("alice", "/belfry incident resolve #1", "#1 SEV1 resolved")
	o.clock.Advance(time.Second)
	o.report(problem("web03")...)
	o.m.Room("ops").WaitCard("#2 web03 is down")
}
