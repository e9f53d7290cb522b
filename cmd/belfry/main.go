// SPDX-License-Identifier: Apache-2.0

// Command belfry is the bridge between monitoring systems and chat, and what
// belongs to it. Main turns arguments, environment and signals into calls; what
// is done stands in the packages app, notify and config.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"belfry/clock"
	"belfry/notify"

	"github.com/spf13/cobra"
)

// Exit codes of all commands but notify, which has its own.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 3
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run carries out one command and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	// A monitoring core runs notify for every notification and waits for it:
	// it does without the tree of commands and without signal handling.
	if len(args) > 0 && args[0] == "notify" {
		return runNotify(context.Background(), args[1:], stdout, stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := unknownCommand(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return exitDone
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	_, _ = fmt.Fprintf(stderr, "belfry: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "belfry",
		Short: "Bring alerts into chat, and what people decide there back into monitoring",
		Long: `Belfry brings problems from monitoring systems into chat, each as one living
card, and carries what people decide there back.

Exit codes: 0 done, 1 failed, 3 wrong usage. 2 has a meaning of its own in test,
doctor, mattermost setup and remove, and notify has its own codes: see their help.`,
		Args:              noArguments,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(newServeCommand(), newDemoCommand(), newNotifyCommand(), newCheckCommand(), newCertCommand(), newTestCommand(), newDoctorCommand(), newTranslateCommand(), newAnswerCommand(), newMattermostCommand(), newSlackCommand(), newVersionCommand())
	return root
}

// newNotifyCommand stands in the tree for the help; run takes the short way.
func newNotifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                "notify",
		Short:              "Hand a monitoring core's notification over to the server",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := runNotify(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return exitCode(code)
			}
			return nil
		},
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), notify.Usage())
	})
	return cmd
}

func runNotify(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return notify.Run(ctx, notify.Call{Args: args, Getenv: os.Getenv, Stdout: stdout, Stderr: stderr,
		Clock: clock.System{}, Config: notify.DefaultConfig})
}

// exitCode ends the program with a code; what there was to say is said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// unknownCommand refuses a command that there is not also where help is asked
// for: cobra would show that of the command above and call it done.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
	}
	cmd, rest, err := root.Find(args)
	if err != nil || !cmd.HasSubCommands() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil // found, or told with the options
	}
	return noArguments(cmd, rest[:1])
}

// noArguments refuses arguments that are no options, and names the command
// that was probably meant.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() && !cmd.HasSubCommands() {
		return usageError{fmt.Errorf("unexpected argument %q; see %s --help", args[0], cmd.CommandPath())}
	}
	path := cmd.CommandPath()
	right := "see " + path + " --help"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		right = "did you mean " + path + " " + strings.Join(near, " or "+path+" ") + "?"
	}
	return usageError{fmt.Errorf("unknown command %q; %s", args[0], right)}
}
