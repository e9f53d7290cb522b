// SPDX-License-Identifier: Apache-2.0

package tlscert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

const (
	// folder in the data directory, and the files in it: the authority that
	// others are told to trust, and the server's certificate, which it signs.
	folder           = "tls"
	authorityName    = "ca.pem"
	authorityKeyName = "ca-key.pem"
	certName         = "cert.pem"
	keyName          = "key.pem"
	// validFor is the server's certificate's life; renewBefore how long before
	// its end the next one is made.
	validFor    = 365 * 24 * time.Hour
	renewBefore = 30 * 24 * time.Hour
	// authorityFor is the authority's life. It is made anew when it could not
	// outlive another certificate.
	authorityFor = 10 * 365 * 24 * time.Hour
	// backdate allows for clocks that are behind ours.
	backdate = time.Hour
)

// selfSigned is the pair of files that Belfry keeps itself.
//
// What is self-signed is a small authority, limited to the names of this
// server; the server's certificate is signed by it and lasts a year. So others
// are told once whom to trust, and renewals need nobody. Whoever steals the
// authority's key can play this server and no other.
type selfSigned struct {
	*files
	options Options
	failed  string
}

func openSelfSigned(o Options) (*selfSigned, error) {
	s := &selfSigned{options: o}
	trust, err := ensure(o)
	if err != nil {
		return nil, err
	}
	certFile, keyFile := inFolder(o.Data, certName), inFolder(o.Data, keyName)
	s.files = newFiles(certFile, keyFile, o)
	s.remind = "belfry cert renew makes a new one"
	if err := s.reload(); err != nil {
		return nil, err
	}
	s.tell(trust)
	return s, nil
}

// tell says that there is a new authority, which others don't trust yet.
func (s *selfSigned) tell(made *x509.Certificate) {
	if made != nil {
		s.log.Warn("a self-signed certificate was made: others must be told to trust it, belfry cert says how",
			"names", Names(s.current.Load().Leaf), "ends", made.NotAfter, "sha256", Fingerprint(made))
	}
}

func (s *selfSigned) look(ctx context.Context) {
	made, err := ensure(s.options)
	switch {
	case err == nil:
		s.failed = ""
	case err.Error() != s.failed:
		s.failed = err.Error()
		s.log.Error("can't renew the self-signed certificate, will try again", "err", err)
	}
	s.files.look(ctx)
	s.tell(made)
}

