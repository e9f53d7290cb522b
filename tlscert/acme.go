// SPDX-License-Identifier: Apache-2.0

package tlscert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"belfry/clock"
	"belfry/outward"
)

const (
	// alpnProto is what an authority names when it checks by TLS-ALPN-01 (RFC 8737).
	alpnProto = acme.ALPNProto
	// acmeFolder in the data directory holds account key and certificates.
	acmeFolder = "acme"
	// firstWait and longestWait are how long after a failure the authority is
	// asked again; Let's Encrypt takes five failures an hour for one name.
	firstWait   = 5 * time.Minute
	longestWait = 6 * time.Hour
	// callWithin bounds one call to the authority.
	callWithin = 30 * time.Second
)

// authority gets certificates by ACME, one for each name. Only look asks for
// them: a handshake never does, or strangers who knock could use up what the
// authority grants in a week.
type authority struct {
	names    []string
	entries  map[string]*entry
	clock    clock.Clock
	log      *slog.Logger
	hint     string
	cache    autocert.DirCache
	client   *http.Client
	settings *acmeSettings
	end      context.CancelFunc
	listener net.Listener
	server   *http.Server
	wg       sync.WaitGroup
	again    atomic.Bool
}

// acmeSettings are what each manager is made from.
type acmeSettings struct{ email, directory string }

// entry is one name.
type entry struct {
	name    string
	manager atomic.Pointer[autocert.Manager]
	ready   atomic.Bool
	next    time.Time
	fails   int
	remind  reminder
}

func openAuthority(o Options) (*authority, error) {
	c := o.TLS.ACME
	base := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the library's own
	if c.CAFile != "" {
		roots, err := outward.Roots(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.acme: %w", err)
		}
		base.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &authority{names: c.Domains, entries: map[string]*entry{}, clock: o.Clock, log: o.Log, end: cancel,
		cache: autocert.DirCache(filepath.Join(o.Data, acmeFolder)), client: &http.Client{Transport: &door{base, ctx}, Timeout: callWithin},
		settings: &acmeSettings{email: c.Email, directory: c.DirectoryURL}}
	if a.settings.directory == "" {
		a.settings.directory = acme.LetsEncryptURL
	}
	a.hint = "the authority must reach port 443 of that name, and find Belfry there (it listens on " + o.Listen + ")"
	if c.HTTPListen != "" {
		listener, err := net.Listen("tcp", c.HTTPListen)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("can't listen on tls.acme.http_listen %s: %w", c.HTTPListen, err)
		}
		a.listener = listener
		a.hint += ", or port 80 (" + listener.Addr().String() + ")"
	}
	for _, name := range a.names {
		e := &entry{name: name}
		a.renewManager(e)
		a.entries[name] = e
	}
	if a.listener != nil {
		a.answerHTTP()
	}
	return a, nil
}

// renewManager gives an entry a fresh manager: one that failed remembers it
// for a minute and would say nothing better in that time.
func (a *authority) renewManager(e *entry) {
	m := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: a.cache, HostPolicy: autocert.HostWhitelist(e.name), Email: a.settings.email,
		Client: &acme.Client{DirectoryURL: a.settings.directory, HTTPClient: a.client, UserAgent: "belfry", RetryBackoff: retryAfter}}
	if a.listener != nil {
		m.HTTPHandler(nil) // has it try HTTP-01 as well
	}
	e.manager.Store(m)
}

// retryAfter says how long the client waits before it repeats one call; less
// than nothing: not at all. A nonce that was refused is worth another try at
// once; limits are for look to keep.
func retryAfter(n int, _ *http.Request, res *http.Response) time.Duration {
	if n > 3 || res.StatusCode == http.StatusTooManyRequests {
		return -1
	}
	return 100 * time.Millisecond << n
}

