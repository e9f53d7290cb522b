// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/monitor/nagios/nagiostest"
)

// estate is a real Nagios that notifies belfry, and the Mattermost it shows in.
type estate struct {
	t      *testing.T
	nagios *nagiostest.Nagios
	chat   *mattermosttest.Server
	desk   *desk
	spool  string
}

func newEstate(t *testing.T, contacts ...string) *estate {
	t.Helper()
	const both = ` --notificationtype '$NOTIFICATIONTYPE$' --hostname '$HOSTNAME$' --hostdisplayname '$HOSTDISPLAYNAME$' --hostaddress '$HOSTADDRESS$'` +
		` --ackauthor '$NOTIFICATIONAUTHOR$' --ackcomment '$NOTIFICATIONCOMMENT$' --contact '$CONTACTNAME$'`
	return newEstateOf(t, commands{
		host: both + ` --type Host --state '$HOSTSTATEID$' --output '$HOSTOUTPUT$' --longoutput '$LONGHOSTOUTPUT$' --problemid '$HOSTPROBLEMID$' --lastproblemid '$LASTHOSTPROBLEMID$'`,
		service: both + ` --type Service --servicedesc '$SERVICEDESC$' --servicedisplayname '$SERVICEDISPLAYNAME$' --state '$SERVICESTATEID$'` +
			` --output '$SERVICEOUTPUT$' --longoutput '$LONGSERVICEOUTPUT$' --problemid '$SERVICEPROBLEMID$' --lastproblemid '$LASTSERVICEPROBLEMID$'`,
	}, contacts...)
}

// commands are the arguments of belfry notify, as the core's configuration has them.
type commands struct{ host, service string }

func newEstateOf(t *testing.T, c commands, contacts ...string) *estate {
	t.Helper()
	nagiostest.Need(t)
	e := &estate{t: t}
	dir := nagiostest.Dir(t)
	var chat string
	e.chat, chat = mattermost(t)
	e.desk = serve(t, chat+fmt.Sprintf(`
sources:
  - {name: nagios, kind: nagios, command_pipe: %s/rw/nagios.cmd, status_file: %s/status.dat}
`, dir, dir))
	// The core runs as another user: give it a copy of the token of its own.
	token, err := os.ReadFile(e.desk.token("nagios"))
	if err != nil {
		t.Fatal(err)
	}
	tokenFile := filepath.Join(dir, "belfry.token")
	if err := os.WriteFile(tokenFile, token, 0o600); err != nil {
		t.Fatal(err)
	}
	nagiostest.Own(t, tokenFile)
	e.spool = filepath.Join(dir, "spool-of-belfry")
	notify := fmt.Sprintf("%s notify --url %s --token-file %s --spool %s", program, e.desk.url(), tokenFile, e.spool)
	e.nagios = nagiostest.Start(t, nagiostest.Options{
		Dir: dir, Contacts: contacts,
		NotifyCommandHost:    notify + " " + c.host,
		NotifyCommandService: notify + " " + c.service,
	})
	return e
}

func (e *estate) room() *mattermosttest.Room { return e.chat.Room("alerts") }

func (e *estate) acknowledged() bool { _, _, ok := e.nagios.Acknowledged(); return ok }

const (
	red   = "#d9534f"
	green = "#5cb85c"
)

func TestAProblemInNagiosIsAcknowledgedFromMattermost(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.nagios.SetService("2 CRITICAL - 97% used on /var")
	card := e.room().WaitCard("97% used on /var")
	if card.Color() != red || !card.Shows("CRITICAL") || !card.Shows("Disk /var") {
		t.Errorf("the card reads %q in %s", card.Text(), card.Color())
	}

	if seen := card.ClickAs("alice", "Acknowledge"); seen.Failed != "" || seen.Whisper != "" {
		t.Fatalf("alice sees %+v", seen)
	}
	e.nagios.WaitFor("the acknowledgement in Nagios", func() bool {
		by, _, ok := e.nagios.Acknowledged()
		return ok && by == "alice"
	})
	card.WaitText("acknowledged by alice")
	card.WaitButtons("Un-acknowledge")
	card.WaitNote("alice")

	if seen := card.ClickAs("bob", "Un-acknowledge"); seen.Failed != "" || seen.Whisper != "" {
		t.Fatalf("bob sees %+v", seen)
	}
	e.nagios.WaitFor("the acknowledgement to be gone in Nagios", func() bool { return !e.acknowledged() })
	card.WaitButtons("Acknowledge", "Acknowledge with comment…")

	e.nagios.SetService("0 OK - 12% used on /var")
	card.WaitButtons()
	if card.Color() != green {
		t.Errorf("after recovery the card is %s", card.Color())
	}
	if n := len(e.room().Cards()); n != 1 {
		t.Errorf("%d cards, want one in all", n)
	}
	// Our own acknowledgement came back as a notification: it is no news.
	n := 0
	for _, note := range card.Thread() {
		if note.Shows("acknowledged") && note.Shows("alice") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the acknowledgement was told %d times", n)
	}
}

