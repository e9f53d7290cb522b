// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"belfry/web/webtest"
)

// demo is a running belfry demo, with a temporary directory of its own to look into.
type demo struct {
	t     *testing.T
	temp  string
	out   *output
	cmd   *exec.Cmd
	ended chan error
}

func startDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{t: t, temp: t.TempDir(), out: &output{}, ended: make(chan error, 1)}
	d.cmd = exec.Command(program, "demo", "--listen", "127.0.0.1:0")
	d.cmd.Env = append(os.Environ(), "TMPDIR="+d.temp)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // when the test ended early; else it is gone
		if t.Failed() {
			t.Logf("belfry demo said:\n%s", d.out)
		}
	})
	return d
}

// page waits for the address that the demo prints.
func (d *demo) page() string {
	d.t.Helper()
	var found []string
	until(d.t, "the demo's address", func() bool {
		found = regexp.MustCompile(`(?m)^open (http://\S+)$`).FindStringSubmatch(d.out.String())
		return found != nil
	})
	return found[1]
}

// room is the demo's page in a browser.
type room struct{ *webtest.Tab }

// unreloaded marks the page, so that a reload would show.
const unreloaded = "window.belfryMark"

// watch has the page remember every text that its cards ever showed, in order:
// a state of a tenth of a second must not be missed.
const watch = unreloaded + ` = true;
	window.shown = {};
	const look = () => {
		for (const card of document.querySelectorAll(".card")) {
			const all = window.shown[card.id] ??= [];
			if (all.at(-1) !== card.innerText) all.push(card.innerText);
		}
	};
	look();
	new MutationObserver(look).observe(document.querySelector("#lists"), { childList: true, subtree: true, characterData: true });`

// fresh waits for an open card that was not seen before and returns its id.
// The estate mends nothing within 15 seconds, so there is time to act on it.
func (r room) fresh(seen map[string]bool) string {
	const first = `[...document.querySelectorAll("#open .card")].filter((c) => c.querySelector("button[value=ack]")).map((c) => c.id)`
	for {
		r.Until(first + ".length > 0")
		for id := range strings.SplitSeq(r.Eval(first), ",") {
			if !seen[id] && id != "" {
				return id
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// seen returns the cards that are there now.
func (r room) seen() map[string]bool {
	all := map[string]bool{}
	for id := range strings.SplitSeq(r.Eval(`[...document.querySelectorAll(".card")].map((c) => c.id)`), ",") {
		all[id] = true
	}
	return all
}

// shows waits for a text on a card.
func (r room) shows(id, text string) {
	r.Until(fmt.Sprintf(`document.getElementById(%q)?.innerText.includes(%q)`, id, text))
}

// inOrder wants that a card showed the texts one after the other.
func (r room) inOrder(t *testing.T, id string, texts ...string) {
	t.Helper()
	history := r.Eval(fmt.Sprintf(`window.shown[%q].join("\n----\n")`, id))
	rest := history
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("the card never showed %q after what came before it; it showed:\n%s", text, history)
			return
		}
		rest = after
	}
}

func TestTheDemoInABrowser(t *testing.T) {
	chrome := webtest.Start(t) // before the demo: its first problems come at once
	d := startDemo(t)
	r := room{chrome.Tab(t)}
	r.Open(d.page())
	r.Until(`document.querySelector("#lists")`)
	r.Eval("(() => {" + watch + "})()")

	id := r.fresh(nil)
	r.Click("#"+id+" button", "Acknowledge")
	r.shows(id, "acknowledged by you")
	r.inOrder(t, id, "acknowledging… for you", "acknowledged by you")
	r.Click("#"+id+" button", "Un-acknowledge")
	r.Until(fmt.Sprintf(`!document.getElementById(%q).innerText.includes("acknowledged by you at") && document.querySelector("#%s button[value=ack]")`, id, id))

	other := r.fresh(r.seen())
	r.Click("#"+other+" button", "Acknowledge with comment")
	r.Until(`document.querySelector("dialog[open] textarea") === document.activeElement`)
	const comment = `moved <b>40 GB</b> away; "watching" it`
	r.Do(chromedp.SendKeys("dialog textarea", comment))
	r.Click("dialog button", "Acknowledge")
	r.Until(`!document.querySelector("dialog")`)
	r.shows(other, "acknowledged by you")
	r.shows(other, comment)
	r.inOrder(t, other, "acknowledging… for you", "acknowledged by you")
	if r.Eval(unreloaded) != "true" {
		t.Error("the page was reloaded")
	}

	if left, _ := filepath.Glob(filepath.Join(d.temp, "belfry-demo-*")); len(left) != 1 {
		t.Errorf("the demo keeps its files in %q, want one directory", left)
	}
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-d.ended:
		if err != nil {
			t.Errorf("Ctrl-C ended the demo with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Ctrl-C did not end the demo")
	}
	if left, err := os.ReadDir(d.temp); err != nil || len(left) != 0 {
		t.Errorf("the demo left behind %v (%v)", left, err)
	}
	r.Until(`!document.querySelector("#lost").hidden`) // and the page says so
}
