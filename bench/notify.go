// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	notifyRuns  = 50
	memoryRuns  = 5
	notifyReach = 1.0
	memoryReach = 20 << 20
)

// notify compares belfry notify with curl that posts the same body, as a
// monitoring core runs either: a new process with an empty environment.
func (b *bench) notify(ctx context.Context) (out []row, err error) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		return nil, errors.New("curl is missing: it is what belfry notify is compared with; install curl")
	}
	p, err := b.belfry(ctx, "notify", "sources: [{name: nagios, kind: nagios}]\n")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h := handOver{bench: b, curl: curl, server: p, dir: filepath.Join(b.dir, "notify"), spool: filepath.Join(b.dir, "notify", "spool")}
	if err := os.Mkdir(h.spool, 0o700); err != nil {
		return nil, err
	}
	if err := h.learnBody(ctx); err != nil {
		return nil, err
	}
	var ours, theirs []time.Duration
	for i := range notifyRuns + 5 {
		mine, err := h.belfry(ctx, 2*i)
		if err != nil {
			return nil, err
		}
		other, err := h.byCurl(ctx, 2*i+1)
		if err != nil {
			return nil, err
		}
		if i >= 5 { // the first ones fetch the programs from the disk
			ours, theirs = append(ours, mine), append(theirs, other)
		}
	}
	most := 0
	for i := range memoryRuns {
		n, err := h.memory(ctx, 1000+i)
		if err != nil {
			return nil, err
		}
		most = max(most, n)
	}
	r := float64(median(ours)) / float64(median(theirs))
	return []row{
		{figure: "belfry notify ÷ curl, wall time", measured: ms(median(ours)), floor: ms(median(theirs)), ratio: ratio(r),
			reach: fmt.Sprintf("≤ %.1f", notifyReach), ok: r <= notifyReach,
			notes: []string{fmt.Sprintf("medians of %d runs in turns, each a new problem that the server stored; middle half %s to %s, curl's %s to %s",
				notifyRuns, ms(quantile(ours, 0.25)), ms(quantile(ours, 0.75)), ms(quantile(theirs, 0.25)), ms(quantile(theirs, 0.75)))}},
		{figure: "belfry notify, peak memory", measured: mb(most), reach: "≤ " + mb(memoryReach), ok: most <= memoryReach,
			notes: []string{fmt.Sprintf("resident, the highest of %d runs, looked at while it waits for the answer", memoryRuns)}},
	}, nil
}

// mb shows bytes in megabytes of 2^20.
func mb(n int) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// handOver runs the two programs.
type handOver struct {
	bench      *bench
	curl       string
	server     *process
	dir, spool string
	// body is what belfry notify posts, with name in it.
	body string
}

// name is the n-th service: another problem each time.
func name(n int) string { return fmt.Sprintf("disk-%05d", n) }

// arguments are those that a command definition of Nagios has.
func (h *handOver) arguments(url string, n int) []string {
	return []string{"notify", "--url", url, "--token-file", h.server.tokenFile("nagios"), "--spool", h.spool,
		"--type", "Service", "--notificationtype", "PROBLEM", "--hostname", "web-017", "--hostaddress", "192.0.2.17",
		"--servicedesc", name(n), "--state", "CRITICAL", "--output", "DISK CRITICAL - free space: /var 1203 MB (3% inode=87%);",
		"--longoutput", "", "--problemid", strconv.Itoa(5000 + n), "--lastproblemid", "0", "--contact", "oncall"}
}

// runOnce runs a program as a core does and returns how long it took.
func runOnce(ctx context.Context, program string, args ...string) (time.Duration, string, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Env = []string{}
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	began := time.Now()
	err := c.Run()
	took := time.Since(began)
	// Whoever comes next finds the server idle: card and its recording are done.
	time.Sleep(15 * time.Millisecond)
	return took, said.String(), err
}

func (h *handOver) belfry(ctx context.Context, n int) (time.Duration, error) {
	took, said, err := runOnce(ctx, h.bench.program, h.arguments(h.server.url, n)...)
	if err != nil || said != "" { // it says something when it had to keep it
		return 0, fmt.Errorf("belfry notify did not hand over: %w: %s", err, said)
	}
	return took, nil
}

func (h *handOver) byCurl(ctx context.Context, n int) (time.Duration, error) {
	token, err := h.server.token("nagios")
	if err != nil {
		return 0, err
	}
	file := filepath.Join(h.dir, "body")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(h.body, name(0), name(n))), 0o600); err != nil {
		return 0, err
	}
	took, said, err := runOnce(ctx, h.curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
		"-H", "Authorization: Bearer "+token, "--data-binary", "@"+file, h.server.url+"/intake/nagios")
	if err != nil || said != "200" {
		return 0, fmt.Errorf("curl did not hand over: %w: %s", err, said)
	}
	return took, nil
}

// learnBody lets belfry notify post to the benchmark once, so that curl posts
// the very same.
func (h *handOver) learnBody(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bodies := make(chan string, 1)
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if b, err := io.ReadAll(r.Body); err == nil {
			bodies <- string(b)
		}
	})}
	defer func() { _ = s.Close() }()
	go func() { _ = s.Serve(l) }() // ends with Close
	if _, said, err := runOnce(ctx, h.bench.program, h.arguments("http://"+l.Addr().String(), 0)...); err != nil || said != "" {
		return fmt.Errorf("belfry notify did not hand over: %w: %s", err, said)
	}
	select {
	case h.body = <-bodies:
	default:
		return errors.New("belfry notify posted no body")
	}
	if !strings.Contains(h.body, name(0)) {
		return fmt.Errorf("the service is not in what belfry notify posts: %s", h.body)
	}
	return nil
}

// memory is the peak of belfry notify in bytes, looked at while it waits for
// the answer: by then it has done all but read one line. (The kernel's account
// of the ended process would begin with what its parent held.)
func (h *handOver) memory(ctx context.Context, n int) (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	asked, answer := make(chan struct{}), make(chan struct{})
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // as far as it comes
		close(asked)
		<-answer
	})}
	defer func() { _ = s.Close() }()
	go func() { _ = s.Serve(l) }() // ends with Close
	c := exec.CommandContext(ctx, h.bench.program, h.arguments("http://"+l.Addr().String(), n)...)
	c.Env = []string{}
	if err := c.Start(); err != nil {
		return 0, err
	}
	var peak int
	select {
	case <-asked:
		peak, err = memoryOf(c.Process.Pid, "VmHWM:")
	case <-time.After(patience):
		err = errors.New("belfry notify did not hand over")
	}
	close(answer)
	return peak, errors.Join(err, c.Wait())
}