// answerHTTP answers challenges over plain HTTP and leads everybody else to HTTPS.
func (a *authority) answerHTTP() {
	a.server = &http.Server{ReadHeaderTimeout: callWithin, ReadTimeout: callWithin, WriteTimeout: callWithin, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, _, err := net.SplitHostPort(r.Host)
			if err != nil {
				host = r.Host
			}
			e := a.entries[strings.ToLower(host)]
			if e == nil { // leading to a host that a stranger names would be his to use
				http.Error(w, "there is nothing here", http.StatusNotFound)
				return
			}
			r.Host = e.name
			e.manager.Load().HTTPHandler(nil).ServeHTTP(w, r)
		})}
	a.wg.Go(func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("stopped answering the authority over HTTP", "err", err)
		}
	})
}

func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" { // a health check by address, say
		name = a.names[0]
	}
	e := a.entries[name]
	if e == nil {
		return nil, fmt.Errorf("there is no certificate for %q; tls.acme.domains names %s", hello.ServerName, strings.Join(a.names, ", "))
	}
	if slices.Equal(hello.SupportedProtos, []string{alpnProto}) {
		return e.manager.Load().GetCertificate(hello)
	}
	if !e.ready.Load() {
		return nil, fmt.Errorf("the authority has given no certificate for %s yet", name)
	}
	return e.manager.Load().GetCertificate(plainHello(name))
}

// plainHello asks a manager for the one certificate of a name. All who speak
// TLS 1.2 take ECDSA; without this some would get a second one, with RSA.
func plainHello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

func (a *authority) look(ctx context.Context) {
	again := a.again.Swap(false)
	for _, name := range a.names {
		e := a.entries[name]
		if e.ready.Load() {
			if c, err := e.manager.Load().GetCertificate(plainHello(name)); err == nil {
				e.remind.tell(a.log, a.clock.Now(), c.Leaf, "the authority did not renew it: "+a.hint)
			}
			continue
		}
		if now := a.clock.Now(); now.Before(e.next) && !again {
			continue
		}
		a.obtain(ctx, e)
	}
}

// obtain asks for one certificate, or takes it from the cache. The manager
// waits for the authority without looking at ctx, so it is left behind when
// ctx ends; close then cuts off its calls.
func (a *authority) obtain(ctx context.Context, e *entry) {
	type answer struct {
		cert *tls.Certificate
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		cert, err := e.manager.Load().GetCertificate(plainHello(e.name))
		got <- answer{cert, err}
	}()
	select {
	case <-ctx.Done():
	case g := <-got:
		if g.err != nil {
			a.renewManager(e)
			wait := min(firstWait<<min(e.fails, 10), longestWait)
			e.fails++
			e.next = a.clock.Now().Add(wait)
			a.log.Error("no certificate from the authority; "+a.hint, "name", e.name, "authority", a.settings.directory, "err", g.err, "again in", wait)
			return
		}
		e.fails = 0
		e.ready.Store(true)
		a.log.Info("a certificate is in use", "name", e.name, "ends", g.cert.Leaf.NotAfter)
	}
}

// reload has the authority asked again at once for what it refused.
func (a *authority) reload() error {
	a.again.Store(true)
	return nil
}

func (a *authority) close() error {
	a.end()
	var err error
	if a.server != nil {
		err = a.server.Close()
	}
	a.client.CloseIdleConnections()
	a.wg.Wait()
	return err
}

// door lets calls through until ctx ends. Managers renew by timers that can't
// be stopped: after close they find it shut.
type door struct {
	next *http.Transport
	ctx  context.Context //nolint:containedctx // ends with the authority, not with a call
}

// RoundTrip implements http.RoundTripper.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.ctx.Err() != nil {
		return nil, errors.New("belfry is stopping")
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(d.ctx, cancel)
	res, err := d.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	res.Body = &body{res.Body, func() { stop(); cancel() }}
	return res, nil
}

// CloseIdleConnections is called by http.Client's method of that name.
func (d *door) CloseIdleConnections() { d.next.CloseIdleConnections() }

// body lets go of a call's context when it is read.
type body struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
