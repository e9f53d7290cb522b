// SPDX-License-Identifier: Apache-2.0

package tlscert_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/clock"
	"belfry/config"
	"belfry/tlscert"
	"belfry/tlscert/acmetest"
)

const name = "belfry.example.org"

func byACME(ca *acmetest.Server, data string, more ...func(*config.ACME)) tlscert.Options {
	c := &config.ACME{Domains: []string{name}, Email: "admin@example.org", DirectoryURL: ca.Directory(), CAFile: ca.CAFile(), AcceptTerms: true}
	for _, f := range more {
		f(c)
	}
	return tlscert.Options{TLS: config.TLS{ACME: c}, Data: data}
}

// given waits until a visitor who trusts the authority gets through.
func (s *site) given(ca *acmetest.Server) *x509.Certificate {
	s.t.Helper()
	var c *x509.Certificate
	s.wait("a certificate", func() bool {
		var err error
		c, err = s.shown(name, ca.Roots(), time.Time{})
		return err == nil
	})
	return c
}

func TestACertificateByACMEOnTheSameListener(t *testing.T) {
	ca := acmetest.Start(t)
	l, data := listen(t), t.TempDir()
	ca.Resolve(name, l.Addr().String())
	ca.SpoilNonces(2)
	s := serve(t, l, byACME(ca, data))
	first := s.given(ca)
	if got := ca.Proofs(); !slices.Equal(got, []string{"tls-alpn-01 " + name}) || ca.Accounts() != 1 || !slices.Equal(ca.Emails(), []string{"mailto:admin@example.org"}) {
		t.Errorf("proofs %v, %d accounts, emails %v", got, ca.Accounts(), ca.Emails())
	}
	if _, err := s.shown("other.example.org", nil, time.Time{}); err == nil {
		t.Error("a name that is not ours got a certificate")
	}
	// Without a name, as by a health check at the address; and with one that
	// only differs in case.
	for _, n := range []string{"", "BELFRY.example.org"} {
		if c, err := s.shown(n, nil, time.Time{}); err != nil || !c.Equal(first) {
			t.Errorf("%q: %v", n, err)
		}
	}
	if ca.Orders() != 1 {
		t.Errorf("%d orders were made, want 1", ca.Orders())
	}
	found, err := tlscert.Look(byACME(ca, data))
	if err != nil || len(found) != 1 || !found[0].Leaf.Equal(first) || strings.Contains(string(found[0].PEM), "KEY") {
		t.Errorf("%+v %v", found, err)
	}
	// After a restart it is there at once, and the authority is not asked.
	l2 := listen(t)
	again := serve(t, l2, byACME(ca, data))
	if c := again.given(ca); !c.Equal(first) || ca.Orders() != 1 {
		t.Errorf("%d orders after a restart", ca.Orders())
	}
}

func TestACertificateByACMEOverHTTP(t *testing.T) {
	ca := acmetest.Start(t)
	spare := listen(t)
	address := spare.Addr().String()
	_ = spare.Close()
	ca.ResolveHTTP(name, address) // port 443 is not reachable from there
	s := serve(t, listen(t), byACME(ca, t.TempDir(), func(c *config.ACME) { c.HTTPListen = address }))
	s.given(ca)
	if got := ca.Proofs(); !slices.Equal(got, []string{"http-01 " + name}) {
		t.Errorf("proofs %v", got)
	}
	visit := func(host string) *http.Response {
		r, err := http.NewRequest(http.MethodGet, "http://"+address+"/alerts?x=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host, r.Close = host, true
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	if r := visit(name); r.StatusCode != http.StatusFound || r.Header.Get("Location") != "https://"+name+"/alerts?x=1" {
		t.Errorf("%d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	if r := visit("evil.example.org"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger's host: %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestARefusalIsToldAndAskedAgainLaterAndNotByVisitors(t *testing.T) {
	ca := acmetest.Start(t)
	ca.RefuseOrders(1)
	l, now := listen(t), clock.NewManual(time.Now())
	ca.Resolve(name, l.Addr().String())
	o := byACME(ca, t.TempDir())
	o.Clock = now
	s := serve(t, l, o)
	s.wait("word of the refusal", func() bool {
		return strings.Contains(s.log.String(), "too many certificates") && strings.Contains(s.log.String(), "port 443")
	})
	for range 20 {
		if _, err := s.shown(name, nil, time.Time{}); err == nil {
			t.Fatal("there can't be a certificate yet")
		}
	}
	now.Advance(time.Minute)
	if ca.Orders() != 1 {
		t.Errorf("%d orders: visitors had the authority asked", ca.Orders())
	}
	for range 30 { // five minutes, in the steps in which Run looks
		now.Advance(10 * time.Second)
		time.Sleep(2 * time.Millisecond)
	}
	s.given(ca)
}

func TestWhatCannotBeProvedIsRefusedUntilToldToTryAgain(t *testing.T) {
	ca := acmetest.Start(t)
	l, now := listen(t), clock.NewManual(time.Now())
	o := byACME(ca, t.TempDir())
	o.Clock = now
	s := serve(t, l, o)
	s.wait("word of the refusal", func() bool { return strings.Contains(s.log.String(), "no certificate from the authority") })
	ca.Resolve(name, l.Addr().String())
	if err := s.source.Reload(); err != nil {
		t.Fatal(err)
	}
	s.wait("a certificate", func() bool {
		now.Advance(10 * time.Second)
		_, err := s.shown(name, ca.Roots(), time.Time{})
		return err == nil
	})
}

func TestACertificateByACMEIsRenewedInTime(t *testing.T) {
	ca := acmetest.Start(t)
	l, data := listen(t), t.TempDir()
	ca.Resolve(name, l.Addr().String())
	ca.Issue(-89*24*time.Hour, 24*time.Hour)
	s := serve(t, l, byACME(ca, data))
	old := s.given(ca)
	ca.Issue(-time.Hour, 90*24*time.Hour)
	s.wait("the renewal", func() bool {
		c, err := s.shown(name, ca.Roots(), time.Time{})
		return err == nil && !c.Equal(old) && time.Until(c.NotAfter) > 80*24*time.Hour
	})
}

func TestAnAuthorityThatIsNotThereIsTold(t *testing.T) {
	ca := acmetest.Start(t)
	o := byACME(ca, t.TempDir(), func(c *config.ACME) { c.CAFile = "" })
	s := serve(t, listen(t), o)
	s.wait("word of it", func() bool { return strings.Contains(s.log.String(), "x509") })
	o.TLS.ACME.CAFile = "/nowhere"
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("got %v", err)
	}
	busy := listen(t)
	defer busy.Close()
	o = byACME(ca, t.TempDir(), func(c *config.ACME) { c.HTTPListen = busy.Addr().String() })
	if _, err := tlscert.Open(o); err == nil || !strings.Contains(err.Error(), "http_listen") {
		t.Errorf("got %v", err)
	}
}

func TestPlainHTTPAtTheTLSPortIsAnswered(t *testing.T) {
	s := serve(t, listen(t), tlscert.Options{TLS: selfSigned, Data: t.TempDir()})
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	b := make([]byte, 200)
	n, _ := conn.Read(b)
	if !strings.Contains(string(b[:n]), "400") {
		t.Errorf("got %q", b[:n])
	}
	if _, err := tls.Dial("tcp", s.address, &tls.Config{ServerName: "localhost"}); err == nil {
		t.Error("a stranger trusts it")
	}
}
