// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"strings"
	"testing"
	"time"

	"belfry/incident"
	"belfry/store"
)

// TestAPinWithoutACardWaitsForNobody: it is due with the card, when that is
// posted once more.
func TestAPinWithoutACardWaitsForNobody(t *testing.T) {
	x := newTenancy(t)
	x.declare(false)
	x.work(x.chat, x.r, time.Minute)
	for _, q := range x.posts {
		q.deleted = q.ref.Channel == "c1"
	}
	ok := must(t)
	ok(x.r.SetSummary(t.Context(), 1, anna(), "somebody deleted the card"))
	x.work(x.chat, x.r, time.Minute)
	err := x.store.ChangeIncident(t.Context(), store.IncidentChange{Numbers: []int64{1}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		pin := store.IncidentStep{Destination: store.StepDestination("chat", 1), Kind: incident.StepPin, AfterCard: "chat/c1"}
		return []store.IncidentEffect{{Incident: v.Incidents[1], Steps: []store.IncidentStep{pin}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if x.chat.calls = nil; !x.work(x.chat, x.r, time.Minute) || len(x.chat.calls) != 0 || len(x.dead()) != 1 {
		t.Errorf("it goes on without a card: %v, %+v", x.chat.calls, x.dead())
	}
	ok(x.r.SetSummary(t.Context(), 1, anna(), "and here it is again"))
	x.work(x.chat, x.r, time.Minute)
	if pins := x.chat.rooms["c1"].pins; len(pins) != 2 || len(x.dead()) != 0 {
		t.Errorf("pins %v, %+v", pins, x.dead())
	}
}

// TestAChannelThatWasMadeBeforeItsIncidentBecamePrivate: the answer was lost, and
// what is found then is as open to everybody as it was made.
func TestAChannelThatWasMadeBeforeItsIncidentBecamePrivate(t *testing.T) {
	x := newTenancy(t)
	x.chat.trouble["open"] = []string{"lost"}
	x.declare(false)
	x.work(x.chat, x.r, 0)
	x.secret = true
	ok := must(t)
	ok(x.r.SetSeverity(t.Context(), 1, anna(), "SEV0", ""))
	ok(x.r.Rename(t.Context(), 1, anna(), "somebody stole the keys"))
	x.work(x.chat, x.r, time.Minute)
	o := x.chat.rooms["c1"]
	if len(x.chat.rooms) != 1 || o.Private || strings.Contains(o.topic+o.Title+o.Name, "keys") {
		t.Errorf("%+v", o)
	}
	for _, q := range x.posts {
		if strings.Contains(q.text, "keys") {
			t.Errorf("said where everybody reads it: %q", q.text)
		}
	}
	if got := x.troubles(); len(got) != 1 || !strings.Contains(got[0], "may be open to everybody") {
		t.Errorf("told %q", got)
	}
}
