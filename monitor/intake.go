// SPDX-License-Identifier: Apache-2.0

package monitor

import (
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxWarnings bounds what one request can make us say.
const maxWarnings = 20

// CheckJSON says whether contentType announces JSON; an empty one is let pass.
func CheckJSON(contentType string) error {
	if contentType == "" || contentType == "application/json" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && kind == "application/json" {
		return nil
	}
	return fmt.Errorf("content type %s is not understood; send application/json", Quote(contentType))
}

// Printable drops control characters but for new line and tab, which no
// database and no chat wants; bytes that are not UTF-8 become U+FFFD, so that
// people see that something was there.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, s)
}

// Quote shows an outside text in a message: bounded, and with nothing in it
// that could break a log line.
func Quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// WebLink returns raw if it leads to a web page: a card must not carry
// javascript: and the like.
func WebLink(raw string) (link string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	return u.String(), true
}

// Warn adds a warning, each once and not more than anybody reads.
func (d *Decoded) Warn(format string, args ...any) {
	if len(d.Warnings) >= maxWarnings {
		return
	}
	if w := fmt.Sprintf(format, args...); !slices.Contains(d.Warnings, w) {
		d.Warnings = append(d.Warnings, w)
	}
}
