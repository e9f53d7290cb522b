// SPDX-License-Identifier: Apache-2.0

package command

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"belfry/alert"
)

// maxKept bounds what is kept of an alert's output, in bytes.
const maxKept = 200

// entry is an open alert as the board keeps it.
type entry struct {
	*alert.Alert
	// labels are made once: matchers are held against thousands of them.
	labels alert.Labels
	// names are what people may call it, in small letters.
	names []string
	// text is all of it that people look for, in small letters.
	text string
}

// board is a picture of all open alerts: with ten thousand of them a question
// must not read them all from disk. It asks the store only for what changed
// since the last question.
type board struct {
	store Store

	mu    sync.Mutex
	after alert.ID
	open  map[alert.ID]*entry
	// sorted is nil when something changed.
	sorted []*entry
}

func newBoard(s Store) *board { return &board{store: s, open: map[alert.ID]*entry{}} }

// entries returns the open alerts: the worst first, of those the newest. Nobody
// may change them.
func (b *board) entries(ctx context.Context) ([]*entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed, next, err := b.store.Changed(ctx, b.after)
	if err != nil {
		return nil, err
	}
	b.after = next
	for _, a := range changed {
		b.take(a)
	}
	if b.sorted == nil {
		b.sorted = make([]*entry, 0, len(b.open))
		for _, e := range b.open {
			b.sorted = append(b.sorted, e)
		}
		slices.SortFunc(b.sorted, func(x, y *entry) int {
			return cmp.Or(cmp.Compare(y.Severity, x.Severity), cmp.Compare(y.ID, x.ID))
		})
	}
	return b.sorted, nil
}

func (b *board) take(a *alert.Alert) {
	had := b.open[a.ID]
	switch {
	case a.Status != alert.Firing && had == nil, had != nil && had.Revision == a.Revision && had.Status == a.Status:
		return
	case a.Status != alert.Firing:
		delete(b.open, a.ID)
	default:
		e := &entry{Alert: a, labels: a.MatchLabels(), names: names(a)}
		e.text = searched(e)
		if len(a.Output) > maxKept {
			a.Output = strings.ToValidUTF8(strings.Clone(a.Output[:maxKept]), "")
		}
		b.open[a.ID] = e
	}
	b.sorted = nil
}

// searched returns the number and all labels of an alert, in small letters.
func searched(e *entry) string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(e.Number, 10))
	for _, value := range e.labels {
		b.WriteString("\n" + strings.ToLower(value))
	}
	return b.String()
}

// names returns what people may call an alert, in small letters: its object
// whole and, last, its host alone.
func names(a *alert.Alert) []string {
	o := a.Object
	var list []string
	add := func(name string) {
		if name = strings.ToLower(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, host := range []string{o.HostName(), o.Host} {
		for _, what := range []string{o.ServiceName(), o.Service, o.Rule} {
			if what != "" && host != "" {
				add(host + "/" + what)
			}
		}
	}
	add(a.Name())
	add(o.Rule)
	add(o.HostName())
	add(o.Host)
	return list
}
