// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Usage is the help text of the command.
func Usage() string {
	a := newArguments()
	var b strings.Builder
	b.WriteString(`Hand a notification of a monitoring core over to belfry serve.

Nagios, Naemon or openITCOCKPIT run this for every notification. If the server
does not take it within 2 seconds, it is kept in the spool directory and handed
over, in order, by the next call or by --drain.

Usage:
  belfry notify --type Host|Service --notificationtype TYPE [options]
  belfry notify --drain [options]

Examples:
  # a Nagios command; single quotes, so that no output can break the line
  belfry notify --type Service --notificationtype '$NOTIFICATIONTYPE$' \
    --hostname '$HOSTNAME$' --servicedesc '$SERVICEDESC$' --state '$SERVICESTATEID$' \
    --output '$SERVICEOUTPUT$' --longoutput '$LONGSERVICEOUTPUT$' \
    --problemid '$SERVICEPROBLEMID$' --lastproblemid '$LASTSERVICEPROBLEMID$' \
    --ackauthor '$NOTIFICATIONAUTHOR$' --ackcomment '$NOTIFICATIONCOMMENT$'

  # try it by hand
  belfry notify --url http://127.0.0.1:8080 --token-file /etc/belfry/token \
    --type Host --notificationtype CUSTOM --hostname web01 --ackcomment 'a test'

  # from a timer, as the core's user
  belfry notify --drain

What happened (empty values are fine; all but --type are macros of the core):
`)
	options(&b, a.what)
	b.WriteString("\nWhere to hand over (options win over the environment, that over the file):\n")
	options(&b, a.hand)
	b.WriteString(`
Files:
  ` + DefaultConfig + `   where to hand over, lines like: url = http://127.0.0.1:8080
  ` + defaultSpool + `         what the server did not take yet; make it with:
                            install -d -m 700 -o nagios ` + defaultSpool + `
  ` + defaultSpool + `/rejected  what it will never take, each with a .reason;
                            to try one again, move it up into the spool

Exit codes:
  0  handed over, or kept in the spool
  1  --drain: some are left
  2  neither handed over nor kept
  3  wrong usage
`)
	return b.String()
}

// options lists the flags of f in columns.
func options(b *strings.Builder, f *pflag.FlagSet) {
	f.VisitAll(func(flag *pflag.Flag) {
		name := "    --" + flag.Name
		if flag.Shorthand != "" {
			name = "-" + flag.Shorthand + ", --" + flag.Name
		}
		if arg := flag.Annotations[argument]; len(arg) > 0 {
			name += " " + arg[0]
		}
		fmt.Fprintf(b, "  %-31s %s\n", name, flag.Usage)
	})
}
