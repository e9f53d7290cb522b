// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/seal"
)

// site is a Mattermost as its administrator sees it: the fake one as it is
// just after its installation, or a real one.
type site struct {
	t                         *testing.T
	url, token, team, channel string
}

// TestFromNothingToAnAcknowledgedTestCard is what a new administrator does: two
// commands beside a server that runs already, and one click.
func TestFromNothingToAnAcknowledgedTestCard(t *testing.T) {
	t.Parallel()
	mm := mattermosttest.Start(t, mattermosttest.Options{Fresh: true})
	mm.AddChannel("ops")
	s := &site{t: t, url: mm.URL(), token: mm.UserToken("admin"), team: mattermosttest.Team, channel: "ops"}
	s.tour()
	mm.Room("ops").Card("Acknowledged by admin").WaitButtons()
	if mm.Knows("belfry") || len(mm.Commands())+len(mm.OutgoingHooks()) != 0 || mm.Setting("EnableBotAccountCreation") != false {
		t.Error("something of ours is left")
	}
}

// TestSetUpOnARealServer is the same on a server given by its address and an
// administrator's token. It makes a channel, and removes what it made.
func TestSetUpOnARealServer(t *testing.T) {
	s := &site{t: t, url: os.Getenv("BELFRY_MATTERMOST_URL"), token: os.Getenv("BELFRY_MATTERMOST_ADMIN_TOKEN")}
	if s.url == "" || s.token == "" {
		t.Skip("set BELFRY_MATTERMOST_URL and BELFRY_MATTERMOST_ADMIN_TOKEN to run this against a real server")
	}
	var teams []struct{ Name string }
	s.call("GET", "/users/me/teams", nil, &teams)
	if len(teams) == 0 {
		t.Fatal("the administrator is in no team")
	}
	s.team, s.channel = teams[0].Name, "belfry-test-"+seal.Random()[:8]
	s.tour("--create-channels", "--bot", "belfry"+seal.Random()[:8], "--command", "belfry"+seal.Random()[:6])
}

