// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

// cockpit is an openITCOCKPIT whose core runs documented notification commands,
// and the Mattermost that they show in.
type cockpit struct {
	t          *testing.T
	oitc       *openitcockpittest.Server
	chat       *mattermosttest.Server
	desk       *desk
	commands   commands
	host, disk string
	env        []string
	dir        string
}

func newCockpit(t *testing.T, c commands) *cockpit {
	t.Helper()
	k := &cockpit{t: t, commands: c, dir: t.TempDir(), oitc: openitcockpittest.New(t, 300*time.Millisecond)}
	k.host = k.oitc.Host("web01")
	k.disk = k.oitc.Service(k.host, "Disk /var")
	key := filepath.Join(k.dir, "key")
	if err := os.WriteFile(key, []byte(openitcockpittest.Key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var chat string
	k.chat, chat = mattermost(t)
	token := k.chat.AddCommand("belfry", "http://not.yet.example/")
	chat = strings.Replace(chat, "timeout: 3s", "timeout: 3s, command_tokens: ["+token+"]", 1)
	k.desk = serve(t, chat+fmt.Sprintf(`
sources:
  - {name: oitc, kind: openitcockpit, url: "%s", api_key_file: %s, link_url: "https://oitc.example:8443"}
`, k.oitc.URL, key))
	k.chat.MoveCommand("belfry", k.desk.url()+"/chat/chat/command")
	k.env = append(os.Environ(), "BELFRY_URL="+k.desk.url(), "BELFRY_TOKEN_FILE="+k.desk.token("oitc"),
		"BELFRY_SOURCE=oitc", "BELFRY_SPOOL="+filepath.Join(k.dir, "spool"))
	k.oitc.OnNotify(func(n openitcockpittest.Notification) {
		k.notify(n.Type, n.Service == "", n.State, "acknowledged", n.Author, n.Comment)
	})
	return k
}

// notify runs the documented command as the core does: macros are put in as
// they are, outputs without the characters that it takes out, and a shell reads
// the line.
func (k *cockpit) notify(kind string, host bool, state int, output, author, comment string) {
	k.t.Helper()
	line := k.commands.service
	if host {
		line = k.commands.host
	}
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune("`~$&|'\"<>", r) {
				return -1
			}
			return r
		}, s)
	}
	hostState := 0
	if host {
		hostState = state
	}
	line = strings.NewReplacer(
		"$NOTIFICATIONTYPE$", kind, "$HOSTNAME$", k.host, "$HOSTDISPLAYNAME$", "web01", "$HOSTADDRESS$", "192.0.2.1",
		"$SERVICEDESC$", k.disk, "$SERVICEDISPLAYNAME$", "Disk /var", "$HOSTSTATEID$", fmt.Sprint(hostState), "$SERVICESTATEID$", fmt.Sprint(state),
		"$HOSTOUTPUT$", clean(output), "$SERVICEOUTPUT$", clean(output), "$LONGHOSTOUTPUT$", "", "$LONGSERVICEOUTPUT$", "",
		"$HOSTPROBLEMID$", "7", "$SERVICEPROBLEMID$", "8", "$LASTHOSTPROBLEMID$", "0", "$LASTSERVICEPROBLEMID$", "0",
		// Naemon does not clean these two.
		"$NOTIFICATIONAUTHOR$", author, "$NOTIFICATIONCOMMENT$", comment,
	).Replace(line)
	cmd := exec.Command("/bin/sh", "-c", program+" notify "+line)
	cmd.Env, cmd.Dir = k.env, k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Errorf("%s: %v\n%s", line, err, out)
	}
}

func (k *cockpit) room() *mattermosttest.Room { return k.chat.Room("alerts") }

// fails has an object fail and its core notify of it.
func (k *cockpit) fails(uuid string, state int, output string) *mattermosttest.Card {
	k.t.Helper()
	k.oitc.SetState(uuid, state)
	k.notify("PROBLEM", uuid == k.host, state, output, "", "")
	return k.room().WaitCard(output)
}

// TestBothModulesCommandsGoTheWholeWay runs the pairs of commands that the
// document shows, from the problem to the confirmed acknowledgement, its
// removal, and the recovery: the Mattermost module's, the Slack module's, and
// the better ones.
func TestBothModulesCommandsGoTheWholeWay(t *testing.T) {
	t.Parallel()
	pairs := documented(t, "docs/openitcockpit.md")
	if len(pairs) != 3 {
		t.Fatalf("the document shows %d pairs of commands", len(pairs))
	}
	for i, module := range []string{"Mattermost module", "Slack module", "better"} {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			k := newCockpit(t, pairs[i])
			for _, x := range []struct {
				uuid, name, link string
				state            int
			}{
				{k.disk, "Disk /var", "https://oitc.example:8443/a/services/browser/" + k.disk, 2},
				{k.host, "web01", "https://oitc.example:8443/a/hosts/browser/" + k.host, 1},
			} {
				card := k.fails(x.uuid, x.state, "it is full of "+x.name)
				if !card.Shows(x.name) || card.Shows(x.uuid) || card.Color() != red {
					t.Errorf("the card reads %q in %s", card.Text(), card.Color())
				}
				if links := card.Reading().Links; !slices.Contains(links, x.link) {
					t.Errorf("the card links %q", links)
				}
				card.ClickAs("alice", "Acknowledge")
				if _, _, there := k.oitc.Acknowledged(x.uuid); !there && card.Shows("acknowledged by alice") {
					t.Errorf("the card claims too much: %q", card.Text())
				}
				card.WaitText("acknowledged by alice")
				if by, _, ok := k.oitc.Acknowledged(x.uuid); !ok || by != "alice" {
					t.Errorf("openITCOCKPIT has it acknowledged: %v, by %q", ok, by)
				}
				card.ClickAs("bob", "Un-acknowledge")
				card.WaitButtons("Acknowledge", "Acknowledge with comment…")
				if _, _, ok := k.oitc.Acknowledged(x.uuid); ok {
					t.Error("openITCOCKPIT still has it acknowledged")
				}
				k.oitc.SetState(x.uuid, 0)
				k.notify("RECOVERY", x.uuid == k.host, 0, "room again", "", "")
				card.WaitButtons()
				if card.Color() != green {
					t.Errorf("after recovery the card is %s", card.Color())
				}
			}
			if n := len(k.room().Cards()); n != 2 {
				t.Errorf("%d cards, want one of the service and one of the host", n)
			}
			for _, r := range k.oitc.Requests() {
				if strings.Contains(r, openitcockpittest.Key) {
					t.Errorf("the key is in an address: %s", r)
				}
			}
		})
	}
}

