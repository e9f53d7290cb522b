// SPDX-License-Identifier: Apache-2.0

// Package self looks into Belfry itself: its files and their modes, the room
// on its disk, the database and what waits in it, its certificate, and whether
// its public address leads to it. Without a running server it looks at what is
// on disk and says that nothing runs.
package self

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"belfry/clock"
	"belfry/config"
	"belfry/doctor"
	"belfry/store"
	"belfry/tlscert"
)

// Store is what is asked of the database. *store.Store is one.
type Store interface {
	Ping(ctx context.Context) error
	Counts(ctx context.Context) (store.Counts, error)
	Struggles(ctx context.Context) ([]store.Struggle, error)
	DeadDuties(ctx context.Context, limit int) ([]store.Duty, error)
	StuckCalls(ctx context.Context) ([]store.Call, error)
}

// Options say what to look at.
type Options struct {
	// Server is the configuration, Data its data directory.
	Server config.Server
	Data   string
	// KeyFile and DatabaseFile are names in the data directory.
	KeyFile, DatabaseFile string
	// PublicURL is where people and chat servers reach Belfry; Version ours.
	PublicURL, Version string
	// Store is the running server's; nil: none runs.
	Store Store
	// Stopped says why no server was found, where there is no Store.
	Stopped error
	Clock   clock.Clock
}

// Self examines Belfry.
type Self struct{ o Options }

var _ doctor.Examiner = Self{}

// New returns what examines Belfry itself.
func New(o Options) Self { return Self{o} }

// Examine implements doctor.Examiner.
func (s Self) Examine(ctx context.Context, _ doctor.Visit) []doctor.Finding {
	found := []doctor.Finding{s.running()}
	found = append(found, s.data()...)
	found = append(found, s.database(ctx)...)
	found = append(found, s.certificate()...)
	return append(found, s.publicURL(ctx))
}

func (s Self) running() doctor.Finding {
	if s.o.Store == nil {
		return doctor.Bad("server", "start it: systemctl start belfry, or belfry serve with the same --config and --data\n"+
			"if it runs, say --data or --socket as it was started with", "no server runs, so nothing is taken in and nothing delivered: %v", s.o.Stopped)
	}
	return doctor.Good("server", "belfry %s runs and listens on %s", s.o.Version, s.o.Server.Listen)
}

// How much room the disk should have.
const (
	roomDoubt = 1 << 30
	roomBad   = 100 << 20
)

// data looks at the data directory and the secrets in it.
func (s Self) data() []doctor.Finding {
	dir := s.o.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.o.Store == nil:
		return []doctor.Finding{doctor.Good("data directory", "%s is not there yet; the server's first start makes it", dir)}
	case errors.Is(err, fs.ErrPermission):
		return []doctor.Finding{doctor.Doubt("data directory", "run belfry doctor as root or as the server's user: sudo -u belfry belfry doctor", "not seen: %s may not be read by this user", dir)}
	case err != nil:
		return []doctor.Finding{doctor.Bad("data directory", "set data under server, or --data, to the directory that holds belfry.db", "%s can't be looked at: %v", dir, err)}
	case !info.IsDir():
		return []doctor.Finding{doctor.Bad("data directory", "set data under server, or --data, to a directory", "%s is no directory", dir)}
	}
	found := []doctor.Finding{s.mode(dir, info), s.room(dir)}
	return append(found, s.secrets(dir)...)
}

func (s Self) mode(dir string, info fs.FileInfo) doctor.Finding {
	if info.Mode().Perm()&0o027 != 0 {
		return doctor.Doubt("data directory", "chmod 700 "+dir+" (750 where the monitoring core's group uses the socket in it)", "others may look into %s: its mode is %04o", dir, info.Mode().Perm())
	}
	if s.o.Store != nil && unix.Access(dir, unix.W_OK) != nil {
		return doctor.Bad("data directory", "chown -R belfry: "+dir+" (the server's user)", "the server may not write to %s", dir)
	}
	return doctor.Good("data directory", "%s belongs to its owner alone", dir)
}

func (s Self) room(dir string) doctor.Finding {
	const remedy = "make room on the disk of %s (to see what takes it: du -xh --max-depth=2 / | sort -h | tail), or shorten retention under server"
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return doctor.Doubt("disk", "df -h "+dir, "the room on the disk can't be seen: %v", err)
	}
	free := st.Bavail * uint64(st.Bsize) //nolint:gosec // sizes of blocks are positive
	text := "less than 1 GB is free for " + dir
	switch {
	case free < roomBad:
		return doctor.Bad("disk", fmt.Sprintf(remedy, dir), "less than 100 MB is free for %s: soon no alert can be stored", dir)
	case free < roomDoubt:
		return doctor.Doubt("disk", fmt.Sprintf(remedy, dir), "%s", text)
	}
	return doctor.Good("disk", "more than 1 GB is free for %s", dir)
}

