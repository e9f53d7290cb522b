// SPDX-License-Identifier: Apache-2.0

package self

import (
	"net/http"

	"belfry/outward"
	"belfry/tlscert"
)

// transport calls our own address: it trusts what the system trusts, and the
// authority that we made ourselves.
func (s Self) transport() (*http.Transport, error) {
	t, err := outward.Way{}.Transport()
	if err != nil {
		return nil, err
	}
	t.DisableKeepAlives = true
	if s.o.Server.TLS == nil || !s.o.Server.TLS.SelfSigned {
		return t, nil
	}
	all, err := tlscert.Look(tlscert.Options{TLS: *s.o.Server.TLS, Data: s.o.Data, PublicURL: s.o.Server.PublicURL, Listen: s.o.Server.Listen})
	if err != nil {
		return nil, err
	}
	pool, err := outward.Roots("")
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Authority != nil {
			pool.AddCert(c.Authority)
		}
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}
