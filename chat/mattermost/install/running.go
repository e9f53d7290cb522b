// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// dialWithin bounds the look at Mattermost's port.
const dialWithin = time.Second

// notRunning refuses to go on while a program of the installation runs (as far
// as this user may see, on Linux) or something answers at Mattermost's port.
func notRunning(ctx context.Context, dir string, s settings) error {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return fmt.Errorf("can't look at what runs: %w", err)
	}
	for _, link := range links {
		// Processes end while we look, and those of others can't be read.
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, dir+"/") {
			return fmt.Errorf("%s runs (process %s): stop Mattermost first, as in systemctl stop mattermost", at, filepath.Base(filepath.Dir(link)))
		}
	}
	host, port, err := net.SplitHostPort(s.listen)
	if err != nil || port == "0" {
		return nil // a name of a service, or not known: the processes must do
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	d := net.Dialer{Timeout: dialWithin}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil //nolint:nilerr // nobody answers, which is what is wanted
	}
	_ = conn.Close()
	return fmt.Errorf("something answers at %s, which is ServiceSettings.ListenAddress: stop Mattermost first, as in systemctl stop mattermost", net.JoinHostPort(host, port))
}