// tour goes the whole way: set-up, test, click, and everything undone.
func (s *site) tour(extra ...string) {
	d := serve(s.t, "server: {public_url: \"http://127.0.0.1:PORT\", data: DIR/data}\n# ours\ndefault: {channels: [room/alerts]}\n"+
		"sources: [{name: nagios, kind: nagios}]\nanswers: [{name: "+word+", kind: query}]\n")
	tokenFile := filepath.Join(d.dir, "admin.token")
	if err := os.WriteFile(tokenFile, []byte(s.token+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	said := s.belfry(append([]string{"mattermost", "setup", "--url", s.url, "--team", s.team, "--channel", s.channel,
		"--admin-token-file", tokenFile, "--change-settings", "--trigger", word, "--write", d.config}, extra...)...)
	if !strings.Contains(said, "the running server read its configuration again") {
		s.t.Errorf("the server was not told:\n%s", said)
	}
	test := exec.Command(program, "test", "--channel", "chat/"+s.channel, "--config", d.config, "--timeout", "1m")
	var out output
	test.Stdout, test.Stderr = &out, &out
	if err := test.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.click()
	if err := test.Wait(); err != nil {
		s.t.Errorf("belfry test: %v", err)
	}
	if !strings.Contains(out.String(), "works in both directions") {
		s.t.Errorf("belfry test said:\n%s", &out)
	}
	s.ask()
	s.slash(extra)
	s.examine(d, tokenFile)
	s.listens(d)
	undone := s.belfry("mattermost", "remove", "--config", d.config, "--admin-token-file", tokenFile)
	if !strings.Contains(undone, "what the set-up made is undone") {
		s.t.Errorf("belfry mattermost remove said:\n%s", undone)
	}
	for _, text := range []string{said, undone, out.String(), d.out.String()} {
		if strings.Contains(text, s.token) {
			s.t.Error("the administrator's token is shown")
		}
	}
}

// belfry runs a command, wants it to succeed, and returns what it said.
func (s *site) belfry(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("belfry %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// word is what has an answer.
const word = "belfrystatus"

// channelID is the channel's.
func (s *site) channelID() string {
	s.t.Helper()
	var channel struct{ ID string }
	s.call("GET", "/teams/name/"+s.team+"/channels/name/"+s.channel, nil, &channel)
	return channel.ID
}

// post is a post as far as these tests look at it.
type post struct {
	ID      string
	Root    string `json:"root_id"`
	Message string
	Props   json.RawMessage
}

// waitPost waits for a post in the channel and returns it.
func (s *site) waitPost(what string, is func(post) bool) (found post) {
	s.t.Helper()
	channel := s.channelID()
	until(s.t, what, func() bool {
		var list struct{ Posts map[string]post }
		s.call("GET", "/channels/"+channel+"/posts", nil, &list)
		for _, p := range list.Posts {
			if is(p) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

// ask types the word into the channel, as a screen does, and waits for its answer.
func (s *site) ask() {
	s.t.Helper()
	var asked post
	s.call("POST", "/posts", map[string]string{"channel_id": s.channelID(), "message": word}, &asked)
	s.waitPost("an answer to "+word, func(p post) bool {
		return p.Root == asked.ID && strings.Contains(p.Message, "Nothing is wrong at this moment")
	})
}

// slash types the slash command, as a screen does.
func (s *site) slash(extra []string) {
	s.t.Helper()
	command := "belfry"
	if i := slices.Index(extra, "--command"); i >= 0 {
		command = extra[i+1]
	}
	var team struct{ ID string }
	s.call("GET", "/teams/name/"+s.team, nil, &team)
	var answer struct {
		Type string `json:"response_type"`
		Text string
	}
	s.call("POST", "/commands/execute", map[string]string{"channel_id": s.channelID(), "team_id": team.ID, "command": "/" + command + " whoami"}, &answer)
	if answer.Type != "ephemeral" || !strings.Contains(answer.Text, "not linked with anybody") {
		s.t.Errorf("/%s whoami is answered with %+v", command, answer)
	}
}

// examine has belfry doctor look at what was set up: nothing of the connection
// may fail.
func (s *site) examine(d *desk, tokenFile string) {
	s.t.Helper()
	out, err := exec.Command(program, "doctor", "--json", "--config", d.config, "--admin-token-file", tokenFile).Output()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		s.t.Fatal(err)
	}
	var report struct {
		Findings []struct{ Subject, Level, Seen, Remedy string }
	}
	if err := json.Unmarshal(out, &report); err != nil || len(report.Findings) < 10 {
		s.t.Fatalf("belfry doctor said %v:\n%s", err, out)
	}
	for _, f := range report.Findings {
		if f.Level == "fail" {
			s.t.Errorf("the doctor finds %+v", f)
		}
	}
}

// listens switches to the websocket, over which a problem is acknowledged by
// what is typed.
func (s *site) listens(d *desk) {
	s.t.Helper()
	config, err := os.ReadFile(d.config)
	if err == nil {
		text := strings.Replace(string(config), "kind: mattermost\n", "kind: mattermost\n    websocket: true\n", 1)
		err = os.WriteFile(d.config, []byte(text), 0o600)
	}
	if err == nil {
		err = d.cmd.Process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	until(s.t, "somebody to listen over the websocket", func() bool { return strings.Contains(d.out.String(), "listening over the websocket") })
	s.belfry("notify", "--socket", filepath.Join(d.dir, "data", "belfry.sock"), "--spool", filepath.Join(d.dir, "spool"), "--type", "Host", "--notificationtype", "PROBLEM",
		"--hostname", "tour01", "--state", "1", "--output", "no answer", "--channel", "chat/"+s.channel)
	s.waitFor("tour01", "no answer")
	s.call("POST", "/posts", map[string]string{"channel_id": s.channelID(), "message": "!ack tour01 on it"}, nil)
	s.waitFor("tour01", "acknowledged by", "on it")
}

// waitFor waits until a card of the channel has all words.
func (s *site) waitFor(words ...string) {
	s.t.Helper()
	s.waitPost(fmt.Sprintf("a card that says %q", words), func(p post) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(string(p.Props), w) })
	})
}

// click waits for the test card and presses its button through the API, as a
// screen does.
func (s *site) click() {
	s.t.Helper()
	button := ""
	card := s.waitPost("a test card", func(p post) bool {
		var props struct {
			Attachments []struct{ Actions []struct{ ID, Name string } }
		}
		if err := json.Unmarshal(p.Props, &props); err != nil {
			s.t.Fatalf("%v: %s", err, p.Props)
		}
		for _, a := range props.Attachments {
			for _, action := range a.Actions {
				if action.Name == "Acknowledge" {
					button = action.ID
				}
			}
		}
		return button != ""
	})
	s.call("POST", "/posts/"+card.ID+"/actions/"+button, struct{}{}, nil)
}

// call makes a call of the API as the administrator.
func (s *site) call(method, path string, body, into any) {
	s.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest(method, strings.TrimRight(s.url, "/")+"/api/v4"+path, bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode > 299 {
		s.t.Fatalf("%s %s: %s %v %s", method, path, answer.Status, err, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			s.t.Fatal(fmt.Errorf("%s %s: %w: %s", method, path, err, raw))
		}
	}
}
