// SPDX-License-Identifier: Apache-2.0

// Package tlscert gives the server its certificate, so that Mattermost and
// people reach Belfry by HTTPS without a proxy in front of it.
//
// The flow: Open makes a Source from the configuration. Config is what the
// HTTP server listens with: every handshake asks the Source, so that a new
// certificate needs no restart and drops no connection. Run looks after it
// while the server runs. There are three ways, one file each:
//
//   - files.go: files that an administrator keeps; read again when they change.
//   - selfsigned.go: one that Belfry makes and signs itself, in the data
//     directory, and renews a month before its end.
//   - acme.go: from an authority by RFC 8555, by golang.org/x/crypto.
//
// Look reads the same without making or changing anything, for belfry cert.
package tlscert

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"belfry/clock"
	"belfry/config"
)

// Options of a Source.
type Options struct {
	// TLS is the configuration, already valid.
	TLS config.TLS
	// Data is the data directory; what is made is kept in it.
	Data string
	// PublicURL and Listen are the server's; a self-signed certificate is made
	// out to the hosts in them.
	PublicURL, Listen string
	// Clock is the machine's when nil, Log silent.
	Clock clock.Clock
	Log   *slog.Logger
}

const (
	// lookEvery is how often a Source looks whether there is something to do.
	lookEvery = 10 * time.Second
	// soon is how long before its end people are told of a certificate that
	// Belfry does not renew itself, or could not renew.
	soon = 14 * 24 * time.Hour
	// tellEvery is how often they are told.
	tellEvery = 24 * time.Hour
)

// keeper is one way to a certificate.
type keeper interface {
	// certificate answers a handshake.
	certificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// look does what is due; what goes wrong is written to the log.
	look(context.Context)
	// reload reads everything again now.
	reload() error
	// close lets go of what is held.
	close() error
}

// Source gives certificates to a server.
type Source struct {
	keeper keeper
	clock  clock.Clock
	protos []string
}

// Open makes a Source. Certificate files must be there and fit; a self-signed
// certificate is made when there is none; one by ACME is asked for in Run.
func Open(o Options) (*Source, error) {
	o = o.whole()
	s := &Source{clock: o.Clock, protos: []string{"h2", "http/1.1"}}
	var err error
	switch {
	case o.TLS.ACME != nil:
		s.protos = append(s.protos, alpnProto)
		s.keeper, err = openAuthority(o)
	case o.TLS.SelfSigned:
		s.keeper, err = openSelfSigned(o)
	default:
		s.keeper, err = openFiles(o)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (o Options) whole() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Config is what an HTTP server listens with.
func (s *Source) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: s.protos, GetCertificate: s.keeper.certificate, Time: s.clock.Now}
}

// Run looks after the certificate until ctx ends.
func (s *Source) Run(ctx context.Context) {
	for {
		s.keeper.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.clock.After(lookEvery):
		}
	}
}

// Reload reads the certificate again at once. When it can't be used, the error
// says why, and the one in use stays.
func (s *Source) Reload() error { return s.keeper.reload() }

// Close ends what Open began. Call it after Run has returned.
func (s *Source) Close() error { return s.keeper.close() }

// Fingerprint returns a certificate's SHA-256, as openssl x509 -fingerprint
// and browsers show it.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// reminder tells of a certificate's end, once a day.
type reminder struct{ told time.Time }

func (r *reminder) tell(log *slog.Logger, now time.Time, c *x509.Certificate, what string) {
	if c.NotAfter.Sub(now) > soon || now.Sub(r.told) < tellEvery {
		return
	}
	r.told = now
	if now.After(c.NotAfter) {
		log.Error("the certificate is past its end: nobody can connect; "+what, "names", Names(c), "ended", c.NotAfter)
		return
	}
	log.Warn("the certificate ends soon; "+what, "names", Names(c), "ends", c.NotAfter)
}

// Names returns whom a certificate is made out to: names, then addresses.
func Names(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}
