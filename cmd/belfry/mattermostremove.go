// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"belfry/chat/mattermost/setup"

	"github.com/spf13/cobra"
)

func newRemoveCommand() *cobra.Command {
	var w setup.Wish
	var where whereServer
	var way wayFlags
	var tokenFile string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Undo exactly what belfry mattermost setup made",
		Long: `Undo on a Mattermost server what belfry mattermost setup made for a connection,
by the notes that it keeps in Belfry's data directory, and nothing that was
there before. A setting that somebody changed since stays as it is. The
connection in the configuration file is yours to take out. Cards and incidents'
channels are left as they are: to have their buttons taken away and the channels
archived, too, use Disconnect… on Belfry's page Connections instead.

The server is reached as the connection is configured, as long as it is, unless
--ca-file, --proxy or --insecure say otherwise.

The administrator's token is read from --admin-token-file, from the environment
variable BELFRY_ADMIN_TOKEN, or asked for; it is used and kept nowhere.

Exit codes: 0 all of it is undone, or nothing was ever made; 1 failed (run it
again: it goes on where it stopped), 2 something is left that the server
refuses to this administrator, 3 wrong usage.`,
		Example: "  belfry mattermost remove --dry-run\n  belfry mattermost remove --name chat --admin-token-file token",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := where.file()
			if err != nil {
				return err
			}
			if w, err = way.over(w, file); err != nil {
				return err
			}
			w.Data = file.Server.Data
			return remove(cmd.Context(), w, tokenFile, dryRun, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&w.Connection, "name", "chat", "`name` of the connection")
	flags.StringVar(&tokenFile, "admin-token-file", "", "`file` with an administrator's access token; - for standard input")
	flags.BoolVar(&dryRun, "dry-run", false, "show what would be undone and change nothing")
	way.flags(cmd)
	where.flags(cmd)
	return cmd
}

func remove(ctx context.Context, w setup.Wish, tokenFile string, dryRun bool, stdin io.Reader, stdout, stderr io.Writer) error {
	r, err := setup.Undo(w)
	if errors.Is(err, setup.ErrNothing) {
		_, err := fmt.Fprintf(stdout, "nothing to undo: no set-up of connection %s is noted in %s\n", w.Connection, w.Data)
		return err
	}
	if err != nil {
		return err
	}
	defer r.Close()
	if text := r.Warning(); text != "" {
		_, _ = fmt.Fprintln(stdout, text)
	}
	if dryRun {
		_, _ = fmt.Fprintf(stdout, "to be undone on %s:\n", r.URL())
		for _, step := range r.Steps() {
			_, _ = fmt.Fprintf(stdout, "  %s\n", step)
		}
		_, err := fmt.Fprintln(stdout, "nothing was changed (--dry-run)")
		return err
	}
	token, err := adminToken(tokenFile, stdin, stderr)
	if err != nil {
		return err
	}
	left, err := r.Run(ctx, token, func(what string, err error) {
		if err != nil {
			_, _ = fmt.Fprintf(stdout, "not undone: %s: %v\n", what, err)
			return
		}
		_, _ = fmt.Fprintf(stdout, "undone: %s\n", what)
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w; run the same command again, and it goes on from here", err)
	case left > 0:
		_, _ = fmt.Fprintf(stdout, "left: %s, for a system administrator\n", count(left, "step"))
		return exitCode(exitLeft)
	}
	_, err = fmt.Fprintf(stdout, "what the set-up made is undone; take connection %s out of the configuration file\n", w.Connection)
	return err
}
