// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

func TestCommandLines(t *testing.T) {
	now := time.Unix(1795321804, 0)
	var b strings.Builder
	add := func(s string, err error) {
		if err != nil {
			s = "error: " + err.Error()
		}
		fmt.Fprintln(&b, s)
	}
	said := language{sticky: 2, notify: true, persistent: true}
	quiet := language{sticky: 0}
	for _, o := range []alert.Object{host, service} {
		add(said.acknowledge(monitor.Acknowledgement{Object: o, Author: "ann.lee", Comment: "on it; ticket #42\nsee wiki"}, now))
		add(quiet.acknowledge(monitor.Acknowledgement{Object: o, Author: "ann.lee"}, now))
		add(said.unacknowledge(o, now))
		add(said.comment(o, "ann.lee", "disk ordered", now))
		add(said.downtime(monitor.Downtime{Object: o, Author: "ann.lee", Comment: "patching", Start: now, End: now.Add(90 * time.Minute)}, now))
		add(said.check(o, now))
		add(said.notifications(o, false, now))
		add(said.notifications(o, true, now))
	}
	golden(t, "commands.golden", b.String())
}

func TestCommandsThatAreRefused(t *testing.T) {
	now := time.Unix(1795321804, 0)
	said := language{}
	for name, do := range map[string]func() (string, error){
		"a comment without words": func() (string, error) { return said.comment(host, "ann", " \n", now) },
		"a downtime that ends at its start": func() (string, error) {
			return said.downtime(monitor.Downtime{Object: host, Author: "ann", Start: now, End: now}, now)
		},
		"nobody": func() (string, error) {
			return said.acknowledge(monitor.Acknowledgement{Object: host, Author: "\x00"}, now)
		},
		"a rule": func() (string, error) { return said.check(alert.Object{Kind: alert.KindRule, Rule: "r"}, now) },
	} {
		s, err := do()
		if d, _ := fault.Of(err); d != fault.Permanent || s != "" {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
}
