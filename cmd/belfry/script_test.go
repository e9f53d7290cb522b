// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/notify/notifytest"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what the commands say into testdata/script")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"belfry": main}) }

// TestScripts runs the real program, as a process of its own and without an
// environment, as Naemon runs commands; the other side is a fake server.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[serverKey{}] = new(*notifytest.Server)
			env.Values[mattermostKey{}] = new(*mattermosttest.Server)
			env.Setenv("HOME", "")
			// The race detector has a program that ends wait a second for others to race.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return os.WriteFile(filepath.Join(env.WorkDir, "token"), []byte(scriptToken+"\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"server": server,
			"lines":  lines,

			"mattermost": mattermost,
		},
	})
}

const scriptToken = "the-token-of-the-scripts"

// exits CODE PROGRAM ARG… runs a program and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
}

// lines N FILE wants so many lines in a file or in stdout or stderr.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines number file")
	}
	if got := strconv.Itoa(strings.Count(ts.ReadFile(args[1]), "\n")); got != args[0] {
		ts.Fatalf("%s has %s lines, want %s", args[1], got, args[0])
	}
}

type serverKey struct{}

// server plays the other side:
//
//	server start|socket     start it and tell notify in the environment
//	server stop             be down
//	server fails FAULT      fail from now on: a status, hang, swallow, close, picky; well: no more
//	server took N           so many notifications arrived, each counted once
//	server says KEY         print that key of the last one
//	server length KEY       print how many bytes that has
//	server order KEY        print that key of all, one a line
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server start|socket|stop|fails|took|says|order")
	}
	s, running := ts.Value(serverKey{}).(**notifytest.Server)
	if !running {
		ts.Fatalf("no place for a server")
	}
	rest := strings.Join(args[1:], " ")
	switch args[0] {
	case "start":
		startServer(ts, s, "tcp", "127.0.0.1:0", scriptToken)
		ts.Setenv("BELFRY_URL", (*s).URL)
		ts.Setenv("BELFRY_TOKEN_FILE", ts.MkAbs("token"))
	case "socket":
		startServer(ts, s, "unix", ts.MkAbs("sock"), "")
		ts.Setenv("BELFRY_SOCKET", (*s).URL)
	case "stop":
		(*s).Stop()
	case "fails":
		if rest == "well" {
			rest = ""
		}
		(*s).Fail(notifytest.Fault(rest))
	case "took":
		if got := strconv.Itoa(len((*s).Taken())); got != rest {
			ts.Fatalf("the server took %s, want %s", got, rest)
		}
	case "says", "length":
		all := (*s).Taken()
		if len(all) == 0 {
			ts.Fatalf("nothing arrived")
		}
		text := notifytest.Key(all[len(all)-1], rest)
		if args[0] == "length" {
			text = strconv.Itoa(len(text))
		}
		_, err := fmt.Fprintln(ts.Stdout(), text)
		ts.Check(err)
	case "order":
		for _, n := range (*s).Taken() {
			_, err := fmt.Fprintln(ts.Stdout(), notifytest.Key(n, rest))
			ts.Check(err)
		}
	default:
		ts.Fatalf("server %s: unknown", args[0])
	}
}

func startServer(ts *testscript.TestScript, s **notifytest.Server, network, address, token string) {
	started, err := notifytest.Start(network, address, token)
	ts.Check(err)
	ts.Defer(started.Stop)
	*s = started
	ts.Setenv("BELFRY_SPOOL", ts.MkAbs("spool"))
}
