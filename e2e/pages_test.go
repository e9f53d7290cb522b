// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/web/webtest"
)

// administrator is the first one of a running Belfry, in a browser.
type administrator struct {
	*webtest.Tab
	d     *desk
	shots string
}

// enter makes the first administrator by the link that the start printed.
func enter(t *testing.T, d *desk) *administrator {
	t.Helper()
	var link []string
	until(t, "the administrator's link", func() bool {
		link = regexp.MustCompile(`once\): (http\S+)\n`).FindStringSubmatch(d.out.String())
		return link != nil
	})
	at, err := url.Parse(link[1])
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	const password = "correct horse battery"
	answer, err := (&http.Client{Jar: jar}).PostForm(d.url()+"/setup", url.Values{"token": {at.Query().Get("token")}, "name": {"root"}, "password": {password}, "again": {password}})
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("can't become the administrator: %v %v", answer, err)
	}
	_ = answer.Body.Close()
	a := &administrator{Tab: webtest.Start(t).Tab(t), d: d, shots: os.Getenv("BELFRY_SHOTS")}
	a.TakeCookies(d.url(), jar)
	return a
}

// shot holds the page to the width of a phone, and takes pictures as that and a
// desktop show it, for people to look at.
func (a *administrator) shot(t *testing.T, name string) {
	t.Helper()
	for suffix, width := range map[string]int64{"desktop": 1280, "phone": 390} {
		a.Do(chromedp.EmulateViewport(width, 900))
		if got := a.Eval("document.documentElement.scrollWidth"); width == 390 && got != "390" {
			t.Errorf("%s is %s wide on a phone of 390", name, got)
		}
		if a.shots == "" {
			continue
		}
		a.Do(chromedp.Sleep(200 * time.Millisecond))
		if err := os.WriteFile(filepath.Join(a.shots, name+"-"+suffix+".png"), a.Picture(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.Do(chromedp.EmulateViewport(1280, 900))
}

func (a *administrator) fill(t *testing.T, fields ...string) {
	t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		a.Eval(`document.getElementById("` + fields[i] + `").value = "` + fields[i+1] + `"`)
	}
}

func (a *administrator) reads(text string) {
	a.Until(`document.body.innerText.includes(` + "`" + text + "`" + `)`)
}

// TestFromNothingToAnAcknowledgedTestCardOnThePages: without a configuration
// file, and back to nothing; the administrator's token leaves no trace.
func TestFromNothingToAnAcknowledgedTestCardOnThePages(t *testing.T) {
	t.Parallel()
	mm := mattermosttest.Start(t, mattermosttest.Options{Fresh: true})
	mm.AddChannel("ops")
	token := mm.UserToken("admin")
	d := serve(t, "server: {public_url: \"http://127.0.0.1:PORT\"}\n")
	a := enter(t, d)
	a.Open(d.url() + "/connections")
	a.reads("room/alerts")
	a.shot(t, "connections-empty")
	a.Click("a", "Connect a Mattermost server")
	a.Until(`document.getElementById("token")`)
	a.shot(t, "setup-form")
	a.fill(t, "url", mm.URL(), "team", mattermosttest.Team, "handles", "ops", "token", "wrong-token-of-nobody")
	a.Click("button", "Show the plan")
	a.reads("does not accept the administrator's token")
	if left := a.Eval(`document.getElementById("token").value`); left != "" {
		t.Errorf("the token is shown again: %q", left)
	}
	a.Eval(`document.querySelector("input[name=change_settings]").checked = true`)
	a.Eval(`document.querySelector("input[name=oauth]").checked = true`)
	a.fill(t, "token", token)
	a.Click("button", "Show the plan")
	a.reads("Nothing is changed yet.")
	a.shot(t, "setup-plan")
	if mm.Knows("belfry") {
		t.Error("the plan made the bot")
	}
	a.Click("button", "Carry it out")
	a.reads("Everything is there.")
	a.shot(t, "setup-done")
	file := filepath.Join(d.dir, "data", "conf.d", "chat.yaml")
	made, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(made), "channels: [chat/ops]") {
		t.Errorf("the connection's file: %v\n%s", err, made)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v %v", info, err)
	}
	a.Click("button", "Post a test card to chat/ops")
	mm.Room("ops").WaitCard("Test").ClickAs("admin", "Acknowledge")
	a.reads("it works in both directions")
	a.reads("takes buttons, forms and commands at")
	a.shot(t, "connections-works")

	// A card of an alert goes there by the default that was made.
	d.hand("nagios", problem("disk", "PROBLEM", 2))
	mm.Room("ops").WaitCard("disk")
	d.stop()
	d.start() // and after a start
	a.Open(d.url() + "/connections")
	a.reads("knows us as @belfry")

	// Signing in to Mattermost instead of pasting a token.
	a.Click("a", "Change or repair")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(mm.URL())
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, []*http.Cookie{mm.Cookie("admin")})
	a.TakeCookies(mm.URL(), jar)
	mm.AddChannel("db")
	a.Until(`document.getElementById("handles")`)
	a.fill(t, "handles", "ops db")
	a.shot(t, "repair-form")
	a.Click("button", "Sign in to Mattermost instead")
	a.Click("button", "Allow")
	a.reads("Nothing is changed yet.")
	if text := a.Eval("location.href"); strings.Contains(text, "code=") {
		t.Errorf("the code stands in the address: %s", text)
	}
	a.reads("as @admin")
	a.Click("button", "Carry it out")
	a.reads("Everything is there.")
	until(t, "the token to be given back", func() bool { return mm.OAuthTokens() == 0 })
	a.reads("No route leads to")
	a.Open(d.url() + "/connections/remove/chat")
	a.shot(t, "removal-form")
	a.fill(t, "token", token)
	a.Click("button", "Show the plan")
	a.reads("To be undone on")
	a.shot(t, "removal-plan")
	a.Click("button", "Undo all of it")
	a.reads("Everything is undone.")
	a.shot(t, "removal-done")
	if mm.Knows("belfry") || len(mm.Commands()) != 0 || mm.Setting("EnableBotAccountCreation") != false {
		t.Error("something of ours is left on the server")
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the connection's file is still there: %v", err)
	}
	a.Open(d.url() + "/connections")
	if text := a.Reads(); strings.Contains(text, mm.URL()) {
		t.Errorf("the connection is still there:\n%s", text)
	}
	leavesNoTrace(t, d, token)
}

// leavesNoTrace looks for a secret in all that Belfry wrote.
func leavesNoTrace(t *testing.T, d *desk, secret string) {
	t.Helper()
	d.stop()
	if strings.Contains(d.out.String(), secret) {
		t.Error("the secret is in the log")
	}
	err := filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), secret) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
