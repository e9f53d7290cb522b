// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"hash/maphash"
	"slices"

	"belfry/alert"
)

// openSet knows which alerts are open, so that a new problem need not be looked
// for on disk, and which number the next one gets. It is right because one process owns the file and one goroutine
// writes: the set changes after a commit, by what was committed, and is read
// anew after a transaction that failed. It holds a hash for an object, not its
// names: what it finds may be another object's alert, never the reverse.
type openSet struct {
	seed maphash.Seed
	ids  map[uint64][]alert.ID
	// number is the highest that was given to an alert.
	number int64
	// doubt: a transaction failed since the set was read.
	doubt bool
}

func newOpenSet() *openSet { return &openSet{seed: maphash.MakeSeed()} }

// load reads the set anew.
func (p *openSet) load(ctx context.Context, q *session) error {
	p.ids = map[uint64][]alert.ID{}
	err := q.each(ctx, `SELECT id, source, fingerprint FROM alerts WHERE closed = 0`, nil, func(scan scanner) error {
		var id alert.ID
		var o object
		if err := scan(&id, &o.source, &o.fingerprint); err != nil {
			return err
		}
		key := p.key(o)
		p.ids[key] = append(p.ids[key], id)
		return nil
	})
	if err == nil {
		err = q.one(ctx, highestNumber, nil, &p.number)
	}
	p.doubt = err != nil
	return err
}

func (p *openSet) key(o object) uint64 { return maphash.Comparable(p.seed, o) }

// of returns the alerts that may be open for o.
func (p *openSet) of(o object) []alert.ID { return p.ids[p.key(o)] }

// note takes over what was committed.
func (p *openSet) note(a *alert.Alert) {
	p.number = max(p.number, a.Number)
	key := p.key(object{a.Source, a.Fingerprint})
	list := p.ids[key]
	i := slices.Index(list, a.ID)
	switch {
	case a.Status == alert.Firing && i < 0:
		p.ids[key] = append(list, a.ID)
	case a.Status != alert.Firing && i >= 0:
		if list = slices.Delete(list, i, i+1); len(list) == 0 {
			delete(p.ids, key)
		} else {
			p.ids[key] = list
		}
	}
}
