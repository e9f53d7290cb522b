// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"belfry/app"
	"belfry/chat/mattermost/setup"
	"belfry/clock"
	"belfry/command"
	"belfry/command/incidents"
	"belfry/config"

	"github.com/spf13/cobra"
)

// exitLeft is that something is left which somebody else must do.
const exitLeft = 2

func newMattermostCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mattermost",
		Short: "Set a Mattermost server up for Belfry, install or upgrade one",
		Long: `Set a Mattermost server up for Belfry, install or upgrade one.

Exit codes: 0 done, 1 failed, 2 something is left that somebody else must do
(setup and remove), 3 wrong usage; each command's help says more.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSetupCommand(), newRemoveCommand(), newInstallCommand(), newUpgradeCommand())
	return cmd
}

// setupFlags are the options of belfry mattermost setup.
type setupFlags struct {
	wish      setup.Wish
	where     whereServer
	way       wayFlags
	publicURL string
	tokenFile string
	dryRun    bool
	write     string
}

func newSetupCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make the bot and all that a connection needs, with an administrator's token",
		Long: `Make on a Mattermost server what a connection needs: the bot, its access token
and memberships, the slash command, and, where they are asked for, the outgoing
webhook and the OAuth application. The plan is shown first. What is there already is used; run it
again at any time, also after it broke off. Settings of the server are changed
with --change-settings only, and listed otherwise.

The administrator's token is read from --admin-token-file, from the environment
variable BELFRY_ADMIN_TOKEN, or asked for; it is used and kept nowhere. Secrets of
the connection go into files in Belfry's data directory that only their owner
can read, together with a note of what was made, for belfry mattermost remove.

With --write the connection is written into a configuration file, which keeps
its comments, and a running server reads it again. Without, it is printed.

Exit codes: 0 everything is there, 1 failed (run it again: it goes on where it
stopped), 2 something is left that somebody else must do (it says who), 3 wrong
usage. With --dry-run: 0 nothing is in the way, 2 something is.`,
		Example: `  belfry mattermost setup --url https://chat.example.org --team operations \
      --channel ops --public-url https://belfry.example.org --dry-run
  belfry mattermost setup --url https://chat.example.org --team operations \
      --channel ops --admin-token-file token --change-settings --write belfry.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	w, flags := &f.wish, cmd.Flags()
	flags.StringVar(&w.URL, "url", "", "`URL` of the Mattermost site")
	flags.StringVar(&w.Team, "team", "", "`handle` of the team, the first word after the site's address")
	flags.StringArrayVar(&w.Channels, "channel", nil, "`handle` of a channel that the bot is to post to; may be repeated")
	flags.BoolVar(&w.CreateChannels, "create-channels", false, "make public channels of those that are missing")
	flags.StringVar(&f.publicURL, "public-url", "", "`URL` at which Mattermost and people reach Belfry (default: the server's)")
	flags.StringVar(&w.CallbackURL, "callback-url", "", "`URL` at which Mattermost reaches the connection (default: public URL and /chat/NAME)")
	flags.StringVar(&f.tokenFile, "admin-token-file", "", "`file` with an administrator's access token; - for standard input")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the plan and change nothing")
	flags.BoolVar(&w.ChangeSettings, "change-settings", false, "change the server's settings that stand in the way")
	flags.StringVar(&f.write, "write", "", "configuration `file` to write the connection into")
	flags.StringVar(&w.Connection, "name", "chat", "`name` of the connection")
	flags.StringVar(&w.Bot, "bot", "belfry", "`name` of the bot")
	flags.StringVar(&w.Command, "command", "belfry", "`word` of the slash command; empty for none")
	flags.StringVar(&w.IncidentCommand, "incident-command", "incident", "`word` of the slash command by which incidents are run; empty for none")
	flags.StringArrayVar(&w.Triggers, "trigger", nil, "`word` that calls for an answer when a message in a public channel begins with it; may be repeated")
	flags.BoolVar(&w.OAuth, "oauth", false, "make an OAuth application, by which people connect their accounts")
	f.way.flags(cmd)
	f.where.flags(cmd)
	return cmd
}

// file reads the configuration of the server that the connection is for.
func (f *setupFlags) file() (*config.File, error) {
	where := f.where
	if where.config == "" && f.write != "" {
		if _, err := os.Stat(f.write); err == nil {
			where.config = f.write
		}
	}
	return where.file()
}

func (f *setupFlags) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	if missing := f.missing(); missing != "" {
		return usageError{fmt.Errorf("%s; see belfry mattermost setup --help", missing)}
	}
	file, err := f.file()
	if err != nil {
		return err
	}
	if f.wish, err = f.way.over(f.wish, file); err != nil {
		return err
	}
	server := file.Server
	f.wish.Data = server.Data
	f.wish.CommandHint = command.Hint()
	f.wish.IncidentHint = incidents.Hint()
	f.wish.PublicURL = strings.TrimRight(firstOf(f.publicURL, server.PublicURL, app.DefaultURL(server, server.Listen)), "/")
	f.wish.CallbackURL = strings.TrimRight(firstOf(f.wish.CallbackURL, f.wish.PublicURL+"/chat/"+f.wish.Connection), "/")
	token, err := adminToken(f.tokenFile, stdin, stderr)
	if err != nil {
		return err
	}
	s, err := setup.Open(f.wish, token, setup.Options{Clock: clock.System{}})
	if err != nil {
		return usageError{err}
	}
	defer s.Close()
	plan, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	if err := plan.Print(stdout); err != nil {
		return err
	}
	if f.dryRun {
		_, _ = fmt.Fprintf(stdout, "nothing was changed (--dry-run): %s to do, %d blocked\n", count(plan.Todo(), "step"), plan.Blocked())
		return f.ends(plan.Blocked())
	}
	left, err := apply(ctx, s, plan, stdout)
	if err != nil {
		return err
	}
	if err := f.configure(ctx, s, server, stdout); err != nil {
		return err
	}
	return f.ends(left)
}

