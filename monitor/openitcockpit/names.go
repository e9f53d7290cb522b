// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"belfry/alert"
	"belfry/clock"
)

const (
	// namesKept bounds the memory for names: about 300 bytes each.
	namesKept = 20000
	// namesFresh is how long a name is believed, namesUnknown how long a UUID
	// without one is not asked for again.
	namesFresh   = 10 * time.Minute
	namesUnknown = time.Minute
	// nameWithin bounds how long a report waits for its names. The command that
	// hands it over waits 2 s in all.
	nameWithin = 800 * time.Millisecond
	// nameAgain is how long reports don't wait at all after that was in vain.
	nameAgain = 30 * time.Second
)

// names knows objects' names by their UUIDs, and UUIDs by names.
type names struct {
	client *client // nil: there is nobody to ask
	clock  clock.Clock
	log    *slog.Logger

	mu     sync.Mutex
	byUUID map[string]nameplate
	byName map[alert.Fingerprint]nameplate
	quiet  time.Time // nobody asks before
}

// nameplate is one object's; without names it is known to have none.
type nameplate struct {
	uuid, host, service, address string
	until                        time.Time
}

func newNames(c *client, cl clock.Clock, log *slog.Logger) *names {
	return &names{client: c, clock: cl, log: log, byUUID: map[string]nameplate{}, byName: map[alert.Fingerprint]nameplate{}}
}

// put keeps p under key. A full table loses what is old, and then anything
// until there is room again for a tenth.
func put[K comparable](table map[K]nameplate, key K, p nameplate, now time.Time) {
	if len(table) >= namesKept {
		for k, old := range table {
			if now.After(old.until) {
				delete(table, k)
			}
		}
		for k := range table {
			if len(table) <= namesKept*9/10 {
				break
			}
			delete(table, k)
		}
	}
	table[key] = p
}

// keep remembers the names of r, and of its host.
func (n *names) keep(r row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.clock.Now()
	put(n.byUUID, r.host, nameplate{r.host, r.hostName, "", r.address, now.Add(namesFresh)}, now)
	if r.service != "" {
		put(n.byUUID, r.service, nameplate{r.service, r.hostName, r.serviceName, r.address, now.Add(namesFresh)}, now)
	}
}

// identify remembers which object is known by names alone.
func (n *names) identify(o alert.Object, r row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.clock.Now()
	put(n.byName, o.Fingerprint(), nameplate{uuid: r.key(), until: now.Add(namesFresh)}, now)
}

// uuidOf returns the UUID of an object that is known by names, while fresh.
func (n *names) uuidOf(o alert.Object) (uuid string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.byName[o.Fingerprint()]
	return p.uuid, ok && n.clock.Now().Before(p.until)
}

// fill gives reports the names of their objects, as far as they can be had
// soon. What is missing then comes with a later look at the status.
func (n *names) fill(reports []alert.Report) {
	hosts, services := n.missing(reports)
	if len(hosts)+len(services) > 0 && n.mayAsk() {
		n.ask(hosts, services)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range reports {
		o := &reports[i].Object
		p, ok := n.byUUID[uuidOf(*o)]
		if !ok || p.host == "" {
			continue
		}
		if o.HostDisplay == "" && p.host != o.Host {
			o.HostDisplay = p.host
		}
		if o.ServiceDisplay == "" && p.service != o.Service {
			o.ServiceDisplay = p.service
		}
		if o.Address == "" {
			o.Address = p.address
		}
	}
}

// uuidOf returns the UUID that identifies an object; empty where a name does.
func uuidOf(o alert.Object) string {
	id := o.Host
	if o.Kind == alert.KindService {
		id = o.Service
	}
	if !isUUID(id) {
		return ""
	}
	return tidyUUID(id)
}

// missing lists the UUIDs whose names nobody passed along or knows.
func (n *names) missing(reports []alert.Report) (hosts, services []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := map[string]bool{}
	for _, r := range reports {
		o, id := r.Object, uuidOf(r.Object)
		whole := o.HostDisplay != "" && (o.Kind != alert.KindService || o.ServiceDisplay != "")
		if id == "" || whole || seen[id] {
			continue
		}
		if p, ok := n.byUUID[id]; ok && n.clock.Now().Before(p.until) {
			continue
		}
		seen[id] = true
		if o.Kind == alert.KindService {
			services = append(services, id)
		} else {
			hosts = append(hosts, id)
		}
	}
	return hosts, services
}

func (n *names) mayAsk() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.client != nil && !n.clock.Now().Before(n.quiet)
}

// ask looks names up: of each kind at most as many as one request asks for.
func (n *names) ask(hosts, services []string) {
	ctx, cancel := context.WithTimeout(context.Background(), nameWithin)
	defer cancel()
	for _, q := range []struct {
		services bool
		uuids    []string
	}{{true, services}, {false, hosts}} {
		if len(q.uuids) == 0 {
			continue
		}
		uuids := q.uuids[:min(len(q.uuids), perList)]
		rows, err := n.client.byUUID(ctx, q.services, uuids)
		if err != nil {
			n.mu.Lock()
			n.quiet = n.clock.Now().Add(nameAgain)
			n.mu.Unlock()
			n.log.Warn("can't ask openITCOCKPIT for names, cards show uuids until it answers", "err", err)
			return
		}
		n.unknown(uuids)
		for _, r := range rows {
			n.keep(r)
		}
	}
}

// unknown notes that these have no names for now; keep overwrites it.
func (n *names) unknown(uuids []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.clock.Now()
	for _, id := range uuids {
		p := n.byUUID[id] // an old name is better than none
		p.uuid, p.until = id, now.Add(namesUnknown)
		put(n.byUUID, id, p, now)
	}
}
