// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"belfry/alert"
	"belfry/clock"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/extcmd"
)

const (
	// mostAtOnce bounds what one look is about: at 2.5 KB for each object more
	// would keep openITCOCKPIT's web server busy all the time.
	mostAtOnce = 1000
	// sideBySide is how many requests of one look are under way: acts find
	// room beside them.
	sideBySide = 2
	// searches bounds the names that one look searches for.
	searches = 20
)

// Observer can say how openITCOCKPIT's objects stand.
type Observer struct {
	client *client
	clock  clock.Clock
	told   *told
	names  *names

	mu   sync.Mutex
	next int
}

// Status implements monitor.StatusReader. AsOf is earlier than the answer by
// what a command may need until it shows, but for an order whose traces show.
func (o *Observer) Status(ctx context.Context, objects []alert.Object) ([]monitor.Status, error) {
	asOf := o.clock.Now()
	out := make([]monitor.Status, len(objects))
	for i := range out {
		out[i].AsOf = asOf.Add(-lag)
	}
	uuids, err := o.identify(ctx, objects)
	if err != nil {
		return nil, err
	}
	rows, err := o.read(ctx, uuids)
	if err != nil {
		return nil, err
	}
	for i, id := range uuids {
		r, ok := rows[id]
		if !ok || !r.monitored || objects[i].Kind == alert.KindService && isUUID(objects[i].Host) && r.host != tidyUUID(objects[i].Host) {
			continue
		}
		s := &out[i]
		s.Known, s.OK, s.Acknowledged, s.InDowntime = true, r.state == 0, r.acked, r.inDowntime
		s.Author, s.Comment, s.Notifies = r.author, r.comment, r.notifies
		s.HostName, s.ServiceName = r.hostName, r.serviceName
		if o.told.done(r, asOf) {
			s.AsOf = asOf
		}
	}
	return out, nil
}

// ident is an object's own UUID, by which it is listed; empty: not asked for.
type ident struct {
	service bool
	uuid    string
}

// identify says which objects are asked for this time. Of very many it takes
// the next after those of the last look.
func (o *Observer) identify(ctx context.Context, objects []alert.Object) ([]ident, error) {
	out := make([]ident, len(objects))
	first, n := 0, min(len(objects), mostAtOnce)
	if len(objects) > mostAtOnce {
		o.mu.Lock()
		first = o.next % len(objects)
		o.next = first + n
		o.mu.Unlock()
	}
	searched := 0
	for k := range n {
		i := (first + k) % len(objects)
		object := objects[i]
		if extcmd.CheckObject(object) != nil {
			continue
		}
		id := object.Host
		if object.Kind == alert.KindService {
			id = object.Service
		}
		if !isUUID(id) {
			var ok bool
			if id, ok = o.names.uuidOf(object); !ok {
				if searched++; searched > searches {
					continue
				}
				r, err := o.client.find(ctx, object)
				if d, _ := fault.Of(err); err != nil && d != fault.Permanent {
					return nil, err
				}
				if err != nil {
					continue
				}
				o.names.keep(r)
				o.names.identify(object, r)
				id = r.key()
			}
		}
		out[i] = ident{object.Kind == alert.KindService, tidyUUID(id)}
	}
	return out, nil
}

// read lists the objects, many with one request.
func (o *Observer) read(ctx context.Context, wanted []ident) (map[ident]row, error) {
	var batches [][]ident
	for _, service := range []bool{false, true} {
		some := slices.DeleteFunc(slices.Clone(wanted), func(id ident) bool { return id.uuid == "" || id.service != service })
		slices.SortFunc(some, func(a, b ident) int { return strings.Compare(a.uuid, b.uuid) })
		some = slices.Compact(some)
		batches = append(batches, slices.Collect(slices.Chunk(some, perList))...)
	}
	found := make(map[ident]row, len(wanted))
	var mu sync.Mutex
	var wrong []error
	var wg sync.WaitGroup
	slots := make(chan struct{}, sideBySide)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, batch := range batches {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			rows, err := o.client.byUUID(ctx, batch[0].service, uuidsOf(batch))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				wrong = append(wrong, err)
				cancel() // the others would meet the same
			}
			for _, r := range rows {
				o.names.keep(r)
				found[ident{batch[0].service, r.key()}] = r
			}
		})
	}
	wg.Wait()
	if len(wrong) > 0 {
		return nil, asRetry(wrong[0])
	}
	return found, nil
}

// asRetry makes the error of a look one that is worth another: somebody may
// give the key its rights meanwhile.
func asRetry(err error) error {
	if d, _ := fault.Of(err); d == fault.Permanent {
		return fault.NewRetry(errors.Unwrap(err))
	}
	return err
}

func uuidsOf(batch []ident) []string {
	out := make([]string, len(batch))
	for i, id := range batch {
		out[i] = id.uuid
	}
	return out
}
