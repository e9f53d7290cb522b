// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"belfry/alert"
	"belfry/clock"
	"belfry/doctor"
	"belfry/monitor"
	"belfry/monitor/notification"
)

// Kind is what a configuration calls it.
const Kind = "openitcockpit"

// Options are what an openITCOCKPIT is opened with.
type Options struct {
	// Name is the source's, for messages.
	Name  string
	Clock clock.Clock
	Log   *slog.Logger
}

// Source takes what openITCOCKPIT's core notifies.
type Source struct {
	names  *names
	client *client // nil: it can't be told or asked anything
	clock  clock.Clock
	config Config
	links  links
}

// What each part can do, checked here because Open only shows monitor.Monitor.
var (
	_ monitor.Monitor      = (*Source)(nil)
	_ doctor.Examiner      = (*Source)(nil)
	_ monitor.Acknowledger = (*Commander)(nil)
	_ monitor.Downtimer    = (*Commander)(nil)
	_ monitor.Checker      = (*Commander)(nil)
	_ monitor.Notifier     = (*Commander)(nil)
	_ monitor.StatusReader = (*Observer)(nil)
)

// Open returns the configured openITCOCKPIT. Without an API key the result is
// no Acknowledger and no StatusReader, so that nobody is promised what has no
// way to go. The files of key and certificates are read; nothing is contacted:
// an openITCOCKPIT that is down is no reason not to start.
func (c *Config) Open(o Options) (monitor.Monitor, error) {
	if err := errors.Join(c.Validate()...); err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	log := o.Log
	src := &Source{config: *c, clock: o.Clock, links: links{base: strings.TrimRight(cmp.Or(c.LinkURL, c.URL), "/"), pages: cmp.Or(c.Pages, PagesOf5)}}
	key, err := c.key()
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", o.Name, err)
	}
	if key == "" {
		src.names = newNames(nil, o.Clock, log)
		return src, nil
	}
	t, err := c.transport()
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", o.Name, err)
	}
	if c.Insecure {
		log.Warn("any certificate is taken for openITCOCKPIT's: whoever stands in between can read the api key; use ca_file instead of insecure_skip_verify")
	}
	src.client = newClient(c.URL, key, t, cmp.Or(c.Timeout, defaultTimeout))
	src.names = newNames(src.client, o.Clock, log)
	told := newTold()
	return struct {
		*Source
		*Commander
		*Observer
	}{
		src,
		&Commander{client: src.client, clock: o.Clock, told: told, sticky: c.sticky(), notify: on(c.Notify), persistent: on(c.Persistent)},
		&Observer{client: src.client, clock: o.Clock, told: told, names: src.names},
	}, nil
}

// Close lets go of idle connections. Calls under way end on their own.
func (s *Source) Close(context.Context) error {
	if s.client != nil {
		s.client.http.CloseIdleConnections()
	}
	return nil
}

// Decode implements monitor.Monitor for what `belfry notify` hands over. Who an
// object is, is what the command says: it must not depend on whether
// openITCOCKPIT can be asked right now. Its names for people are asked for.
func (s *Source) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	d, err := notification.Decode(contentType, body, notification.Links{})
	if err != nil {
		return monitor.Decoded{}, err
	}
	s.names.fill(d.Reports)
	for i := range d.Reports {
		if r := &d.Reports[i]; r.Link == "" {
			r.Link = s.links.of(r.Object)
		}
	}
	return d, nil
}

// links makes the addresses of openITCOCKPIT's pages.
type links struct{ base, pages string }

// of returns the page of an object, empty where there is none to be had: its
// pages go by UUIDs.
func (l links) of(o alert.Object) string {
	id := uuidOf(o)
	switch {
	case l.base == "" || id == "":
		return ""
	case o.Kind == alert.KindService:
		return l.base + l.pages + "/services/browser/" + id
	}
	return l.base + l.pages + "/hosts/browser/" + id
}
