// SPDX-License-Identifier: Apache-2.0

// Package acmetest is a certificate authority that speaks ACME (RFC 8555), for
// tests. It checks what a real one checks: signatures, nonces used once, the
// URL in the signed part, the terms of service, and that whoever asks holds the
// name, by really connecting with TLS-ALPN-01 (RFC 8737) or HTTP-01.
package acmetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Server is a running authority.
type Server struct {
	t     testing.TB
	http  *httptest.Server
	root  *x509.Certificate
	key   *ecdsa.PrivateKey
	dial  map[string]string // name → where TLS-ALPN-01 finds it
	web   map[string]string // name → where HTTP-01 finds it
	mu    sync.Mutex
	nonce map[string]bool
	// accounts by their URL, and the URLs by thumbprint.
	accounts map[string]*ecdsa.PublicKey
	known    map[string]string
	orders   []*order
	authz    []*authorization
	emails   []string
	refuse   int // answer so many new orders with rateLimited
	spoil    int // forget so many nonces
	from, to time.Duration
	proofs   []string
}

// Start starts an authority that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dial: map[string]string{}, web: map[string]string{}, nonce: map[string]bool{},
		accounts: map[string]*ecdsa.PublicKey{}, known: map[string]string{}, from: -time.Hour, to: 90 * 24 * time.Hour}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "acmetest root"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour * 3650), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &s.key.PublicKey, s.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.http.Close)
	return s
}

// Directory is the URL that clients begin with.
func (s *Server) Directory() string { return s.http.URL + "/directory" }

// CAFile writes the certificate that vouches for the directory's own HTTPS.
func (s *Server) CAFile() string {
	path := filepath.Join(s.t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw}), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Roots vouch for what the authority gives.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.root)
	return pool
}

// Resolve says where the authority finds a name's port 443.
func (s *Server) Resolve(name, address string) { s.set(func() { s.dial[name] = address }) }

// ResolveHTTP says where the authority finds a name's port 80.
func (s *Server) ResolveHTTP(name, address string) { s.set(func() { s.web[name] = address }) }

// RefuseOrders has the next n orders refused, as when a limit is reached.
func (s *Server) RefuseOrders(n int) { s.set(func() { s.refuse = n }) }

// SpoilNonces has the next n nonces refused, as when a node was replaced.
func (s *Server) SpoilNonces(n int) { s.set(func() { s.spoil = n }) }

// Issue sets the validity of what is given from now on, relative to now.
func (s *Server) Issue(from, to time.Duration) { s.set(func() { s.from, s.to = from, to }) }

func (s *Server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Orders is how many orders were made, refused ones included.
func (s *Server) Orders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.orders)
}

// Accounts is how many accounts there are; Emails whom they named.
func (s *Server) Accounts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.accounts)
}

// Emails are the contacts of all accounts.
func (s *Server) Emails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.emails...)
}

// Proofs are the names that were proved, as in "tls-alpn-01 a.example.org".
func (s *Server) Proofs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.proofs...)
}

// sign gives a certificate for a request.
func (s *Server) sign(csr *x509.CertificateRequest) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: serial, DNSNames: csr.DNSNames,
		NotBefore: time.Now().Add(s.from), NotAfter: time.Now().Add(s.to), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true}, s.root, csr.PublicKey, s.key)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.root.Raw})...), nil
}

func (s *Server) newNonce() string {
	n := rand.Text()
	s.nonce[n] = true
	return n
}

func (s *Server) url(kind string, n int) string {
	return s.http.URL + "/" + kind + "/" + strconv.Itoa(n)
}
