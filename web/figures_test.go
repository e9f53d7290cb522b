// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"belfry/incident"
)

func TestFiguresAreShownByServiceAndSeverity(t *testing.T) {
	s, r := openWithIncidents(t)
	b := s.setUp("alice")
	b.get("/incidents/figures").want(t, 200, "There was no incident in this time.")
	must(r.Declare(t.Context(), incident.Declaration{Title: "one", Severity: "SEV1", Services: []string{"shop"}, By: bert()}, 0, 0))(t)
	must(r.Move(t.Context(), 1, incident.Resolve, bert(), ""))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "two", Severity: "SEV2", Services: []string{"mail"}, By: bert(), Private: true}, 0, 0))(t)
	must(r.Declare(t.Context(), incident.Declaration{Title: "three", Severity: "SEV3", Kind: incident.Test, By: bert()}, 0, 0))(t)
	p := b.get("/incidents/figures?days=30").want(t, 200, "shop, SEV1", "<svg", "less than a second", "of 1")
	if strings.Contains(p.body, "mail") || strings.Contains(p.body, "SEV3") {
		t.Errorf("a private incident or an exercise counts:\n%s", p.body)
	}
	b.get("/incidents").want(t, 200, `href="/incidents/figures"`)
	s.browser().get("/incidents/figures").leadsTo(t, "/signin?next=%2Fincidents%2Ffigures")
}
