// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"belfry/config"
)

func TestValidate(t *testing.T) {
	for name, x := range map[string]struct{ yaml, field, says string }{
		"nothing":                 {`{}`, "", ""},
		"a pipe":                  {`{command_pipe: /var/lib/nagios4/rw/nagios.cmd}`, "", ""},
		"a pipe and status.dat":   {`{command_pipe: /p, status_file: /s, notify: false, sticky: 0, timeout: 3s}`, "", ""},
		"a pipe and livestatus":   {`{command_pipe: /p, livestatus: "192.0.2.1:6557"}`, "", ""},
		"livestatus by IPv6":      {`{livestatus: "[2001:db8::1]:6557"}`, "", ""},
		"links":                   {`{host_url: "https://n.example/{host}", service_url: "https://n.example/{host}/{service}"}`, "", ""},
		"nothing confirms":        {`{command_pipe: /p, notify: false}`, "notify", "nothing would ever confirm"},
		"two ways":                {`{command_pipe: /p, query_socket: /q}`, "query_socket", "keep one of the two"},
		"two sights":              {`{livestatus: /l, status_file: /s}`, "status_file", "keep one of the two"},
		"a relative path":         {`{command_pipe: rw/nagios.cmd}`, "command_pipe", "not an absolute path"},
		"livestatus without port": {`{livestatus: nagios.example.com}`, "livestatus", "neither a path"},
		"sticky":                  {`{sticky: 3}`, "sticky", "3 is not known"},
		"timeout":                 {`{timeout: 2h}`, "timeout", "out of bounds"},
		"a link without scheme":   {`{host_url: "nagios/{host}"}`, "host_url", "not a link"},
		"a script as a link":      {`{service_url: "javascript:{host}"}`, "service_url", "not a link"},
	} {
		t.Run(name, func(t *testing.T) {
			var c Config
			if err := yaml.Unmarshal([]byte(x.yaml), &c); err != nil {
				t.Fatal(err)
			}
			wrong := c.Validate()
			if _, err := c.Open(Options{}); (err != nil) != (x.field != "") {
				t.Errorf("Open: %v", err)
			}
			if x.field == "" {
				if len(wrong) > 0 {
					t.Errorf("faults %v", wrong)
				}
				return
			}
			if len(wrong) != 1 {
				t.Fatalf("faults %v, want one", wrong)
			}
			f, ok := errors.AsType[*config.FieldError](wrong[0])
			if !ok || f.Field != x.field || !strings.Contains(f.Text, x.says) {
				t.Errorf("fault %v, want %s: …%s…", wrong[0], x.field, x.says)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	c := Config{}
	if c.sticky() != 2 || !on(c.Notify) || !on(c.Persistent) || defaultTimeout > 30*time.Second {
		t.Error("the defaults are not sticky 2, notify, persistent")
	}
}
