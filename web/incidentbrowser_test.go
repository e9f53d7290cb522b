// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"belfry/incident"
	"belfry/store"
	"belfry/web/webtest"
)

// field fills in a field of a tab's page.
func field(tab *webtest.Tab, id, text string) {
	tab.Until(`document.querySelector("#` + id + `") !== null`)
	tab.Eval(`document.querySelector("#` + id + `").value = ""`)
	tab.Do(chromedp.SendKeys("#"+id, text))
}

// sends presses a button and waits until the page that follows shows a text.
func sends(tab *webtest.Tab, form, button, then string) {
	tab.Eval(unreloaded + " = true")
	tab.Click(form+" button", button)
	tab.Until(unreloaded + ` !== true && document.readyState === "complete" && document.body.innerText.includes(` + quoted(then) + `)`)
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

// TestTwoRunAnIncidentInTheBrowser goes the whole way from the declaration to
// the export, by two people in two sessions at once.
func TestTwoRunAnIncidentInTheBrowser(t *testing.T) {
	chrome := webtest.Start(t)
	s, _ := openWithIncidents(t)
	anna := s.setUp("anna")
	bert := s.letIn(anna, "bert")
	hers, his := chrome.Tab(t), chrome.Tab(t)
	as(hers, anna)
	as(his, bert)
	his.Do(chromedp.EmulateViewport(390, 844))

	hers.Open(s.url + "/incidents/new")
	field(hers, "f-title", "Orders are stuck")
	hers.Eval(`document.querySelector("#f-severity").value = "SEV1"`)
	sends(hers, "main form", "Declare", "What next")

	his.Open(s.url + "/incidents")
	his.Click("main a", "Orders are stuck")
	his.Until(`document.querySelector("#act") !== null`)
	// She gives him the lead; his page is from before that.
	field(hers, "assign-who", "bert")
	sends(hers, "main form", "Assign", "commander")
	field(his, "task-text", "call the provider")
	field(his, "task-who", "me")
	field(his, "task-due", "2h")
	sends(his, "main form", "Add as task", "call the provider")
	if got := his.Reads(); !strings.Contains(got, "commander") || !strings.Contains(got, "due") {
		t.Errorf("his page does not tell what she did: %s", got)
	}
	field(his, "text", "The replica is being rebuilt.")
	sends(his, "main form", "Tell everybody", "The replica is being rebuilt.")
	// What she types is refused, and comes back.
	field(hers, "when", "noon")
	field(hers, "note-text", "the first complaint")
	sends(hers, "main form", "Add what happened", `is no time`)
	if got := hers.Eval(`document.querySelector("#note-text").value`); got != "the first complaint" {
		t.Errorf("what was typed became %q", got)
	}
	if got := hers.Eval(`document.querySelector("[data-zone]").textContent === Intl.DateTimeFormat().resolvedOptions().timeZone`); got != "true" {
		t.Error("the page does not say in which zone times are meant")
	}
	field(hers, "when", "10m")
	sends(hers, "main form", "Add what happened", "Timeline 5") // declared, role, task, update, this
	// Both take the same step; the second is told what is possible.
	field(hers, "text", "read from the first replica")
	sends(hers, "main form", "Mitigate", "read from the first replica")
	field(his, "text", "me too")
	sends(his, "main form", "Mitigate", "possible is")
	if got := his.Eval(`document.querySelector("#text").value`); got != "me too" {
		t.Errorf("what was typed became %q", got)
	}
	sends(his, `main [aria-label="Task 1 is done"], main li`, "Done", "finished task 1")
	sends(his, "main form", "Resolve", "resolved it")
	hers.Open(s.url + "/incidents/1")
	sends(hers, "main form", "Close", "closed it")

	// Both edit the retrospective at once.
	hers.Open(s.url + "/incidents/1/retrospective")
	his.Open(s.url + "/incidents/1/retrospective")
	hers.Do(chromedp.SendKeys("#text", "\n\nWhat we learned: disks fill up."))
	sends(hers, "main form", "Save", "The retrospective is saved.")
	his.Do(chromedp.SendKeys("#text", "\n\nMy own words."))
	sends(his, "main form", "Save", "anna saved another version meanwhile")
	if got := his.Eval(`document.querySelector("#text").value`); !strings.Contains(got, "My own words.") {
		t.Errorf("what he typed is lost: %q", got)
	}
	for format, want := range map[string]string{"md": "What we learned: disks fill up.", "json": `"seconds"`, "html": "What we learned: disks fill up."} {
		bert.get("/incidents/1/retrospective/"+format).want(t, 200, want, "Orders are stuck", "call the provider", "commander")
	}
	i := must(s.store.Incident(t.Context(), 1))(t)
	if i.Status != incident.Closed || i.Roles["commander"].Name != "bert" || i.Moments[incident.Mitigated].By.Name != "anna" || i.Moments[incident.Resolved].By.Name != "bert" {
		t.Errorf("%+v", i)
	}
	if n := len(must(s.store.IncidentEntries(t.Context(), i.ID, store.EntryFilter{}))(t)); n != 9 {
		t.Errorf("the timeline has %d entries", n)
	}
	for _, path := range []string{"/incidents/1", "/incidents/1?find=", "/incidents/1/retrospective", "/incidents/1/retrospective/html", "/incidents/new", "/incidents", "/incidents/figures"} {
		his.Open(s.url + path)
		if got := his.Eval("document.documentElement.scrollWidth"); got != "390" {
			t.Errorf("%s is %s px wide on a phone of 390", path, got)
		}
	}
}
