// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"belfry/incident"
	"belfry/store"
)

const (
	// incidentsKept and entriesEach are how many incidents there are, and how
	// long their timelines.
	incidentsKept = 10_000
	entriesEach   = 100
	pageSamples   = 300
	pageReach     = 30 * time.Millisecond
)

// incidents measures the pages on which incidents are read, and a scrape of the
// metrics, the whole way from request to HTML, with many incidents. The floor is a row of one of as many
// that is read by its primary key, without a server.
func (b *bench) incidents(ctx context.Context) (out []row, err error) {
	if err := fillIncidents(ctx, filepath.Join(b.dir, "incidents", "data")); err != nil {
		return nil, fmt.Errorf("can't fill the database: %w", err)
	}
	bare, err := openRows(ctx, filepath.Join(b.dir, "incidents", "bare.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	if err := bare.fill(incidentsKept); err != nil {
		return nil, err
	}
	p, err := b.belfry(ctx, "incidents", "server: {metrics: true}\nincidents: {services: [service-1, service-7]}\n")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	visitor, err := p.signUp()
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(p.data, "metrics-token"))
	if err != nil {
		return nil, err
	}
	visitor.token = strings.TrimSpace(string(token))
	read, err := bare.db.PrepareContext(ctx, "SELECT body FROM bodies WHERE id = $1")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, read.Close()) }()
	for _, page := range []struct {
		name, note string
		path       func(n int) string
	}{
		{"incidents, list", "100 open ones and the first 50 others, a third of all are private and not shown", func(int) string { return "/incidents" }},
		{"incidents, an old page", "50 of those that are over", func(n int) string { return fmt.Sprintf("/incidents?before=%d", n) }},
		{"incidents, search", "three words that stand in one incident, of those with a status and a service", func(n int) string {
			return fmt.Sprintf("/incidents?status=closed&service=service-7&q=%s", url.QueryEscape(fmt.Sprintf("slow orders hall-%d", n)))
		}},
		{"incidents, one's page", "the newest 100 entries of its timeline", func(n int) string { return fmt.Sprintf("/incidents/%d", public(n)) }},
		{"metrics, one scrape", "with the figures of all incidents", func(int) string { return "/metrics" }},
		{"incidents, figures", "of all incidents, in 50 services and 4 severities", func(int) string { return "/incidents/figures?days=365" }},
	} {
		var took, floor []time.Duration
		for n := range pageSamples {
			number := n*7919%incidentsKept + 1
			began := time.Now()
			if err := visitor.open(p.url + page.path(number)); err != nil {
				return out, err
			}
			took = append(took, time.Since(began))
			began = time.Now()
			if err := readRow(ctx, read, number); err != nil {
				return out, err
			}
			floor = append(floor, time.Since(began))
		}
		out = append(out, latency(page.name, took, floor, pageReach, pageReach, fmt.Sprintf("%d incidents with %d entries each; %s", incidentsKept, entriesEach, page.note)))
	}
	return out, nil
}

func readRow(ctx context.Context, read *sql.Stmt, id int) error {
	var body string
	return read.QueryRowContext(ctx, id).Scan(&body)
}

// fill stores n rows like an incident's.
func (r *rows) fill(n int) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = r.insert(fmt.Sprintf("%0500d", i)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// public is the number of an incident near n that everybody may see.
func public(n int) int {
	if n%3 == 0 {
		return n - 1
	}
	return n
}

// fillIncidents makes a database as it is after years.
func fillIncidents(ctx context.Context, data string) (err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	s, err := store.Open(ctx, filepath.Join(data, "belfry.db"), store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	began := time.Now().AddDate(0, 0, -300)
	errs := make([]error, 64)
	var wg sync.WaitGroup
	for worker := range errs {
		wg.Go(func() {
			for n := worker; n < incidentsKept && errs[worker] == nil; n += len(errs) {
				errs[worker] = s.ChangeIncident(ctx, store.IncidentChange{Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
					i, entries := kept(int(v.Next), began.Add(time.Duration(n)*30*time.Minute))
					return []store.IncidentEffect{{Incident: i, Entries: entries}}, nil
				}})
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// kept is the n-th incident: a third are private, every hundredth is open.
func kept(n int, at time.Time) (*incident.Incident, []incident.Entry) {
	who := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	i := &incident.Incident{Kind: incident.Normal, Status: incident.Closed, Severity: fmt.Sprint("SEV", n%4), Private: n%3 == 0,
		Title: fmt.Sprint("The shop is slow in hall-", n), Summary: "orders wait for the database", Revision: entriesEach, Entries: entriesEach,
		CreatedAt: at, UpdatedAt: at, CreatedBy: who, People: []incident.Person{who}, Services: []string{fmt.Sprint("service-", n%50)},
		Moments: map[incident.Status]incident.Moment{}, Tasks: []incident.Task{{Number: 1, Kind: incident.ToDo, Text: "look", Created: incident.Moment{At: at, By: who}}}}
	if n%100 == 1 {
		i.Status = incident.Started
	}
	for k, s := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved} {
		i.Moments[s] = incident.Moment{At: at.Add(time.Duration(k*(n%90)) * time.Minute), By: who}
	}
	var entries []incident.Entry
	for e := range entriesEach {
		when := at.Add(time.Duration(e) * time.Second)
		entries = append(entries, incident.Entry{Kind: incident.EntryUpdate, At: when, RecordedAt: when, By: who, Text: "the second replica is rebuilt, half of the orders go through"})
	}
	return i, entries
}

// visitor is somebody who is signed in, and may read metrics.
type visitor struct {
	http.Client
	token string
}

var setupLink = regexp.MustCompile(`/setup\?token=([^\s"]+)`)

// signUp makes the first administrator by the link that the server printed.
func (p *process) signUp() (*visitor, error) {
	var link [][]byte
	for wait := time.Now().Add(patience); link == nil && time.Now().Before(wait); time.Sleep(pause) {
		said, err := os.ReadFile(p.said.Name())
		if err != nil {
			return nil, err
		}
		link = setupLink.FindSubmatch(said)
	}
	if link == nil {
		return nil, fmt.Errorf("the server printed no link for the first administrator: %w", p.words())
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{Client: http.Client{Jar: jar, Timeout: patience}}
	const password = "a password for the benchmark"
	res, err := v.PostForm(p.url+"/setup", url.Values{"token": {string(link[1])}, "name": {"anna"}, "password": {password}, "again": {password}})
	if err != nil {
		return nil, err
	}
	return v, errors.Join(v.read(res), v.open(p.url+"/incidents"))
}

// open reads a page to its end; one that is not shown is an error.
func (v *visitor) open(address string) error {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+v.token)
	res, err := v.Do(r)
	if err != nil {
		return err
	}
	return v.read(res)
}

func (v *visitor) read(res *http.Response) error {
	_, err := io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK || res.Request.URL.Path == "/signin" {
		err = errors.Join(err, fmt.Errorf("%s answered %s", res.Request.URL.Path, res.Status))
	}
	return errors.Join(err, res.Body.Close())
}
