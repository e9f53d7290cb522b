// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"belfry/app"
	"belfry/chat/slack"
	"belfry/command/incidents"
	"belfry/config"

	"github.com/spf13/cobra"
)

func newSlackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "slack",
		Short: "Make a Slack app for Belfry",
		Long:  "Make a Slack app for Belfry.\n\nExit codes: 0 done, 1 failed, 3 wrong usage.",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newManifestCommand())
	return cmd
}

// manifestFlags are the options of belfry slack manifest.
type manifestFlags struct {
	config, url, callback string
	connection, app, word string
	socket, http, json    bool
	link                  bool
}

func newManifestCommand() *cobra.Command {
	var f manifestFlags
	cmd := &cobra.Command{
		Use:   "manifest",
		Short: "Print the manifest of the Slack app that this installation needs",
		Long: `Print the manifest of the Slack app that this installation needs, and on standard
error the address that opens Slack's page for a new app with it. Nothing is sent
anywhere. It has two slash commands: that of alerts, and that by which incidents
are run (/incident, or what incidents.command in the file says).

With --config the connection of kind slack in that file decides what the app
needs. Without, an app for Socket Mode is described: Belfry opens the
connection, and Slack needs to reach nothing. With --http Slack calls Belfry at
its public URL, which must be https.

Afterwards: open the address, choose the workspace, press Create, then Install
to Workspace. The bot's token (xoxb-…) stands under OAuth & Permissions; for
Socket Mode make an app-level token (xapp-…) with the scope connections:write
under Basic Information; with --http take the Signing Secret from there.

Exit codes: 0 done, 1 failed, 3 wrong usage.`,
		Example: `  belfry slack manifest
  belfry slack manifest --config /etc/belfry/belfry.yaml --link
  belfry slack manifest --http --url https://belfry.example.org --name team`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration `file` with the connection")
	flags.StringVar(&f.url, "url", "", "`URL` at which people, and with --http Slack, reach Belfry (default: the configuration's public_url)")
	flags.StringVar(&f.callback, "callback-url", "", "`URL` at which Slack reaches the connection (default: URL and /chat/NAME)")
	flags.StringVar(&f.connection, "name", "", "`name` of the connection (default: slack, or the only one of kind slack in the file)")
	flags.StringVar(&f.app, "app", "Belfry", "`name` of the app and its bot")
	flags.StringVar(&f.word, "command", "", "slash `command` (default: /belfry, or the configuration's)")
	flags.BoolVar(&f.socket, "socket", false, "describe an app for Socket Mode")
	flags.BoolVar(&f.http, "http", false, "describe an app that Slack calls over HTTP")
	flags.BoolVar(&f.json, "json", false, "print JSON instead of YAML")
	flags.BoolVar(&f.link, "link", false, "print the address alone")
	return cmd
}

func (f *manifestFlags) run(stdout, stderr io.Writer) error {
	if f.socket && f.http {
		return usageError{errors.New("--socket and --http exclude each other; see belfry slack manifest --help")}
	}
	wish, err := f.wish()
	if err != nil {
		return err
	}
	m, err := slack.NewManifest(wish)
	if errors.Is(err, slack.ErrNoURL) {
		return usageError{fmt.Errorf("%w with --url https://belfry.example.org, or --config with a file that has server.public_url", err)}
	}
	if err != nil {
		return usageError{err}
	}
	text, link, err := f.texts(&m)
	if err != nil {
		return err
	}
	if f.link {
		_, err = fmt.Fprintln(stdout, link)
		return err
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stderr, "open this to make the app:\n%s\n", link)
	return err
}

func (f *manifestFlags) texts(m *slack.Manifest) (text, link string, err error) {
	if link, err = m.Link(); err != nil {
		return "", "", err
	}
	if f.json {
		text, err = m.JSON()
	} else {
		text, err = m.YAML()
	}
	return text, link, err
}

// wish puts together what the options and the configuration say.
func (f *manifestFlags) wish() (slack.Wish, error) {
	w := (&slack.Config{}).Wish(firstOf(f.connection, "slack"), f.url)
	w.Socket = true
	incidentWord := config.DefaultIncidentCommand
	if f.config != "" {
		file, problems := config.LoadFile(f.config, app.Kinds())
		if len(problems) > 0 {
			return w, problems
		}
		c, name, err := slackIn(file, f.connection)
		if err != nil {
			return w, err
		}
		w = c.Wish(name, firstOf(f.url, file.Server.PublicURL)).Answering(file.AnswersOn(name))
		incidentWord = file.Incidents.Command
	}
	w.Incidents, w.IncidentHint = "/"+incidentWord, incidents.Hint()
	w.Name, w.CallbackURL = f.app, f.callback
	if f.word != "" {
		w.Command = f.word
	}
	if f.socket || f.http {
		w.Socket = f.socket
	}
	return w, nil
}

// slackIn returns the connection of kind slack that name means, or the only one.
func slackIn(file *config.File, name string) (c *slack.Config, found string, err error) {
	var names []string
	for _, conn := range file.Connections {
		spec, ok := conn.Spec.(*slack.Config)
		if !ok || name != "" && conn.Name != name {
			continue
		}
		names = append(names, conn.Name)
		c = spec
	}
	switch {
	case len(names) == 1:
		return c, names[0], nil
	case len(names) > 1:
		return nil, "", usageError{fmt.Errorf("the configuration has several connections of kind slack (%s): name one with --name", strings.Join(names, ", "))}
	case name != "":
		return nil, "", usageError{fmt.Errorf("the configuration has no connection %q of kind slack", name)}
	}
	return nil, "", usageError{errors.New("the configuration has no connection of kind slack; leave --config out to make an app for one to come")}
}
