// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"belfry/app"
	"belfry/clock"
	"belfry/config"

	"github.com/spf13/cobra"
)

// serveFlags are the options of belfry serve.
type serveFlags struct {
	config, data, listen, publicURL, database string
	logLevel, logFormat                       string
}

func newServeCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server: it takes notifications in, shows them as cards in chat and in
its own room, and carries what people decide back to the monitoring systems.

It needs no configuration to start: it keeps everything in ./belfry-data and
prints a link that makes you its first administrator. A configuration file adds
chat connections, monitoring sources and routes; SIGHUP has it read again, and
a file with faults changes nothing.

An option wins over the environment (BELFRY_CONFIG, BELFRY_DATA, BELFRY_LISTEN,
BELFRY_PUBLIC_URL, BELFRY_DATABASE), the environment over the file.

Exit codes: 0 stopped when told to, 1 failed, 3 wrong usage.`,
		Example: `  belfry serve
  belfry serve --config /etc/belfry/belfry.yaml --data /var/lib/belfry
  belfry serve --database postgres://belfry@db.example.org/belfry`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration `file` (YAML); see belfry check")
	flags.StringVar(&f.data, "data", "", "`directory` for database, key, tokens and socket (default ./belfry-data)")
	flags.StringVar(&f.listen, "listen", "", "`address` to serve on (default 127.0.0.1:8080)")
	flags.StringVar(&f.publicURL, "public-url", "", "`URL` at which people and chat platforms reach this server")
	flags.StringVar(&f.database, "database", "", "`URL` of a PostgreSQL database (default: SQLite in the data directory)")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	return cmd
}

// file reads the configuration that the options and the environment name,
// without some of the included files.
func (f serveFlags) file(without ...string) (*config.File, error) {
	path := f.config
	if path == "" {
		path = os.Getenv("BELFRY_CONFIG")
	}
	file, problems := config.LoadServer(path, app.Kinds(), f.override, without...)
	if len(problems) > 0 {
		return nil, problems
	}
	f.override(&file.Server)
	if faults := file.Server.Validate(); len(faults) > 0 {
		return nil, usageError{errors.Join(faults...)}
	}
	return file, nil
}

// override puts the environment and the options over the file's settings.
func (f serveFlags) override(s *config.Server) {
	s.Override(os.Getenv)
	s.Override(func(name string) string {
		return map[string]string{"BELFRY_DATA": f.data, "BELFRY_LISTEN": f.listen,
			"BELFRY_PUBLIC_URL": f.publicURL, "BELFRY_DATABASE": f.database}[name]
	})
}

func (f serveFlags) log(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q is not known; it is debug, info, warn or error", f.logLevel)}
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(to, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(to, o)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format %q is not known; it is text or json", f.logFormat)}
}

// garbage is how much of it may gather before it is collected, in percent of
// what is in use. That is a few megabytes in Belfry: the usual 100 % would
// collect many times per second in an alert storm, for an eighth of the
// processor time of each alert.
const garbage = 300

func serve(ctx context.Context, f serveFlags, stdout, stderr io.Writer) error {
	log, err := f.log(stderr)
	if err != nil {
		return err
	}
	file, err := f.file()
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	a, err := app.Start(ctx, app.Options{File: file, Data: file.Server.Data, Version: versionOnly(), Clock: clock.System{}, Log: log, Reread: f.file})
	if err != nil {
		return err
	}
	greet(stdout, a)
	debug.FreeOSMemory() // what only the start needed; the next collection may be hours away
	for {
		select {
		case <-ctx.Done():
			log.Info("stopping: answering what was asked and finishing what is on its way")
			return a.Stop()
		case <-hup:
			reload(a, f, log)
		}
	}
}

// reload reads the configuration again. A fault is told and changes nothing.
func reload(a *app.App, f serveFlags, log *slog.Logger) {
	file, err := f.file()
	if err == nil {
		err = a.Reload(file)
	}
	if err != nil {
		log.Error("the configuration stays as it was", "err", err)
		return
	}
	log.Info("the configuration was read again")
}

// greet tells whoever started the server what to do next.
func greet(w io.Writer, a *app.App) {
	_, _ = fmt.Fprintf(w, "belfry is ready at %s\n", a.URL())
	if link := a.SetupLink(); link != "" {
		_, _ = fmt.Fprintf(w, "become its first administrator (the link works once): %s\n", link)
	}
	for _, h := range a.Handovers() {
		which := "the token in " + h.TokenFile
		if h.TokenFile == "" {
			which = "its token from the configuration"
		}
		if h.Hook {
			_, _ = fmt.Fprintf(w, "source %s (%s): tools post to %s/hooks/%s/TOKEN, where TOKEN is %s\n", h.Source, h.Kind, a.URL(), h.Source, which)
			continue
		}
		_, _ = fmt.Fprintf(w, "source %s (%s) hands over at %s/intake/%s with %s\n", h.Source, h.Kind, a.Local(), h.Source, which)
	}
	for _, p := range a.Programs() {
		_, _ = fmt.Fprintf(w, "program %s runs incidents at %s/api/incidents with the token in %s\n", p.Name, a.URL(), p.TokenFile)
	}
}
