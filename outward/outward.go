// SPDX-License-Identifier: Apache-2.0

// Package outward is how calls leave Belfry: straight, by the environment's
// proxy or by one that is configured; trusting what the system trusts, and the
// certificates of a file beside that.
package outward

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Way is the way to one server, as a configuration says it.
type Way struct {
	// CAFile holds certificates in PEM that are trusted beside the system's.
	CAFile string
	// Proxy is used instead of the environment's (HTTPS_PROXY, NO_PROXY).
	Proxy string
	// Insecure leaves the server's certificate unchecked. Whoever opens such a
	// way says so wherever it is shown.
	Insecure bool
	// Connections is how many are kept open while nothing is called.
	Connections int
}

const (
	dialWithin      = 5 * time.Second
	handshakeWithin = 5 * time.Second
	keepAlive       = 30 * time.Second
	idleFor         = 90 * time.Second
	// maxCAFile bounds a file of certificates: those of all systems together
	// have a quarter of that.
	maxCAFile = 1 << 20
)

// Transport opens the way. It calls nobody. Errors say what of the
// configuration is wrong, without the proxy's address.
func (w Way) Transport() (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialWithin, KeepAlive: keepAlive}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          w.Connections,
		MaxIdleConnsPerHost:   w.Connections,
		IdleConnTimeout:       idleFor,
		TLSHandshakeTimeout:   handshakeWithin,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if w.Proxy != "" {
		u, err := url.Parse(w.Proxy)
		if err != nil {
			return nil, errors.New("the proxy is not an address")
		}
		t.Proxy = http.ProxyURL(u)
	}
	if w.CAFile != "" {
		roots, err := Roots(w.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = roots
	}
	if w.Insecure {
		t.TLSClientConfig.InsecureSkipVerify = true //nolint:gosec // the operator wrote it out, and reads what it means wherever the connection is shown
	}
	return t, nil
}

// Roots returns whom the system trusts, and the certificates in a file of PEM
// beside them; "": none. Where the system trusts nobody it is the file's alone.
func Roots(caFile string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if caFile == "" {
		return pool, nil
	}
	f, err := os.Open(caFile) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("can't read ca_file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	pem, err := io.ReadAll(io.LimitReader(f, maxCAFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("can't read ca_file: %w", err)
	case len(pem) > maxCAFile:
		return nil, fmt.Errorf("ca_file %s is longer than %d MB: keep the certificates in it that this server needs", caFile, maxCAFile>>20)
	case !pool.AppendCertsFromPEM(pem):
		return nil, fmt.Errorf("ca_file %s holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", caFile)
	}
	return pool, nil
}
