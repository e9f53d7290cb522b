// SPDX-License-Identifier: Apache-2.0

package self_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/doctor/doctortest"
	"belfry/doctor/self"
	"belfry/store"
	"belfry/tlscert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is what the server's database says.
type database struct {
	ping      error
	counts    store.Counts
	struggles []store.Struggle
	dead      []store.Duty
	stuck     []store.Call
}

func (d *database) Ping(context.Context) error                            { return d.ping }
func (d *database) Counts(context.Context) (store.Counts, error)          { return d.counts, nil }
func (d *database) Struggles(context.Context) ([]store.Struggle, error)   { return d.struggles, nil }
func (d *database) DeadDuties(context.Context, int) ([]store.Duty, error) { return d.dead, nil }
func (d *database) StuckCalls(context.Context) ([]store.Call, error)      { return d.stuck, nil }

// well is a Belfry that runs, and all is well.
func well(t *testing.T) (*self.Options, *database) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("ok\n"))
	}))
	t.Cleanup(s.Close)
	dir := filepath.Join(t.TempDir(), "belfry-data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "belfry.key"), 0o600)
	d := new(database)
	return &self.Options{Data: dir, KeyFile: "belfry.key", DatabaseFile: "belfry.db", PublicURL: s.URL, Version: "1.2", Store: d, Clock: clock.System{}}, d
}

func write(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func examine(t *testing.T, o *self.Options) []doctor.Finding {
	t.Helper()
	found := self.New(*o).Examine(t.Context(), doctor.Visit{})
	doctortest.Check(t, found)
	return found
}

func TestAWellBelfry(t *testing.T) {
	o, _ := well(t)
	found := examine(t, o)
	doctortest.Only(t, found, "disk") // that of the machine
	for _, check := range []string{"server", "data directory", "key", "secrets", "database", "dead letters", "deliveries", "calls for incidents", "public url"} {
		doctortest.Expect(t, found, check, doctor.OK)
	}
}

func TestOneThingWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *self.Options, *database)
		level  doctor.Level
		check  string
		texts  []string
	}{
		"everybody may look in": {func(t *testing.T, o *self.Options, _ *database) {
			if err := os.Chmod(o.Data, 0o755); err != nil { //nolint:gosec // that is the fault
				t.Fatal(err)
			}
		}, doctor.Warn, "data directory", []string{"0755", "chmod 700 "}},
		"everybody may read the key": {func(t *testing.T, o *self.Options, _ *database) { write(t, filepath.Join(o.Data, "belfry.key"), 0o644) },
			doctor.Fail, "key", []string{"can forge", "chmod 600 "}},
		"the key is gone": {func(t *testing.T, o *self.Options, _ *database) {
			if err := os.Remove(filepath.Join(o.Data, "belfry.key")); err != nil {
				t.Fatal(err)
			}
		}, doctor.Fail, "key", []string{"restore"}},
		"everybody may read a token": {func(t *testing.T, o *self.Options, _ *database) {
			write(t, filepath.Join(o.Data, "nagios.token"), 0o644)
		},
			doctor.Warn, "secrets", []string{"nagios.token", "chmod 600 "}},
		"everybody may read what a set-up keeps": {func(t *testing.T, o *self.Options, _ *database) {
			for _, name := range []string{"mattermost-chat.oauth", "mattermost-chat.outgoing", "belfry.db", "tls/ca-key.pem", "acme/belfry.example.org", "conf.d/chat.yaml"} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(o.Data, name)), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(o.Data, name), 0o640)
			}
		}, doctor.Warn, "secrets", []string{"chat.oauth", "chat.outgoing", "belfry.db", "ca-key.pem", "acme/belfry", "conf.d/chat.yaml"}},
		"an alert calls in vain": {func(_ *testing.T, _ *self.Options, d *database) {
			d.stuck = []store.Call{{Route: "shop", Trouble: "alert #7 can't be read back"}, {Route: "mail"}}
		}, doctor.Fail, "calls for incidents", []string{"2 alerts", "by route shop", "alert #7 can't be read back", "/incident new"}},
		"the database is down": {func(_ *testing.T, _ *self.Options, d *database) { d.ping = errors.New("no connection") },
			doctor.Fail, "database", []string{"no connection", "PostgreSQL"}},
		"dead letters": {func(_ *testing.T, _ *self.Options, d *database) {
			d.counts.Dead, d.dead = 1, []store.Duty{{Destination: "chat/ops", LastError: "the channel is archived"}}
		}, doctor.Warn, "dead letters", []string{"1 delivery was given up", "chat/ops", "the channel is archived", "/deliveries"}},
		"failed a few times": {func(_ *testing.T, _ *self.Options, d *database) {
			d.struggles = []store.Struggle{{Destination: "chat/ops", Waiting: 3, Attempts: 2, LastError: "503"}}
		}, doctor.Warn, "deliveries", []string{"chat/ops: 3 waiting after up to 2 attempts (503)"}},
		"failed for long": {func(_ *testing.T, _ *self.Options, d *database) {
			d.struggles = []store.Struggle{{Destination: "chat/ops", Waiting: 3, Attempts: 12, LastError: "503"}}
		}, doctor.Fail, "deliveries", []string{"12 attempts"}},
		"nobody takes it up": {func(_ *testing.T, _ *self.Options, d *database) {
			d.counts.Due, d.counts.Oldest = 1, time.Now().Add(-time.Hour)
		}, doctor.Fail, "deliveries", []string{"nobody takes it up", "systemctl restart belfry"}},
		"no public url":    {func(_ *testing.T, o *self.Options, _ *database) { o.PublicURL = "belfry" }, doctor.Fail, "public url", []string{"is no address"}},
		"another web site": {func(_ *testing.T, o *self.Options, _ *database) { o.PublicURL += "/elsewhere" }, doctor.Fail, "public url", []string{"something else than Belfry", "curl -v"}},
		"nobody there":     {func(_ *testing.T, o *self.Options, _ *database) { o.PublicURL = "http://127.0.0.1:1" }, doctor.Warn, "public url", []string{"is not reached from here"}},
		"https is spoken": {func(t *testing.T, o *self.Options, _ *database) {
			o.Server.TLS = &config.TLS{SelfSigned: true}
			o.Server.PublicURL = "https://127.0.0.1"
			s, err := tlscert.Open(tlscert.Options{TLS: *o.Server.TLS, Data: o.Data, PublicURL: o.Server.PublicURL, Listen: "127.0.0.1:0"})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}, doctor.Fail, "public url", []string{"speaks HTTPS", "set public_url under server to https://127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, d := well(t)
			c.change(t, o, d)
			found := examine(t, o)
			doctortest.Expect(t, found, c.check, c.level, c.texts...)
			doctortest.Only(t, found, c.check, "disk")
		})
	}
}

