// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/doctor"
	"belfry/doctor/doctortest"
	"belfry/monitor/nagios/nagiostest"
)

func examined(t *testing.T, c *Config) []doctor.Finding {
	t.Helper()
	m, err := c.Open(Options{Name: "nagios"})
	if err != nil {
		t.Fatal(err)
	}
	e, ok := m.(doctor.Examiner)
	if !ok {
		t.Fatalf("%T can't be looked into", m)
	}
	found := e.Examine(t.Context(), doctor.Visit{})
	doctortest.Check(t, found)
	return found
}

func TestACommandPipeIsLookedInto(t *testing.T) {
	plainFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plainFile, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := fifo(t)
	readerOf(t, read)
	for name, c := range map[string]struct {
		path  string
		level doctor.Level
		texts []string
	}{
		"somebody reads": {read, doctor.OK, []string{"somebody reads"}},
		"nobody reads":   {fifo(t), doctor.Fail, []string{"the core does not run", "systemctl start nagios4"}},
		"nothing there":  {filepath.Join(t.TempDir(), "no"), doctor.Fail, []string{"is not there", "check_external_commands=1 and command_file="}},
		"a plain file":   {plainFile, doctor.Fail, []string{"is no pipe", "rm " + plainFile}},
	} {
		t.Run(name, func(t *testing.T) {
			found := examined(t, &Config{CommandPipe: c.path})
			doctortest.Expect(t, found, "command pipe", c.level, c.texts...)
			doctortest.Expect(t, found, "status", doctor.OK, "status_file or livestatus would change that")
		})
	}
	if b, _ := os.ReadFile(plainFile); string(b) != "kept" {
		t.Errorf("the file holds %q now", b)
	}
}

func TestAPipeThatBelongsToOthers(t *testing.T) {
	path := fifo(t)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		// Root may open everything; nobody may not. This holds for one thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }() // it says nothing
	}
	doctortest.Expect(t, examined(t, &Config{CommandPipe: path}), "command pipe", doctor.Fail, "usermod -aG")
}

func TestAQuerySocketIsLookedInto(t *testing.T) {
	core := nagiostest.NewCore()
	s := nagiostest.QuerySocket(t, core)
	c := &Config{QuerySocket: s.Address, Timeout: time.Second}
	doctortest.Expect(t, examined(t, c), "query socket", doctor.OK, "takes commands")
	core.BeNagios()
	doctortest.Expect(t, examined(t, c), "query socket", doctor.Fail, "takes no commands", "use command_pipe")
	s.Stop()
	doctortest.Expect(t, examined(t, c), "query socket", doctor.Fail, "systemctl start", "query_socket="+s.Address)
	if got := core.Commands(); len(got) != 0 {
		t.Errorf("the core was told %v", got)
	}
}

func TestLivestatusIsLookedInto(t *testing.T) {
	core := nagiostest.NewCore()
	s := nagiostest.LivestatusUnix(t, core)
	c := &Config{Livestatus: s.Address, Timeout: time.Second}
	found := examined(t, c)
	doctortest.Only(t, found)
	doctortest.Expect(t, found, "livestatus", doctor.OK, "1.5.2-naemon")
	core.SetSwitches(false, false)
	found = examined(t, c)
	doctortest.Expect(t, found, "notifications", doctor.Fail, "enable_notifications=1")
	doctortest.Expect(t, found, "commands", doctor.Fail, "check_external_commands=1")
	s.Fail(nagiostest.Refuse)
	doctortest.Expect(t, examined(t, c), "livestatus", doctor.Fail, "broker_module")
	s.Stop()
	doctortest.Expect(t, examined(t, c), "livestatus", doctor.Fail, "systemctl start")
}

func TestAStatusFileIsLookedInto(t *testing.T) {
	real, err := os.ReadFile(filepath.Join("testdata", "status-nagios-4.4.6.dat"))
	if err != nil {
		t.Fatal(err)
	}
	// The real file, as if it were written just now by this process.
	aged := func(ago time.Duration, pid int) string {
		text := strings.Replace(string(real), "created=1795345387", fmt.Sprintf("created=%d", time.Now().Add(-ago).Unix()), 1)
		return strings.Replace(text, "nagios_pid=24302", fmt.Sprintf("nagios_pid=%d", pid), 1)
	}
	ours, nobody := os.Getpid(), 1<<22-3 // above the usual pid_max
	for name, c := range map[string]struct {
		text  string
		level doctor.Level
		texts []string
	}{
		"fresh":         {aged(5*time.Second, ours), doctor.OK, []string{"fresh, of Nagios or Naemon 4.4.6"}},
		"seldom":        {aged(5*time.Minute, ours), doctor.Warn, []string{"status_update_interval"}},
		"hanging":       {aged(time.Hour, ours), doctor.Fail, []string{"was written 1h0m0s ago", "df -h"}},
		"of the dead":   {aged(time.Hour, nobody), doctor.Fail, []string{"does not run any more", "systemctl start"}},
		"of the future": {aged(-time.Hour, ours), doctor.Warn, []string{"in the future", "timedatectl"}},
		"other":         {"x = y\n", doctor.Fail, []string{"it is no status file", "grep ^status_file"}},
		"quiet":         {strings.Replace(aged(0, ours), "enable_notifications=1", "enable_notifications=0", 1), doctor.OK, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "status.dat")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			found := examined(t, &Config{StatusFile: path})
			doctortest.Expect(t, found, "status file", c.level, c.texts...)
			if name == "quiet" {
				doctortest.Expect(t, found, "notifications", doctor.Fail, "notifies nobody")
			}
		})
	}
	found := examined(t, &Config{StatusFile: filepath.Join(t.TempDir(), "no")})
	doctortest.Expect(t, found, "status file", doctor.Fail, "is not there")
}

func TestARealNagiosIsWell(t *testing.T) {
	n := nagiostest.Start(t, nagiostest.Options{})
	c := &Config{CommandPipe: n.Pipe, StatusFile: n.StatusFile}
	doctortest.Only(t, examined(t, c))
	found := examined(t, &Config{QuerySocket: n.QuerySocket})
	doctortest.Expect(t, found, "query socket", doctor.Fail, "takes no commands")
	n.Kill()
	doctortest.Expect(t, examined(t, c), "command pipe", doctor.Fail, "the core does not run")
}
