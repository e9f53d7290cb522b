// SPDX-License-Identifier: Apache-2.0

package acmetest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is a request whose signature holds.
type message struct {
	account string           // empty: signed with a new key
	key     *ecdsa.PublicKey // nil: signed by an account
	payload []byte
}

func (m message) into(v any) error {
	if err := json.Unmarshal(m.payload, v); err != nil {
		return fails(http.StatusBadRequest, "malformed", err.Error())
	}
	return nil
}

type jwk struct{ Kty, Crv, X, Y string }

// open checks a JWS by RFC 8555, section 6.2 to 6.5.
func (s *Server) open(r *http.Request, b []byte) (message, error) {
	if r.Header.Get("Content-Type") != "application/jose+json" {
		return message{}, fails(http.StatusUnsupportedMediaType, "malformed", "the content type is not application/jose+json")
	}
	var outer struct{ Protected, Payload, Signature string }
	var head struct {
		Alg, Nonce, URL, Kid string
		Jwk                  *jwk
	}
	if err := json.Unmarshal(b, &outer); err != nil {
		return message{}, fails(http.StatusBadRequest, "malformed", err.Error())
	}
	protected, err1 := base64.RawURLEncoding.DecodeString(outer.Protected)
	payload, err2 := base64.RawURLEncoding.DecodeString(outer.Payload)
	signature, err3 := base64.RawURLEncoding.DecodeString(outer.Signature)
	if err := errors.Join(err1, err2, err3, json.Unmarshal(protected, &head)); err != nil {
		return message{}, fails(http.StatusBadRequest, "malformed", err.Error())
	}
	if s.spoil > 0 && s.nonce[head.Nonce] {
		s.spoil--
		delete(s.nonce, head.Nonce)
	}
	if !s.nonce[head.Nonce] {
		return message{}, fails(http.StatusBadRequest, "badNonce", "this nonce was not given or is used up")
	}
	delete(s.nonce, head.Nonce)
	if head.URL != s.http.URL+r.URL.Path {
		return message{}, fails(http.StatusUnauthorized, "unauthorized", "what is signed is for "+head.URL)
	}
	m := message{account: head.Kid, payload: payload}
	key := s.accounts[head.Kid]
	if head.Jwk != nil && head.Kid == "" {
		x, err1 := base64.RawURLEncoding.DecodeString(head.Jwk.X)
		y, err2 := base64.RawURLEncoding.DecodeString(head.Jwk.Y)
		// A point begins with 4 when both coordinates follow (SEC 1, section 2.3.3).
		point, err3 := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err := errors.Join(err1, err2, err3); err != nil || head.Jwk.Crv != "P-256" {
			return message{}, fails(http.StatusBadRequest, "badPublicKey", "only P-256 is taken")
		}
		key, m.key = point, point
	}
	if key == nil {
		return message{}, fails(http.StatusBadRequest, "accountDoesNotExist", "nobody has this key")
	}
	sum := sha256.Sum256([]byte(outer.Protected + "." + outer.Payload))
	if head.Alg != "ES256" || len(signature) != 64 || !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return message{}, fails(http.StatusUnauthorized, "unauthorized", "the signature does not hold")
	}
	return m, nil
}

// thumbprint is that of RFC 7638.
func thumbprint(k *ecdsa.PublicKey) string {
	point, err := k.Bytes()
	if err != nil {
		return ""
	}
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64(point[1:33]), b64(point[33:])))
	return b64(sum[:])
}

// prove checks that whoever asks holds the name. It lets go of the lock
// meanwhile.
func (s *Server) prove(w http.ResponseWriter, m message, rest string) error {
	number, kind, _ := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(s.authz) || s.authz[n].account != m.account {
		return fails(http.StatusNotFound, "malformed", "no such authorization")
	}
	z := s.authz[n]
	i := slices.IndexFunc(z.Challenges, func(c *challenge) bool { return c.Type == kind })
	if i < 0 {
		return fails(http.StatusNotFound, "malformed", "no such challenge")
	}
	c := z.Challenges[i]
	if z.Status == "pending" && c.Status == "pending" {
		name := z.Identifier.Value
		proof := c.Token + "." + thumbprint(s.accounts[m.account])
		where, check := s.dial[name], checkALPN
		if kind == "http-01" {
			where, check = s.web[name], checkHTTP
		}
		s.mu.Unlock()
		err := check(name, where, c.Token, proof)
		s.mu.Lock()
		c.Status, z.Status = "valid", "valid"
		if err != nil {
			c.Status, z.Status = "invalid", "invalid"
			c.Error = &problem{"urn:ietf:params:acme:error:connection", err.Error(), http.StatusBadRequest}
		} else {
			s.proofs = append(s.proofs, kind+" "+name)
		}
	}
	w.Header().Set("Link", fmt.Sprintf(`<%s>;rel="up"`, s.url("authz", n)))
	reply(w, http.StatusOK, c)
	return nil
}

const proofWithin = 2 * time.Second

// checkALPN is RFC 8737, section 3.
func checkALPN(name, where, _, proof string) error {
	if where == "" {
		return errors.New("the name " + name + " leads nowhere")
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: proofWithin}, "tcp", where, &tls.Config{ServerName: name, NextProtos: []string{"acme-tls/1"},
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // the certificate is checked below, by other rules
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "acme-tls/1" || len(state.PeerCertificates) == 0 {
		return errors.New("the protocol acme-tls/1 is not spoken there")
	}
	leaf := state.PeerCertificates[0]
	if !slices.Equal(leaf.DNSNames, []string{name}) || len(leaf.IPAddresses) > 0 {
		return fmt.Errorf("the certificate shown is for %v", leaf.DNSNames)
	}
	want := sha256.Sum256([]byte(proof))
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) {
			continue
		}
		var got []byte
		if _, err := asn1.Unmarshal(e.Value, &got); err == nil && e.Critical && bytes.Equal(got, want[:]) {
			return nil
		}
	}
	return errors.New("the certificate shown does not hold the proof")
}

// checkHTTP is RFC 8555, section 8.3.
func checkHTTP(name, where, token, proof string) error {
	if where == "" {
		return errors.New("the name " + name + " leads nowhere")
	}
	ctx, cancel := context.WithTimeout(context.Background(), proofWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+where+"/.well-known/acme-challenge/"+token, nil)
	if err != nil {
		return err
	}
	r.Host, r.Close = name, true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<12))
	if err != nil || res.StatusCode != http.StatusOK || strings.TrimSpace(string(b)) != proof {
		return fmt.Errorf("%d and not the proof (%w)", res.StatusCode, err)
	}
	return nil
}

func refuse(w http.ResponseWriter, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{"urn:ietf:params:acme:error:serverInternal", err.Error(), http.StatusInternalServerError}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
