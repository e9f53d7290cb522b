// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/config"
)

// Headers of a signed request (docs.slack.dev, "Verifying requests from Slack").
const (
	headerTime      = "X-Slack-Request-Timestamp"
	headerSignature = "X-Slack-Signature"
	headerRetry     = "X-Slack-Retry-Num"
)

const (
	// signedWithin is how far a request's time may be from ours, either way.
	signedWithin = 5 * time.Minute
	// signatureKept is how long a signature is remembered: all the time in
	// which it could be shown again.
	signatureKept = 2*signedWithin + time.Minute
	// signatureVersion begins both the signature and what is signed.
	signatureVersion = "v0"
)

// Why a request is not believed to be Slack's.
var (
	errUnsigned = errors.New("the request carries no signature of Slack's")
	errStale    = errors.New("the request's time is more than five minutes from ours: it is old, or a clock is wrong")
	errForged   = errors.New("the request's signature is wrong: it is not from Slack, was changed on its way, or the signing secret is another app's")
	errReplayed = errors.New("the request was taken before")
)

// verify judges the signature of a raw body. id is the signature in a form that
// has only one spelling, to remember it by.
func verify(secret config.Secret, h http.Header, body []byte, now time.Time) (id string, err error) {
	stamp, shown := h.Get(headerTime), h.Get(headerSignature)
	text, ok := strings.CutPrefix(shown, signatureVersion+"=")
	if !ok || stamp == "" || len(stamp) > 12 || secret == "" {
		return "", errUnsigned
	}
	got, err := hex.DecodeString(text)
	if err != nil || len(got) != sha256.Size {
		return "", errUnsigned
	}
	at, err := strconv.ParseUint(stamp, 10, 40)
	if err != nil {
		return "", errUnsigned
	}
	want := signatureOf(secret, stamp, body)
	if !hmac.Equal(got, want) {
		return "", errForged
	}
	// Only now: who can't sign learns nothing of our clock.
	if off := now.Sub(time.Unix(int64(at), 0)); off > signedWithin || off < -signedWithin { //nolint:gosec // 40 bits
		return "", errStale
	}
	return hex.EncodeToString(want), nil
}

// signatureOf is the HMAC over version, time and raw body.
func signatureOf(secret config.Secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(signatureVersion + ":" + stamp + ":"))
	mac.Write(body)
	return mac.Sum(nil)
}