// secretFiles are those in the data directory that hold secrets: tokens of
// sources, of the server's own and of set-ups (chat/mattermost/setup, package
// config), keys of certificates (tlscert), connections that were set up on the
// pages, and the database. The files of package tlscert that others may read
// are certificates alone.
func secretFiles() []string {
	return []string{"*.token", "*.command", "*.outgoing", "*.oauth", "*.secret", "tls/*key.pem", "acme/*", "conf.d/*.yaml", "*.db", "*.db-wal"}
}

// secrets looks at the modes of the key and of what else only Belfry may read.
func (s Self) secrets(dir string) []doctor.Finding {
	key := filepath.Join(dir, s.o.KeyFile)
	var found []doctor.Finding
	switch info, err := os.Stat(key); {
	case errors.Is(err, fs.ErrNotExist) && s.o.Store == nil:
		found = append(found, doctor.Good("key", "%s is not there yet; the server's first start makes it", key))
	case err != nil:
		found = append(found, doctor.Bad("key", "restore "+key+" from a backup; without it the server makes a new one at its next start, and buttons on old cards do nothing until their cards change", "the key can't be looked at: %v", err))
	case info.Mode().Perm()&0o077 != 0:
		found = append(found, doctor.Bad("key", "chmod 600 "+key, "others may read %s: its mode is %04o; who has it can forge buttons and links", key, info.Mode().Perm()))
	default:
		found = append(found, doctor.Good("key", "%s is its owner's alone", key))
	}
	var open []string
	for _, pattern := range secretFiles() {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are good
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
				open = append(open, name)
			}
		}
	}
	if len(open) > 0 {
		return append(found, doctor.Doubt("secrets", "chmod 600 "+strings.Join(open, " "), "others may read %s", strings.Join(open, ", ")))
	}
	return append(found, doctor.Good("secrets", "the tokens in %s are their owner's alone", dir))
}

// database looks whether it answers, and what waits in it.
func (s Self) database(ctx context.Context) []doctor.Finding {
	if s.o.Store == nil {
		return []doctor.Finding{s.databaseFile()}
	}
	if err := s.o.Store.Ping(ctx); err != nil {
		return []doctor.Finding{doctor.Bad("database", "for PostgreSQL: start it, and see that database under server leads to it; for SQLite: look at the disk (df -h "+s.o.Data+") and at the server's log", "the database does not answer: %v", err)}
	}
	c, err := s.o.Store.Counts(ctx)
	if err != nil {
		return []doctor.Finding{doctor.Bad("database", "look at the server's log: journalctl -u belfry", "the database can't be read: %v", err)}
	}
	found := []doctor.Finding{doctor.Good("database", "the database answers")}
	return append(found, s.dead(ctx, c), s.waiting(ctx, c), s.calls(ctx))
}

// databaseFile looks at the database while nobody should use it. It is not
// opened: that would bring it to this version.
func (s Self) databaseFile() doctor.Finding {
	path := s.o.Server.Database.Reveal()
	if strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://") {
		return doctor.Doubt("database", "start the server; it says whether PostgreSQL answers", "not seen: PostgreSQL is looked at by a running server")
	}
	if path == "" {
		path = filepath.Join(s.o.Data, s.o.DatabaseFile)
	}
	f, err := os.Open(path + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return doctor.Good("database", "%s is in nobody's use", path)
	}
	if err != nil {
		return doctor.Doubt("database", "run belfry doctor as root or as the server's user: sudo -u belfry belfry doctor", "not seen: %v", err)
	}
	defer func() { _ = f.Close() }()                                                                 // gives a lock back, too
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) { //nolint:gosec // a file descriptor fits
		owner := make([]byte, 32)
		n, _ := f.Read(owner) // only for the message
		return doctor.Bad("database", "that process is a server which does not answer on this socket: say --socket as it was started with, or look at what hangs: ps -p PID -o pid,stat,cmd, and restart it",
			"%s is in use by another process (%s)", path, strings.TrimSpace(string(owner[:n])))
	}
	return doctor.Good("database", "%s is in nobody's use", path)
}

// When a certificate that ends is worth a word. Let's Encrypt's are renewed 30
// days before their end, our own at a third of their life.
const (
	certDoubt = 14 * 24 * time.Hour
	certBad   = 3 * 24 * time.Hour
)

