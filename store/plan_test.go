// SPDX-License-Identifier: Apache-2.0

package store

import (
	"path/filepath"
	"strings"
	"testing"

	"belfry/incident"
)

// plans is a store that is asked how it would carry statements out.
type plans struct {
	*testing.T
	*Store
}

func planned(t *testing.T) plans {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "belfry.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return plans{t, s}
}

func (s plans) plan(text string, args ...any) (steps []string) {
	s.Helper()
	err := s.query(s.Context(), "a plan", "EXPLAIN QUERY PLAN "+text, args, func(scan scanner) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		steps = append(steps, detail)
		return err
	})
	if err != nil {
		s.Fatalf("%s: %v", text, err)
	}
	return steps
}

// TestStatementsUseTheirIndexes holds SQLite's plans: a wrong one would read a
// whole backlog for each claim.
func TestStatementsUseTheirIndexes(t *testing.T) {
	s := planned(t)
	for name, x := range map[string]struct{ text, index string }{
		"what is due":     {chooseDue, "deliveries_due"},
		"next due":        {nextDue, "deliveries_due"},
		"due of alerts":   {alertsDue.text(4, s.dialect), "deliveries_alert"},
		"stale cards":     {staleCards.text(4, s.dialect), "deliveries_alert"},
		"write-backs":     {endWritebacks.text(4, s.dialect), "deliveries_alert"},
		"chains":          {loadChains.text(4, s.dialect), "deliveries_alert"},
		"notes to wake":   {wakeNotes.text(4, s.dialect), "deliveries_alert"},
		"notes to park":   {parkNotes.text(4, s.dialect), "deliveries_alert"},
		"notes to push":   {pushBack, "deliveries_alert"},
		"cards of alerts": {cardsOf.text(4, s.dialect), "deliveries_alert"},
		"settled duties":  {updateRows.text(4, s.dialect), "INTEGER PRIMARY KEY"},
		"changed alerts":  {updateAlerts.text(4, s.dialect), "INTEGER PRIMARY KEY"},
		"hand-overs":      {seenInHistory, "alerts_history"},
		"openings":        {openings.text(4, s.dialect), "INTEGER PRIMARY KEY"},
		"open alerts":     {openAlerts, "alerts_open"},
		"by number":       {alertByNumber, "alerts_number"},
		"highest number":  {highestNumber, "alerts_number"},
		"what changed":    {changedAlerts, "alerts_changed"},
		"newest change":   {newestChange, "alerts_changed"},
		"new alerts":      {changedAlerts, "INTEGER PRIMARY KEY"},
		"open mutes":      {openMutes, "mutes_open"},
		"one incident":    {incidentByNumber, "sqlite_autoindex_incidents"},
		"incident inside": {incidentInChannel, "incident_channels_channel"},
		"taken channels":  {channelTaken, "incident_channels_channel"},
		"alert's":         {incidentsOfAlert, "incident_alerts_alert"},
		"next reminder":   {nextReminder, "incidents_remind"},
		"a later one":     {postponeReminder, "sqlite_autoindex_incidents"},
		"of objects":      {incidentsOfObjects.text(4, s.dialect), "incident_alerts_object"},
		"called alerts":   {alertsByNumber.text(4, s.dialect), "alerts_number"},
		"own figures":     {deleteFigures, "incident_figures_incident"},
		"own viewers":     {deleteViewers, "incident_viewers_incident"},
		"next calls":      {nextCalls, "incident_calls_due"},
		"of an origin":    {newestOf, "incidents_origin"},
		"open of origin":  {newestOpen, "incidents_"},
		"declared of":     {declaredOf, "incidents_declared"},
		"a timeline":      {newestEntries, "PRIMARY KEY (incident_id=?"},
	} {
		plan := s.plan(x.text, make([]any, strings.Count(x.text, "?")+strings.Count(x.text, "$"))...)
		found := false
		for _, step := range plan {
			found = found || strings.Contains(step, x.index)
			if strings.Contains(step, "SCAN deliveries") || strings.Contains(step, "SCAN alerts") || strings.Contains(step, "SCAN a ") || strings.Contains(step, "SCAN incident") || strings.Contains(step, "SCAN events") {
				t.Errorf("%s reads a whole table: %s", name, step)
			}
		}
		if !found {
			t.Errorf("%s does not use %s: %q", name, x.index, plan)
		}
	}
}

// TestListsOfIncidentsReadNoMoreThanTheyShow: of those that a search passes
// over the words alone are read, and nothing is sorted.
func TestListsOfIncidentsReadNoMoreThanTheyShow(t *testing.T) {
	s := planned(t)
	faces := []incident.Person{{Connection: "chat", ID: "u1", Name: "anna"}}
	for name, x := range map[string]struct {
		f     IncidentFilter
		steps []string
	}{
		"words":              {IncidentFilter{Words: []string{"a", "b"}, Seen: true, Faces: faces}, []string{"SCAN incident_words", "SEARCH incidents USING INDEX sqlite_autoindex_incidents_1 (number=?)", "SEARCH incident_viewers USING PRIMARY KEY (account=?"}},
		"seen":               {IncidentFilter{Over: true, Seen: true, Faces: faces}, []string{"SCAN incidents USING INDEX sqlite_autoindex_incidents_1", "SEARCH incident_viewers USING PRIMARY KEY"}},
		"words of open ones": {IncidentFilter{Open: true, Words: []string{"a"}}, []string{"incidents_open", "SEARCH incident_words USING PRIMARY KEY (number=?)"}},
		"open":               {IncidentFilter{Open: true, Seen: true, Faces: faces}, []string{"incidents_open"}},
	} {
		c := x.f.choice(s.dialect)
		plan := strings.Join(s.plan(numbered(selectIncidents(c)), append(c.args, 50)...), "\n")
		for _, step := range x.steps {
			if !strings.Contains(plan, step) || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY") {
				t.Errorf("%s: want %q in\n%s", name, step, plan)
			}
		}
	}
}
