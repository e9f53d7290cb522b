// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"belfry/app"
	"belfry/clock"
	"belfry/config"
	"belfry/monitor/estate"
	"belfry/seal"

	"github.com/spf13/cobra"
)

// estateName is the simulated source's name, as cards show it.
const estateName = "estate"

func newDemoCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show everything with nothing installed",
		Long: `Show everything with nothing installed: a server with its built-in chat room,
and a small simulated estate of hosts and services that fails and recovers.
Open the printed address, press Acknowledge on a card, and watch the estate
confirm it; or declare an incident, which gets a channel of its own. Ctrl-C ends
the demo and removes what it wrote.

Exit codes: 0 ended by Ctrl-C, 1 failed, 3 wrong usage.`,
		Example: "  belfry demo\n  belfry demo --listen 127.0.0.1:9000",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), listen, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to serve on; port 0 takes any free one")
	return cmd
}

func demo(ctx context.Context, listen string, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "belfry-demo-")
	if err != nil {
		return fmt.Errorf("can't make a directory for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	simulated := estate.New(estate.Options{Clock: clock.System{}})
	file := config.Default(app.Kinds())
	file.Server.Listen = listen
	file.Sources = nil
	file.Incidents.Announce = []string{config.RoomName + "/incidents"}
	file.Incidents.Channel.On = []string{config.RoomName}
	key := seal.Random()
	a, err := app.Start(ctx, app.Options{File: file, Data: dir, Version: versionOnly(), Clock: clock.System{},
		Log:     slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		DemoKey: key, Extra: []app.Extra{{Name: estateName, Monitor: simulated}}})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "open %s/demo?key=%s\nCtrl-C ends the demo\n", a.URL(), key)
	failed := simulated.Run(ctx, a.Report(estateName))
	if errors.Is(failed, context.Canceled) {
		failed = nil
	}
	return errors.Join(failed, a.Stop())
}
