// SPDX-License-Identifier: Apache-2.0

package retrospective_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/retrospective"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; look, and then: go test ./retrospective -update\n%s", name, got)
	}
}

const hostile = "<script>alert(1)</script> @here [x](javascript:alert(2)) ![p](https://evil.example/p.png) | # *b* `c` \u202egnp"

// sample is an incident with everything in it, and its timeline.
func sample(t *testing.T) (*incident.Incident, []incident.Entry) {
	t.Helper()
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := incident.Defaults()
	s.Services, s.Fields = []string{"shop"}, []incident.Field{{Name: "site", Label: "Site"}}
	anna, evil := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}, incident.Person{Connection: "chat", ID: "u2", Name: hostile}
	i, entries, err := incident.Declare(&s, incident.Declaration{Title: hostile, Summary: "first\n# second\n" + hostile, Severity: "SEV1", Services: []string{"shop"},
		Fields: map[string]string{"site": hostile}, By: anna, Triage: true,
		Alert: &alert.Alert{ID: 7, Number: 5, Source: "nagios", Severity: alert.SeverityCritical, StartsAt: at.Add(-time.Hour), Object: alert.Object{Kind: alert.KindHost, Host: hostile}}}, at)
	if err != nil {
		t.Fatal(err)
	}
	i.Number = 42
	step := func(e incident.Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
		at = at.Add(5 * time.Minute)
	}
	step(i.Move(incident.Start, anna, at.Add(time.Minute), ""))
	step(i.Assign(&s, "commander", evil, anna, at))
	step(i.AddTask(incident.ToDo, "call the provider", evil, at.Add(time.Hour), anna, at))
	step(i.AddTask(incident.ToDo, hostile, incident.Person{}, at.Add(time.Hour), anna, at))
	step(i.AddTask(incident.FollowUp, "buy disks", anna, time.Time{}, anna, at))
	step(i.FinishTask(1, anna, at))
	step(i.Say("half of it\nworks "+hostile, evil, at))
	step(i.Note(strings.Repeat("long ", 200)+"end", anna, at))
	step(i.Record(incident.KeepTimeline, incident.Said{Text: "the disk is full\n" + hostile, By: evil, At: at.Add(-time.Minute), Link: "https://chat.example.org/p|1>)[x"}, anna, at))
	step(i.Record(incident.KeepFollowUp, incident.Said{Text: "bigger disks", By: evil, Link: "javascript:alert(1)"}, anna, at))
	step(i.Record(incident.KeepTask, incident.Said{Text: "look at the disks", By: evil, Link: "https://chat.example.org/p2?a=b&c=\"d"}, anna, at))
	step(i.Move(incident.Mitigate, anna, at, "rolled back"))
	step(i.Move(incident.Resolve, anna, at.Add(3*time.Hour), ""))
	return i, entries
}

func TestTheRecordInEveryFormat(t *testing.T) {
	i, entries := sample(t)
	d := retrospective.Build(i, entries, nil, time.UTC)
	golden(t, "record.md", d.Markdown())
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "record.html", string(page))
	text, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "record.json", string(text))
	var back retrospective.Document
	if err := json.Unmarshal(text, &back); err != nil || back.Title != d.Title || len(back.Timeline) != len(entries) || len(back.Durations) != 3 {
		t.Errorf("it does not come back: %v %+v", err, back)
	}
	inert(t, page)
	if !strings.Contains(d.Markdown(), "long end") || !bytes.Contains(page, []byte("long end")) {
		t.Error("a long note is cut")
	}
	for _, format := range []string{d.Markdown(), string(page), string(text)} {
		if strings.Contains(format, "\u202e") {
			t.Error("text that turns the direction of reading comes through")
		}
	}
}

// inert says what of a page would run, load or lead anywhere.
func inert(t *testing.T, page []byte) {
	t.Helper()
	for _, bad := range []string{"<script", "javascript:", "onerror=", "<iframe"} {
		if plain := regexp.MustCompile(`>[^<]*<`).ReplaceAll(page, []byte("><")); bytes.Contains(plain, []byte(bad)) {
			t.Errorf("the page has %s:\n%s", bad, plain)
		}
	}
}

func TestWhatPeopleMadeOfItIsGiven(t *testing.T) {
	i, entries := sample(t)
	edited, err := incident.EditRetrospective(2, "# What we learnt\n\n- **disks** fill up\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>\n\n"+
		"<img src=x onerror=alert(1)> [x](javascript:alert(2)) [ok](https://example.org/x)\n", incident.Person{Name: "ann<a>"}, time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	d := retrospective.Build(i, entries, &edited, time.UTC)
	if got := d.Markdown(); got != edited.Text+"\n" {
		t.Errorf("Markdown is %q", got)
	}
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "edited.html", string(page))
	inert(t, page)
	if text, err := d.JSON(); err != nil || !bytes.Contains(text, []byte(`"version": 3`)) || !bytes.Contains(text, []byte("What we learnt")) || !bytes.Contains(text, []byte(`"timeline"`)) {
		t.Errorf("JSON has not both: %v\n%s", err, text)
	}
	if !strings.HasPrefix(d.Draft(), "# #42 ") {
		t.Error("the draft is not the record")
	}
}

func TestThePolicyAllowsThePagesOwnStyle(t *testing.T) {
	i, entries := sample(t)
	d := retrospective.Build(i, entries, nil, time.UTC)
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindSubmatch(page)
	if m == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256(m[1])
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(retrospective.Policy(), want) {
		t.Errorf("the browser would refuse the style: it is %s, allowed is %s", want, retrospective.Policy())
	}
}

func TestALongTimelineCanStillBeEdited(t *testing.T) {
	i, entries := sample(t)
	for range 5000 {
		entries = append(entries, incident.Entry{Kind: incident.EntryNote, At: i.CreatedAt, By: incident.Person{Name: "anna"}, Text: strings.Repeat("x", 100)})
	}
	d := retrospective.Build(i, entries, nil, time.UTC)
	if draft := d.Draft(); len(draft) > incident.MaxRetrospective/2 || !strings.Contains(draft, "mitigated it") || !strings.Contains(draft, "The whole timeline has") {
		t.Errorf("%d characters: %.300s", len(draft), draft)
	}
	if got := strings.Count(d.Markdown(), "\n| 2026"); got != len(entries) {
		t.Errorf("the export has %d of %d entries", got, len(entries))
	}
}

func TestWhatIsTooLongOrNothingIsRefused(t *testing.T) {
	for _, text := range []string{"", " \n", strings.Repeat("x", incident.MaxRetrospective+1)} {
		if _, err := incident.EditRetrospective(0, text, incident.Person{Name: "anna"}, time.Time{}); err == nil {
			t.Errorf("%d characters are taken", len(text))
		}
	}
}
