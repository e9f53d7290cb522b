// SPDX-License-Identifier: Apache-2.0

package tlscert_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/clock"
	"belfry/config"
	"belfry/tlscert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a server that speaks HTTPS with a Source's certificate.
type site struct {
	t       *testing.T
	source  *tlscert.Source
	address string
	log     *diary
}

// diary keeps what was logged.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, l net.Listener, o tlscert.Options) *site {
	t.Helper()
	s := &site{t: t, address: l.Addr().String(), log: &diary{}}
	o.Log = slog.New(slog.NewTextHandler(s.log, nil))
	o.Listen = s.address
	var err error
	if s.source, err = tlscert.Open(o); err != nil {
		_ = l.Close()
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: s.source.Config(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(l, "", "") })
	wg.Go(func() { s.source.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
		wg.Wait()
		if err := s.source.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shown is the certificate that a visitor gets who trusts roots; nil roots
// trust everything.
func (s *site) shown(name string, roots *x509.CertPool, at time.Time) (*x509.Certificate, error) {
	s.t.Helper()
	c := &tls.Config{ServerName: name, RootCAs: roots, InsecureSkipVerify: roots == nil}
	if !at.IsZero() {
		c.Time = func() time.Time { return at }
	}
	conn, err := tls.Dial("tcp", s.address, c)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func (s *site) wait(what string, ok func() bool) {
	s.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("%s did not happen; the log says:\n%s", what, s.log)
}

func trusting(certs ...*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

var selfSigned = config.TLS{SelfSigned: true}

func TestASelfSignedCertificateIsMadeOnceAndFits(t *testing.T) {
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir(), PublicURL: "https://Belfry.example.org:8443"}
	s := serve(t, listen(t), o)
	found, err := tlscert.Look(o)
	if err != nil || len(found) != 1 || found[0].Leaf == nil {
		t.Fatalf("%v %v", found, err)
	}
	leaf, authority := found[0].Leaf, found[0].Authority
	for _, name := range []string{"belfry.example.org", "localhost", "127.0.0.1", "::1"} {
		if _, err := s.shown(name, trusting(authority), time.Time{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.shown("other.example.org", trusting(authority), time.Time{}); err == nil {
		t.Error("it stands in for a host that is not ours")
	}
	if !strings.Contains(s.log.String(), tlscert.Fingerprint(authority)) {
		t.Error("the log does not say which one was made")
	}
	for path, want := range map[string]os.FileMode{found[0].Path: 0o644, found[0].Trust: 0o644, filepath.Join(o.Data, "tls", "ca-key.pem"): 0o600, filepath.Join(o.Data, "tls", "key.pem"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
		}
	}
	if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || time.Until(leaf.NotAfter) > 366*24*time.Hour {
		t.Errorf("%T until %s", leaf.PublicKey, leaf.NotAfter)
	}
	again := serve(t, listen(t), o)
	if c, err := again.shown("localhost", trusting(authority), time.Time{}); err != nil || !c.Equal(leaf) {
		t.Errorf("another one after a restart: %v", err)
	}
}

func TestOldProtocolsAreRefusedAndHTTP2IsSpoken(t *testing.T) {
	s := serve(t, listen(t), tlscert.Options{TLS: selfSigned, Data: t.TempDir()})
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", s.address, old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was spoken")
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	r, err := (&http.Client{Transport: tr}).Get("https://" + s.address)
	if err != nil || r.ProtoMajor != 2 {
		t.Fatalf("%v %v", r, err)
	}
	_ = r.Body.Close()
}

func TestWhoTrustsASelfSignedCertificateTrustsItsSuccessors(t *testing.T) {
	now := clock.NewManual(time.Now())
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir(), PublicURL: "https://belfry.example.org", Clock: now}
	s := serve(t, listen(t), o)
	found, err := tlscert.Look(o)
	if err != nil {
		t.Fatal(err)
	}
	trusted, before := trusting(found[0].Authority), found[0].Leaf
	now.Advance(300 * 24 * time.Hour)
	if c, err := s.shown("belfry.example.org", trusted, now.Now()); err != nil || !c.Equal(before) {
		t.Fatalf("renewed too early, or %v", err)
	}
	for range 8 { // years
		now.Advance(340 * 24 * time.Hour)
		s.wait("the renewal", func() bool {
			now.Advance(10 * time.Second)
			c, err := s.shown("belfry.example.org", trusted, now.Now())
			return err == nil && !c.Equal(before) && c.NotAfter.Sub(now.Now()) > 300*24*time.Hour
		})
	}
	if n := strings.Count(s.log.String(), "must be told to trust it"); n != 1 {
		t.Errorf("the authority changed %d times", n)
	}
	now.Advance(2 * 365 * 24 * time.Hour)
	s.wait("a new authority, before certificates outlive the old one", func() bool {
		now.Advance(10 * time.Second)
		return strings.Count(s.log.String(), "must be told to trust it") == 2
	})
}

func TestTheSelfSignedKeyCanVouchForNobodyElse(t *testing.T) {
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir(), PublicURL: "https://belfry.example.org"}
	serve(t, listen(t), o)
	b, err := os.ReadFile(filepath.Join(o.Data, "tls", "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := tlscert.Look(o)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	stolen, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"belfry.example.org": true, "chat.example.org": false} {
		t1 := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: []string{name}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		der, err := x509.CreateCertificate(rand.Reader, t1, found[0].Authority, &key.PublicKey, stolen)
		if err != nil {
			t.Fatal(err)
		}
		leaf, _ := x509.ParseCertificate(der)
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: trusting(found[0].Authority)})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherPublicURLGetsACertificateThatFits(t *testing.T) {
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir(), PublicURL: "https://one.example.org"}
	serve(t, listen(t), o)
	o.PublicURL = "https://two.example.org"
	s := serve(t, listen(t), o)
	c, err := s.shown("two.example.org", nil, time.Time{})
	if err != nil || !slices.Contains(c.DNSNames, "two.example.org") {
		t.Errorf("%v %v", c, err)
	}
}

func TestRenewOnCommandIsTakenOverByTheServerThatRuns(t *testing.T) {
	now := clock.NewManual(time.Now())
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir(), Clock: now}
	s := serve(t, listen(t), o)
	for _, newAuthority := range []bool{false, true} {
		before, err := tlscert.Look(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlscert.Renew(o, newAuthority); err != nil {
			t.Fatal(err)
		}
		after, err := tlscert.Look(o)
		if err != nil || after[0].Authority.Equal(before[0].Authority) == newAuthority || after[0].Leaf.Equal(before[0].Leaf) {
			t.Errorf("new authority %v: %v", newAuthority, err)
		}
		s.wait("the new certificate", func() bool {
			now.Advance(10 * time.Second)
			c, err := s.shown("localhost", trusting(after[0].Authority), now.Now())
			return err == nil && c.Equal(after[0].Leaf)
		})
	}
}

func TestADamagedKeyIsNotReplacedSilently(t *testing.T) {
	o := tlscert.Options{TLS: selfSigned, Data: t.TempDir()}
	path := filepath.Join(o.Data, "tls", "key.pem")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "damaged") || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "nonsense" {
		t.Error("the key was written over")
	}
}

// pair writes a certificate for name that an administrator might have got.
func pair(t *testing.T, certFile, keyFile, name string, life time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: k}} {
		if path == "" {
			continue
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateFilesAreReadAgainAndOpenConnectionsStay(t *testing.T) {
	dir := t.TempDir()
	now := clock.NewManual(time.Now())
	o := tlscert.Options{TLS: config.TLS{CertFile: filepath.Join(dir, "c.pem"), KeyFile: filepath.Join(dir, "k.pem")}, Clock: now}
	pair(t, o.TLS.CertFile, o.TLS.KeyFile, "one.example.org", 90*24*time.Hour)
	s := serve(t, listen(t), o)
	names := func() string {
		c, err := s.shown("x.example.org", nil, now.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c.DNSNames[0]
	}
	// A connection that is open all the while.
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxConnsPerHost: 1}
	defer tr.CloseIdleConnections()
	asks := func() string {
		r, err := (&http.Client{Transport: tr}).Get("https://" + s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		_, _ = io.Copy(io.Discard, r.Body)
		return r.TLS.PeerCertificates[0].DNSNames[0]
	}
	if asks() != "one.example.org" {
		t.Fatal("another certificate")
	}

	// Half of a new pair: the old one stays, and it is told once.
	pair(t, o.TLS.CertFile, "", "two.example.org", time.Hour)
	if err := s.source.Reload(); err == nil || !strings.Contains(err.Error(), "can't be used") {
		t.Errorf("got %v", err)
	}
	s.wait("word of it", func() bool {
		now.Advance(10 * time.Second)
		return strings.Contains(s.log.String(), "the certificate in use stays")
	})
	if names() != "one.example.org" {
		t.Error("half a pair was taken over")
	}
	pair(t, o.TLS.CertFile, o.TLS.KeyFile, "two.example.org", 24*time.Hour)
	s.wait("the new certificate", func() bool {
		now.Advance(10 * time.Second)
		return names() == "two.example.org"
	})
	if asks() != "one.example.org" {
		t.Error("the open connection was dropped")
	}
	s.wait("a reminder", func() bool {
		now.Advance(10 * time.Second)
		return strings.Contains(s.log.String(), "ends soon")
	})

	pair(t, o.TLS.CertFile, o.TLS.KeyFile, "three.example.org", 24*time.Hour)
	if err := s.source.Reload(); err != nil || names() != "three.example.org" {
		t.Errorf("SIGHUP: %v, %s", err, names())
	}
	if err := os.Remove(o.TLS.KeyFile); err != nil {
		t.Fatal(err)
	}
	if err := s.source.Reload(); err == nil || names() != "three.example.org" {
		t.Errorf("a key that is gone: %v, %s", err, names())
	}
}

func TestFilesThatAreNoneAreRefusedAtStart(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	o := tlscert.Options{TLS: config.TLS{CertFile: cert, KeyFile: key}}
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
	pair(t, cert, key, "a.example.org", time.Hour)
	if err := os.WriteFile(cert, bytes.Repeat([]byte("x"), 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(cert, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "can't be used") {
		t.Errorf("got %v", err)
	}
	if _, err := tlscert.Look(o); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("got %v", err)
	}
}