// missing names the options without which nothing can be set up.
func (f *setupFlags) missing() string {
	switch {
	case f.wish.URL == "" && f.wish.Team == "":
		return "--url and --team are missing"
	case f.wish.URL == "":
		return "--url is missing: the address of the Mattermost site, such as https://chat.example.org"
	case f.wish.Team == "":
		return "--team is missing: the first word after the site's address when the team is open in a browser"
	}
	return ""
}

func (f *setupFlags) ends(left int) error {
	if left > 0 {
		return exitCode(exitLeft)
	}
	return nil
}

func apply(ctx context.Context, s *setup.Setup, plan *setup.Plan, stdout io.Writer) (int, error) {
	done := map[setup.Verb]string{setup.Make: "made", setup.Change: "changed"}
	left, err := s.Apply(ctx, plan, func(o setup.Outcome) {
		if o.Err == nil {
			_, _ = fmt.Fprintf(stdout, "%s: %s\n", done[o.Step.Verb], o.Step.Text)
			return
		}
		_, _ = fmt.Fprintf(stdout, "not done: %s: %v\n          %s\n", o.Step.Text, o.Err, o.Step.Who)
	})
	if err != nil {
		return left, fmt.Errorf("%w; run the same command again, and it goes on from here", err)
	}
	if left > 0 {
		_, _ = fmt.Fprintf(stdout, "left for somebody else: %s, as said above\n", count(left, "step"))
	}
	return left, nil
}

// configure writes the connection into the configuration file, or prints it.
func (f *setupFlags) configure(ctx context.Context, s *setup.Setup, server config.Server, stdout io.Writer) error {
	if _, err := os.Stat(f.wish.TokenFile()); err != nil {
		_, _ = fmt.Fprintln(stdout, "the bot has no token yet, so there is no connection to configure")
		return nil
	}
	e := s.Entry()
	if f.publicURL != "" && server.PublicURL == "" {
		e.PublicURL = f.wish.PublicURL
	}
	if f.write == "" {
		_, err := fmt.Fprintf(stdout, "add this to the configuration file:\n\n%s", e.Block())
		return err
	}
	if err := merge(e, f.write, server.Data); err != nil {
		_, _ = fmt.Fprintf(stdout, "%s\n", e.Block())
		return err
	}
	_, _ = fmt.Fprintf(stdout, "wrote connection %s to %s\n", f.wish.Connection, f.write)
	f.reload(ctx, server, stdout)
	if len(f.wish.Channels) > 0 {
		_, _ = fmt.Fprintf(stdout, "try it: belfry test --channel %s/%s --config %s\n", f.wish.Connection, f.wish.Channels[0], f.write)
	}
	return nil
}

// merge writes e into a configuration file, unless that would harm it. data is
// the data directory, from which more is read with the file.
func merge(e setup.Entry, path, data string) error {
	included, err := config.Includes(data)
	if err != nil {
		return err
	}
	if leads, err := filepath.EvalSymlinks(path); err == nil {
		path = leads
	}
	mode := os.FileMode(0o600)
	old, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("can't read the configuration: %w", err)
	}
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
		if _, problems := config.Load(path, old, app.Kinds(), included...); len(problems) > 0 {
			return fmt.Errorf("%s has faults, so it stays as it is: mend it (belfry check %s) and run the same command again:\n%w", path, path, problems)
		}
	}
	text, err := e.Merge(old)
	if err != nil {
		return fmt.Errorf("%s %w", path, err)
	}
	if _, problems := config.Load(path, text, app.Kinds(), included...); len(problems) > 0 {
		return fmt.Errorf("%s would have faults with this connection, so it stays as it is; add the block above by hand:\n%w", path, problems)
	}
	if slices.Equal(text, old) {
		return nil
	}
	if err := setup.WriteFile(path, text, mode); err != nil {
		return fmt.Errorf("can't write the configuration: %w", err)
	}
	return nil
}

// reload has a running server read its configuration again.
func (f *setupFlags) reload(ctx context.Context, server config.Server, stdout io.Writer) {
	if _, err := os.Stat(server.Socket); err != nil {
		_, _ = fmt.Fprintf(stdout, "start the server: belfry serve --config %s\n", f.write)
		return
	}
	res, err := order(ctx, server.Socket, "/reload", struct{}{})
	if err != nil {
		_, _ = fmt.Fprintf(stdout, "the running server did not read its configuration again: %v\n", err)
		return
	}
	_ = res.Body.Close()
	_, _ = fmt.Fprintln(stdout, "the running server read its configuration again")
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
