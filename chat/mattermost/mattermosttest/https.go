// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

// HTTPS is a way to a server by HTTPS, with a certificate that no system vouches
// for: an authority of the house, or a proxy that somebody else put there.
type HTTPS struct {
	// URL is the site's address by this way.
	URL string
	// Certificate is in PEM.
	Certificate []byte

	front *httptest.Server
	out   *http.Transport
}

// HTTPS puts HTTPS before the server, until Close.
func (s *Server) HTTPS() (*HTTPS, error) {
	to, err := url.Parse(s.URL())
	if err != nil {
		return nil, err
	}
	h := &HTTPS{out: &http.Transport{}}
	next := httputil.NewSingleHostReverseProxy(to)
	next.Transport, next.ErrorLog = h.out, log.New(io.Discard, "", 0)
	h.front = httptest.NewUnstartedServer(next)
	h.front.Config.ErrorLog = next.ErrorLog // who refuses the certificate is no news here
	h.front.StartTLS()
	h.URL = h.front.URL
	h.Certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.front.Certificate().Raw})
	return h, nil
}

// Close ends the way; the server goes on.
func (h *HTTPS) Close() {
	h.front.Close()
	h.out.CloseIdleConnections()
}
