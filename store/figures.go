// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"belfry/incident"
)

// figureRow is one incident in the figures of one service.
type figureRow struct {
	service, severity string
	private           bool
	created           int64
	// took is how long it took to reach each of figured, in microseconds; nil: it did not.
	took [3]any
}

// figured are the states in the order of the columns acknowledge, mitigate, resolve.
var figured = [3]incident.Status{incident.Started, incident.Mitigated, incident.Resolved}

// figureRows are an incident's rows, each in the figures of one service.
func figureRows(i *incident.Incident) []figureRow {
	if i.Kind == "" || !i.Counts() { // a new one had nothing before
		return nil
	}
	services := slices.Clone(i.Services)
	if len(services) == 0 {
		services = []string{""}
	}
	slices.Sort(services)
	var rows []figureRow
	for _, s := range slices.Compact(services) {
		r := figureRow{service: writable(s), severity: writable(i.Severity), private: i.Private, created: micros(i.CreatedAt)}
		for n, status := range figured {
			if d, ok := i.Took(status); ok {
				r.took[n] = d.Microseconds()
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// viewers are the accounts that may see a private incident; of others there is
// none to be kept. A name alone opens nothing.
func viewers(i *incident.Incident) []incident.Person {
	if !i.Private {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(i.People), func(p incident.Person) bool { return p.ID == "" })
}

var (
	insertFigures = newBulk(`INSERT INTO incident_figures (service, severity, incident_id, private, created_at, acknowledge, mitigate, resolve) VALUES `, `(?,?,?,?,?,?,?,?)`, ``)
	insertViewers = newBulk(`INSERT INTO incident_viewers (account, name, connection, incident_id) VALUES `, `(?,?,?,?)`, ` ON CONFLICT DO NOTHING`)
)

const (
	deleteFigures = `DELETE FROM incident_figures WHERE incident_id = $1`
	deleteViewers = `DELETE FROM incident_viewers WHERE incident_id = $1`
)

// putFigures brings what is counted of i, and who may see it, up to date;
// before is i as it was stored.
func (q *session) putFigures(ctx context.Context, i, before *incident.Incident) error {
	if was, is := figureRows(before), figureRows(i); !reflect.DeepEqual(was, is) {
		if len(was) > 0 {
			if err := q.exec(ctx, deleteFigures, int64(i.ID)); err != nil {
				return err
			}
		}
		var rows []any
		for _, r := range is {
			rows = append(rows, r.service, r.severity, int64(i.ID), bit(r.private), r.created, r.took[0], r.took[1], r.took[2])
		}
		if err := q.execBulk(ctx, insertFigures, nil, rows); err != nil {
			return err
		}
	}
	if was, is := viewers(before), viewers(i); !slices.Equal(was, is) {
		if len(was) > 0 {
			if err := q.exec(ctx, deleteViewers, int64(i.ID)); err != nil {
				return err
			}
		}
		var rows []any
		for _, p := range is {
			rows = append(rows, writable(p.ID), writable(p.Name), writable(p.Connection), int64(i.ID))
		}
		return q.execBulk(ctx, insertViewers, nil, rows)
	}
	return nil
}

// seenBy is the condition that an incident (its id is in column) is public or
// one of faces takes part in it, as incident.Incident.Visible says. Rows without
// an account are of earlier versions, which went by names, too.
func seenBy(column string, faces []incident.Person) (condition string, args []any) {
	public := `private = 0`
	var some []string
	for _, p := range faces {
		if p.ID == "" {
			continue
		}
		who := `account = ?`
		mine := []any{writable(p.ID)}
		if p.Connection != "" {
			who += ` AND connection IN ('', ?)`
			mine = append(mine, writable(p.Connection))
		}
		some, args = append(some, `SELECT incident_id FROM incident_viewers WHERE `+who), append(args, mine...)
	}
	if len(some) == 0 {
		return public, nil
	}
	return `(` + public + ` OR ` + column + ` IN (` + strings.Join(some, " UNION ALL ") + `))`, args
}

// FigureFilter says what is counted; zero values mean everything public.
type FigureFilter struct {
	// Since leaves out incidents that were declared before.
	Since time.Time
	// Faces are as whom private incidents may be seen; none: only public ones count.
	Faces []incident.Person
}

// Figures are the mean times of the incidents that f lets through, by service
// and severity, in the order of their names; exact to the microsecond.
func (s *Store) Figures(ctx context.Context, f FigureFilter) ([]incident.Figure, error) {
	where, args := seenBy("incident_id", f.Faces)
	if !f.Since.IsZero() {
		where, args = `created_at >= ? AND `+where, append([]any{micros(f.Since)}, args...)
	}
	var list []incident.Figure
	err := s.query(ctx, "figures", numbered(`SELECT service, severity, COUNT(*),
		COUNT(acknowledge), CAST(COALESCE(SUM(acknowledge), 0) AS BIGINT), COUNT(mitigate), CAST(COALESCE(SUM(mitigate), 0) AS BIGINT),
		COUNT(resolve), CAST(COALESCE(SUM(resolve), 0) AS BIGINT)
		FROM incident_figures WHERE `+where+` GROUP BY service, severity`), args, func(scan scanner) error {
		var g incident.Figure
		means := [3]*incident.Mean{&g.Acknowledge, &g.Mitigate, &g.Resolve}
		var sums [3]int64
		if err := scan(&g.Service, &g.Severity, &g.N, &means[0].N, &sums[0], &means[1].N, &sums[1], &means[2].N, &sums[2]); err != nil {
			return err
		}
		for n, m := range means {
			if m.N > 0 {
				m.Time = time.Duration(sums[n]/int64(m.N)) * time.Microsecond
			}
		}
		list = append(list, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Not by the database: each has its own idea of an alphabet.
	slices.SortFunc(list, func(a, b incident.Figure) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Severity, b.Severity))
	})
	return list, nil
}
