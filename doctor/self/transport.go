// SPDX-License-Identifier: Apache-2.0

package self

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"belfry/tlscert"
)

// transport calls our own address: it trusts what the system trusts, and the
// authority that we made ourselves.
func (s Self) transport() (*http.Transport, error) {
	t := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	if s.o.Server.TLS == nil || !s.o.Server.TLS.SelfSigned {
		return t, nil
	}
	all, err := tlscert.Look(tlscert.Options{TLS: *s.o.Server.TLS, Data: s.o.Data, PublicURL: s.o.Server.PublicURL, Listen: s.o.Server.Listen})
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, c := range all {
		if c.Authority != nil {
			pool.AddCert(c.Authority)
		}
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}