func TestACertificateThatEnds(t *testing.T) {
	for days, level := range map[int]doctor.Level{0: doctor.OK, -10: doctor.Warn, -1: doctor.Fail} {
		o, _ := well(t)
		o.Server.TLS = &config.TLS{SelfSigned: true}
		way := tlscert.Options{TLS: *o.Server.TLS, Data: o.Data, PublicURL: "https://127.0.0.1", Listen: "127.0.0.1:0"}
		s, err := tlscert.Open(way)
		if err != nil {
			t.Fatal(err)
		}
		all, err := tlscert.Look(way)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if days < 0 {
			o.Clock = still(all[0].Leaf.NotAfter.AddDate(0, 0, days))
		}
		doctortest.Expect(t, examine(t, o), "certificate", level)
	}
}

type still time.Time

func (s still) Now() time.Time                         { return time.Time(s) }
func (s still) After(d time.Duration) <-chan time.Time { return clock.System{}.After(d) }

func TestWithoutAServerWhatIsOnDiskIsSeen(t *testing.T) {
	o, _ := well(t)
	o.Store, o.Stopped = nil, errors.New("nobody answers on /run/belfry.sock")
	found := examine(t, o)
	doctortest.Expect(t, found, "server", doctor.Fail, "nobody answers on /run/belfry.sock", "systemctl start belfry")
	doctortest.Expect(t, found, "database", doctor.OK, "nobody's use")
	doctortest.Expect(t, found, "public url", doctor.Warn, "not seen")
	doctortest.Expect(t, found, "key", doctor.OK)

	// Another process has the database: a server that hangs, or has another socket.
	f, err := os.OpenFile(filepath.Join(o.Data, "belfry.db.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString("pid 4711\n"); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	doctortest.Expect(t, examine(t, o), "database", doctor.Fail, "pid 4711", "--socket")

	o.Server.Database = "postgres://belfry:sesame-open-up@db.example.org/belfry"
	found = examine(t, o)
	doctortest.Expect(t, found, "database", doctor.Warn, "not seen")
	secrettest.Check(t, "sesame-open-up", found)

	o.Data = filepath.Join(t.TempDir(), "no")
	doctortest.Expect(t, examine(t, o), "data directory", doctor.OK, "is not there yet")
}

func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.token")
	if f := self.SecretFile("token file", path); f.Level != doctor.Fail || !strings.Contains(f.Remedy, "install -m 600") {
		t.Errorf("%+v", f)
	}
	write(t, path, 0o644)
	if f := self.SecretFile("token file", path); f.Level != doctor.Warn || f.Remedy != "chmod 600 "+path {
		t.Errorf("%+v", f)
	}
	write(t, path, 0o640)
	if f := self.SecretFile("token file", path); f.Level != doctor.OK {
		t.Errorf("%+v", f)
	}
}
