// SPDX-License-Identifier: Apache-2.0

package nagiostest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeFiles makes the core's configuration: seconds as the unit of time, every
// check once a second and believed at once, status.dat every second.
func (n *Nagios) writeFiles() {
	n.t.Helper()
	for _, d := range []string{"rw", "spool", "state"} {
		path := filepath.Join(n.Dir, d)
		if err := os.Mkdir(path, 0o755); err != nil { //nolint:gosec // the core runs as another user
			n.t.Fatal(err)
		}
		Own(n.t, path)
	}
	n.setState("host", "0 UP - host fine")
	n.setState("svc", "0 OK - disk fine | used=10%;80;90")
	check := "#!/bin/sh\nread -r code rest <\"$1\" || exit 3\nprintf '%s\\n' \"$rest\"\ntail -n +2 \"$1\"\nexit \"$code\"\n"
	for name, text := range map[string]string{"check.sh": check, "nagios.cfg": n.mainFile(), "objects.cfg": n.objects()} {
		path := filepath.Join(n.Dir, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil { //nolint:gosec // the core runs as another user
			n.t.Fatal(err)
		}
	}
}

func (n *Nagios) mainFile() string {
	settings := `log_file={dir}/nagios.log
cfg_file={dir}/objects.cfg
object_cache_file={dir}/objects.cache
precached_object_file={dir}/objects.precache
status_file={dir}/status.dat
status_update_interval=1
temp_file={dir}/nagios.tmp
temp_path={dir}
check_result_path={dir}/spool
state_retention_file={dir}/retention.dat
lock_file={dir}/nagios.pid
check_external_commands=1
command_file={dir}/rw/nagios.cmd
query_socket={dir}/rw/nagios.qh
interval_length=1
use_syslog=0
log_notifications=1
log_external_commands=1
enable_notifications=1
execute_service_checks=1
execute_host_checks=1
check_result_reaper_frequency=1
cached_host_check_horizon=0
cached_service_check_horizon=0
service_check_timeout=10
host_check_timeout=10
enable_environment_macros=0
enable_flap_detection=0
check_for_updates=0
check_workers=2
retain_state_information=1
retention_update_interval=1
use_retained_program_state=0
illegal_object_name_chars=` + "`~!$%^&*|'\"<>?,()=" + `
illegal_macro_output_chars=` + "`~$&|'\"<>" + `
notification_timeout={timeout}
`
	return strings.NewReplacer("{dir}", n.Dir, "{timeout}", fmt.Sprint(n.opts.NotificationTimeout)).Replace(settings)
}

func (n *Nagios) objects() string {
	var b strings.Builder
	b.WriteString("define timeperiod{\n timeperiod_name always\n alias always\n")
	for _, day := range []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"} {
		b.WriteString(" " + day + " 00:00-24:00\n")
	}
	b.WriteString("}\n")
	command := func(name, line string) {
		fmt.Fprintf(&b, "define command{\n command_name %s\n command_line %s\n}\n", name, line)
	}
	command("check", "/bin/sh "+n.Dir+"/check.sh $ARG1$")
	command("notify-host", or(n.opts.NotifyCommandHost, "/bin/true"))
	command("notify-service", or(n.opts.NotifyCommandService, "/bin/true"))
	for _, contact := range n.opts.Contacts {
		fmt.Fprintf(&b, `define contact{
 contact_name %s
 host_notification_period always
 service_notification_period always
 host_notification_options d,u,r,f,s
 service_notification_options w,u,c,r,f,s
 host_notification_commands notify-host
 service_notification_commands notify-service
}
`, contact)
	}
	common := fmt.Sprintf(` max_check_attempts 1
 check_interval 1
 retry_interval 1
 check_period always
 notification_period always
 notification_interval %d
 contacts %s
`, n.opts.Renotify, strings.Join(n.opts.Contacts, ","))
	fmt.Fprintf(&b, "define host{\n host_name %s\n address %s\n check_command check!%s/state/host\n notification_options d,u,r,f,s\n%s}\n",
		n.Host, n.opts.Address, n.Dir, common)
	fmt.Fprintf(&b, "define service{\n host_name %s\n service_description %s\n check_command check!%s/state/svc\n notification_options w,u,c,r,f,s\n%s}\n",
		n.Host, n.Service, n.Dir, common)
	return b.String()
}

// Standing is how an object stands in status.dat.
type Standing struct {
	// State is the number: 0 is fine.
	State        int
	Acknowledged bool
	// Author and Comment are of the newest acknowledgement, if it stands.
	Author, Comment string
	InDowntime      bool
	// Comments are all that the object has, "author: text", oldest first.
	Comments []string
}

// ServiceStanding reads how the service stands. It is read apart from the
// product's own parser, which tests compare with it.
func (n *Nagios) ServiceStanding() Standing { n.t.Helper(); return n.standing("service") }

// HostStanding reads how the host stands.
func (n *Nagios) HostStanding() Standing { n.t.Helper(); return n.standing("host") }

// Acknowledged says whether the service's problem is acknowledged, and by whom
// with which words.
func (n *Nagios) Acknowledged() (author, comment string, ok bool) {
	n.t.Helper()
	s := n.ServiceStanding()
	return s.Author, s.Comment, s.Acknowledged
}

func (n *Nagios) standing(kind string) Standing {
	n.t.Helper()
	raw, err := os.ReadFile(n.StatusFile)
	if err != nil {
		return Standing{}
	}
	var s Standing
	for block := range strings.SplitSeq(string(raw), "\n\t}\n") {
		head, body, _ := strings.Cut(strings.TrimLeft(block, "\n"), " {\n")
		if i := strings.LastIndex(head, "\n"); i >= 0 {
			head = head[i+1:]
		}
		fields := map[string]string{}
		for line := range strings.SplitSeq(body, "\n") {
			k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
			fields[k] = v
		}
		switch head {
		case kind + "status":
			_, _ = fmt.Sscan(fields["current_state"], &s.State)
			s.Acknowledged = fields["problem_has_been_acknowledged"] == "1"
			s.InDowntime = fields["scheduled_downtime_depth"] != "0"
		case kind + "comment":
			s.Comments = append(s.Comments, fields["author"]+": "+fields["comment_data"])
			if fields["entry_type"] == "4" && s.Acknowledged {
				s.Author, s.Comment = fields["author"], fields["comment_data"]
			}
		}
	}
	return s
}