// Renew makes a new certificate now, which those who trust the one before
// trust as well; with newAuthority also new keys and a new authority, which
// ends all trust. A server that runs takes it over.
func Renew(o Options, newAuthority bool) error {
	o = o.whole()
	unlock, err := lock(o.Data)
	if err != nil {
		return err
	}
	defer unlock()
	remove := []string{certName}
	if newAuthority {
		remove = append(remove, authorityName, authorityKeyName, keyName)
	}
	for _, name := range remove {
		if err := os.Remove(inFolder(o.Data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("can't remove the old certificate: %w", err)
		}
	}
	_, err = fill(o, newAuthority)
	return err
}

func inFolder(data, name string) string { return filepath.Join(data, folder, name) }

// ensure makes what is missing, ends soon or lacks a name. It returns the
// authority when it is a new one.
func ensure(o Options) (made *x509.Certificate, err error) {
	unlock, err := lock(o.Data)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return fill(o, false)
}

// fill is ensure for those who hold the lock; always makes a new authority.
func fill(o Options, always bool) (made *x509.Certificate, err error) {
	names, now := hosts(o), o.Clock.Now()
	authorityKey, err := ensureKey(o.Data, authorityKeyName)
	if err != nil {
		return nil, err
	}
	authority, err := readCertificate(inFolder(o.Data, authorityName))
	if err != nil || always || !vouches(authority, authorityKey, names, now) {
		t := &x509.Certificate{Subject: pkix.Name{Organization: []string{"Belfry"}, CommonName: "Belfry on " + names[0]}, NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityFor),
			KeyUsage: x509.KeyUsageCertSign, IsCA: true, MaxPathLenZero: true, PermittedDNSDomainsCritical: true}
		t.PermittedDNSDomains, t.PermittedIPRanges = allowed(names)
		if authority, err = sign(o.Data, authorityName, t, nil, &authorityKey.PublicKey, authorityKey); err != nil {
			return nil, err
		}
		made = authority
	}
	key, err := ensureKey(o.Data, keyName)
	if err != nil {
		return made, err
	}
	if old, err := readCertificate(inFolder(o.Data, certName)); err == nil && good(old, authority, key, names, now) {
		return made, nil
	}
	t := &x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, NotBefore: now.Add(-backdate), NotAfter: now.Add(validFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	t.DNSNames, t.IPAddresses = split(names)
	_, err = sign(o.Data, certName, t, authority, &key.PublicKey, authorityKey)
	return made, err
}

// vouches says whether an authority can sign a certificate for names now.
func vouches(c *x509.Certificate, key *ecdsa.PrivateKey, names []string, now time.Time) bool {
	domains, ranges := allowed(names)
	for _, d := range domains {
		if !slices.Contains(c.PermittedDNSDomains, d) {
			return false
		}
	}
	for _, r := range ranges {
		if !slices.ContainsFunc(c.PermittedIPRanges, func(have *net.IPNet) bool { return have.String() == r.String() }) {
			return false
		}
	}
	return holds(c, key) && c.IsCA && c.NotAfter.Sub(now) > validFor
}

// good says whether the server's certificate can stay.
func good(c, authority *x509.Certificate, key *ecdsa.PrivateKey, names []string, now time.Time) bool {
	for _, n := range names {
		if c.VerifyHostname(n) != nil {
			return false
		}
	}
	return holds(c, key) && c.CheckSignatureFrom(authority) == nil && c.NotAfter.Sub(now) > renewBefore
}

func holds(c *x509.Certificate, key *ecdsa.PrivateKey) bool {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && public.Equal(&key.PublicKey)
}

func ensureKey(data, name string) (*ecdsa.PrivateKey, error) {
	path := inFolder(data, name)
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(data, path)
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the certificate's key: %w", err)
	}
	if block, _ := pem.Decode(b); block != nil {
		if found, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := found.(*ecdsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, fmt.Errorf("the certificate's key %s is damaged: restore it from a backup, or run belfry cert renew --new-authority (others must then trust the new certificate)", path)
}

func makeKey(data, path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("can't make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("can't make a key: %w", err)
	}
	return key, write(data, path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// sign makes a certificate and writes it, followed by its parent; without a
// parent it is its own.
func sign(data, name string, t, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	var err error
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, fmt.Errorf("can't make a certificate: %w", err)
	}
	t.BasicConstraintsValid = true
	by := parent
	if by == nil {
		by = t
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by, public, key)
	if err != nil {
		return nil, fmt.Errorf("can't make a certificate: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if parent != nil {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: parent.Raw})...)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("can't make a certificate: %w", err)
	}
	return c, write(data, inFolder(data, name), out, 0o644)
}

func split(names []string) (domains []string, addresses []net.IP) {
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			addresses = append(addresses, ip)
			continue
		}
		domains = append(domains, n)
	}
	return domains, addresses
}

// allowed are the name constraints of an authority for names alone (RFC 5280,
// section 4.2.1.10).
func allowed(names []string) (domains []string, ranges []*net.IPNet) {
	domains, addresses := split(names)
	for _, ip := range addresses {
		if four := ip.To4(); four != nil {
			ip = four
		}
		ranges = append(ranges, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
	}
	return domains, ranges
}

// hosts are whom the certificate is made out to, the most public first.
func hosts(o Options) []string {
	var out []string
	add := func(h string) {
		h = strings.ToLower(strings.TrimSuffix(h, "."))
		if ip := net.ParseIP(h); ip != nil {
			if ip.IsUnspecified() {
				return
			}
			h = ip.String()
		} else if ascii, err := idna.Lookup.ToASCII(h); err != nil || ascii == "" {
			return
		} else {
			h = ascii
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if u, err := url.Parse(o.PublicURL); err == nil {
		add(u.Hostname())
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil {
		add(host)
	}
	if name, err := os.Hostname(); err == nil {
		add(name)
	}
	add("localhost")
	add("127.0.0.1")
	add("::1")
	return out
}
