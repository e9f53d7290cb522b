// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"belfry/app"
	"belfry/config"
	"belfry/doctor"
	"belfry/notify"
	orders "belfry/server"

	"github.com/spf13/cobra"
)

// Exit codes of belfry doctor beside those of a monitoring plugin that a report
// has (0 well, 1 warnings, 2 failures).
const exitUnknown = 3

// doctorWithin bounds the whole command; maxReport what a server answers.
const (
	doctorWithin = 2 * time.Minute
	maxReport    = 4 << 20
)

func newDoctorCommand() *cobra.Command {
	var where whereServer
	var tokenFile, connection string
	var asJSON, problems bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what keeps alerts or answers from getting through",
		Long: `Look into Belfry and everything it is connected with, in both directions, and
say for each thing whether it is well (ok, warn or fail), what was seen, and
exactly what to do about it. Nothing is changed, and nobody is rung: to see
whether Mattermost reaches Belfry, the bot presses a button of its own where
nobody sees it.

A running server on this host is asked through its socket, so that everything
is seen with its eyes. If none runs, that is said, and what can be seen without
it is looked at.

Some of Mattermost's settings are shown to its administrators alone. With an
access token of one they are looked at, too; it is used and kept nowhere. It is
read from --admin-token-file, or from the environment variable
BELFRY_ADMIN_TOKEN, and shown to no other server than that of its connection.

Exit codes are those of a monitoring plugin: 0 all is well, 1 warnings,
2 something does not work, 3 nothing could be examined, or wrong usage.`,
		Example: `  belfry doctor
  belfry doctor --config /etc/belfry/belfry.yaml --admin-token-file token
  belfry doctor --problems
  belfry doctor --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := examine(cmd.Context(), where, tokenFile, connection, cmd.InOrStdin())
			if err != nil {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "belfry: %v\n", err)
				return exitCode(exitUnknown)
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				err = e.Encode(report)
			} else {
				err = report.WriteText(cmd.OutOrStdout(), !problems)
			}
			if err != nil || report.ExitCode() == 0 {
				return err
			}
			return exitCode(report.ExitCode())
		},
	}
	f := cmd.Flags()
	f.StringVar(&tokenFile, "admin-token-file", "", "`file` with an access token of a Mattermost administrator; - for standard input")
	f.StringVar(&connection, "connection", "", "`name` of the connection whose administrator's token it is, where there are several")
	f.BoolVar(&asJSON, "json", false, "write JSON instead of text")
	f.BoolVar(&problems, "problems", false, "show what needs attention only")
	where.flags(cmd)
	return cmd
}

// examine has the running server make a report, or makes one without it.
func examine(ctx context.Context, where whereServer, tokenFile, connection string, stdin io.Reader) (doctor.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, doctorWithin)
	defer cancel()
	file, err := where.file()
	if err != nil {
		return doctor.Report{}, err
	}
	admin, err := lentToken(tokenFile, stdin)
	if err != nil {
		return doctor.Report{}, err
	}
	res, err := order(ctx, file.Server.Socket, "/doctor", orders.DoctorOrder{AdminToken: admin.Reveal(), Connection: connection})
	none, stopped := errors.AsType[noServer](err)
	var report doctor.Report
	switch {
	case stopped && errors.Is(none.err, fs.ErrPermission):
		return report, fmt.Errorf("this user may not use the server's socket %s: run it as root, or as a user of the socket's group", none.socket)
	case stopped:
		lent := doctor.Lent{Connection: connection}
		if admin != "" {
			lent.Token = admin
		}
		report = app.ExamineStopped(ctx, file, versionOnly(), fmt.Errorf("nobody answers on %s (%w)", none.socket, none.err), lent)
	case err != nil:
		return report, err
	default:
		defer func() { _ = res.Body.Close() }() // only read from
		if err := json.NewDecoder(io.LimitReader(res.Body, maxReport)).Decode(&report); err != nil {
			return report, errors.New("the server said something that this belfry does not understand; are both of the same version?")
		}
	}
	spool := doctor.Run(ctx, []doctor.Patient{{Subject: "belfry notify", Examiner: spoolExaminer{}}}, doctorWithin)
	return doctor.NewReport(report.At, report.Version, append(report.Findings, spool...)), nil
}

// file is the configuration, with the socket's path in it.
func (w whereServer) file() (*config.File, error) {
	file, err := serveFlags{config: w.config, data: w.data}.file()
	if err != nil {
		return nil, err
	}
	if file.Server, err = w.settings(); err != nil {
		return nil, err
	}
	return file, nil
}

// lentToken is an administrator's token if there is one; nobody is asked for it.
func lentToken(file string, stdin io.Reader) (config.Secret, error) {
	if file == "" && os.Getenv(adminTokenVariable) == "" {
		return "", nil
	}
	return adminToken(file, stdin, io.Discard)
}

// spoolExaminer looks at what waits for the server on this host.
type spoolExaminer struct{}

// longSpooled is how old a notification in the spool may be: the timer that
// brings it along runs every minute.
const longSpooled = 5 * time.Minute

func (spoolExaminer) Examine(context.Context, doctor.Visit) []doctor.Finding {
	const check = "spool"
	s, err := notify.Waiting(os.Getenv, "")
	switch {
	case errors.Is(err, fs.ErrPermission):
		return []doctor.Finding{doctor.Doubt(check, "run belfry doctor as root, or look as the monitoring core's user: ls -l "+s.Dir, "not seen: %s may be read by its owner alone", s.Dir)}
	case err != nil:
		return []doctor.Finding{doctor.Bad(check, "make it anew: install -d -m 700 -o nagios "+s.Dir, "%v", err)}
	}
	var list []doctor.Finding
	late := time.Since(s.Since)
	switch {
	case s.Waiting == 0:
		list = append(list, doctor.Good(check, "no notification waits in %s", s.Dir))
	case late > longSpooled:
		list = append(list, doctor.Bad(check, "as the monitoring core's user: belfry notify --drain; it says what is wrong. Then see that the timer runs: systemctl status belfry-drain.timer",
			"%s in %s, the oldest for %v", count(s.Waiting, "notification")+" wait", s.Dir, late.Truncate(time.Minute)))
	default:
		list = append(list, doctor.Doubt(check, "as the monitoring core's user: belfry notify --drain", "%s in %s", count(s.Waiting, "notification")+" wait", s.Dir))
	}
	if s.Rejected > 0 {
		list = append(list, doctor.Doubt("rejected notifications", "read the .reason files in "+s.Dir+"/rejected, mend the command in the core's configuration, and remove them", "%s in %s/rejected were refused by the server for good", count(s.Rejected, "notification"), s.Dir))
	}
	return list
}
