// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"belfry/monitor/notification"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// The argument lists as openITCOCKPIT documents them for its Mattermost and
// Slack modules, with macros replaced as a core replaces them.
func mattermostArguments() []string {
	return []string{"--type", "Service", "--notificationtype", "PROBLEM",
		"--hostuuid", "c36b8048-93ce-4385-ac19-ab5c90574b77", "--serviceuuid", "74fd8f59-1348-4e16-85f0-4a5c57c7dd62",
		"--state", "2", "--output", "CRITICAL", "--ackauthor", "", "--ackcomment", "", "--no-emoji"}
}

func slackArguments() []string {
	return []string{"--type", "Host", "--notificationtype", "RECOVERY", "--hostname", "web01", "--hostaddress", "10.0.0.1",
		"--hoststate", "UP", "--output", "", "--servicedesc", "", "--servicestate", ""}
}

func TestDocumentedArgumentLists(t *testing.T) {
	for name, x := range map[string]struct {
		args []string
		want notification.Notification
	}{
		"mattermost": {mattermostArguments(), notification.Notification{Type: "Service", NotificationType: "PROBLEM",
			HostUUID: "c36b8048-93ce-4385-ac19-ab5c90574b77", ServiceUUID: "74fd8f59-1348-4e16-85f0-4a5c57c7dd62",
			State: "2", Output: "CRITICAL", NoEmoji: true}},
		"slack": {slackArguments(), notification.Notification{Type: "Host", NotificationType: "RECOVERY", HostName: "web01",
			HostAddress: "10.0.0.1", HostState: "UP"}},
		"short": {[]string{"-t", "host", "--notificationtype=CUSTOM", "--hostname", "--type", "--output", "-x", "--label", "team=a=b", "--label", "x="},
			notification.Notification{Type: "host", NotificationType: "CUSTOM", HostName: "--type", Output: "-x", Labels: map[string]string{"team": "a=b", "x": ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parse(x.args)
			must(t, err)
			got, err := a.notification()
			must(t, err)
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Error("(-want +got):\n" + diff)
			}
		})
	}
}

func TestWrongUsageSaysWhatIsRight(t *testing.T) {
	host := []string{"--type", "Host", "--notificationtype", "PROBLEM", "--hostname", "h"}
	for want, args := range map[string][]string{
		"--type is missing; say --type Host or --type Service":                {"--notificationtype", "PROBLEM"},
		"unknown option \"--servicedescription\"; did you mean --servicedesc": {"--type", "Host", "--servicedescription", "x"},
		"unknown option \"--outptu\"; did you mean --output?":                 append(host, "--outptu", "x"),
		"unknown option \"-output\"; did you mean --output?":                  append(host, "-output", "x"),
		"unknown option \"--zzzzzzzz\"; see belfry notify --help":             append(host, "--zzzzzzzz"),
		"--output has no value; an empty one is written --output ''":          append(host, "--output"),
		"--no-emoji does not take the value \"maybe\"":                        append(host, "--no-emoji=maybe"),
		"unexpected argument \"CRITICAL\"; every value":                       append(host, "--output", "DISK", "CRITICAL"),
		"--type: \"Hst\" is not known; it is Host or Service":                 {"--type", "Hst", "--notificationtype", "PROBLEM", "--hostname", "h"},
		"--notificationtype: \"PROBLEMS\" is not known; it is one of ACK":     {"--type", "Host", "--notificationtype", "PROBLEMS", "--hostname", "h"},
		"--notificationtype is missing; it is one of ACKNOWLEDGEMENT":         {"--type", "Host", "--hostname", "h"},
		"--hostname or --hostuuid is needed":                                  {"--type", "Host", "--notificationtype", "PROBLEM"},
		"type Service needs --servicedesc or --serviceuuid":                   {"--type", "Service", "--notificationtype", "PROBLEM", "--hostname", "h"},
		"--label \"x\" is not understood; write --label name=value":           append(host, "--label", "x"),
	} {
		e := newEstate(t)
		code, out, said := e.call(args...)
		if code != ExitUsage || out != "" || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: exit %d, told %q, said %q; want 3 and one line with %q", args, code, out, said, want)
		}
		if e.server.Requests() != 0 || e.waiting() != 0 {
			t.Errorf("%q: something was done", args)
		}
	}
}

func TestLongTextsAreCutAndSayByHowMuch(t *testing.T) {
	long := strings.Repeat("ä\x01", 300<<10)
	a, err := parse([]string{"--type", "Host", "--notificationtype", "PROBLEM", "--hostname", "h", "--contact", strings.Repeat("ü", 2000),
		"--output", long, "--longoutput", long, "--ackcomment", long})
	must(t, err)
	n, err := a.notification()
	must(t, err)
	b, err := encode(n)
	must(t, err)
	if len(b) > notification.MaxBody {
		t.Errorf("the body has %d bytes", len(b))
	}
	for _, s := range []string{n.Output, n.LongOutput, n.AckComment, n.Contact} {
		if !strings.HasSuffix(s, " bytes cut)") || !utf8.ValidString(s) {
			t.Errorf("ends in %q", s[len(s)-30:])
		}
	}
	if len(n.Contact) > maxNameBytes {
		t.Errorf("the contact has %d bytes", len(n.Contact))
	}
}

func TestLatin1IsRead(t *testing.T) {
	if got := toUTF8("Ger\xe4t \u00fcber 20 \xb0C"); got != "Gerät über 20 °C" {
		t.Errorf("%q", got)
	}
}

// FuzzArguments looks for command lines that break the parser, or that it
// takes although the server would not.
func FuzzArguments(f *testing.F) {
	f.Add(strings.Join(mattermostArguments(), "\x00"))
	f.Add(strings.Join(slackArguments(), "\x00"))
	f.Add("--drain")
	f.Add("-t\x00Host\x00--notificationtype\x00CUSTOM\x00--hostname\x00h\x00--label\x00a=b\x00--output\x00\\\"'`$(x)\xff")
	f.Add("--\x00-\x00---\x00--=x\x00-th")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := parse(strings.Split(line, "\x00"))
		if err != nil {
			if !errors.Is(err, pflag.ErrHelp) && (err.Error() == "" || strings.Contains(err.Error(), "\n")) {
				t.Fatalf("not one line: %q", err)
			}
			return
		}
		if a.drain {
			return
		}
		n, err := a.notification()
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("not one line: %q", err)
			}
			return
		}
		body, err := encode(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := notification.Decode("application/json", body, notification.Links{}); err != nil {
			t.Fatalf("taken here, but not by the server: %v", err)
		}
	})
}
