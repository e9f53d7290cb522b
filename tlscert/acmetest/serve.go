// SPDX-License-Identifier: Apache-2.0

package acmetest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// problem is RFC 7807 with the types of RFC 8555, section 6.7.
type problem struct {
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Status int    `json:"status"`
}

func (p *problem) Error() string { return p.Detail }

func fails(status int, kind, detail string) error {
	return &problem{"urn:ietf:params:acme:error:" + kind, detail, status}
}

type identifier struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type order struct {
	Status         string       `json:"status"`
	Identifiers    []identifier `json:"identifiers"`
	Authorizations []string     `json:"authorizations"`
	Finalize       string       `json:"finalize"`
	Certificate    string       `json:"certificate,omitempty"`

	authz   []*authorization
	account string
	chain   []byte
}

type authorization struct {
	Status     string       `json:"status"`
	Identifier identifier   `json:"identifier"`
	Challenges []*challenge `json:"challenges"`

	account string
}

type challenge struct {
	Type   string   `json:"type"`
	URL    string   `json:"url"`
	Status string   `json:"status"`
	Token  string   `json:"token"`
	Error  *problem `json:"error,omitempty"`
}

// serve answers one request at a time, but for proofs: those connect back to
// whoever asks, who may have something to ask meanwhile.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Replay-Nonce", s.newNonce())
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path == "/directory" && r.Method == http.MethodGet:
		reply(w, http.StatusOK, map[string]any{"newNonce": s.http.URL + "/new-nonce", "newAccount": s.http.URL + "/new-account", "newOrder": s.http.URL + "/new-order",
			"revokeCert": s.http.URL + "/revoke", "keyChange": s.http.URL + "/key-change", "meta": map[string]any{"termsOfService": "https://ca.example.org/terms"}})
		return
	case r.URL.Path == "/new-nonce" && (r.Method == http.MethodHead || r.Method == http.MethodGet):
		return
	case r.Method != http.MethodPost:
		refuse(w, fails(http.StatusMethodNotAllowed, "malformed", "only POST is taken here"))
		return
	}
	if err := s.post(w, r); err != nil {
		refuse(w, err)
	}
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return fails(http.StatusBadRequest, "malformed", err.Error())
	}
	m, err := s.open(r, b)
	if err != nil {
		return err
	}
	kind, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if kind == "new-account" {
		return s.newAccount(w, m)
	}
	if m.account == "" {
		return fails(http.StatusUnauthorized, "malformed", "this needs an account: kid, not jwk")
	}
	switch kind {
	case "new-order":
		return s.newOrder(w, m)
	case "account":
		reply(w, http.StatusOK, map[string]any{"status": "valid"})
		return nil
	case "challenge":
		return s.prove(w, m, rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return fails(http.StatusNotFound, "malformed", "there is nothing at "+r.URL.Path)
	}
	if kind == "authz" {
		if n >= len(s.authz) || s.authz[n].account != m.account {
			return fails(http.StatusNotFound, "malformed", "no such authorization")
		}
		var ask struct{ Status string }
		if err := m.into(&ask); err == nil && ask.Status == "deactivated" {
			s.authz[n].Status = ask.Status
		}
		reply(w, http.StatusOK, s.authz[n])
		return nil
	}
	if n >= len(s.orders) || s.orders[n] == nil || s.orders[n].account != m.account {
		return fails(http.StatusNotFound, "malformed", "no such order")
	}
	return s.order(w, m, kind, n)
}

func (s *Server) newAccount(w http.ResponseWriter, m message) error {
	if m.key == nil {
		return fails(http.StatusBadRequest, "malformed", "a new account is signed with jwk")
	}
	var ask struct {
		TermsOfServiceAgreed, OnlyReturnExisting bool
		Contact                                  []string
	}
	if err := m.into(&ask); err != nil {
		return err
	}
	mark := thumbprint(m.key)
	status := http.StatusOK
	if s.known[mark] == "" {
		switch {
		case ask.OnlyReturnExisting:
			return fails(http.StatusBadRequest, "accountDoesNotExist", "there is no account with this key")
		case !ask.TermsOfServiceAgreed:
			return fails(http.StatusForbidden, "userActionRequired", "the terms of service must be agreed to")
		}
		where := s.url("account", len(s.accounts)+1)
		s.accounts[where], s.known[mark] = m.key, where
		s.emails = append(s.emails, ask.Contact...)
		status = http.StatusCreated
	}
	w.Header().Set("Location", s.known[mark])
	reply(w, status, map[string]any{"status": "valid", "contact": ask.Contact})
	return nil
}

