// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"belfry/chat"
	"belfry/config"
	"belfry/outward"
)

// HTTP is an answer that an endpoint is asked for. The address is the
// administrator's: what people type goes into its path and query, escaped, and
// never changes where it leads.
type HTTP struct {
	// URL is the endpoint's. Within its path and query stand for what was typed:
	// {1} to {9} the words behind the trigger word, {text} all of them, {word} the
	// trigger word, {person} and {channel}.
	URL string `yaml:"url"`
	// Method is GET or POST. A POST carries the question as JSON: word, text,
	// words, person, channel, connection.
	Method string `yaml:"method"`
	// Headers are sent along.
	Headers map[string]config.Secret `yaml:"headers"`
	// TokenFile holds what is sent as "Authorization: Bearer …".
	TokenFile string `yaml:"token_file"`
	// Timeout bounds the call; 5 s when it is not set.
	Timeout time.Duration `yaml:"timeout"`
	// CAFile holds certificates in PEM that are trusted beside the system's.
	CAFile string `yaml:"ca_file"`
	// Proxy is used instead of the environment's.
	Proxy string `yaml:"proxy"`
	Form  `yaml:",inline"`

	given any // see With
}

// With returns the same answer, for trying out, that asks nobody and takes raw
// as what the endpoint answered.
func (c *HTTP) With(raw []byte) (*HTTP, error) {
	if len(raw) > maxJSON {
		return nil, fmt.Errorf("the JSON has more than %d KB, which would be refused", maxJSON>>10)
	}
	v, err := readJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("what is given %w", err)
	}
	if v == nil {
		return nil, errors.New("what is given is null")
	}
	with := *c
	with.given, with.TokenFile, with.CAFile = v, "", ""
	return &with, nil
}

const (
	defaultTimeout = 5 * time.Second
	maxTimeout     = 15 * time.Second // Mattermost waits 30 s for all of it
	maxHeaders     = 20
	// atOnce is how many questions to one endpoint are under way.
	atOnce = 4
)

// reservedHeaders are those that the call itself makes.
func reservedHeaders() []string {
	return []string{"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Accept", "Accept-Encoding"}
}

// Validate implements config.Spec.
func (c *HTTP) Validate() []error {
	var wrong []error
	add := func(field, format string, args ...any) { wrong = append(wrong, config.Wrong(field, format, args...)) }
	if text := wrongAddress(c.URL); text != "" {
		add("url", "%s", text)
	}
	if c.Method != "" && c.Method != http.MethodGet && c.Method != http.MethodPost {
		add("method", "%q is neither GET nor POST", c.Method)
	}
	if len(c.Headers) > maxHeaders {
		add("headers", "there are %d, at most %d are taken", len(c.Headers), maxHeaders)
	}
	for name, value := range c.Headers {
		switch {
		case !isHeaderName(name) || strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			add("headers", "%q is no header, or its value has control characters in it", name)
		case slices.Contains(reservedHeaders(), textproto.CanonicalMIMEHeaderKey(name)):
			add("headers", "%s is set by Belfry itself", name)
		case textproto.CanonicalMIMEHeaderKey(name) == "Authorization" && c.TokenFile != "":
			add("headers", "%s is given beside token_file; keep one of them", name)
		}
	}
	if c.Timeout != 0 && (c.Timeout < 100*time.Millisecond || c.Timeout > maxTimeout) {
		add("timeout", "%v is not between 100ms and %v", c.Timeout, maxTimeout)
	}
	if u, err := url.Parse(c.Proxy); c.Proxy != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) || u.User != nil) {
		add("proxy", "is no proxy's address without a user name; write it like http://proxy.example.org:3128")
	}
	c.validate(add)
	return wrong
}

