// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"belfry/app"
	"belfry/config"

	"github.com/spf13/cobra"
)

func newCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Find all faults of a configuration file",
		Long: `Find all faults of a configuration file, each with its line, and change
nothing. It is the same check that serve does before it applies a file.

Exit codes: 0 no fault, 1 faults (they stand on standard error), 3 wrong usage.`,
		Example: "  belfry check /etc/belfry/belfry.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("check takes one file, not %d; say belfry check /etc/belfry/belfry.yaml", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// check tells every fault on a line of its own, so that editors can jump to it.
func check(path string, stdout, stderr io.Writer) error {
	file, problems := config.LoadServer(path, app.Kinds(), serveFlags{}.override)
	if len(problems) > 0 {
		_, _ = fmt.Fprintln(stderr, problems)
		return exitCode(exitFailed)
	}
	answers := ""
	if n := len(file.Answers); n > 0 {
		answers = ", " + count(n, "answer")
	}
	_, err := fmt.Fprintf(stdout, "%s is fine: the built-in room and %s, %s, %s%s\n", path, count(len(file.Connections)-1, "connection"),
		count(len(file.Sources), "source"), count(len(file.Routes), "route"), answers)
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