func (s Self) certificate() []doctor.Finding {
	const check = "certificate"
	if s.o.Server.TLS == nil {
		return nil // publicURL says whether that is well
	}
	o := tlscert.Options{TLS: *s.o.Server.TLS, Data: s.o.Data, PublicURL: s.o.Server.PublicURL, Listen: s.o.Server.Listen}
	all, err := tlscert.Look(o)
	if err != nil {
		return []doctor.Finding{doctor.Bad(check, "correct tls under server, or give the server's user the right to read the files; belfry cert shows them", "%v", err)}
	}
	var found []doctor.Finding
	for _, c := range all {
		name := check
		if len(all) > 1 {
			name += " " + c.Name
		}
		found = append(found, s.oneCertificate(name, c))
	}
	return found
}

func (s Self) oneCertificate(check string, c tlscert.Found) doctor.Finding {
	if c.Leaf == nil {
		return doctor.Doubt(check, "start the server and look at its log: journalctl -u belfry; for ACME the name must lead here and port 443 or 80 be open", "there is no certificate in %s yet", c.Path)
	}
	left := c.Leaf.NotAfter.Sub(s.o.Clock.Now())
	day := c.Leaf.NotAfter.Format("2006-01-02")
	remedy := map[tlscert.Kind]string{
		tlscert.KindFiles:      "renew " + c.Path + " (certbot renew, or your authority), then: systemctl reload belfry",
		tlscert.KindSelfSigned: "belfry cert renew, then: systemctl reload belfry",
		tlscert.KindACME:       "the server renews it by itself; its log says what keeps it: journalctl -u belfry",
	}[c.Kind]
	switch {
	case left < certBad:
		return doctor.Bad(check, remedy, "%s ends on %s", c.Path, day)
	case left < certDoubt:
		return doctor.Doubt(check, remedy, "%s ends on %s", c.Path, day)
	}
	return doctor.Good(check, "%s (%s) is good until %s", c.Path, c.Kind, day)
}

const askWithin = 5 * time.Second

// publicURL asks our public address whether it leads to a Belfry.
func (s Self) publicURL(ctx context.Context) doctor.Finding {
	const check = "public url"
	address := s.o.PublicURL
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return doctor.Bad(check, "set public_url under server to the address at which people and chat servers reach Belfry, such as https://belfry.example.org", "%q is no address", address)
	}
	if s.o.Server.TLS != nil && u.Scheme == "http" {
		return doctor.Bad(check, "set public_url under server to https://"+u.Host, "the server speaks HTTPS, and public_url begins with http://")
	}
	if s.o.Store == nil {
		return doctor.Doubt(check, "start the server, then run belfry doctor again", "not seen: %s can't answer without a running server", address)
	}
	status, text, err := s.ask(ctx, address+"/livez")
	switch {
	case err != nil && strings.Contains(err.Error(), "x509"):
		return doctor.Doubt(check, "have the whole chain sent (certbot: fullchain.pem); for an authority of your own this host and Mattermost's must trust it: update-ca-certificates", "%s answers with a certificate that this host does not trust: %v", address, err)
	case err != nil:
		return doctor.Doubt(check, "curl -v "+address+"/livez must say ok; correct public_url, the proxy before Belfry, or DNS\nif only this host can't reach its own public address, that does no harm", "%s is not reached from here: %v", address, err)
	case status != http.StatusOK || strings.TrimSpace(text) != "ok":
		return doctor.Bad(check, "have the proxy before Belfry pass "+address+"/ on to "+s.o.Server.Listen+", or correct public_url; to see it: curl -v "+address+"/livez", "something else than Belfry answers at %s: %d", address, status)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return doctor.Doubt(check, "give Belfry HTTPS (tls under server, or a proxy; docs/tls.md) and set public_url to https://"+u.Host, "%s answers, without TLS: passwords and presses can be read on the way", address)
	}
	return doctor.Good(check, "%s leads to Belfry", address)
}

// ask gets a page. Our own authority is trusted, as Mattermost is told to.
func (s Self) ask(ctx context.Context, address string) (status int, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	transport, err := s.transport()
	if err != nil {
		return 0, "", err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	return res.StatusCode, string(b), err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// SecretFile looks at a file with a secret that the configuration names.
func SecretFile(check, path string) doctor.Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return doctor.Bad(check, "write the secret into "+path+": install -m 600 -o belfry /dev/stdin "+path, "%s is not there", path)
	case err != nil:
		return doctor.Bad(check, "let the server's user read it: chown belfry "+path, "%v", err)
	case info.Mode().Perm()&0o007 != 0:
		return doctor.Doubt(check, "chmod 600 "+path, "everybody on this host may read %s: its mode is %04o", path, info.Mode().Perm())
	}
	return doctor.Good(check, "%s is not open to everybody", path)
}
