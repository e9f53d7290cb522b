// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"belfry/app"
	"belfry/clock"
	orders "belfry/server"

	"github.com/spf13/cobra"
)

// answerFlags are the options of belfry answer.
type answerFlags struct {
	where         whereServer
	channel, json string
}

func newAnswerCommand() *cobra.Command {
	var f answerFlags
	cmd := &cobra.Command{
		Use:   "answer WORD...",
		Short: "Show what a message in a channel is answered with, without posting it",
		Long: `Show what a message that begins with WORD is answered with (answers: in the
configuration), as the platform of its connection would show it: that of
--channel, else where it is answered, else the first in the file. Nothing is posted.

An answer of kind http is tried right here: its endpoint is asked, or --json
gives what it would say. Those of kind query and template show what a running
server knows, which is asked through its socket and goes by the configuration that
it runs with.

Exit codes: 0 answered, 1 no answer, 3 wrong usage.`,
		Example: `  belfry answer --config /etc/belfry/belfry.yaml fridge top
  belfry answer --config /etc/belfry/belfry.yaml --json fridge.json fridge top
  belfry answer --config /etc/belfry/belfry.yaml --channel chat/ops status web01`,
		Args: func(_ *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, " ")) == "" {
				return usageError{errors.New("say what somebody would write, as in belfry answer status web01")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), strings.Join(args, " "), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.channel, "channel", "", "`channel` it would be written in, as connection/channel (default: where it is answered)")
	flags.StringVar(&f.json, "json", "", "`file` with what the endpoint would answer; - for standard input")
	f.where.flags(cmd)
	return cmd
}

func (f answerFlags) run(ctx context.Context, text string, stdin io.Reader, stdout io.Writer) error {
	file, err := serveFlags{config: f.where.config, data: f.where.data}.file()
	if err != nil {
		return err
	}
	t := app.AnswerTrial{File: file, Channel: f.channel, Text: text, Clock: clock.System{}}
	if f.json != "" {
		if t.JSON, err = readPayload(f.json, stdin); err != nil {
			return err
		}
	}
	var said string
	if t.JSON == nil && t.NeedsServer() {
		said, err = f.ask(ctx, t)
	} else {
		said, err = t.Try(ctx)
	}
	if err != nil {
		if f.where.config == "" && os.Getenv("BELFRY_CONFIG") == "" {
			return fmt.Errorf("%w (no configuration file was read: name one with --config)", err)
		}
		return err
	}
	_, err = io.WriteString(stdout, said)
	return err
}

// ask has the running server say it.
func (f answerFlags) ask(ctx context.Context, t app.AnswerTrial) (string, error) {
	settings, err := f.where.settings()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	res, err := order(ctx, settings.Socket, "/answer", orders.AnswerOrder{Channel: t.Place(), Text: t.Text})
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	var said orders.Answered
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&said); err != nil {
		return "", errors.New("the server said something that this belfry does not understand; are both of the same version?")
	}
	if said.Error != "" {
		return "", errors.New(said.Error)
	}
	return said.Text, nil
}
