// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"belfry/chat"
	"belfry/web/webtest"
)

// unreloaded marks the page, so that a reload would show.
const unreloaded = "window.belfryMark"

func TestInABrowser(t *testing.T) {
	chrome := webtest.Start(t)
	t.Run("AcknowledgeChangesTheCardForEverybodyWithoutReload", func(t *testing.T) { acknowledge(t, chrome) })
	t.Run("CommentGoesThroughAForm", func(t *testing.T) { comment(t, chrome) })
	t.Run("HostileTextStaysInert", func(t *testing.T) { inert(t, chrome) })
	t.Run("CardsMoveWhenTheyAreOver", func(t *testing.T) { settle(t, chrome) })
	t.Run("ALostConnectionIsTold", func(t *testing.T) { lost(t, chrome) })
	t.Run("FitsAPhone", func(t *testing.T) { phone(t, chrome) })
}

func acknowledge(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	bob := s.letIn(admin, "bob")
	ref := s.card("ops", diskFull())
	s.note(ref, "a note that is folded")
	pressed := make(chan struct{})
	answer := make(chan struct{})
	s.rec.OnPress = func(p chat.Press) chat.Answer {
		close(pressed)
		<-answer
		return chat.Answer{}
	}
	hers, his := chrome.Tab(t), chrome.Tab(t)
	as(hers, admin)
	as(his, bob)
	for _, tab := range []*webtest.Tab{hers, his} {
		tab.Open(s.url + "/")
		tab.Until(`document.querySelector(".card")`)
		tab.Eval(unreloaded + " = true")
	}
	his.Click("summary", "1 note")
	hers.Click(".card button", "Acknowledge")
	<-pressed
	hers.Until(`document.querySelector(".card button").textContent === "acknowledging…"`)
	close(answer)
	done := diskFull()
	done.Lines = append(done.Lines, chat.Line{{Text: "acknowledged by "}, {Text: "alice", Bold: true}})
	done.Buttons = []chat.Button{{Action: "unack", Label: "Un-acknowledge", Token: "t"}}
	s.update(ref, done)
	for name, tab := range map[string]*webtest.Tab{"alice": hers, "bob": his} {
		tab.Until(`document.querySelector(".card").innerText.includes("acknowledged by alice")`)
		if got := tab.Eval(`[...document.querySelectorAll(".card button")].map((b) => b.textContent)`); got != "Un-acknowledge" {
			t.Errorf("%s sees the buttons %q", name, got)
		}
		if tab.Eval(unreloaded) != "true" {
			t.Errorf("%s's page was reloaded", name)
		}
	}
	if his.Eval(`document.querySelector(".thread").open`) != "true" {
		t.Error("the thread that bob had unfolded is folded again")
	}
	if got := s.rec.Presses(); len(got) != 1 || got[0].Actor.Name != "alice" {
		t.Errorf("the responder got %+v", got)
	}
	if got := hers.Eval(`document.querySelector("#news").textContent`); !strings.Contains(got, "Disk /var") {
		t.Errorf("a screen reader hears %q", got)
	}
}

func comment(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	s.card("ops", diskFull())
	s.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: commentDialog()} }
	s.rec.OnSubmit = func(p chat.Submit) chat.Answer {
		if p.Values["comment"] == "bad" {
			return chat.Answer{FieldErrors: map[string]string{"comment": "Say <more>."}}
		}
		return chat.Answer{Whisper: "Thank you, <i>alice</i>."}
	}
	tab := chrome.Tab(t)
	as(tab, admin)
	tab.Open(s.url + "/")
	tab.Click(".card button", "Acknowledge with comment")
	tab.Until(`document.querySelector("dialog[open] textarea") === document.activeElement`)
	tab.Do(chromedp.SendKeys("dialog textarea", "bad"))
	tab.Click("dialog button", "Acknowledge")
	tab.Until(`document.querySelector("dialog[open] .fault")?.textContent === "Say <more>."`)
	if got := tab.Eval(`document.querySelector("dialog textarea").value`); got != "bad" {
		t.Errorf("what was typed became %q", got)
	}
	tab.Do(chromedp.SendKeys("dialog textarea", ", but better"))
	tab.Click("dialog button", "Acknowledge")
	tab.Until(`document.querySelector(".toast p")?.textContent === "Thank you, <i>alice</i>."`)
	tab.Until(`!document.querySelector("dialog")`)
	submits := s.rec.Submits()
	if last := submits[len(submits)-1]; last.Values["comment"] != "bad, but better" || last.State != "secret-state" {
		t.Errorf("the responder got %+v", last)
	}
	// Escape closes the form and tells so.
	tab.Click(".card button", "Acknowledge with comment")
	tab.Until(`document.querySelector("dialog[open]")`)
	tab.Do(chromedp.KeyEvent("\x1b"))
	tab.Until(`!document.querySelector("dialog")`)
	tab.Until(`document.activeElement.value === "ackComment"`)
}

