// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"belfry/app"
	"belfry/config"
	orders "belfry/server"
	"belfry/trial"

	"github.com/spf13/cobra"
)

// exitNobody is that a test card was posted and nobody pressed its button.
const exitNobody = 2

// whereServer are the options by which a running server is found.
type whereServer struct{ config, data, socket string }

func (w *whereServer) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.config, "config", "", "configuration `file` of the server (default $BELFRY_CONFIG)")
	f.StringVar(&w.data, "data", "", "data `directory` of the server (default ./belfry-data)")
	f.StringVar(&w.socket, "socket", "", "unix `socket` of the server (default belfry.sock in its data directory)")
}

// settings are those of the server: from its file, the environment, options.
func (w whereServer) settings() (config.Server, error) {
	file, err := serveFlags{config: w.config, data: w.data}.file()
	if err != nil {
		return config.Server{}, err
	}
	if w.socket != "" {
		file.Server.Socket = w.socket
	}
	if file.Server.Socket == "" {
		file.Server.Socket = filepath.Join(file.Server.Data, app.SocketFile)
	}
	return file.Server, nil
}

// overSocket returns a client of the server that listens on a socket.
func overSocket(path string) *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }}}
}

func newTestCommand() *cobra.Command {
	var where whereServer
	var channel string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Post a test card to a channel and wait for a click",
		Long: `Post a test card to a channel, wait until somebody presses its button, and say
how long each way took. It shows that Belfry can post, that the chat server
reaches Belfry with what people press, and that Belfry can edit. The server
must be running on this host; it is asked through its socket.

Exit codes: 0 the button was pressed and the card says so, 1 failed (what and
why stands on standard error), 2 the card was posted and nobody pressed in
time, 3 wrong usage.`,
		Example: "  belfry test --channel chat/ops\n  belfry test --channel room/alerts --timeout 10m",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if channel == "" {
				return usageError{errors.New("--channel is missing; say which, as in belfry test --channel chat/ops")}
			}
			if wait < trial.MinWait || wait > trial.MaxWait {
				return usageError{fmt.Errorf("--timeout %v is not between %v and %v", wait, trial.MinWait, trial.MaxWait)}
			}
			return test(cmd.Context(), where, channel, wait, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&channel, "channel", "", "`channel` to test, as connection/channel")
	cmd.Flags().DurationVar(&wait, "timeout", 2*time.Minute, "how long to wait for a click, as a `duration` such as 90s or 10m")
	where.flags(cmd)
	return cmd
}

// answerMargin is how much longer than the wait the server may take.
const answerMargin = 2 * time.Minute

func test(ctx context.Context, where whereServer, channel string, wait time.Duration, stdout, stderr io.Writer) error {
	settings, err := where.settings()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait+answerMargin)
	defer cancel()
	res, err := order(ctx, settings.Socket, "/test", orders.TestOrder{Channel: channel, By: whoami(), Wait: wait})
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines := json.NewDecoder(io.LimitReader(res.Body, 64<<10))
	for {
		var l orders.TestLine
		err := lines.Decode(&l)
		switch {
		case err != nil:
			return errors.New("the server ended before the test did; look at its log")
		case l.Nobody:
			_, _ = fmt.Fprintf(stderr, "belfry: nobody pressed the button within %v; the card in %s says so now. If somebody did press it, the chat server does not reach belfry: see the server's log\n", wait, channel)
			return exitCode(exitNobody)
		case l.Error != "":
			return fmt.Errorf("the test of %s failed: %s", channel, l.Error)
		case l.Event == nil:
			return errors.New("the server said something that this belfry does not understand; are both of the same version?")
		}
		tellStage(stdout, channel, wait, *l.Event)
		if l.Stage == trial.Updated {
			return nil
		}
	}
}

func tellStage(w io.Writer, channel string, wait time.Duration, e trial.Event) {
	took := e.Took.Round(time.Millisecond)
	switch e.Stage {
	case trial.Posted:
		_, _ = fmt.Fprintf(w, "posted a test card to %s in %v; press its button within %v\n", channel, took, wait)
	case trial.Pressed:
		_, _ = fmt.Fprintf(w, "%s pressed it after %v\n", e.By, took)
	case trial.Updated:
		_, _ = fmt.Fprintf(w, "the card was edited %v after the press; %s works in both directions\n", took, channel)
	}
}

// noServer is a socket on which nobody answers.
type noServer struct {
	socket string
	err    error
}

func (n noServer) Error() string {
	return fmt.Sprintf("no server answers on %s: start belfry serve, or say --data or --socket as it was started with (%v)", n.socket, n.err)
}

func (n noServer) Unwrap() error { return n.err }

// order sends an order to the server on a socket. Its answer is 200, or an error.
func order(ctx context.Context, socket, path string, body any) (*http.Response, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://belfry"+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := overSocket(socket).Do(req)
	if err != nil {
		return nil, noServer{socket, errors.Unwrap(err)}
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	var said struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&said) != nil || said.Error == "" {
		return nil, fmt.Errorf("the server on %s answers with %s; is it of the same version?", socket, res.Status)
	}
	return nil, errors.New(said.Error)
}

// whoami is who runs the command, as a card says it.
func whoami() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "an administrator"
}
