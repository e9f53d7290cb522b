// SPDX-License-Identifier: Apache-2.0

package nagiostest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/monitor/nagios/nagiostest"
)

func TestRealNagiosNotifiesAndIsAcknowledged(t *testing.T) {
	dir := nagiostest.Dir(t)
	heard := filepath.Join(dir, "heard")
	n := nagiostest.Start(t, nagiostest.Options{
		Dir:                  dir,
		Env:                  []string{"HEARD=" + heard},
		NotifyCommandService: `printf '%s|%s\n' '$NOTIFICATIONTYPE$' '$SERVICEOUTPUT$' >>"$$HEARD"`,
	})
	said := func() string {
		b, _ := os.ReadFile(heard)
		return string(b)
	}
	n.SetService("2 CRITICAL - full\nlong")
	n.WaitFor("the problem's notification", func() bool { return strings.Contains(said(), "PROBLEM|CRITICAL - full") })
	n.Command("ACKNOWLEDGE_SVC_PROBLEM;%s;%s;2;1;1;alice;on it", n.Host, n.Service)
	n.WaitFor("the acknowledgement", func() bool {
		author, comment, ok := n.Acknowledged()
		return ok && author == "alice" && comment == "on it"
	})
	n.WaitFor("the acknowledgement's notification", func() bool { return strings.Contains(said(), "ACKNOWLEDGEMENT|") })

	n.Stop()
	if _, err := os.Stat(n.Pipe); err != nil {
		t.Errorf("a stopped Nagios leaves its pipe behind, but: %v", err)
	}
	n.Start()
	n.WaitFor("the acknowledgement to be kept over the restart", func() bool { _, _, ok := n.Acknowledged(); return ok })
	n.Kill()
	n.Start()
	n.SetService("0 OK - fine")
	n.WaitFor("the recovery", func() bool { return strings.Contains(said(), "RECOVERY|OK - fine") })
}
