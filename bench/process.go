// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"belfry/app"
	"belfry/clock"
	"belfry/config"
)

// The parts that the benchmark's own program plays as another process.
const (
	rolePrefix = "role:"
	roleBare   = rolePrefix + "bare"
	roleServe  = rolePrefix + "serve"
)

// play is the part that such a process has.
func play(ctx context.Context, role string, args []string, stdout io.Writer) error {
	switch {
	case role == roleBare && len(args) == 2:
		return serveBare(ctx, args[0], args[1], stdout)
	case role == roleServe && len(args) == 3:
		return serveProfiled(ctx, args[0], args[1], args[2], stdout)
	}
	return fmt.Errorf("%s is for the benchmark's own use", role)
}

// garbage is the setting of belfry serve, for what is to be like it.
const garbage = 300

// ready begins the line with which every server says where it answers.
const ready = "belfry is ready at "

// process is a server of its own.
type process struct {
	cmd   *exec.Cmd
	url   string
	data  string
	began time.Time
	ended chan struct{}
	err   error
	said  *os.File
}

// belfry starts belfry serve with a configuration (none when empty) and waits
// until it is ready.
func (b *bench) belfry(ctx context.Context, name, configuration string) (*process, error) {
	dir := filepath.Join(b.dir, name)
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	args := []string{"serve", "--data", data, "--listen", "127.0.0.1:0"}
	file := ""
	if configuration != "" {
		file = filepath.Join(dir, "belfry.yaml")
		if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--config", file)
	}
	if b.profile == "" {
		return start(ctx, dir, data, b.program, args...)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, dir, data, self, roleServe, file, data, b.profile+"-"+name)
}

// start runs a server and waits for the line that says where it answers.
func start(ctx context.Context, dir, data, program string, args ...string) (*process, error) {
	said, err := os.OpenFile(filepath.Join(dir, "said"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, program, args...), data: data, ended: make(chan struct{}), said: said}
	p.cmd.Stderr = said
	p.cmd.Dir = dir
	p.cmd.Cancel = func() error { return p.cmd.Process.Kill() }
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, said.Close())
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, said.Close())
	}
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			first <- lines.Text()
		}
		close(first)
		for lines.Scan() {
			_, _ = fmt.Fprintln(said, lines.Text())
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	line := ""
	select {
	case line = <-first:
	case <-time.After(10 * time.Second):
	}
	ok := false
	if p.url, ok = strings.CutPrefix(line, ready); !ok {
		return nil, fmt.Errorf("%s did not become ready; it said %q: %w", filepath.Base(program), line, errors.Join(p.stop(), p.words()))
	}
	return p, nil
}

// words is what the server said, as an error for the one who asks why.
func (p *process) words() error {
	b, err := os.ReadFile(p.said.Name())
	if err != nil {
		return err
	}
	return errors.New(string(b))
}

// stop ends the server the way an administrator does.
func (p *process) stop() error {
	defer func() { _ = p.said.Close() }()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("a server had to be killed")
	}
	if p.err != nil {
		return fmt.Errorf("a server ended badly: %w", p.err)
	}
	return nil
}

// token is that of a source whose token Belfry made.
func (p *process) token(source string) (string, error) {
	b, err := os.ReadFile(p.tokenFile(source))
	return strings.TrimSpace(string(b)), err
}

func (p *process) tokenFile(source string) string { return filepath.Join(p.data, source+".token") }

// processor is the processor time that the server has used.
func (p *process) processor() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// After the name in parentheses: state is the third field, user and system
	// time, in hundredths of a second, are the 14th and the 15th (proc(5)).
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is the server's memory in bytes.
func (p *process) resident() (int, error) { return memoryOf(p.cmd.Process.Pid, "VmRSS:") }

// memoryOf is what a line of a process's status says (proc(5)), in bytes.
func memoryOf(pid int, line string) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for text := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(text, line); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10, err
		}
	}
	return 0, errors.New("the system does not tell how much memory a process has")
}

// get asks the server for a page.
func (p *process) get(path string) error {
	res, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

// serveProfiled is belfry serve inside of the benchmark, with a profile.
func serveProfiled(ctx context.Context, path, data, profile string, stdout io.Writer) error {
	file := config.Default(app.Kinds())
	if path != "" {
		var problems config.Problems
		if file, problems = config.LoadFile(path, app.Kinds()); len(problems) > 0 {
			return problems
		}
	}
	file.Server.Data, file.Server.Listen = data, "127.0.0.1:0"
	debug.SetGCPercent(garbage)
	out, err := os.Create(profile)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	a, err := app.Start(ctx, app.Options{File: file, Data: data, Clock: clock.System{}})
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, a.Stop())
	}
	_, _ = fmt.Fprintln(stdout, ready+a.URL())
	<-ctx.Done()
	pprof.StopCPUProfile()
	return a.Stop()
}

// quiet starts a chat that asks everybody to come back in five minutes: what
// is taken in stays due, and nothing but intake is measured.
func quiet() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "300")
		http.Error(w, "limit exceeded", http.StatusTooManyRequests)
	})}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}
