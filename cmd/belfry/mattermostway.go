// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"belfry/chat/mattermost/setup"
	"belfry/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// wayFlags are the options by which a Mattermost server is reached. What is not
// said there is as the connection is configured.
type wayFlags struct {
	caFile, proxy string
	insecure      bool
	given         *pflag.FlagSet
}

func (w *wayFlags) flags(cmd *cobra.Command) {
	w.given = cmd.Flags()
	w.given.StringVar(&w.caFile, "ca-file", "", "`file` with certificates to trust as well (default: the configured connection's)")
	w.given.StringVar(&w.proxy, "proxy", "", "`URL` of a proxy to use instead of HTTPS_PROXY (default: the configured connection's)")
	w.given.BoolVar(&w.insecure, "insecure", false, "leave the server's certificate unchecked (default: the configured connection's)")
}

// over puts the options over what is configured for the connection of the wish.
func (w wayFlags) over(wish setup.Wish, file *config.File) (setup.Wish, error) {
	if w.insecure && w.caFile != "" {
		return wish, usageError{errors.New("--insecure is given beside --ca-file, which then means nothing; keep one of them, --ca-file if you can")}
	}
	for _, c := range file.Connections {
		if c.Name == wish.Connection {
			wish = wish.ReachedAs(c.Spec)
		}
	}
	if w.given.Changed("ca-file") {
		wish.CAFile, wish.Insecure = w.caFile, false
	}
	if w.given.Changed("proxy") {
		wish.Proxy = w.proxy
	}
	if w.given.Changed("insecure") {
		wish.Insecure = w.insecure
		if w.insecure {
			wish.CAFile = ""
		}
	}
	return wish, nil
}