func inert(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	const bad = `"><img src=x onerror="window.owned=1"><script>window.owned=1</script></pre><svg onload=window.owned=1>`
	hostile := chat.Message{Color: `#cc0000"/><script>`, Icon: bad, State: bad, Title: bad, Summary: bad, Link: "javascript:window.owned=1", Open: true,
		Lines: []chat.Line{{{Text: bad, Bold: true}, {Text: bad, Link: "javascript:window.owned=1"}}}, Output: bad, Mentions: []string{bad},
		Buttons: []chat.Button{{Action: "ack", Label: bad, Token: "t"}}}
	ref := s.card("ops", hostile)
	s.note(ref, bad)
	s.rec.OnPress = func(chat.Press) chat.Answer {
		return chat.Answer{Whisper: bad, Dialog: &chat.Dialog{Title: bad, Intro: bad, SubmitLabel: bad, State: "x",
			Fields: []chat.Field{{Name: `a"><script>window.owned=1</script>`, Label: bad, Help: bad, Placeholder: bad, Value: bad}}}}
	}
	tab := chrome.Tab(t)
	as(tab, admin)
	tab.Open(s.url + "/")
	tab.Until(`document.querySelector(".card")`)
	hostile.Title += " again"
	s.update(ref, hostile) // the way through the script
	tab.Until(`document.querySelector(".card h3").textContent.includes("again")`)
	tab.Click(".card button", `">`)
	tab.Until(`document.querySelector("dialog[open]") && document.querySelector(".toast")`)
	if got := tab.Eval(`document.querySelectorAll(".card script, .card img, dialog script, dialog img, .toast img, [onerror], [onload]").length`); got != "0" {
		t.Errorf("%s hostile elements came to life", got)
	}
	if got := tab.Eval(`document.querySelectorAll("a[href^='javascript']").length`); got != "0" {
		t.Errorf("%s hostile links", got)
	}
	if got := tab.Eval(`document.querySelector(".card .output").textContent`); got != bad {
		t.Errorf("the output reads %q", got)
	}
	if got := tab.Eval("window.owned"); got != "undefined" {
		t.Errorf("hostile text ran: %s", got)
	}
}

func settle(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	ref := s.card("ops", diskFull())
	tab := chrome.Tab(t)
	as(tab, admin)
	tab.Open(s.url + "/?channel=ops")
	tab.Until(`document.querySelector("#open .card")`)
	over := diskFull()
	over.Open, over.Buttons, over.State = false, nil, "OK"
	s.update(ref, over)
	tab.Until(`document.querySelector("#over .card") && document.querySelector("#open").hidden && !document.querySelector("#calm").hidden`)
	s.card("ops", diskFull())
	tab.Until(`document.querySelector("#open .card") && document.querySelector("#calm").hidden`)
	s.card("brand-new", diskFull())
	tab.Until(`[...document.querySelectorAll("#channels a")].some((a) => a.textContent.includes("brand-new"))`)
}

func lost(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	s.card("ops", diskFull())
	tab := chrome.Tab(t)
	as(tab, admin)
	tab.Open(s.url + "/")
	tab.Until(`document.querySelector("#lost").hidden && document.querySelector(".card")`)
	s.web.Close() // the server stops: streams end, new ones end at once
	tab.Until(`!document.querySelector("#lost").hidden`)
}

func phone(t *testing.T, chrome *webtest.Chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	sampleCards(s)
	sampleAlerts(s)
	long := diskFull()
	long.Title, long.Output = strings.Repeat("unbroken", 40), strings.Repeat("x", 3000)
	s.card("ops", long)
	tab := chrome.Tab(t)
	as(tab, admin)
	tab.Do(chromedp.EmulateViewport(375, 700))
	for _, path := range []string{"/?channel=ops", "/alerts", sampleAlertPath(s), "/deliveries", "/people", "/profile"} {
		tab.Open(s.url + path)
		if got := tab.Eval("document.documentElement.scrollWidth"); got != "375" {
			t.Errorf("%s is %s px wide on a phone of 375", path, got)
		}
	}
}
