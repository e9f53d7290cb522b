// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"belfry/config"
	"belfry/fault"
	"belfry/monitor"
)

const (
	// maxAnswer bounds what one answer may hold, in bytes. A service in a list
	// takes about 2.5 KB.
	maxAnswer = 8 << 20
	// atOnce is how many requests are under way at the same time.
	atOnce = 4
	// longestWait is the longest wait that a server may ask for.
	longestWait = 5 * time.Minute
)

// client calls the API of one openITCOCKPIT.
type client struct {
	base    string
	key     config.Secret
	http    *http.Client
	timeout time.Duration
	// slots bounds the requests under way.
	slots chan struct{}
}

func newClient(base string, key config.Secret, t http.RoundTripper, timeout time.Duration) *client {
	return &client{
		base: strings.TrimRight(base, "/"), key: key, timeout: timeout, slots: make(chan struct{}, atOnce),
		http: &http.Client{
			Transport: t,
			// A redirect leads to a page for people, and would take the key along.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// refusal is an answer of openITCOCKPIT other than 200. It is always inside
// of an error of package fault.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

// statusOf returns the HTTP status that err is about; 0 if it is about none.
func statusOf(err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.status
	}
	return 0
}

// get reads; asking changes nothing, so whatever goes wrong can be asked again.
func (c *client) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body, err := c.call(ctx, http.MethodGet, path, nil, nil)
	if d, _ := fault.Of(err); d == fault.Unknown {
		err = fault.NewRetry(errors.Unwrap(err))
	}
	return body, err
}

// post submits. Where the request left us and no answer counts, the outcome is
// unknown.
func (c *client) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	return c.call(ctx, http.MethodPost, path, body, nil)
}

// call makes one request, with the key in its header, and returns the body of
// an answer of 200 that is JSON. header gets the answer's, if it isn't nil.
func (c *client) call(ctx context.Context, method, path string, body []byte, header *http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, fault.NewRetry(errors.New("openITCOCKPIT is slow, earlier requests still wait for their answers"))
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fault.NewPermanent(errors.New("can't make a request to openITCOCKPIT: url is not an address"))
	}
	req.Header.Set("Authorization", "X-OITC-API "+c.key.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Belfry")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unanswered(ctx, err, sent.Load())
	}
	defer func() { _ = res.Body.Close() }() // only read from
	if header != nil {
		*header = res.Header
	}
	said, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unanswered(ctx, err, true)
	}
	return c.judge(method, res, said)
}

// unanswered says what kept an answer from us. sent is false while it is
// certain that nothing left us.
func (c *client) unanswered(ctx context.Context, err error, sent bool) error {
	err = c.explain(ctx, err)
	if sent {
		return fault.NewUnknown(err)
	}
	return fault.NewRetry(err)
}

func (c *client) explain(ctx context.Context, err error) error {
	where := "openITCOCKPIT at " + c.base
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s gave no answer within the time allowed", where)
	case errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not trusted (%s): name the authority's certificate as ca_file", where, c.clean(cert.Err.Error()))
	case errors.As(err, &dns):
		return fmt.Errorf("can't reach %s: its name is not known here", where)
	case errors.As(err, &op):
		// Without the addresses: our own port is another one each time.
		return fmt.Errorf("can't reach %s: %s", where, c.clean(op.Err.Error()))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("can't reach %s: %s", where, c.clean(err.Error()))
}

// judge turns an answer into a body, or into what its status means.
func (c *client) judge(method string, res *http.Response, said []byte) ([]byte, error) {
	code := res.StatusCode
	refuse := func(decide func(error) error, format string, args ...any) ([]byte, error) {
		return nil, decide(&refusal{code, fmt.Sprintf(format, args...)})
	}
	switch {
	case len(said) > maxAnswer:
		return refuse(fault.NewUnknown, "openITCOCKPIT's answer is longer than %d MB", maxAnswer>>20)
	case code == http.StatusOK && isJSON(said):
		return said, nil
	case code == http.StatusOK && !bytes.HasPrefix(bytes.TrimSpace(said), []byte("<")):
		// It may have done what it could not finish saying.
		return refuse(fault.NewUnknown, "openITCOCKPIT's answer breaks off, or is none: look into its logs")
	case code == http.StatusOK, code >= 300 && code < 400:
		// Nothing behind a log-in page was told anything.
		return refuse(fault.NewRetry, "a web page answered instead of openITCOCKPIT's API: look whether url is right, and whether a log-in stands before it")
	case code == http.StatusUnauthorized:
		return refuse(fault.NewRetry, "openITCOCKPIT does not take the api key: it was revoked, or belongs to another openITCOCKPIT; make one and put it into api_key_file")
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		wait := waitAsked(res.Header.Get("Retry-After"))
		return nil, fault.NewRetryAfter(&refusal{code, "openITCOCKPIT asks to wait " + wait.String()}, wait)
	case code == http.StatusForbidden:
		return refuse(fault.NewPermanent, "openITCOCKPIT forbids it to the user of the api key%s", c.reason(said))
	case code == http.StatusNotFound:
		return refuse(fault.NewPermanent, "openITCOCKPIT does not know that%s", c.reason(said))
	case code == http.StatusMethodNotAllowed:
		return refuse(fault.NewPermanent, "openITCOCKPIT takes no %s there: look whether url is right%s", method, c.reason(said))
	case code >= 500:
		return refuse(fault.NewUnknown, "openITCOCKPIT has a fault of its own (%d)%s", code, c.reason(said))
	}
	return refuse(fault.NewPermanent, "openITCOCKPIT refused it (%d)%s", code, c.reason(said))
}

// reason is what openITCOCKPIT said itself, ready to be put behind.
func (c *client) reason(said []byte) string {
	text := messageOf(said)
	if text == "" {
		return ""
	}
	return ": " + monitor.Quote(c.clean(text))
}

// clean takes the key out of a text that somebody else wrote, and all that
// would break a line.
func (c *client) clean(text string) string {
	if key := c.key.Reveal(); key != "" {
		for _, form := range []string{key, url.QueryEscape(key), url.PathEscape(key)} {
			text = strings.ReplaceAll(text, form, "[api key]")
		}
	}
	return strings.Join(strings.Fields(monitor.Printable(text)), " ")
}

// waitAsked reads Retry-After in seconds; what is none, or too long, is bounded.
func waitAsked(header string) time.Duration {
	seconds, err := strconv.ParseInt(strings.TrimSpace(header), 10, 32)
	if err != nil || seconds < 1 {
		return 10 * time.Second
	}
	return min(time.Duration(seconds)*time.Second, longestWait)
}
