// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"belfry/doctor"
)

// mostSkew is how far the clocks may be apart: downtimes and checks carry
// times, and are not done, or at once, when those are wrong.
const mostSkew = 30 * time.Second

const keyRemedy = "in openITCOCKPIT, as the user that Belfry acts with: profile → API keys → create; put the key into api_key_file, then: systemctl reload belfry"

// Examine implements doctor.Examiner: address, key, rights, clock, and where
// links lead. It tells openITCOCKPIT nothing.
func (s *Source) Examine(ctx context.Context, _ doctor.Visit) []doctor.Finding {
	if s.client == nil {
		return append([]doctor.Finding{doctor.Doubt("api key", keyRemedy,
			"none is configured: openITCOCKPIT can't be told of acknowledgements, and can't be asked for names")}, s.examineLinks(ctx)...)
	}
	out := []doctor.Finding{s.examineSafety()}
	var header http.Header
	q := url.Values{"scroll": {"true"}, "limit": {"1"}, "page": {"1"}}
	asked := s.clock.Now()
	body, err := s.client.call(ctx, http.MethodGet, "/hosts/index.json?"+q.Encode(), nil, &header)
	switch statusOf(err) {
	case 0:
		if err != nil {
			return append(out, doctor.Bad("address", "curl -sS -o /dev/null "+s.client.base+"/ on Belfry's host; look at url, proxy and ca_file", "%v", err))
		}
	case http.StatusUnauthorized:
		return append(out, doctor.Good("address", "%s answers", s.client.base), doctor.Bad("api key", keyRemedy, "%v", err))
	case http.StatusForbidden: // reached, and the key is known
	default:
		return append(out, doctor.Bad("address", "look whether url leads to openITCOCKPIT itself, without a log-in before it", "%v", err))
	}
	out = append(out, doctor.Good("address", "%s answers", s.client.base), doctor.Good("api key", "openITCOCKPIT takes it"))
	out = append(out, s.examineList(ctx, false, body), s.examineList(ctx, true, nil), s.examineSubmit(ctx))
	if f, ok := s.examineClock(asked, header); ok {
		out = append(out, f)
	}
	return append(out, s.examineLinks(ctx)...)
}

// examineSafety says who could read the key on its way.
func (s *Source) examineSafety() doctor.Finding {
	switch u, err := url.Parse(s.client.base); {
	case s.config.Insecure:
		return doctor.Doubt("encryption", "name the certificate of openITCOCKPIT's authority as ca_file, and take insecure_skip_verify out",
			"any certificate is taken for openITCOCKPIT's: whoever stands in between can read the api key")
	case err == nil && u.Scheme == "http":
		return doctor.Doubt("encryption", "write https:// in url", "the api key goes over the network in clear")
	}
	return doctor.Good("encryption", "https, and the certificate is checked")
}

// examineList says whether the key's user sees hosts, or services.
func (s *Source) examineList(ctx context.Context, services bool, body []byte) doctor.Finding {
	what := "hosts"
	if services {
		what = "services"
	}
	check := "right to see " + what
	var rows []row
	var err error
	if body != nil {
		rows, _, err = decodeList(body, services)
	} else {
		rows, _, err = s.client.list(ctx, services, 1, 1, nil)
	}
	switch {
	case statusOf(err) == http.StatusForbidden:
		return doctor.Bad(check, "in openITCOCKPIT, the role of the key's user: allow "+what+" → index and "+what+" → byUuid", "it is missing")
	case err != nil:
		return doctor.Bad(check, "look whether url leads to openITCOCKPIT itself", "%v", err)
	case len(rows) == 0:
		return doctor.Doubt(check, "in openITCOCKPIT, give the key's user the containers whose "+what+" notify Belfry", "the key's user may list %s, but sees none", what)
	}
	return doctor.Good(check, "the key's user sees %s", what)
}

// examineSubmit sends a command that names none: whoever may send commands is
// told that this is a bad request, everybody else that it is forbidden.
func (s *Source) examineSubmit(ctx context.Context) doctor.Finding {
	const check = "right to send commands"
	_, err := s.client.post(ctx, submitPath, []byte("{}"))
	switch {
	case statusOf(err) == http.StatusBadRequest:
		return doctor.Good(check, "the key's user may acknowledge, set downtimes, switch notifications and have checks done")
	case statusOf(err) == http.StatusForbidden:
		return doctor.Bad(check, "in openITCOCKPIT, the role of the key's user: allow NagiosModule → cmd → submit", "it is missing, so nothing can be acknowledged")
	case statusOf(err) == http.StatusNotFound:
		return doctor.Bad(check, "install openITCOCKPIT's NagiosModule, which belongs to it", "openITCOCKPIT has no place for commands")
	case err != nil:
		return doctor.Bad(check, "run belfry doctor again; look into openITCOCKPIT's logs", "%v", err)
	}
	return doctor.Doubt(check, "tell the makers of belfry which version of openITCOCKPIT this is", "a command without a name was taken for one: it can't be said whether the right is there")
}

// examineClock compares the clocks by the Date of an answer.
func (s *Source) examineClock(asked time.Time, h http.Header) (doctor.Finding, bool) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return doctor.Finding{}, false
	}
	apart := at.Sub(asked).Truncate(time.Second)
	if apart.Abs() > mostSkew {
		return doctor.Doubt("clock", "timedatectl on both hosts; have both set their clocks by NTP", "openITCOCKPIT's differs by %s: downtimes begin and end that much off", apart.Abs()), true
	}
	return doctor.Good("clock", "the same as openITCOCKPIT's"), true
}

// examineLinks looks whether there is a web server where links lead, without
// showing it the key. People's browsers may reach what Belfry does not.
func (s *Source) examineLinks(ctx context.Context) []doctor.Finding {
	const check = "links"
	if s.links.base == "" {
		return []doctor.Finding{doctor.Doubt(check, "set url, or link_url: the address at which people open openITCOCKPIT", "cards lead nowhere")}
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	page := s.links.base + "/"
	t, err := s.config.transport()
	if err == nil {
		defer t.CloseIdleConnections()
		err = visit(ctx, t, page)
	}
	if err != nil {
		return []doctor.Finding{doctor.Doubt(check, "open "+page+" in a browser; where another address or port works, write that as link_url", "cards lead to %s, which does not answer here: %s", page, plainText(err))}
	}
	return []doctor.Finding{doctor.Good(check, "cards lead to %s", s.links.base+s.links.pages)}
}

// visit asks for a page and wants any answer.
func visit(ctx context.Context, t http.RoundTripper, page string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, page, nil)
	if err != nil {
		return err
	}
	res, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func plainText(err error) string {
	if u, ok := err.(interface{ Unwrap() error }); ok && u.Unwrap() != nil {
		err = u.Unwrap()
	}
	return strings.TrimSuffix(name(err.Error()), ".")
}
