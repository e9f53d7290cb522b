// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"testing"
	"time"

	"belfry/clock"
	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/doctor/doctortest"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

func TestExamine(t *testing.T) {
	all := openitcockpittest.Rights{Submit: true, Hosts: true, Services: true, ByUUID: true}
	without := func(change func(r *openitcockpittest.Rights)) func(*openitcockpittest.Server) {
		r := all
		change(&r)
		return func(s *openitcockpittest.Server) { s.Allow(r) }
	}
	for name, x := range map[string]struct {
		before func(s *openitcockpittest.Server)
		config func(c *Config)
		check  string
		level  doctor.Level
		says   []string
	}{
		"all is well":    {nil, nil, "right to send commands", doctor.OK, nil},
		"hosts are seen": {nil, nil, "right to see hosts", doctor.OK, nil},
		"the clock":      {nil, nil, "clock", doctor.OK, nil},
		"http":           {nil, nil, "encryption", doctor.Warn, []string{"in clear", "https://"}},
		"links":          {nil, nil, "links", doctor.OK, []string{"/a"}},
		"down":           {func(s *openitcockpittest.Server) { s.Down() }, nil, "address", doctor.Fail, []string{"can't reach"}},
		"a log-in page":  {func(s *openitcockpittest.Server) { s.FailReads(openitcockpittest.LoginPage) }, nil, "address", doctor.Fail, []string{"web page", "log-in"}},
		"a revoked key":  {func(s *openitcockpittest.Server) { s.Revoke() }, nil, "api key", doctor.Fail, []string{"does not take", "API keys"}},
		"no key":         {nil, func(c *Config) { c.APIKey = "" }, "api key", doctor.Warn, []string{"none is configured"}},
		"no lists": {without(func(r *openitcockpittest.Rights) { r.Hosts = false }), nil, "right to see hosts", doctor.Fail,
			[]string{"hosts → index"}},
		"no services": {without(func(r *openitcockpittest.Rights) { r.Services = false }), nil, "right to see services", doctor.Fail,
			[]string{"services → index"}},
		"no commands": {without(func(r *openitcockpittest.Rights) { r.Submit = false }), nil, "right to send commands", doctor.Fail,
			[]string{"NagiosModule → cmd → submit"}},
		"nothing to see": {func(s *openitcockpittest.Server) { s.Hide("00000010-93ce-4385-ac19-ab5c90574b77") }, nil, "right to see hosts", doctor.Warn,
			[]string{"sees none", "containers"}},
		"a clock that is off": {func(s *openitcockpittest.Server) { s.SetClock(5 * time.Minute) }, nil, "clock", doctor.Warn, []string{"differs by", "NTP"}},
		"a wrong port":        {nil, func(c *Config) { c.LinkURL = "http://127.0.0.1:1" }, "links", doctor.Warn, []string{"link_url", "127.0.0.1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openitcockpittest.New(t, 0)
			s.Service(s.Host("web01"), "Disk")
			if x.before != nil {
				x.before(s)
			}
			c := keyed(s)
			if x.config != nil {
				x.config(&c)
			}
			found := opened(t, c, Options{Clock: clock.System{}}).(doctor.Examiner).Examine(t.Context(), doctor.Visit{})
			doctortest.Check(t, found)
			doctortest.Expect(t, found, x.check, x.level, x.says...)
			for _, f := range found {
				secrettest.Check(t, openitcockpittest.Key, f)
			}
			if n := len(s.Commands()); n > 0 {
				t.Errorf("%d commands were carried out", n)
			}
		})
	}
}
