// SPDX-License-Identifier: Apache-2.0

// Command bench measures what Belfry promises about speed and prints one
// table: what was measured, what bare work of the same kind takes in the same
// run (the floor), and what is to be reached.
//
// The flow: main.go builds the real program and runs one figure after the
// other. Each figure starts servers as processes of their own (process.go), on
// 127.0.0.1 and in a directory that is removed afterwards; load.go is what
// calls them. intake.go, notify.go, post.go, cards.go, click.go, incidents.go, rooms.go and start.go
// are the figures; bare.go is the handler that intake is compared with.
//
// A machine is never quiet. What is compared is measured in turns, medians
// count, and the spread is told below the table. A figure below its reach is
// said so, and is no failure: only what is wrong (an alert lost, cards out of
// order) is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// atMost bounds everything: what takes longer is broken.
const atMost = 5 * time.Minute

// bench is one run of the benchmark.
type bench struct {
	// dir is where everything is kept; it is removed at the end.
	dir string
	// program is the belfry that is measured.
	program string
	// profile is where the servers' processor profiles go: PROFILE-NAME.
	profile string
	// rounds is how often what is compared takes turns.
	rounds int
}

// figures are all that is measured, in the order of the table.
func figures() []figure {
	return []figure{
		{"intake", (*bench).intake},
		{"notify", (*bench).notify},
		{"post", (*bench).post},
		{"cards", (*bench).cards},
		{"click", (*bench).click},
		{"incidents", (*bench).incidents},
		{"rooms", (*bench).rooms},
		{"start", (*bench).start},
	}
}

// figure is a part of the table that can be run alone.
type figure struct {
	name string
	run  func(*bench, context.Context) ([]row, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && strings.HasPrefix(args[0], rolePrefix) {
		return play(ctx, args[0], args[1:], stdout)
	}
	names := make([]string, 0, len(figures()))
	for _, f := range figures() {
		names = append(names, f.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "measure only these `figures`, separated by commas: "+strings.Join(names, ", "))
	b := &bench{}
	flags.StringVar(&b.program, "belfry", "", "measure this `program`; without it the one in this source tree is built")
	flags.StringVar(&b.profile, "cpuprofile", "", "run the servers inside of the benchmark and write their processor profiles to `FILE`-NAME")
	flags.IntVar(&b.rounds, "rounds", 15, "how many `times` what is compared takes turns")
	dir := flags.String("dir", "", "keep databases in this `directory` (removed again); its disk is what is measured")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	chosen, err := choose(*only, names)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	if b.dir, err = os.MkdirTemp(*dir, "belfry-bench-"); err != nil {
		return fmt.Errorf("can't make a directory to work in: %w", err)
	}
	defer func() { _ = os.RemoveAll(b.dir) }() // what is left is in the temporary directory
	if err := b.build(ctx); err != nil {
		return err
	}
	return b.all(ctx, chosen, stdout, stderr)
}

// choose reads the names of figures; none means all.
func choose(only string, names []string) ([]string, error) {
	if only == "" {
		return names, nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no figure %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}

// build makes the program to measure, as it is released.
func (b *bench) build(ctx context.Context) (err error) {
	if b.program != "" {
		b.program, err = filepath.Abs(b.program)
		return err
	}
	b.program = filepath.Join(b.dir, "belfry")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.program, "belfry/cmd/belfry")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("can't build the program: %w\n%s", err, out)
	}
	return nil
}

// all runs the figures and prints the table. One that can't be measured does
// not keep the others from it.
func (b *bench) all(ctx context.Context, chosen []string, stdout, stderr io.Writer) error {
	var rows []row
	var failed []error
	for _, f := range figures() {
		if !slices.Contains(chosen, f.name) {
			continue
		}
		_, _ = fmt.Fprintf(stderr, "measuring %s …\n", f.name)
		got, err := f.run(b, ctx)
		rows = append(rows, got...)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", f.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	_, err := io.WriteString(stdout, table(rows))
	return errors.Join(append(failed, err)...)
}
