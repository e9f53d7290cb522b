// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"belfry/chat"
)

// unreloaded marks the page, so that a reload would show.
const unreloaded = "window.belfryMark"

func TestInABrowser(t *testing.T) {
	chrome := startChrome(t)
	t.Run("AcknowledgeChangesTheCardForEverybodyWithoutReload", func(t *testing.T) { acknowledge(t, chrome) })
	t.Run("CommentGoesThroughAForm", func(t *testing.T) { comment(t, chrome) })
	t.Run("HostileTextStaysInert", func(t *testing.T) { inert(t, chrome) })
	t.Run("CardsMoveWhenTheyAreOver", func(t *testing.T) { settle(t, chrome) })
	t.Run("ALostConnectionIsTold", func(t *testing.T) { lost(t, chrome) })
	t.Run("FitsAPhone", func(t *testing.T) { phone(t, chrome) })
}

func acknowledge(t *testing.T, chrome *chrome) {
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
	hers, his := chrome.tab(t), chrome.tab(t)
	hers.as(admin)
	his.as(bob)
	for _, tab := range []*tab{hers, his} {
		tab.open("/", s)
		tab.until(`document.querySelector(".card")`)
		tab.eval(unreloaded + " = true")
	}
	his.click("summary", "1 note")
	hers.click(".card button", "Acknowledge")
	<-pressed
	hers.until(`document.querySelector(".card button").textContent === "acknowledging…"`)
	close(answer)
	done := diskFull()
	done.Lines = append(done.Lines, chat.Line{{Text: "acknowledged by "}, {Text: "alice", Bold: true}})
	done.Buttons = []chat.Button{{Action: "unack", Label: "Un-acknowledge", Token: "t"}}
	s.update(ref, done)
	for name, tab := range map[string]*tab{"alice": hers, "bob": his} {
		tab.until(`document.querySelector(".card").innerText.includes("acknowledged by alice")`)
		if got := tab.eval(`[...document.querySelectorAll(".card button")].map((b) => b.textContent)`); got != "Un-acknowledge" {
			t.Errorf("%s sees the buttons %q", name, got)
		}
		if tab.eval(unreloaded) != "true" {
			t.Errorf("%s's page was reloaded", name)
		}
	}
	if his.eval(`document.querySelector(".thread").open`) != "true" {
		t.Error("the thread that bob had unfolded is folded again")
	}
	if got := s.rec.Presses(); len(got) != 1 || got[0].Actor.Name != "alice" {
		t.Errorf("the responder got %+v", got)
	}
	if got := hers.eval(`document.querySelector("#news").textContent`); !strings.Contains(got, "Disk /var") {
		t.Errorf("a screen reader hears %q", got)
	}
}

func comment(t *testing.T, chrome *chrome) {
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
	tab := chrome.tab(t)
	tab.as(admin)
	tab.open("/", s)
	tab.click(".card button", "Acknowledge with comment")
	tab.until(`document.querySelector("dialog[open] textarea") === document.activeElement`)
	tab.do(chromedp.SendKeys("dialog textarea", "bad"))
	tab.click("dialog button", "Acknowledge")
	tab.until(`document.querySelector("dialog[open] .fault")?.textContent === "Say <more>."`)
	if got := tab.eval(`document.querySelector("dialog textarea").value`); got != "bad" {
		t.Errorf("what was typed became %q", got)
	}
	tab.do(chromedp.SendKeys("dialog textarea", ", but better"))
	tab.click("dialog button", "Acknowledge")
	tab.until(`document.querySelector(".toast p")?.textContent === "Thank you, <i>alice</i>."`)
	tab.until(`!document.querySelector("dialog")`)
	submits := s.rec.Submits()
	if last := submits[len(submits)-1]; last.Values["comment"] != "bad, but better" || last.State != "secret-state" {
		t.Errorf("the responder got %+v", last)
	}
	// Escape closes the form and tells so.
	tab.click(".card button", "Acknowledge with comment")
	tab.until(`document.querySelector("dialog[open]")`)
	tab.do(chromedp.KeyEvent("\x1b"))
	tab.until(`!document.querySelector("dialog")`)
	tab.until(`document.activeElement.value === "ackComment"`)
}

func inert(t *testing.T, chrome *chrome) {
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
	tab := chrome.tab(t)
	tab.as(admin)
	tab.open("/", s)
	tab.until(`document.querySelector(".card")`)
	hostile.Title += " again"
	s.update(ref, hostile) // the way through the script
	tab.until(`document.querySelector(".card h3").textContent.includes("again")`)
	tab.click(".card button", `">`)
	tab.until(`document.querySelector("dialog[open]") && document.querySelector(".toast")`)
	if got := tab.eval(`document.querySelectorAll(".card script, .card img, dialog script, dialog img, .toast img, [onerror], [onload]").length`); got != "0" {
		t.Errorf("%s hostile elements came to life", got)
	}
	if got := tab.eval(`document.querySelectorAll("a[href^='javascript']").length`); got != "0" {
		t.Errorf("%s hostile links", got)
	}
	if got := tab.eval(`document.querySelector(".card .output").textContent`); got != bad {
		t.Errorf("the output reads %q", got)
	}
	if got := tab.eval("window.owned"); got != "undefined" {
		t.Errorf("hostile text ran: %s", got)
	}
}

func settle(t *testing.T, chrome *chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	ref := s.card("ops", diskFull())
	tab := chrome.tab(t)
	tab.as(admin)
	tab.open("/?channel=ops", s)
	tab.until(`document.querySelector("#open .card")`)
	over := diskFull()
	over.Open, over.Buttons, over.State = false, nil, "OK"
	s.update(ref, over)
	tab.until(`document.querySelector("#over .card") && document.querySelector("#open").hidden && !document.querySelector("#calm").hidden`)
	s.card("ops", diskFull())
	tab.until(`document.querySelector("#open .card") && document.querySelector("#calm").hidden`)
	s.card("brand-new", diskFull())
	tab.until(`[...document.querySelectorAll("#channels a")].some((a) => a.textContent.includes("brand-new"))`)
}

func lost(t *testing.T, chrome *chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	s.card("ops", diskFull())
	tab := chrome.tab(t)
	tab.as(admin)
	tab.open("/", s)
	tab.until(`document.querySelector("#lost").hidden && document.querySelector(".card")`)
	s.web.Close() // the server stops: streams end, new ones end at once
	tab.until(`!document.querySelector("#lost").hidden`)
}

func phone(t *testing.T, chrome *chrome) {
	s := open(t, nil)
	admin := s.setUp("alice")
	sampleCards(s)
	sampleAlerts(s)
	long := diskFull()
	long.Title, long.Output = strings.Repeat("unbroken", 40), strings.Repeat("x", 3000)
	s.card("ops", long)
	tab := chrome.tab(t)
	tab.as(admin)
	tab.do(chromedp.EmulateViewport(375, 700))
	for _, path := range []string{"/?channel=ops", "/alerts", sampleAlertPath(s), "/deliveries", "/people"} {
		tab.open(path, s)
		if got := tab.eval("document.documentElement.scrollWidth"); got != "375" {
			t.Errorf("%s is %s px wide on a phone of 375", path, got)
		}
	}
}
