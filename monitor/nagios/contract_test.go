// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/monitortest"
	"belfry/monitor/nagios/nagiostest"
	"belfry/monitor/notification"
)

func open(t testing.TB, c Config) monitor.Monitor {
	t.Helper()
	m, err := c.Open(Options{Name: "core"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A real Nagios takes commands through its pipe; status.dat and the
// notifications that come back confirm them.
func TestContractWithRealNagios(t *testing.T) {
	dir := nagiostest.Dir(t)
	heard := filepath.Join(dir, "heard")
	if err := os.Mkdir(heard, 0o750); err != nil {
		t.Fatal(err)
	}
	nagiostest.Own(t, heard)
	script := filepath.Join(dir, "heard.sh")
	if err := os.WriteFile(script, []byte("f="+heard+"/$(date +%s%N).$$\nprintf '%s\\037' \"$@\" >\"$f\"\nmv \"$f\" \"$f.done\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	n := nagiostest.Start(t, nagiostest.Options{Dir: dir, NotifyCommandService: "/bin/sh " + script +
		` '$NOTIFICATIONTYPE$' '$HOSTNAME$' '$SERVICEDESC$' '$SERVICESTATEID$' '$SERVICEOUTPUT$' '$LONGSERVICEOUTPUT$' '$SERVICEPROBLEMID$' '$NOTIFICATIONAUTHOR$' '$NOTIFICATIONCOMMENT$'`})
	long := "a backslash \\n that is none\n\\\\server\\new\nend\\"
	n.SetService("2 CRITICAL - C:\\new `id`\n" + long)
	m := open(t, Config{CommandPipe: n.Pipe, StatusFile: n.StatusFile})
	reports := func() []alert.Report { return reportsOf(t, m, heard) }
	n.WaitFor("the problem's notification", func() bool { return len(reports()) > 0 })
	if r := reports()[0]; r.Kind != alert.ReportProblem || r.Severity != alert.SeverityCritical || r.ProblemID == "" || r.Output != "CRITICAL - C:\\new id\n"+strings.ReplaceAll(long, "`", "") {
		t.Errorf("the problem arrived as %+v", r)
	}
	monitortest.Commands(t, func(t *testing.T) monitortest.System {
		// One core for all: what the test before left is taken back.
		n.Command("REMOVE_SVC_ACKNOWLEDGEMENT;web01;Disk /var")
		n.Command("DEL_DOWNTIME_BY_HOST_NAME;web01")
		n.Command("DEL_ALL_SVC_COMMENTS;web01;Disk /var")
		n.WaitFor("the last of these", func() bool { return logged(n, "DEL_ALL_SVC_COMMENTS") })
		n.Settle()
		if s := n.ServiceStanding(); s.Acknowledged || s.InDowntime || len(s.Comments) > 0 || s.State != 2 {
			t.Fatalf("the core is not as at the start: %+v", s)
		}
		before := len(n.Commands())
		return monitortest.System{
			Monitor: m, Problem: service, Fine: host,
			Unknown:      alert.Object{Kind: alert.KindService, Host: "web01", Service: "nosuch"},
			Acknowledged: n.Acknowledged,
			Taken:        func() []string { return n.Commands()[before:] },
			Heard:        reports,
			Down:         n.Stop, Up: n.Start,
		}
	})
	if _, err := os.Stat("/tmp/belfry-pwned"); err == nil {
		t.Error("a hostile text was run")
	}
	// Its query socket is there, but not for commands: that must be said.
	_, err := open(t, Config{QuerySocket: n.QuerySocket}).(monitor.Checker).CheckNow(t.Context(), service)
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "configure command_pipe instead") {
		t.Errorf("the query socket of Nagios Core: %v", err)
	}
}

// logged says whether the last command that the core logged is name.
func logged(n *nagiostest.Nagios, name string) bool {
	all := n.Commands()
	return len(all) > 0 && strings.HasPrefix(all[len(all)-1], name)
}

// reportsOf decodes what the notification script wrote down.
func reportsOf(t *testing.T, m monitor.Monitor, dir string) []alert.Report {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.done"))
	if err != nil {
		t.Fatal(err)
	}
	var out []alert.Report
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		a := strings.Split(string(b), "\x1f")
		body, err := json.Marshal(notification.Notification{ID: filepath.Base(f), Type: "Service", NotificationType: a[0], HostName: a[1],
			ServiceDesc: a[2], State: notification.Word(a[3]), Output: a[4], LongOutput: a[5], ProblemID: notification.Word(a[6]), AckAuthor: a[7], AckComment: a[8]})
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Decode("application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d.Reports...)
	}
	return out
}

// The other ways, on a core that answers as Naemon and livestatus were seen to.
func TestContractOverSockets(t *testing.T) {
	for name, listen := range map[string]func(t *testing.T, c *nagiostest.Core) (Config, *nagiostest.Socket){
		"query socket": func(t *testing.T, c *nagiostest.Core) (Config, *nagiostest.Socket) {
			s := nagiostest.QuerySocket(t, c)
			return Config{QuerySocket: s.Address}, s
		},
		"query socket, status by livestatus": func(t *testing.T, c *nagiostest.Core) (Config, *nagiostest.Socket) {
			s := nagiostest.QuerySocket(t, c)
			return Config{QuerySocket: s.Address, Livestatus: nagiostest.LivestatusUnix(t, c).Address}, s
		},
		"livestatus over a unix socket": func(t *testing.T, c *nagiostest.Core) (Config, *nagiostest.Socket) {
			s := nagiostest.LivestatusUnix(t, c)
			return Config{Livestatus: s.Address}, s
		},
		"livestatus over TCP": func(t *testing.T, c *nagiostest.Core) (Config, *nagiostest.Socket) {
			s := nagiostest.LivestatusTCP(t, c)
			return Config{Livestatus: s.Address}, s
		},
	} {
		t.Run(name, func(t *testing.T) {
			monitortest.Commands(t, func(t *testing.T) monitortest.System {
				core := nagiostest.NewCore()
				core.Set("web01", "", 0)
				core.Set("web01", "Disk /var", 2)
				core.Set("web01", "Load", 2)
				c, s := listen(t, core)
				return monitortest.System{
					Monitor: open(t, c), Problem: service, Fine: host,
					Unknown: alert.Object{Kind: alert.KindHost, Host: "nosuch"},
					Acknowledged: func() (string, string, bool) {
						st := core.Standing("web01", "Disk /var")
						return st.Author, st.Comment, st.Acknowledged
					},
					Taken: core.Commands,
					Down:  s.Stop, Up: s.Start,
					Hang: func() { s.Fail(nagiostest.Hang) },
				}
			})
		})
	}
}

// What a monitor can do is what its configuration allows, so that nobody is
// promised an acknowledgement that has no way to go.
func TestAbilitiesFollowTheConfiguration(t *testing.T) {
	for _, x := range []struct {
		c               Config
		commands, sight bool
	}{
		{Config{}, false, false},
		{Config{StatusFile: "/s"}, false, true},
		{Config{CommandPipe: "/p"}, true, false},
		{Config{QuerySocket: "/q"}, true, false},
		{Config{CommandPipe: "/p", StatusFile: "/s"}, true, true},
		{Config{Livestatus: "/l"}, true, true},
	} {
		m := open(t, x.c)
		_, acks := m.(monitor.Acknowledger)
		_, checks := m.(monitor.Checker)
		_, reads := m.(monitor.StatusReader)
		if acks != x.commands || checks != x.commands || reads != x.sight {
			t.Errorf("%+v: acknowledges %v, checks %v, reads status %v", x.c, acks, checks, reads)
		}
	}
}

// What is read too early says nothing about a command that is on its way.
func TestStatusIsDatedBeforeCommandsThatMayBeOnTheirWay(t *testing.T) {
	core := nagiostest.NewCore()
	core.Set("web01", "", 0)
	m := open(t, Config{Livestatus: nagiostest.LivestatusUnix(t, core).Address})
	before := time.Now()
	st, err := m.(monitor.StatusReader).Status(t.Context(), []alert.Object{host})
	if err != nil || !st[0].Known {
		t.Fatalf("%+v, %v", st, err)
	}
	if !st[0].AsOf.Before(before) {
		t.Errorf("as of %v, which a command of %v could miss", st[0].AsOf, before)
	}
}