func (s *Server) newOrder(w http.ResponseWriter, m message) error {
	var ask struct{ Identifiers []identifier }
	if err := m.into(&ask); err != nil {
		return err
	}
	if s.refuse > 0 {
		s.refuse--
		s.orders = append(s.orders, nil)
		return fails(http.StatusTooManyRequests, "rateLimited", "too many certificates already issued for this name")
	}
	o := &order{Status: "pending", Identifiers: ask.Identifiers, Finalize: s.url("finalize", len(s.orders)), account: m.account}
	for _, id := range ask.Identifiers {
		if id.Type != "dns" || !strings.Contains(id.Value, ".") {
			return fails(http.StatusBadRequest, "rejectedIdentifier", id.Value+" is no name")
		}
		n := len(s.authz)
		z := &authorization{Status: "pending", Identifier: id, account: m.account}
		for _, kind := range []string{"http-01", "tls-alpn-01"} {
			z.Challenges = append(z.Challenges, &challenge{Type: kind, Status: "pending", Token: s.newNonce(), URL: fmt.Sprintf("%s/challenge/%d/%s", s.http.URL, n, kind)})
		}
		s.authz = append(s.authz, z)
		o.authz = append(o.authz, z)
		o.Authorizations = append(o.Authorizations, s.url("authz", n))
	}
	w.Header().Set("Location", s.url("order", len(s.orders)))
	s.orders = append(s.orders, o)
	reply(w, http.StatusCreated, o)
	return nil
}

// order answers for an order that there is.
func (s *Server) order(w http.ResponseWriter, m message, kind string, n int) error {
	o := s.orders[n]
	if o.Status == "pending" && !slices.ContainsFunc(o.authz, func(z *authorization) bool { return z.Status != "valid" }) {
		o.Status = "ready"
	}
	if slices.ContainsFunc(o.authz, func(z *authorization) bool { return z.Status == "invalid" }) {
		o.Status = "invalid"
	}
	switch kind {
	case "order":
		w.Header().Set("Location", s.url("order", n))
		reply(w, http.StatusOK, o)
		return nil
	case "finalize":
		return s.finalize(w, m, o, n)
	case "cert":
		if o.Status != "valid" {
			return fails(http.StatusForbidden, "orderNotReady", "the order is "+o.Status)
		}
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(o.chain)
		return nil
	}
	return fails(http.StatusNotFound, "malformed", "there is no "+kind)
}

func (s *Server) finalize(w http.ResponseWriter, m message, o *order, n int) error {
	if o.Status != "ready" {
		return fails(http.StatusForbidden, "orderNotReady", "the order is "+o.Status)
	}
	var ask struct{ CSR string }
	if err := m.into(&ask); err != nil {
		return err
	}
	der, err := base64.RawURLEncoding.DecodeString(ask.CSR)
	if err != nil {
		return fails(http.StatusBadRequest, "badCSR", err.Error())
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return fails(http.StatusBadRequest, "badCSR", err.Error())
	}
	var want []string
	for _, id := range o.Identifiers {
		want = append(want, id.Value)
	}
	if !slices.Equal(csr.DNSNames, want) {
		return fails(http.StatusBadRequest, "badCSR", fmt.Sprintf("the request is for %v, the order for %v", csr.DNSNames, want))
	}
	if o.chain, err = s.sign(csr); err != nil {
		return fails(http.StatusInternalServerError, "serverInternal", err.Error())
	}
	o.Status, o.Certificate = "valid", s.url("cert", n)
	w.Header().Set("Location", s.url("order", n))
	reply(w, http.StatusOK, o)
	return nil
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
