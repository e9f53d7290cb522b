// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// turn is how long each side is called before it is the other's turn.
	turn = 400 * time.Millisecond
	// warmUp comes before the first turn.
	warmUp = 500 * time.Millisecond

	intakeReach = 0.8
)

// intakeRoutes is how many routes an alert passes by on its way.
const intakeRoutes = 10

// alertmanagerBody is what Alertmanager 0.25 sends for one alert.
const alertmanagerBody = `{"receiver":"belfry","status":"firing","alerts":[{"status":"firing",` +
	`"labels":{"alertname":"DiskFull","cluster":"eu1","instance":"web-########","severity":"critical","team":"web"},` +
	`"annotations":{"runbook_url":"https://wiki.example.org/disk-full","summary":"disk <full> on web-######## \"/var\" ü"},` +
	`"startsAt":"2026-11-22T04:30:04Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://prometheus.example.org/graph?g0.expr=x",` +
	`"fingerprint":"b095a557########"}],"groupLabels":{"alertname":"DiskFull","cluster":"eu1"},` +
	`"commonLabels":{"alertname":"DiskFull","cluster":"eu1","instance":"web-########","severity":"critical","team":"web"},` +
	`"commonAnnotations":{"runbook_url":"https://wiki.example.org/disk-full","summary":"disk <full> on web-######## \"/var\" ü"},` +
	`"externalURL":"https://alertmanager.example.org","version":"4",` +
	`"groupKey":"{}:{alertname=\"DiskFull\", cluster=\"eu1\"}","truncatedAlerts":0}`

// nagiosBody is what belfry notify hands over for a service.
const nagiosBody = `{"id":"abcdefghijklmnopqr########","sent_at":"2026-11-22T04:30:04.123456Z","type":"Service","notificationtype":"PROBLEM",` +
	`"hostname":"web-@@@","hostaddress":"192.0.2.17","servicedesc":"disk-########","state":"CRITICAL",` +
	`"output":"DISK CRITICAL - free space: /var 1203 MB (3% inode=87%);","problemid":"########","contact":"oncall",` +
	`"labels":{"team":"web"}}`

// intake measures the way of an alert from the request to the answer that says
// it is stored, for both bodies.
func (b *bench) intake(ctx context.Context) ([]row, error) {
	var out []row
	for _, c := range []struct{ kind, body, what string }{
		{"alertmanager", alertmanagerBody, "Alertmanager's webhook"},
		{"nagios", nagiosBody, "belfry notify's body"},
	} {
		r, err := b.intakeOf(ctx, c.kind, c.body, c.what)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// compared is a server that is called in turns with another.
type compared struct {
	server *process
	load   *load
	rates  []float64
	// calls were made in spent processor time of the server.
	calls int64
	spent time.Duration
}

func (c *compared) call(ctx context.Context) error {
	spent, calls := c.server.processor(), c.load.number.Load()
	rate, err := c.load.during(ctx, turn)
	c.rates = append(c.rates, rate)
	c.spent += c.server.processor() - spent
	c.calls += c.load.number.Load() - calls
	return err
}

// each is the processor time for one request.
func (c *compared) each() time.Duration {
	return c.spent / time.Duration(max(1, c.calls))
}

func (b *bench) intakeOf(ctx context.Context, kind, body, what string) (r row, err error) {
	address, hush, err := quiet()
	if err != nil {
		return r, err
	}
	defer hush()
	full, err := b.full(ctx, kind, address, body)
	if err != nil {
		return r, err
	}
	bare, err := b.bareOf(ctx, kind, body)
	if err != nil {
		return r, errors.Join(err, full.server.stop())
	}
	var ratios []float64
	for range b.rounds {
		if err = errors.Join(bare.call(ctx), full.call(ctx)); err != nil {
			break
		}
		ratios = append(ratios, full.rates[len(full.rates)-1]/bare.rates[len(bare.rates)-1])
	}
	full.load.close()
	bare.load.close()
	err = errors.Join(err, full.server.stop(), bare.server.stop())
	if err == nil {
		err = stored(ctx, full)
	}
	if err != nil {
		return r, err
	}
	mid := median(ratios)
	return row{
		figure:   "durable intake, " + what,
		measured: fmt.Sprintf("%.0f/s", median(full.rates)), floor: fmt.Sprintf("%.0f/s", median(bare.rates)),
		ratio: ratio(mid), reach: fmt.Sprintf("≥ %v", intakeReach), ok: mid >= intakeReach,
		notes: []string{
			fmt.Sprintf("belfry serve beside a handler that reads, decodes and stores one row, %d connections, %d turns each; ratios %.2f to %.2f",
				connections, b.rounds, slices.Min(ratios), slices.Max(ratios)),
			fmt.Sprintf("processor time for one request: %d µs, of the bare handler %d µs", full.each().Microseconds(), bare.each().Microseconds()),
			"the chat answered \"not for five minutes\": cards were due, none was sent",
		},
	}, nil
}

// full starts Belfry with a chat that takes nothing.
func (b *bench) full(ctx context.Context, kind, chat, body string) (*compared, error) {
	var routes strings.Builder
	for i := range intakeRoutes {
		fmt.Fprintf(&routes, "  - {match: ['team=\"t%d\"', 'severity=~\"critical|warning\"'], channels: [chat/c%d]}\n", i, i)
	}
	p, err := b.belfry(ctx, "intake-"+kind, fmt.Sprintf(`
connections: [{name: chat, kind: mattermost, url: %q, token: not-a-secret-at-all-here, team: ops}]
sources: [{name: source, kind: %s}]
routes:
%s
default: {channels: [chat/alerts]}
`, chat, kind, routes.String()))
	if err != nil {
		return nil, err
	}
	token, err := p.token("source")
	if err == nil {
		var c *compared
		if c, err = compare(ctx, p, p.url+"/intake/source", token, body); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(err, p.stop(), p.words())
}

// bareOf starts what Belfry is compared with.
func (b *bench) bareOf(ctx context.Context, kind, body string) (*compared, error) {
	dir := filepath.Join(b.dir, "bare-"+kind)
	self, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, dir, dir, self, roleBare, dir, kind)
	if err != nil {
		return nil, err
	}
	c, err := compare(ctx, p, p.url+"/", "not-a-secret-at-all-here", body)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return c, nil
}

func compare(ctx context.Context, p *process, url, token, body string) (*compared, error) {
	l, err := newLoad(url, token, body, connections)
	if err != nil {
		return nil, err
	}
	if _, err := l.during(ctx, warmUp); err != nil {
		l.close()
		return nil, err
	}
	return &compared{server: p, load: l}, nil
}

// stored looks into the database: what was answered with 200 must be there,
// each with its opening and its card's duty.
func stored(ctx context.Context, c *compared) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.server.data, "belfry.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only read from
	taken := c.load.number.Load()
	for _, rows := range []string{"alerts WHERE opened <> ''", "deliveries"} {
		var n int64
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+rows).Scan(&n); err != nil {
			return err
		}
		if n != taken {
			return fmt.Errorf("%d hand-overs were taken, but there are %d %s", taken, n, rows)
		}
	}
	return nil
}
