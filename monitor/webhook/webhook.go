// SPDX-License-Identifier: Apache-2.0

// Package webhook takes the payloads of any tool: a jq program (package
// translate), ready-made or the administrator's own, turns them into reports.
//
// The flow: Decode reads the body by its content type and runs the program. A
// payload that the program can't make anything of is kept by the server, which
// answers 202: to send the same again would not help, to mend the program does.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"belfry/config"
	"belfry/monitor"
	"belfry/translate"
)

// Config says which program reads the payloads: one of the three.
type Config struct {
	// Program is the name of a ready one.
	Program string `yaml:"program,omitempty"`
	// JQ is a program's text.
	JQ string `yaml:"jq,omitempty"`
	// JQFile is the path of a program; it is read again with the configuration.
	JQFile string `yaml:"jq_file,omitempty"`
}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec. It compiles the program.
func (c *Config) Validate() []error {
	var given []string
	for _, f := range []struct{ field, value string }{{"program", c.Program}, {"jq", c.JQ}, {"jq_file", c.JQFile}} {
		if f.value != "" {
			given = append(given, f.field)
		}
	}
	switch {
	case len(given) == 0:
		return []error{errors.New("say which program reads the payloads: program: " + strings.Join(translate.Names(), "|") + ", or jq: or jq_file:")}
	case len(given) > 1:
		return []error{config.Wrong(given[1], "%s is set too; keep one of the two", given[0])}
	case c.Program != "" && !slices.Contains(translate.Names(), c.Program):
		return []error{config.Wrong("program", "%.40q is not known; known are %s", c.Program, strings.Join(translate.Names(), ", "))}
	}
	if _, err := c.compile(); err != nil {
		return []error{config.Wrong(given[0], "%v", err)}
	}
	return nil
}

func (c *Config) compile() (*translate.Program, error) {
	switch {
	case c.Program != "":
		return translate.Ready(c.Program)
	case c.JQFile != "":
		source, err := read(c.JQFile)
		if err != nil {
			return nil, err
		}
		return translate.Compile(source)
	}
	return translate.Compile(c.JQ)
}

func read(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the administrator names it
	if err != nil {
		return "", fmt.Errorf("can't read the program: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, translate.MaxProgram+1))
	if err != nil {
		return "", fmt.Errorf("can't read the program: %w", err)
	}
	return string(b), nil
}

// Open returns the monitor.
func (c *Config) Open() (monitor.Monitor, error) {
	p, err := c.compile()
	if err != nil {
		return nil, err
	}
	return &Monitor{program: p}, nil
}

// Monitor takes payloads in. It can't be told anything.
type Monitor struct{ program *translate.Program }

var _ monitor.Hook = (*Monitor)(nil)

// Decode implements monitor.Monitor.
func (m *Monitor) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	in, err := translate.Input(contentType, body)
	if err != nil {
		return monitor.Decoded{}, err
	}
	return m.program.Run(context.Background(), in)
}

// answer is the body of an answer, as for every hand-over.
type answer struct {
	Accepted int      `json:"accepted"`
	Warnings []string `json:"warnings,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// Answer implements monitor.Hook.
func (m *Monitor) Answer(o monitor.Outcome) monitor.Answer {
	a, status := answer{Accepted: o.Accepted, Warnings: o.Warnings}, http.StatusOK
	switch {
	case o.Fault != nil && o.Kept:
		status = http.StatusAccepted
		a.Warnings = append(a.Warnings, "not understood, kept for an administrator: "+o.Fault.Error())
	case o.Fault != nil:
		status, a.Error = http.StatusBadRequest, o.Fault.Error()
	}
	b, err := json.Marshal(a)
	if err != nil {
		return monitor.Answer{Status: status, ContentType: "application/json", Body: "{}"}
	}
	return monitor.Answer{Status: status, ContentType: "application/json", Body: string(b) + "\n"}
}
