// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/clock"
)

// defaultLease is how long a destination belongs to a process that says
// nothing more.
const defaultLease = 30 * time.Second

// Options tune a store; zero values mean the defaults.
type Options struct {
	// Clock is the machine's by default. The clocks of several processes on
	// one database should agree within a few seconds: leases end by them.
	Clock clock.Clock
	Log   *slog.Logger
	// Owner is the name under which this process holds leases ("belfry"). A
	// process that starts again under its old name has them back at once;
	// processes that run side by side need different names.
	Owner string
	// Lease is how long a claim lasts (30 s).
	Lease time.Duration
	// OnDue is called after a commit with the destinations that got something
	// to do; with nil it says that any may have. It must not block.
	OnDue func(destinations []string)
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	clock   clock.Clock
	log     *slog.Logger
	owner   string
	life    string
	lease   time.Duration
	dialect *dialect
	// session, ids, open and followed belong to the writer goroutine once it
	// runs. open and followed are nil where the database is shared.
	session  *session
	ids      ids
	open     *openSet
	followed *followedSet
	writer   *writer
	// standing are claims that wait for what they claim.
	standing *standings
	read     *reads
	onDue    atomic.Pointer[func([]string)]
	onCall   atomic.Pointer[func()]
	// unreadable are the alerts that were told to be so, by id.
	unreadable sync.Map

	// knows is the newest schema that this program knows.
	knows int

	// room tells how many bytes are free on the database's disk; nil where
	// that is another machine's.
	room  func() (uint64, error)
	ready readiness

	// stop ends what runs beside the writer, in the order in which it began.
	stop      []func() error
	closeOnce sync.Once
	closeErr  error
}

// Open opens the database at url and brings its schema up to date. url is a
// path, "sqlite:PATH", or "postgres://…". Errors never show its password.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Owner == "" {
		o.Owner = "belfry"
	}
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	s := &Store{clock: o.Clock, log: o.Log, owner: o.Owner, life: secret(), lease: o.Lease, ids: newIDs(), standing: newStandings()}
	s.SetOnDue(o.OnDue)
	if err := s.connect(ctx, url); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	s.writer = newWriter(s)
	go s.writer.loop()
	return s, nil
}

func (s *Store) connect(ctx context.Context, url string) error {
	open := s.openSQLite
	if isPostgres(url) {
		open = s.openPostgres
	}
	if err := open(ctx, url); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("can't prepare the database: %w", explain(err))
	}
	return s.resume(ctx)
}

// resume goes on where an earlier process stopped: ids grow on, and in SQLite,
// which one process owns, leases of others are void.
func (s *Store) resume(ctx context.Context) error {
	return s.session.transaction(ctx, func(ctx context.Context, q *session) (err error) {
		var last int64
		if err := q.one(ctx, `SELECT MAX(id) FROM (
			SELECT (`+newestChange+`) AS id
			UNION ALL SELECT COALESCE(MAX(id), 0) FROM deliveries
			UNION ALL SELECT COALESCE(MAX(id), 0) FROM people
			UNION ALL SELECT COALESCE(MAX(id), 0) FROM payloads
			UNION ALL SELECT COALESCE(MAX(last_id), 0) FROM incidents
			UNION ALL SELECT COALESCE(MAX(id), 0) FROM room_messages) AS newest`, nil, &last); err != nil {
			return fmt.Errorf("can't read where numbering stands: %w", err)
		}
		s.ids.after(alert.ID(last))
		if s.dialect.shared {
			return nil
		}
		if err := q.exec(ctx, `UPDATE destinations SET owner = '', lease_until = 0`); err != nil {
			return err
		}
		s.open = newOpenSet()
		if err := s.open.load(ctx, q); err != nil {
			return err
		}
		s.followed, err = loadFollowed(ctx, q)
		return err
	})
}

// SetOnDue replaces Options.OnDue.
func (s *Store) SetOnDue(f func(destinations []string)) {
	if f == nil {
		f = func([]string) {}
	}
	s.onDue.Store(&f)
}

func (s *Store) tell(destinations []string) { (*s.onDue.Load())(destinations) }

// Ping asks the database whether it is there.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("can't reach the database: %w", explain(err))
	}
	return nil
}

// Close lets writes that wait finish, gives this process's leases back and
// closes the database. Calling it again does nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.writer.close()
		s.closeErr = errors.Join(s.handBack(), s.shut())
	})
	return s.closeErr
}

// handBack ends all leases of this process.
func (s *Store) handBack() error {
	err := s.session.transaction(context.Background(), func(ctx context.Context, q *session) error {
		return q.exec(ctx, `UPDATE destinations SET owner = '', lease_until = 0 WHERE owner = $1 AND life = $2`, s.owner, s.life)
	})
	if err != nil {
		s.log.Warn("can't give the leases back, they end by themselves", "within", s.lease, "err", err)
	}
	return nil
}

func (s *Store) shut() error {
	var errs []error
	for i := len(s.stop) - 1; i >= 0; i-- {
		errs = append(errs, s.stop[i]())
	}
	s.stop = nil
	return errors.Join(errs...)
}
