// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// askWithin bounds how long a program takes to say its version.
const askWithin = 30 * time.Second

// ask has Mattermost in dir say its version.
//
// Versions before 6 opened, and upgraded, the database to answer "version"
// unless told --skip-server-start; later ones don't know that option. So both
// are tried, in an empty directory and with an environment in which no
// configuration and no database can be found.
func ask(ctx context.Context, d disk, dir string, uid, gid int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	empty, err := os.MkdirTemp("", "belfry-version-")
	if err != nil {
		return "", fmt.Errorf("can't make a directory to run it in: %w", err)
	}
	defer func() { _ = os.RemoveAll(empty) }() // it holds nothing of ours
	if os.Geteuid() == 0 {
		if err := os.Chown(empty, uid, gid); err != nil {
			return "", err
		}
	}
	c := call{path: filepath.Join(dir, program), dir: empty, uid: uid, gid: gid, env: []string{"PATH=/usr/bin:/bin", "LANG=C", "HOME=" + empty,
		"MM_CONFIG=" + filepath.Join(empty, "config.json"), "MM_LOGSETTINGS_ENABLEFILE=false",
		"MM_SQLSETTINGS_DRIVERNAME=postgres", "MM_SQLSETTINGS_DATASOURCE=postgres://nobody@127.0.0.1:9/none?sslmode=disable&connect_timeout=1"}}
	var last error
	for _, args := range [][]string{{"version", "--skip-server-start"}, {"version"}} {
		c.args = args
		said, err := d.run(ctx, c)
		if err == nil {
			return parseVersion(said)
		}
		last = fmt.Errorf("%s %s: %w; it said %q", program, strings.Join(args, " "), err, lastLine(said))
		if !strings.Contains(said, "unknown flag") {
			break
		}
	}
	return "", last
}

// parseVersion finds the line "Version: 5.37.0" of mattermost version.
func parseVersion(said string) (string, error) {
	for line := range strings.Lines(said) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || !strings.EqualFold(name, "version") {
			continue
		}
		value = strings.TrimPrefix(strings.TrimSpace(value), "v")
		if _, err := numbers(value); err == nil && len(value) <= 40 && !strings.ContainsAny(value, " /\\") {
			return value, nil
		}
	}
	return "", fmt.Errorf("it said no version but %q", lastLine(said))
}

func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	line := lines[len(lines)-1]
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return line
}

// numbers returns the leading numbers of a version: 10.5.1-rc2 → 10, 5, 1.
func numbers(version string) ([]int, error) {
	core, _, _ := strings.Cut(version, "-")
	var out []int
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, errors.New("no version")
		}
		out = append(out, n)
	}
	if len(out) < 2 {
		return nil, errors.New("no version")
	}
	return out, nil
}

// older says whether version a comes before b. 6.0.0-rc1 comes before 6.0.0.
func older(a, b string) bool {
	x, err1 := numbers(a)
	y, err2 := numbers(b)
	if err1 != nil || err2 != nil {
		return false
	}
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			return m < n
		}
	}
	return strings.Contains(a, "-") && !strings.Contains(b, "-")
}
