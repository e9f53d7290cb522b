// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// When a certificate that ends is worth a word.
const (
	certDoubt = 14 * 24 * time.Hour
	certBad   = 3 * 24 * time.Hour
	dialTime  = 5 * time.Second
)

// certificate looks at the site's certificate, as the connection sees it.
func (v *visit) certificate(ctx context.Context) {
	site := v.site()
	if site.Scheme != "https" {
		if loopback(site.Hostname()) {
			v.good("certificate", "Mattermost is reached on this host, without TLS")
			return
		}
		v.doubt("certificate", "give Mattermost HTTPS (System Console → Environment → Web Server → Connection Security, or a proxy with a certificate) and set url to https://"+site.Host,
			"%s is plain HTTP: the bot's token can be read on the way", v.config.URL)
		return
	}
	if v.config.Insecure {
		v.doubt("certificate", "put the certificate of the authority that signed it, in PEM, into a file, set ca_file of connection "+v.opt.Name+" to it, and take insecure out",
			"the certificate of %s is not checked (insecure): whoever stands between can read the token and act as Belfry", site.Host)
		return
	}
	transport, err := v.config.Transport()
	if err != nil {
		return // Open would have failed
	}
	defer transport.CloseIdleConnections()
	state, err := handshake(ctx, transport, v.config.URL)
	if err != nil || state == nil {
		v.doubt("certificate", netRemedy(err, v.config.URL, "url of the connection"), "the certificate of %s could not be looked at: %v", site.Host, err)
		return
	}
	v.ends("certificate", "Mattermost's certificate", state.PeerCertificates, "renew the certificate of "+site.Host+" where it is made (certbot renew, or your authority)")
}

// handshake asks a site for anything, and returns how it was secured.
func handshake(ctx context.Context, transport *http.Transport, address string) (*tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return res.TLS, res.Body.Close()
}

// ends says how long the certificate that ends first is good.
func (v *visit) ends(check, whose string, chain []*x509.Certificate, remedy string) {
	if len(chain) == 0 {
		return
	}
	until := chain[0].NotAfter
	for _, c := range chain {
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	left := until.Sub(v.opt.Clock.Now())
	days := int(left / (24 * time.Hour))
	switch day := until.Format("2006-01-02"); {
	case left < certBad:
		v.bad(check, remedy, "%s ends on %s", whose, day)
	case left < certDoubt:
		v.doubt(check, remedy, "%s ends on %s, in %d days", whose, day, days)
	default:
		v.good(check, "%s is trusted and good until %s (%d days)", whose, day, days)
	}
}

// chain says what cures a certificate that is not trusted; "" when err is
// something else.
func (v *visit) chain(ctx context.Context, err error) string {
	site := v.site()
	if expired, ok := errors.AsType[x509.CertificateInvalidError](err); ok && expired.Reason == x509.Expired {
		return "renew the certificate of " + site.Host + " where it is made (certbot renew, or your authority); if it is good, look at the clock of this host: timedatectl"
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("set url to a name that the certificate has (%s), or have one made for %s", strings.Join(names(other.Certificate), ", "), site.Hostname())
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		return ""
	}
	shown := shownChain(ctx, address(site))
	switch {
	case len(shown) == 1 && shown[0].Issuer.String() != shown[0].Subject.String():
		return "if it is a public authority's (" + plain(shown[0].Issuer.CommonName) + "), have Mattermost or its proxy send the intermediate certificate as well (certbot: fullchain.pem instead of cert.pem)\n" +
			"if it is your own authority's, put its certificate in PEM into a file and set ca_file of connection " + v.opt.Name + " to it"
	default:
		return "put the certificate of the authority that signed it, in PEM, into a file and set ca_file of connection " + v.opt.Name + " to it\n" +
			"to see it: openssl s_client -connect " + address(site) + " -showcerts </dev/null"
	}
}

func names(c *x509.Certificate) []string {
	if c == nil {
		return nil
	}
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// shownChain returns the certificates that a server shows, trusted or not.
// Nothing is sent over the connection.
func shownChain(ctx context.Context, hostPort string) []*x509.Certificate {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	host, _, _ := net.SplitHostPort(hostPort)
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: host}} //nolint:gosec // it is looked at, not talked to
	conn, err := d.DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.ConnectionState().PeerCertificates
	}
	return nil
}

// address is host:port of a URL.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[u.Scheme]
	}
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// netRemedy says what to do about an address that was not reached; what names
// the setting that holds it.
func netRemedy(err error, where, what string) string {
	host := where
	if u, parseErr := url.Parse(where); parseErr == nil && u.Host != "" {
		host = u.Hostname()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "correct " + what + ", or the DNS entry of " + host + "; to see it: getent hosts " + host
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return "start what should listen at " + where + ", or correct " + what
	case ok && timeout.Timeout():
		return "open the firewall between this host and " + host + ", or set a proxy; to try: curl -v " + where
	}
	return "to see it from this host: curl -v " + where + "; then correct " + what
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
