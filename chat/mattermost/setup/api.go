// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"belfry/chat"
	"belfry/config"
)

// Limits of a call.
const (
	maxAnswer  = 8 << 20
	maxError   = 64 << 10
	maxSaid    = 300
	callWithin = 20 * time.Second
)

// api speaks the part of API v4 by which a server is set up.
type api struct {
	base  string
	token config.Secret
	http  *http.Client
}

// refusal is an answer of the server other than success.
type refusal struct {
	Status      int
	ID, Message string
	To          string // where a redirect leads
}

// Error implements error.
func (r *refusal) Error() string {
	switch {
	case r.To != "":
		return fmt.Sprintf("%d, a redirect to %s: say --url as Mattermost is really reached", r.Status, r.To)
	case r.Message != "":
		return fmt.Sprintf("%d %s (%s)", r.Status, strings.TrimSuffix(r.Message, "."), r.ID)
	}
	return strings.ToLower(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)))
}

// final says whether asking again can't help: Mattermost itself said no. A
// token that is no longer accepted ends everything, and is no such answer.
func (r *refusal) final() bool {
	if r.ID == "" || r.Status == http.StatusUnauthorized || r.Status == http.StatusTooManyRequests {
		return false
	}
	return r.Status >= 400 && r.Status < 500 || r.Status == http.StatusNotImplemented
}

// refused returns the server's no in err, if that is what it is.
func refused(err error) (refusal, bool) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return refusal{}, false
	}
	return *r, r.final()
}

// status returns the status of a refusal in err, else 0.
func status(err error) int {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return 0
	}
	return r.Status
}

func (a *api) get(ctx context.Context, path string, into any) error {
	return a.do(ctx, http.MethodGet, path, nil, into)
}

func (a *api) post(ctx context.Context, path string, body, into any) error {
	return a.do(ctx, http.MethodPost, path, body, into)
}

func (a *api) put(ctx context.Context, path string, body, into any) error {
	return a.do(ctx, http.MethodPut, path, body, into)
}

func (a *api) remove(ctx context.Context, path string) error {
	return a.do(ctx, http.MethodDelete, path, nil, nil)
}

// do makes one call below /api/v4. Errors are *refusal, or of the transport.
func (a *api) do(ctx context.Context, method, path string, body, into any) error {
	return a.as(ctx, a.token, method, path, body, into)
}

// as makes a call with another token.
func (a *api) as(ctx context.Context, token config.Secret, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("can't encode a request: %w", err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, payload)
	if err != nil {
		return a.clean(err, token)
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	req.Header.Set("User-Agent", "Belfry")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := a.http.Do(req)
	if err != nil {
		return a.clean(err, token)
	}
	defer func() { _ = res.Body.Close() }() // only read from
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return a.complaint(res, token)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return a.clean(err, token)
	case len(raw) > maxAnswer:
		return fmt.Errorf("the answer to %s %s is longer than %d MB", method, path, maxAnswer>>20)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return errors.New("the answer is not Mattermost's JSON; does --url lead to a Mattermost, and is there a login page before it?")
	}
	return nil
}

func (a *api) complaint(res *http.Response, token config.Secret) error {
	r := &refusal{Status: res.StatusCode, To: a.hide(res.Header.Get("Location"), token)}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxError))
	var body struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	if err == nil && json.Unmarshal(raw, &body) == nil {
		r.ID, r.Message = a.hide(body.ID, token), a.hide(body.Message, token)
	}
	return r
}

// hide cuts a text of the server to one short line without our tokens.
func (a *api) hide(text string, token config.Secret) string {
	text = chat.CleanLine(config.Hide(text, a.token, token))
	if r := []rune(text); len(r) > maxSaid {
		return string(r[:maxSaid]) + "…"
	}
	return text
}

func (a *api) clean(err error, token config.Secret) error {
	return errors.New(a.hide(err.Error(), token))
}
