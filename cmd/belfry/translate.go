// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"belfry/app"
	"belfry/clock"
	"belfry/config"
	"belfry/monitor/webhook"
	"belfry/translate"

	"github.com/spf13/cobra"
)

// translateFlags are the options of belfry translate.
type translateFlags struct {
	source, config, program, jq, contentType, print string
}

func newTranslateCommand() *cobra.Command {
	var f translateFlags
	cmd := &cobra.Command{
		Use:   "translate [FILE]",
		Short: "Show what a tool's payload becomes, without sending anything",
		Long: `Show what a tool's payload becomes: the alerts and messages that a source's
program makes of it, where they would go, and their cards as Mattermost, Slack
and the built-in room would show them. Nothing is stored or sent. A fault says
which key of the program's output is wrong and which path of the payload is
behind it.

FILE holds what the tool sends; "-", or no FILE, reads it from standard input.
Without --content-type it is taken for JSON if it begins like it, else for a form.

Exit codes: 0 understood, 1 not understood, 3 wrong usage.`,
		Example: `  belfry translate --config /etc/belfry/belfry.yaml -s uptime payload.json
  belfry translate --program grafana payload.json
  belfry translate --jq mine.jq payload.json
  belfry translate --print-program zabbix >mine.jq`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("translate takes one file, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTranslate(f, args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.source, "source", "s", "", "`name` of a source in the configuration")
	flags.StringVar(&f.config, "config", "", "configuration `file` (default $BELFRY_CONFIG)")
	flags.StringVar(&f.program, "program", "", "ready program: gitlab, grafana, jenkins, uptime-kuma or zabbix")
	flags.StringVar(&f.jq, "jq", "", "`file` with a jq program")
	flags.StringVar(&f.contentType, "content-type", "", "content `type` of the payload")
	flags.StringVar(&f.print, "print-program", "", "print the ready program of this `name`, to start one's own from")
	return cmd
}

// given counts the ways in which the program was named.
func (f translateFlags) given() (n int) {
	for _, s := range []string{f.source, f.program, f.jq, f.print} {
		if s != "" {
			n++
		}
	}
	return n
}

func runTranslate(f translateFlags, args []string, stdin io.Reader, stdout io.Writer) error {
	if f.given() != 1 {
		return usageError{errors.New("say by one of --source NAME, --program NAME and --jq FILE which program reads the payload")}
	}
	if f.print != "" {
		text, err := translate.Source(f.print)
		if err != nil {
			return usageError{err}
		}
		_, err = io.WriteString(stdout, text)
		return err
	}
	t := app.Translation{Source: f.source, ContentType: f.contentType, Clock: clock.System{}}
	if f.source == "" {
		spec := &webhook.Config{Program: f.program, JQFile: f.jq}
		if wrong := spec.Validate(); len(wrong) > 0 {
			return usageError{errors.Join(wrong...)}
		}
		t.Kind, t.Spec, t.Source = "webhook", spec, f.program
		if f.jq != "" {
			t.Source = "the program"
		}
	}
	var err error
	if t.File, err = f.file(); err != nil {
		return err
	}
	path := "-"
	if len(args) == 1 {
		path = args[0]
	}
	if t.Body, err = readPayload(path, stdin); err != nil {
		return err
	}
	if t.ContentType == "" {
		t.ContentType = guessType(t.Body)
	}
	text, err := app.Translate(t)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

func (f translateFlags) file() (*config.File, error) {
	path := f.config
	if path == "" {
		path = os.Getenv("BELFRY_CONFIG")
	}
	if path == "" {
		return config.Default(app.Kinds()), nil
	}
	file, problems := config.LoadServer(path, app.Kinds(), serveFlags{}.override)
	if len(problems) > 0 {
		return nil, problems
	}
	return file, nil
}

func readPayload(path string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // who runs this names it
		if err != nil {
			return nil, fmt.Errorf("can't read the payload: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	body, err := io.ReadAll(io.LimitReader(from, translate.MaxInput+1))
	if err != nil {
		return nil, fmt.Errorf("can't read the payload: %w", err)
	}
	return body, nil
}

// guessType takes for a form what begins neither like JSON nor like its texts.
func guessType(body []byte) string {
	if b := bytes.TrimSpace(body); len(b) == 0 || bytes.ContainsRune([]byte(`{["-0123456789tfn`), rune(b[0])) && !bytes.Contains(firstWord(b), []byte("=")) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

func firstWord(b []byte) []byte {
	if b[0] == '{' || b[0] == '[' || b[0] == '"' {
		return b[:1]
	}
	word, _, _ := bytes.Cut(b, []byte("\n"))
	return word
}
