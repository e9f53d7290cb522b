// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the Makefile: -ldflags "-X main.version=v1.2.3".
var version string

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which Belfry this is",
		Long:    "Say which version of Belfry this is, from which commit, and made with which Go.\n\nExit codes: 0 done, 3 wrong usage.",
		Example: "  belfry version",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}

// versionOnly is versionLine without the program's name, for pages that say it.
func versionOnly() string { return strings.TrimPrefix(versionLine(), "belfry ") }

// versionLine is like "belfry v1.2.3 (commit 0123456789ab, go1.26.0, linux/amd64)".
func versionLine() string {
	info, _ := debug.ReadBuildInfo()
	return describe(version, info)
}

// describe says what is known of a program, and nothing of what is not: plain
// go build may know neither a version nor a commit.
func describe(name string, info *debug.BuildInfo) string {
	commit, changed := "", ""
	if info != nil {
		if name == "" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value[:min(len(s.Value), 12)]
			case "vcs.modified":
				if s.Value == "true" {
					changed = " with changes"
				}
			}
		}
	}
	if name == "" || name == "(devel)" { // Go's word for a version that it does not know
		name = "development build"
	}
	if commit != "" {
		commit = "commit " + commit + changed + ", "
	}
	return fmt.Sprintf("belfry %s (%s%s, %s/%s)", name, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
