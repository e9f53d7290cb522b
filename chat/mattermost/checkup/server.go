// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/chat/mattermost"
)

// release is a version of the server: major and minor.
type release struct {
	text         string
	major, minor int
}

func readRelease(text string) release {
	r := release{text: text}
	major, rest, _ := strings.Cut(text, ".")
	minor, _, _ := strings.Cut(rest, ".")
	r.major, _ = strconv.Atoi(major) // what is no number is 0: unknown
	r.minor, _ = strconv.Atoi(minor)
	return r
}

func (r release) before(major, minor int) bool {
	return cmp.Or(cmp.Compare(r.major, major), cmp.Compare(r.minor, minor)) < 0
}

// The oldest version that Belfry is tested with, and the one from which posts
// in somebody else's name are a bot's alone.
const (
	oldestMajor, oldestMinor = 5, 37
	botsAlone                = 12
)

// How far the clocks may be apart. Posts are looked for by the server's time,
// and seals run out by ours.
const (
	clockDoubt = 10 * time.Second
	clockBad   = 2 * time.Minute
)

// server looks at the site from outside; false: nothing more can be seen.
func (v *visit) server(ctx context.Context) bool {
	began := v.opt.Clock.Now()
	header, err := v.platform.API().Call(ctx, http.MethodGet, "/system/ping", nil, nil)
	took := v.opt.Clock.Now().Sub(began)
	if err != nil {
		v.unreached(ctx, err)
		return false
	}
	text := mattermost.Version(header)
	v.version = readRelease(text)
	switch {
	case text == "":
		v.bad("server", "set url to the address at which people open Mattermost, its subpath included, and let /api/v4 through to it",
			"%s answers, but not as a Mattermost: the header X-Version-Id is missing", v.config.URL)
		return false
	case v.version.before(oldestMajor, oldestMinor):
		v.bad("server", fmt.Sprintf("upgrade Mattermost to %d.%d or newer", oldestMajor, oldestMinor),
			"Mattermost %s is older than %d.%d, the oldest that Belfry works with", text, oldestMajor, oldestMinor)
	default:
		v.good("server", "Mattermost %s answers at %s", text, v.config.URL)
	}
	v.clocks(header, began.Add(took/2))
	v.certificate(ctx)
	v.limit(header)
	return true
}

// unreached says why the site could not be asked.
func (v *visit) unreached(ctx context.Context, err error) {
	if r, ok := mattermost.Refused(err); ok {
		switch {
		case r.To != "":
			v.bad("server", "set url of the connection to the address it leads to, without what follows the site: "+r.To, "%s answers with a redirect to %s", v.config.URL, r.To)
		case r.Status == http.StatusTooManyRequests:
			v.bad("server", v.rateRemedy(), "Mattermost refuses: too many requests from this address")
		case r.Status >= 500:
			v.bad("server", "start Mattermost behind its proxy: systemctl status mattermost", "%s answers with %v", v.config.URL, err)
		default:
			v.bad("server", "set url to the address at which people open Mattermost, and let /api/v4 through a sign-in page that stands before it", "%s answers with %v", v.config.URL, err)
		}
		return
	}
	remedy := netRemedy(err, v.config.URL, "url of the connection")
	if trouble := v.chain(ctx, err); trouble != "" {
		remedy = trouble
	}
	v.bad("server", remedy, "Mattermost is not reached: %v", err)
}

// clocks compares the server's clock with ours; at is ours when it answered.
func (v *visit) clocks(header http.Header, at time.Time) {
	said, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		v.doubt("clock", "let the header Date through a proxy before Mattermost", "Mattermost doesn't say what time it is")
		return
	}
	// A date has whole seconds, cut off.
	apart := said.Add(time.Second / 2).Sub(at)
	off := apart.Abs()
	word := "ahead of"
	if apart < 0 {
		word = "behind"
	}
	const remedy = "set both clocks by NTP: timedatectl set-ntp true on either host; timedatectl shows whether it is"
	switch {
	case off > clockBad:
		v.bad("clock", remedy, "Mattermost's clock is %v %s ours", off.Round(time.Second), word)
	case off > clockDoubt:
		v.doubt("clock", remedy, "Mattermost's clock is %v %s ours", off.Round(time.Second), word)
	default:
		v.good("clock", "Mattermost's clock and ours agree within %v", clockDoubt)
	}
}

// limit looks whether the server limits requests. Its headers tell that it
// does, and only the settings how many (judgeLimit).
func (v *visit) limit(header http.Header) {
	if header.Get("X-Ratelimit-Limit") == "" {
		v.good("rate limit", "Mattermost limits no requests")
		return
	}
	if own := v.config.RequestsPerSecond; own > 0 {
		v.good("rate limit", "Mattermost limits requests, and requests_per_second keeps to %v", own)
		return
	}
	v.doubt("rate limit", v.rateRemedy(), "Mattermost limits requests per address (a first burst of %s), so in an alert storm cards come late: as shipped 10 in a second",
		header.Get("X-Ratelimit-Limit"))
}

func (v *visit) rateRemedy() string {
	return "System Console → Environment → Rate Limiting → Maximum Queries per Second: 100 or more, or Enable Rate Limiting: false behind a proxy that limits " +
		"(config.json: RateLimitSettings.PerSec, RateLimitSettings.Enable); it takes a restart of Mattermost\n" +
		"or set requests_per_second of connection " + v.opt.Name + " to what the server takes"
}
