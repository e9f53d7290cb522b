// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"belfry/config"
	"belfry/fault"
)

// server is the other side of a hand-over. Its address is taken as it is
// said: no proxy from the environment, no redirects.
type server struct {
	base      *url.URL
	socket    string
	tokenFile string
	caFile    string
	source    string
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// post hands v (a notification or several) over: POST {base}/intake/{source}.
// Its errors are of package fault: Permanent when the server will never take
// this body, Unknown when it may have taken it, else nothing was taken.
// connected, which may be nil, is called before anything is sent.
//
// It speaks over a connection of its own and not through http.Client, because
// only so it is known whether anything was sent.
func (s server) post(ctx context.Context, v any, connected func() error) error {
	req, err := s.request(ctx, v)
	if err != nil {
		return err
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return fault.NewRetry(fmt.Errorf("can't reach %s: %w", s.name(), err))
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fault.NewRetry(err)
		}
	}
	if connected != nil {
		if err := connected(); err != nil {
			return fault.NewRetry(err)
		}
	}
	// A server may answer before it has read everything: what it says counts
	// more than that writing failed.
	wrote := req.Write(conn)
	status, header, said, err := readAnswer(conn, req)
	if err != nil {
		return fault.NewUnknown(s.noAnswer(errors.Join(wrote, err)))
	}
	return s.judge(status, header, said)
}

func (s server) request(ctx context.Context, v any) (*http.Request, error) {
	body, err := encode(v)
	if err != nil {
		return nil, fault.NewPermanent(fmt.Errorf("can't write the notification as JSON: %w", err))
	}
	token, err := config.ReadSecret("", s.tokenFile)
	if err != nil {
		return nil, fault.NewRetry(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath("intake", s.source).String(), bytes.NewReader(body))
	if err != nil {
		return nil, fault.NewRetry(err)
	}
	req.Close = true
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "belfry-notify")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return req, nil
}

// name is the server as messages name it.
func (s server) name() string {
	if s.socket != "" {
		return s.socket
	}
	return s.base.Redacted()
}

func (s server) noAnswer(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer from %s in time", s.name())
	}
	return fmt.Errorf("no answer from %s: %s", s.name(), oneLine(err.Error()))
}

func (s server) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if s.socket != "" {
		return d.DialContext(ctx, "unix", s.socket)
	}
	port := s.base.Port()
	if port == "" {
		port = s.base.Scheme
	}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(s.base.Hostname(), port))
	if err != nil || s.base.Scheme == "http" {
		return conn, err
	}
	roots, err := s.roots()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: s.base.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// roots returns whom to trust; nil means the system's.
func (s server) roots() (*x509.CertPool, error) {
	if s.caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(s.caFile)
	if err != nil {
		return nil, fmt.Errorf("can't read the certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", s.caFile)
	}
	return pool, nil
}

func readAnswer(conn net.Conn, req *http.Request) (status int, header http.Header, said string, err error) {
	r := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	for {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return 0, nil, "", err
		}
		if resp.StatusCode < 200 { // 100 Continue, 103 Early Hints
			continue
		}
		text := ""
		if resp.StatusCode >= 300 {
			b, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // only to be shown
			text = reason(b)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header, text, nil
	}
}

// reason returns what an answer says for people: Belfry's own error, or the
// text of whatever stands before it; of a page only its title.
func reason(body []byte) string {
	var ours struct{ Error string }
	if json.Unmarshal(body, &ours) == nil && ours.Error != "" {
		return oneLine(ours.Error)
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		_, rest, _ := strings.Cut(string(body), "<title>")
		title, _, _ := strings.Cut(rest, "</title>")
		return oneLine(html.UnescapeString(title))
	}
	return oneLine(string(body))
}

// judge says what an answer means for what was posted.
func (s server) judge(status int, header http.Header, said string) error {
	if status < 300 {
		return nil
	}
	text := fmt.Sprintf("%s answered %d", s.name(), status)
	if said != "" {
		text += " (" + said + ")"
	}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return fault.NewPermanent(errors.New(text))
	case http.StatusUnauthorized, http.StatusForbidden:
		file := s.tokenFile
		if file == "" {
			file = "--token-file, which is not set,"
		}
		return fault.NewRetry(fmt.Errorf("%s: is the token in %s that of source %s?", text, file, show(s.source)))
	case http.StatusNotFound:
		return fault.NewRetry(fmt.Errorf("%s: is there a source %s, and is the url right?", text, show(s.source)))
	case http.StatusTooManyRequests:
		after, _ := strconv.Atoi(header.Get("Retry-After"))
		return fault.NewRetryAfter(errors.New(text), min(time.Duration(max(after, 1))*time.Second, time.Minute))
	}
	if status < 400 {
		return fault.NewRetry(fmt.Errorf("%s: it points to %s; say its own address as the url", text, show(header.Get("Location"))))
	}
	if status < 500 {
		return fault.NewRetry(errors.New(text))
	}
	return fault.NewUnknown(errors.New(text))
}

// oneLine makes an outside text fit into a message.
func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
