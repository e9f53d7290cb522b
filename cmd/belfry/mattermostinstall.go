// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"

	"belfry/chat/mattermost/install"

	"github.com/spf13/cobra"
)

func newInstallCommand() *cobra.Command {
	var o install.Options
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Put a Mattermost server where there is none, from its release archive",
		Long: `Put a Mattermost server where there is none, from its release archive: unpack
it beside the place, have it say its version, change settings, and put it in
place in one step. Nothing is left when something fails. It belongs to whom
this runs as; a database is not touched.

--set changes config.json: the value is read as what stands there (true, a
number, a list in JSON, or text).

Exit codes: 0 done, 1 failed and nothing was changed, 3 wrong usage.`,
		Example: `  belfry mattermost install --archive mattermost-10.11.2-linux-amd64.tar.gz \
      --dir /opt/mattermost --set ServiceSettings.SiteURL=https://chat.example.org`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := wholeInstall(cmd, &o); err != nil {
				return err
			}
			return install.Install(cmd.Context(), o)
		},
	}
	installFlags(cmd, &o)
	return cmd
}

func newUpgradeCommand() *cobra.Command {
	var o install.Options
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Upgrade the Mattermost server in a directory, keeping what is its own",
		Long: `Upgrade the Mattermost server in a directory from a release archive. Stop it
first, and back up its database: that is not touched here, and the new version
changes it at its first start.

The new one is built beside the old one. What is kept: config, the directories
that settings name (files, logs, plugins, client plugins, exports and so on) as
far as they are inside, and whatever else stands at the top and is not the
program's. Uploads and logs are linked, the rest is copied; owners and modes
stay. The new program must say a version that is not older. Then both
directories are switched in one step, the old one stays complete under the name
DIR.old-VERSION, and the new one must say its version again. Until the switch
the old one is not touched; whatever fails is undone.

It does not begin while a program of the installation runs or something answers
at ServiceSettings.ListenAddress.

Exit codes: 0 done, 1 failed and everything is as it was, 3 wrong usage.`,
		Example: `  belfry mattermost upgrade --archive mattermost-10.11.2-linux-amd64.tar.gz \
      --dir /opt/mattermost --dry-run`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := wholeInstall(cmd, &o); err != nil {
				return err
			}
			return install.Upgrade(cmd.Context(), o)
		},
	}
	installFlags(cmd, &o)
	cmd.Flags().StringVar(&o.Config, "config", "", "Mattermost's configuration, if not config/config.json: `path` or database's URL")
	cmd.Flags().BoolVar(&o.AllowDowngrade, "allow-downgrade", false, "take an older version, too, or go on when the one installed can't be told")
	return cmd
}

func installFlags(cmd *cobra.Command, o *install.Options) {
	flags := cmd.Flags()
	flags.StringVar(&o.Archive, "archive", "", "release archive: `file`.tar.gz")
	flags.StringVar(&o.Dir, "dir", "", "Mattermost's `directory`")
	flags.StringArrayVar(&o.Set, "set", nil, "change a setting: `Section.Key=value`; may be repeated")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would be done and change nothing")
}

func wholeInstall(cmd *cobra.Command, o *install.Options) error {
	if o.Archive == "" || o.Dir == "" {
		return usageError{errors.New("--archive and --dir are needed; see " + cmd.CommandPath() + " --help")}
	}
	o.Getenv, o.Out = os.Getenv, cmd.OutOrStdout()
	return nil
}
