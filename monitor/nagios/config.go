// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"belfry/config"
)

// defaultTimeout bounds one exchange with the core.
const defaultTimeout = 5 * time.Second

// Config is how Belfry reaches one core. All of it may be left out: then the
// core's notifications are shown, but it can't be told anything.
type Config struct {
	// CommandPipe is the core's command_file.
	CommandPipe string `yaml:"command_pipe,omitempty"`
	// QuerySocket is Naemon's query_socket. It answers every command.
	QuerySocket string `yaml:"query_socket,omitempty"`
	// Livestatus is the path of livestatus' unix socket, or its host:port. It
	// takes commands unless command_pipe or query_socket is set, and confirms.
	Livestatus string `yaml:"livestatus,omitempty"`
	// StatusFile is the core's status_file (status.dat), which confirms.
	StatusFile string `yaml:"status_file,omitempty"`
	// Sticky is 2 (the default: the acknowledgement stays until the object is
	// fine), or 0 (it goes with the next change of state). Naemon takes 1 as 2.
	Sticky *int `yaml:"sticky,omitempty"`
	// Notify, true by default, makes the core tell its contacts, and so us, of
	// the acknowledgement.
	Notify *bool `yaml:"notify,omitempty"`
	// Persistent, true by default, keeps the comment over a restart of the core.
	Persistent *bool `yaml:"persistent,omitempty"`
	// Timeout bounds one exchange with a socket; 5s by default.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// HostURL and ServiceURL are templates of links for titles, with {host}
	// and {service} for the names.
	HostURL    string `yaml:"host_url,omitempty"`
	ServiceURL string `yaml:"service_url,omitempty"`
}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var wrong []error
	for _, f := range []struct{ field, path string }{
		{"command_pipe", c.CommandPipe}, {"query_socket", c.QuerySocket}, {"status_file", c.StatusFile},
	} {
		if f.path != "" && !filepath.IsAbs(f.path) {
			wrong = append(wrong, config.Wrong(f.field, "%q is not an absolute path", f.path))
		}
	}
	if c.Livestatus != "" {
		if err := checkLivestatus(c.Livestatus); err != nil {
			wrong = append(wrong, err)
		}
	}
	if c.CommandPipe != "" && c.QuerySocket != "" {
		wrong = append(wrong, config.Wrong("query_socket", "command_pipe is set too; commands go one way: keep one of the two"))
	}
	if c.Livestatus != "" && c.StatusFile != "" {
		wrong = append(wrong, config.Wrong("status_file", "livestatus is set too; status is read in one place: keep one of the two"))
	}
	if c.CommandPipe != "" && c.Livestatus == "" && c.StatusFile == "" && !on(c.Notify) {
		wrong = append(wrong, config.Wrong("notify", "with false nothing would ever confirm an acknowledgement: the command pipe gives no answer; set status_file or livestatus, or notify to true"))
	}
	if s := c.sticky(); s < 0 || s > 2 {
		wrong = append(wrong, config.Wrong("sticky", "%d is not known; it is 2 (until the object is fine) or 0 (until its state changes)", s))
	}
	if c.Timeout < 0 || c.Timeout > time.Minute {
		wrong = append(wrong, config.Wrong("timeout", "%s is out of bounds; it is between 1ms and 1m", c.Timeout))
	}
	for _, f := range []struct{ field, template string }{{"host_url", c.HostURL}, {"service_url", c.ServiceURL}} {
		if f.template == "" {
			continue
		}
		u, err := url.Parse(strings.NewReplacer("{host}", "h", "{service}", "s").Replace(f.template))
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			wrong = append(wrong, config.Wrong(f.field, "%q is not a link; write it like https://nagios.example.com/hosts/{host}", f.template))
		}
	}
	return wrong
}

func checkLivestatus(address string) error {
	s := newSocket("livestatus", address, 0)
	if s.network == "unix" {
		if !filepath.IsAbs(s.address) {
			return config.Wrong("livestatus", "%q is not an absolute path", s.address)
		}
		return nil
	}
	if _, port, err := net.SplitHostPort(s.address); err != nil || port == "" {
		return config.Wrong("livestatus", "%q is neither a path that starts with / nor host:port", address)
	}
	return nil
}

func (c *Config) sticky() int {
	if c.Sticky == nil {
		return 2
	}
	return *c.Sticky
}

// on returns the value of a switch that is true by default.
func on(b *bool) bool { return b == nil || *b }
