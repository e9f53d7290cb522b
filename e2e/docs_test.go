// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documented returns the notification commands that a document shows, host and
// service in turn.
func documented(t *testing.T, name string) []commands {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []commands
	for line := range strings.Lines(string(text)) {
		_, arguments, found := strings.Cut(strings.TrimSpace(line), "/usr/local/bin/belfry notify --type ")
		arguments = "--type " + arguments
		switch {
		case !found:
		case strings.HasPrefix(arguments, "--type Host "):
			all = append(all, commands{host: arguments})
		case len(all) > 0 && all[len(all)-1].service == "":
			all[len(all)-1].service = arguments
		default:
			t.Errorf("%s: no host's command goes before %s", name, line)
		}
	}
	return all
}

// TestTheCommandsOfTheDocumentsWork gives every pair of notification commands
// that a reader can copy to a real Nagios, and goes the whole way with it.
func TestTheCommandsOfTheDocumentsWork(t *testing.T) {
	t.Parallel()
	for name, pairs := range map[string]int{"README.md": 1, "docs/openitcockpit.md": 3} {
		all := documented(t, name)
		if len(all) != pairs {
			t.Errorf("%s shows %d pairs of commands, want %d", name, len(all), pairs)
		}
		for _, c := range all {
			t.Run(filepath.Base(name), func(t *testing.T) {
				t.Parallel()
				e := newEstateOf(t, c)
				output := "it is full"
				if strings.Contains(c.service, `'$SERVICEOUTPUT$'`) {
					output = `it's full \` // what double quotes would lose
				}
				e.nagios.SetService("2 CRITICAL - " + output)
				card := e.room().WaitCard("full")
				if card.Color() != red || !card.Shows("CRITICAL") {
					t.Errorf("the card reads %q in %s", card.Text(), card.Color())
				}
				card.ClickAs("alice", "Acknowledge")
				e.nagios.WaitFor("the acknowledgement in Nagios", e.acknowledged)
				card.WaitText("acknowledged by alice")
				e.nagios.SetService("0 OK - room again")
				card.WaitButtons()
				e.nagios.SetHost("2 DOWN - gone")
				if host := e.room().WaitCard("gone"); !host.Shows("DOWN") {
					t.Errorf("the host's card reads %q", host.Text())
				}
				if n := len(e.room().Cards()); n != 2 {
					t.Errorf("%d cards, want one of the service and one of the host", n)
				}
			})
		}
	}
}

// TestTheDocumentsNameOptionsThatThereAre asks the program's own help about
// every command and option that the documents show.
func TestTheDocumentsNameOptionsThatThereAre(t *testing.T) {
	t.Parallel()
	ask := helpOf(t)
	names, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	// A command stands at the end of a path, behind -- or at a line's beginning,
	// in a block or in a code span. "/belfry" is what people type in chat.
	shown := regexp.MustCompile("(?m)(?:^ *|`|[a-z]/|-- |=)(?:belfry|go run ./cmd/belfry) ([a-z]+)([^`\n]*)")
	option := regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
	commands, kinds := 0, map[string]bool{}
	for _, name := range append(names, "../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			command, help := ask(strings.Fields(m[1] + " " + m[2]))
			if help == "" {
				t.Errorf("%s shows belfry %s, which is no command", name, m[1])
				continue
			}
			kinds[command] = true
			commands++
			for _, o := range option.FindAllStringSubmatch(m[2], -1) {
				if o[1] != "--help" && !regexp.MustCompile(regexp.QuoteMeta(o[1])+`[\s=]`).MatchString(help) {
					t.Errorf("%s shows belfry %s %s, which is no option", name, command, o[1])
				}
			}
		}
	}
	if commands < 15 || len(kinds) < 8 {
		t.Errorf("found %d commands of %d kinds in the documents: does this test still read them?", commands, len(kinds))
	}
}

// helpOf returns what finds the command that words begin with, as deep as the
// program's help knows it, and its help; empty for none.
func helpOf(t *testing.T) func(words []string) (command, help string) {
	known := map[string]string{}
	say := func(command string) string {
		if known[command] == "" {
			said, err := exec.Command(program, append(strings.Fields(command), "--help")...).Output() //nolint:gosec // our own program
			if err != nil {
				t.Fatalf("belfry %s --help: %v", command, err)
			}
			known[command] = string(said)
		}
		return known[command]
	}
	return func(words []string) (command, help string) {
		for _, word := range words {
			if !strings.Contains(say(command), "\n  "+word+" ") {
				break
			}
			command = strings.TrimSpace(command + " " + word)
		}
		if command == "" {
			return "", ""
		}
		return command, say(command)
	}
}

// TestTheConfigurationOfTheReadmeIsFine lets the program check it.
func TestTheConfigurationOfTheReadmeIsFine(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```yaml\n(server:.*?)^```$").FindSubmatch(text)
	if found == nil {
		t.Fatal("README.md shows no configuration")
	}
	file := filepath.Join(t.TempDir(), "belfry.yaml")
	if err := os.WriteFile(file, found[1], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "check", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