func TestAnAcknowledgementWaitsForANagiosThatIsStopped(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.nagios.SetService("2 CRITICAL - disk full")
	card := e.room().WaitCard("disk full")
	e.nagios.Stop()
	card.ClickAs("alice", "Acknowledge with comment…")
	e.chat.WaitDialog("alice").Fill("Comment", "new disk\nordered; $(touch "+e.nagios.Dir+"/pwned) `id`").Submit()
	card.WaitText("not running")
	if card.Shows("acknowledged by alice") {
		t.Errorf("the card claims too much: %q", card.Text())
	}
	e.nagios.Start()
	e.nagios.SetService("2 CRITICAL - disk full")
	e.nagios.WaitFor("the acknowledgement in Nagios", e.acknowledged)
	card.WaitText("acknowledged by alice")
	if _, comment, _ := e.nagios.Acknowledged(); !strings.Contains(comment, "new disk") || !strings.Contains(comment, "ordered") {
		t.Errorf("the comment in Nagios is %q", comment)
	}
	acks := slices.DeleteFunc(e.nagios.Commands(), func(c string) bool { return !strings.HasPrefix(c, "ACKNOWLEDGE_") })
	if len(acks) != 1 || len(e.nagios.Commands()) != 1 {
		t.Errorf("commands: %q", e.nagios.Commands())
	}
	if _, err := os.Stat(filepath.Join(e.nagios.Dir, "pwned")); err == nil {
		t.Error("the comment was run")
	}
}

func TestABelfryThatIsDownLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.desk.kill()
	e.nagios.SetService("2 CRITICAL - disk full")
	e.nagios.WaitFor("the notification in the spool", func() bool {
		files, _ := filepath.Glob(filepath.Join(e.spool, "*.json"))
		return len(files) > 0
	})
	e.desk.start()
	// The next notification brings the spooled one along, in order.
	e.nagios.SetHost("2 DOWN - host gone")
	e.room().WaitCard("disk full")
	e.room().WaitCard("host gone")
	if n := len(e.room().Cards()); n != 2 {
		t.Errorf("%d cards, want two", n)
	}
}

func TestHostileOutputIsShownAndHarmsNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	hostile := `back\slash ` + "`tick` ```fence``` " + `"double" @channel @here @alice <!here> <b>bold</b> [link](http://evil.example) # heading ünï ☃ ` +
		`$(touch ` + e.nagios.Dir + `/pwned) ; touch ` + e.nagios.Dir + `/pwned2 | performance=data`
	e.nagios.SetService("2 CRITICAL - " + hostile + "\nsecond line\n" + strings.Repeat("0123456789abcdef ", 512) + "END")
	card := e.room().WaitCard("CRITICAL")
	for _, want := range []string{`back\slash`, "channel", "ünï ☃", "second line"} {
		if !card.Shows(want) {
			t.Errorf("the card does not show %q: %q", want, card.Text())
		}
	}
	if rang := e.room().Rings(); len(rang) != 0 {
		t.Errorf("it rang %v", rang)
	}
	if links := card.Reading().Links; slices.ContainsFunc(links, func(l string) bool { return strings.Contains(l, "evil") }) {
		t.Errorf("it links %v", links)
	}
	if card.Shows("END") || !card.Shows("more characters") {
		t.Errorf("long output is not cut with a count: %q", card.Text())
	}
	for _, f := range []string{"pwned", "pwned2"} {
		if _, err := os.Stat(filepath.Join(e.nagios.Dir, f)); err == nil {
			t.Errorf("the output was run: %s", f)
		}
	}
	card.ClickAs("alice", "Acknowledge")
	card.WaitText("acknowledged by alice")
}

func TestAnAcknowledgementMadeInNagiosShowsOnTheCard(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.nagios.SetService("2 CRITICAL - disk full")
	card := e.room().WaitCard("disk full")
	e.nagios.Command("ACKNOWLEDGE_SVC_PROBLEM;%s;%s;2;1;1;operator;from the console", e.nagios.Host, e.nagios.Service)
	card.WaitText("acknowledged by operator")
	if !card.Shows("from the console") {
		t.Errorf("the card reads %q", card.Text())
	}
	card.WaitButtons("Un-acknowledge")
}