// TestHostileWordsNeitherRunNorShiftInOpenITCOCKPIT takes what people could
// write through the API, whose parameters are joined as they are, and back
// through a notification command whose shell reads author and comment uncleaned.
func TestHostileWordsNeitherRunNorShiftInOpenITCOCKPIT(t *testing.T) {
	t.Parallel()
	k := newCockpit(t, documented(t, "docs/openitcockpit.md")[0])
	card := k.fails(k.disk, 2, "it is full")
	hostile := "x;y;z\nDISABLE_HOST_NOTIFICATIONS;" + k.host + "\n\"; touch " + k.dir + "/pwned; \" $(touch " + k.dir + "/pwned) `touch " + k.dir + "/pwned` 'q' \\"
	card.ClickAs("alice", "Acknowledge with comment…")
	k.chat.WaitDialog("alice").Fill("Comment", hostile).Submit()
	card.WaitText("acknowledged by alice")
	if by, comment, _ := k.oitc.Acknowledged(k.disk); by != "alice" || !strings.HasPrefix(comment, "x,y,z / DISABLE_HOST_NOTIFICATIONS,") {
		t.Errorf("openITCOCKPIT has %q by %q", comment, by)
	}
	commands := k.oitc.Commands()
	if len(commands) != 1 || strings.Count(commands[0], ";") != 7 || !strings.Contains(commands[0], ";2;1;1;alice;x,y,z") {
		t.Errorf("the core read %q", commands)
	}
	if !k.oitc.Notifies(k.host) {
		t.Error("a comment became a command")
	}
	if _, err := os.Stat(filepath.Join(k.dir, "pwned")); err == nil {
		t.Error("a comment was run")
	}
}

// Downtimes, checks and the switch of notifications go through the queue, and
// are said to be done when the status shows them.
func TestWhatIsTypedReachesOpenITCOCKPIT(t *testing.T) {
	t.Parallel()
	k := newCockpit(t, documented(t, "docs/openitcockpit.md")[2])
	card := k.fails(k.disk, 2, "it is full")
	for line, x := range map[string]struct {
		answer, note, command string
		shows                 func() bool
	}{
		"/belfry downtime 1 2h new; disk": {"Asking oitc for a downtime", "oitc accepted a downtime", "SCHEDULE_SVC_DOWNTIME;", func() bool { return k.oitc.InDowntime(k.disk) }},
		"/belfry notifications 1 off":     {"notify nobody any more", "oitc accepted a stop of its notifications", "DISABLE_SVC_NOTIFICATIONS;", func() bool { return !k.oitc.Notifies(k.disk) }},
		"/belfry check 1":                 {"check now", "oitc accepted a check now", "SCHEDULE_FORCED_SVC_CHECK;", func() bool { return true }},
	} {
		if seen := k.chat.Type("alice", "alerts", line); seen.Failed != "" || !strings.Contains(seen.Whisper, x.answer) {
			t.Errorf("%s: alice sees %+v", line, seen)
		}
		card.WaitNote(x.note)
		if !x.shows() {
			t.Errorf("%s was said to be done before it was", line)
		}
		until(t, "the command", func() bool {
			return slices.ContainsFunc(k.oitc.Commands(), func(c string) bool { return strings.HasPrefix(c, x.command+k.host+";"+k.disk) })
		})
	}
	k.chat.Type("bob", "alerts", "/belfry notifications 1 on")
	card.WaitNote("oitc accepted notifications again")
	if !k.oitc.Notifies(k.disk) {
		t.Error("notifications were said to be on before they were")
	}
}

// A right that is missing is told with its name, and nothing is claimed.
func TestAnOpenITCOCKPITThatForbidsSaysSoOnTheCard(t *testing.T) {
	t.Parallel()
	k := newCockpit(t, documented(t, "docs/openitcockpit.md")[2])
	card := k.fails(k.disk, 2, "it is full")
	k.oitc.Allow(openitcockpittest.Rights{Hosts: true, Services: true, ByUUID: true})
	card.ClickAs("alice", "Acknowledge")
	card.WaitNote("NagiosModule → cmd → submit")
	if card.Shows("acknowledged by alice") || len(k.oitc.Commands()) > 0 {
		t.Errorf("the card reads %q, the core read %q", card.Text(), k.oitc.Commands())
	}
	card.WaitButtons("Acknowledge", "Acknowledge with comment…")
	k.oitc.Allow(openitcockpittest.Rights{Submit: true, Hosts: true, Services: true, ByUUID: true})
	card.ClickAs("alice", "Acknowledge")
	card.WaitText("acknowledged by alice")
}
