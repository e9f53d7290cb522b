// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

const (
	startRuns  = 10
	idleReach  = 30 << 20
	startReach = 200 * time.Millisecond
	// idleAfter is how long the server is left alone before it is looked at.
	idleAfter = 2 * time.Second
)

// start measures how long belfry serve takes from its start until /readyz says
// so, on an empty directory and on its own, and what it holds when idle.
func (b *bench) start(ctx context.Context) ([]row, error) {
	var first, again, plain []time.Duration
	for i := range startRuns {
		for _, times := range []*[]time.Duration{&first, &again} {
			took, err := b.startOnce(ctx, fmt.Sprintf("start-%d", i))
			if err != nil {
				return nil, err
			}
			*times = append(*times, took)
		}
		began := time.Now()
		if err := exec.CommandContext(ctx, b.program, "version").Run(); err != nil {
			return nil, fmt.Errorf("belfry version: %w", err)
		}
		plain = append(plain, time.Since(began))
	}
	rss, err := b.idle(ctx)
	if err != nil {
		return nil, err
	}
	up := median(first)
	return []row{
		{figure: "belfry serve, idle memory", measured: mb(rss), reach: "≤ " + mb(idleReach), ok: rss <= idleReach,
			notes: []string{fmt.Sprintf("resident, without configuration, %v after a few pages and one alert with its card in the built-in room", idleAfter)}},
		{figure: "belfry serve, start to ready", measured: ms(up), floor: ms(median(plain)), ratio: ratio(float64(up) / float64(median(plain))),
			reach: "≤ " + ms(startReach), ok: up <= startReach,
			notes: []string{fmt.Sprintf("median of %d first starts (key, token and database are made), the longest %s; started again: %s; floor: belfry version, which only prints",
				startRuns, ms(quantile(first, 1)), ms(median(again)))}},
	}, nil
}

// startOnce starts in a directory, waits until it is ready and stops again.
func (b *bench) startOnce(ctx context.Context, name string) (took time.Duration, err error) {
	p, err := b.belfry(ctx, name, "")
	if err != nil {
		return 0, err
	}
	err = p.get("/readyz")
	took = time.Since(p.began)
	return took, errors.Join(err, p.stop())
}

// idle is the memory of a server that has little to do.
func (b *bench) idle(ctx context.Context) (rss int, err error) {
	p, err := b.belfry(ctx, "idle", "sources: [{name: nagios, kind: nagios}]\n")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	token, err := p.token("nagios")
	if err != nil {
		return 0, err
	}
	l, err := newLoad(p.url+"/intake/nagios", token, nagiosBody, 1)
	if err != nil {
		return 0, err
	}
	defer l.close()
	if err := l.callers[0].do(1, 1); err != nil {
		return 0, err
	}
	for _, path := range []string{"/livez", "/readyz", "/", "/setup"} {
		if err := p.get(path); err != nil {
			return 0, err
		}
	}
	select {
	case <-time.After(idleAfter):
	case <-ctx.Done():
	}
	return p.resident()
}
