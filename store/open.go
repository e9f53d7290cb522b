// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"

	"belfry/alert"
)

// openSet knows which alerts are open, so that a new problem need not be looked
// for on disk, and which number the next one gets. It is right because one process
// owns the file and one goroutine writes: the set changes after a commit, by what was committed, and is read
// anew after a transaction that failed. It holds a hash for an object, not its
// names: what it finds may be another object's alert, never the reverse.
type openSet struct {
	seed maphash.Seed
	// ids has one alert of an object, more the others: there rarely are any.
	ids  map[uint64]alert.ID
	more map[uint64][]alert.ID
	// number is the highest that was given to an alert.
	number int64
	// doubt: a transaction failed since the set was read.
	doubt bool
}

func newOpenSet() *openSet { return &openSet{seed: maphash.MakeSeed()} }

// load reads the set anew.
func (p *openSet) load(ctx context.Context, q *session) error {
	p.ids, p.more = map[uint64]alert.ID{}, map[uint64][]alert.ID{}
	err := q.each(ctx, `SELECT id, source, fingerprint FROM alerts WHERE closed = 0`, nil, func(scan scanner) error {
		var id alert.ID
		var o object
		if err := scan(&id, &o.source, &o.fingerprint); err != nil {
			return err
		}
		p.add(p.key(o), id)
		return nil
	})
	if err == nil {
		err = q.one(ctx, highestNumber, nil, &p.number)
	}
	p.doubt = err != nil
	return err
}

func (p *openSet) key(o object) uint64 { return maphash.Comparable(p.seed, o) }

// of yields the alerts that may be open for o.
func (p *openSet) of(o object) iter.Seq[alert.ID] {
	return func(yield func(alert.ID) bool) {
		key := p.key(o)
		id, ok := p.ids[key]
		if !ok || !yield(id) {
			return
		}
		for _, id := range p.more[key] {
			if !yield(id) {
				return
			}
		}
	}
}

func (p *openSet) add(key uint64, id alert.ID) {
	first, taken := p.ids[key]
	switch {
	case !taken:
		p.ids[key] = id
	case first != id && !slices.Contains(p.more[key], id):
		p.more[key] = append(p.more[key], id)
	}
}

func (p *openSet) remove(key uint64, id alert.ID) {
	more := p.more[key]
	switch i := slices.Index(more, id); {
	case i >= 0:
		more = slices.Delete(more, i, i+1)
	case p.ids[key] != id:
		return
	case len(more) == 0:
		delete(p.ids, key)
	default:
		p.ids[key], more = more[0], more[1:]
	}
	if len(more) == 0 {
		delete(p.more, key)
	} else {
		p.more[key] = more
	}
}

// note takes over what was committed.
func (p *openSet) note(a *alert.Alert) {
	p.number = max(p.number, a.Number)
	key := p.key(object{a.Source, a.Fingerprint})
	if a.Status == alert.Firing {
		p.add(key, a.ID)
	} else {
		p.remove(key, a.ID)
	}
}
