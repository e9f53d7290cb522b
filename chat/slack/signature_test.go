// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/config"
)

// The example of "Verifying requests from Slack" on docs.slack.dev.
const (
	docSecret    = config.Secret("8f742231b10e8888abcd99yyyzzz85a5")
	docTime      = 1531420618
	docSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	docBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

func signedHeader(stamp, signature string) http.Header {
	h := http.Header{}
	h.Set(headerTime, stamp)
	h.Set(headerSignature, signature)
	return h
}

func TestTheSignatureOfTheDocumentation(t *testing.T) {
	now, stamp := time.Unix(docTime, 0), strconv.Itoa(docTime)
	id, err := verify(docSecret, signedHeader(stamp, docSignature), []byte(docBody), now)
	if err != nil || "v0="+id != docSignature {
		t.Fatalf("%q, %v", id, err)
	}
	// One signature has one spelling, or a replay in capitals would be new.
	loud := "v0=" + strings.ToUpper(docSignature[3:])
	if again, err := verify(docSecret, signedHeader(stamp, loud), []byte(docBody), now); err != nil || again != id {
		t.Errorf("in capitals it is %q, %v", again, err)
	}
}

func TestWhatIsNotSignedIsRefused(t *testing.T) {
	now, stamp := time.Unix(docTime, 0), strconv.Itoa(docTime)
	for name, c := range map[string]struct {
		secret           config.Secret
		stamp, signature string
		body             string
		now              time.Time
		want             error
	}{
		"nothing":                {docSecret, "", "", docBody, now, errUnsigned},
		"no time":                {docSecret, "", docSignature, docBody, now, errUnsigned},
		"no signature":           {docSecret, stamp, "", docBody, now, errUnsigned},
		"another version":        {docSecret, stamp, "v1" + docSignature[2:], docBody, now, errUnsigned},
		"half a signature":       {docSecret, stamp, docSignature[:30], docBody, now, errUnsigned},
		"no hex":                 {docSecret, stamp, "v0=" + strings.Repeat("g", 64), docBody, now, errUnsigned},
		"no number":              {docSecret, "yesterday", docSignature, docBody, now, errUnsigned},
		"a signed number":        {docSecret, "+" + stamp, docSignature, docBody, now, errUnsigned},
		"a huge number":          {docSecret, "9999999999999", docSignature, docBody, now, errUnsigned},
		"an altered body":        {docSecret, stamp, docSignature, docBody + "x", now, errForged},
		"another time":           {docSecret, strconv.Itoa(docTime + 1), docSignature, docBody, now, errForged},
		"a time spelt anew":      {docSecret, "0" + stamp, docSignature, docBody, now, errForged},
		"another secret":         {docSecret + "x", stamp, docSignature, docBody, now, errForged},
		"no secret of ours":      {"", stamp, docSignature, docBody, now, errUnsigned},
		"five minutes late":      {docSecret, stamp, docSignature, docBody, now.Add(signedWithin + time.Second), errStale},
		"five minutes early":     {docSecret, stamp, docSignature, docBody, now.Add(-signedWithin - time.Second), errStale},
		"forged and late":        {docSecret, stamp, docSignature, "x", now.Add(time.Hour), errForged},
		"just in time":           {docSecret, stamp, docSignature, docBody, now.Add(signedWithin), nil},
		"with a clock that lags": {docSecret, stamp, docSignature, docBody, now.Add(-signedWithin), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := verify(c.secret, signedHeader(c.stamp, c.signature), []byte(c.body), c.now); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(strconv.Itoa(docTime), docSignature, docBody)
	f.Add("", "", "")
	f.Add("1531420618 ", "v0=", "x")
	f.Fuzz(func(t *testing.T, stamp, signature, body string) {
		id, err := verify(docSecret, signedHeader(stamp, signature), []byte(body), time.Unix(docTime, 0))
		if err == nil && (stamp != strconv.Itoa(docTime) || body != docBody || "v0="+id != docSignature) {
			t.Errorf("took %q %q %q", stamp, signature, body)
		}
	})
}