func isHeaderName(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return r > 0x7e || r <= ' ' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// endpoint is an HTTP that was opened.
type endpoint struct {
	form
	// given is answered instead of asking; nil: the endpoint is asked.
	given any
	spec  *HTTP
	name  string
	token config.Secret
	http  *http.Client
	busy  chan struct{}
}

func (c *HTTP) open(name string) (kind, error) {
	f, err := c.Form.open(name)
	if err != nil {
		return nil, err
	}
	token, err := config.ReadSecret("", c.TokenFile)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(token.Reveal(), unicode.IsSpace) {
		return nil, fmt.Errorf("token_file %s holds white space within the token", c.TokenFile)
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	return &endpoint{form: f, spec: c, given: c.given, name: name, token: token, busy: make(chan struct{}, atOnce), http: &http.Client{Transport: transport,
		// An endpoint that moved is told, not followed: the token goes to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func (c *HTTP) transport() (*http.Transport, error) {
	t, err := outward.Way{CAFile: c.CAFile, Proxy: c.Proxy, Connections: atOnce}.Transport()
	if err == nil {
		t.MaxResponseHeaderBytes = 64 << 10
	}
	return t, err
}

func (e *endpoint) close() { e.http.CloseIdleConnections() }

func (e *endpoint) answer(ctx context.Context, a *Answers, q question) (chat.Reply, error) {
	select {
	case e.busy <- struct{}{}:
		defer func() { <-e.busy }()
	default:
		return chat.Reply{}, troublef("“%s” is asked too much at this moment. Please ask again.", e.name)
	}
	address, err := e.spec.address(q)
	if err != nil {
		return chat.Reply{}, err
	}
	got := e.given
	if got == nil {
		if got, err = e.ask(ctx, a.opt.Log, address, q); err != nil {
			return chat.Reply{}, err
		}
	}
	data := q.data()
	data["answer"] = got
	return e.fill(ctx, data)
}

// ask calls the endpoint once. Errors are of type trouble.
func (e *endpoint) ask(ctx context.Context, log *slog.Logger, address string, q question) (any, error) {
	timeout := e.spec.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := e.request(ctx, address, q)
	if err != nil {
		return nil, troublef("“%s” can't be asked: its address makes no request with these words.", e.name)
	}
	res, err := e.http.Do(req)
	if err != nil {
		return nil, e.unreached(ctx, log, err, timeout)
	}
	defer func() { _ = res.Body.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxJSON+1))
	if err != nil {
		return nil, e.unreached(ctx, log, err, timeout)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return nil, troublef("“%s” answers with a redirect (%d), which is not followed: its url must lead to the endpoint itself. Is a sign-in page before it?", e.name, res.StatusCode)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, troublef("“%s” answers %d %s.", e.name, res.StatusCode, http.StatusText(res.StatusCode))
	case kind == "text/html" || kind == "application/xhtml+xml":
		return nil, troublef("“%s” answers with a web page and not with JSON: is a sign-in page or a proxy before it?", e.name)
	case kind != "application/json" && !strings.HasSuffix(kind, "+json"):
		return nil, troublef("“%s” answers with %s and not with JSON (application/json).", e.name, cut(chat.CleanLine(orNone(kind)), 60))
	case len(raw) > maxJSON:
		return nil, troublef("“%s” answers with more than %d KB.", e.name, maxJSON>>10)
	}
	v, err := readJSON(raw)
	if err != nil {
		return nil, troublef("What “%s” answers %v.", e.name, err)
	}
	return v, nil
}

func orNone(kind string) string {
	if kind == "" {
		return "no content type"
	}
	return kind
}

func (e *endpoint) request(ctx context.Context, address string, q question) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if e.spec.Method == http.MethodPost {
		raw, err := json.Marshal(q.data())
		if err != nil {
			return nil, err
		}
		method, body = http.MethodPost, bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	for name, value := range e.spec.Headers {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set("Accept", "application/json")
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "Belfry")
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.token != "" {
		req.Header.Set("Authorization", "Bearer "+e.token.Reveal())
	}
	return req, nil
}

// unreached says why there is no answer: the cause to the log, and to people
// nothing of where the endpoint is.
func (e *endpoint) unreached(ctx context.Context, log *slog.Logger, err error, timeout time.Duration) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // without the address
	}
	log.Warn("an endpoint could not be asked", "answer", e.name, "err", err)
	var bad *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return troublef("“%s” did not answer within %v.", e.name, timeout)
	case errors.As(err, &bad):
		return troublef("“%s” can't be trusted: its certificate is not one that Belfry knows (ca_file).", e.name)
	}
	return troublef("“%s” could not be reached.", e.name)
}
