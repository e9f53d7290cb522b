// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"

	"belfry/config"
	"belfry/tlscert"
)

// CertificateOptions are what the server's certificate is made from, for
// belfry serve and belfry cert alike. The configuration has TLS.
func CertificateOptions(s config.Server) tlscert.Options {
	return tlscert.Options{TLS: *s.TLS, Data: s.Data, PublicURL: s.PublicURL, Listen: s.Listen}
}

// openTLS gets the server's certificate, or warns where there had better be one.
func (a *App) openTLS() (err error) {
	s := a.opt.File.Server
	if s.TLS == nil {
		warnPlain(a.opt.Log, a.address, a.publicURL)
		return nil
	}
	o := CertificateOptions(s)
	o.Data, o.Clock, o.Log = a.opt.Data, a.opt.Clock, a.opt.Log
	if a.certificates, err = tlscert.Open(o); err != nil {
		return err
	}
	if strings.HasPrefix(a.publicURL, "http://") {
		a.opt.Log.Warn("the server speaks HTTPS, but public_url begins with http://: chat servers and people won't get through; write https://", "public_url", a.publicURL)
	}
	return nil
}

// reloadTLS reads the certificate again. Another way to one needs a restart.
func (a *App) reloadTLS(f *config.File) {
	if !reflect.DeepEqual(f.Server.TLS, a.opt.File.Server.TLS) {
		a.opt.Log.Warn("server.tls changed: that takes effect at the next start")
	}
	if a.certificates == nil {
		return
	}
	if err := a.certificates.Reload(); err != nil {
		a.opt.Log.Error("the certificate in use stays", "err", err)
	}
}

// DefaultURL is where people reach a server that listens on address when
// public_url says nothing else.
func DefaultURL(s config.Server, address string) string {
	if s.TLS == nil {
		return "http://" + address
	}
	if s.TLS.ACME == nil {
		return "https://" + address
	}
	// The authority finds the server at port 443, so that is forwarded to it;
	// with HTTP-01 it need not be.
	host := s.TLS.ACME.Domains[0]
	if _, port, err := net.SplitHostPort(address); err == nil && port != "443" && s.TLS.ACME.HTTPListen != "" {
		host = net.JoinHostPort(host, port)
	}
	return "https://" + host
}

// warnPlain says so when passwords and tokens may cross a network in clear. It
// is not refused: something in between may encrypt.
func warnPlain(log *slog.Logger, address net.Addr, publicURL string) {
	at, err := netip.ParseAddrPort(address.String())
	u, wrong := url.Parse(publicURL)
	if err != nil || at.Addr().Unmap().IsLoopback() || wrong != nil || u.Scheme != "http" {
		return
	}
	log.Warn(fmt.Sprintf("plain HTTP on %s: passwords and tokens cross the network readable; set server.tls (tls: {self_signed: true} needs nothing else), "+
		"listen on 127.0.0.1, or put a proxy with TLS in front and say its https:// address in public_url", address))
}

// Local is where the server answers on this machine: scheme and address.
func (a *App) Local() string {
	if a.certificates != nil {
		return "https://" + a.Address()
	}
	return "http://" + a.Address()
}
