// SPDX-License-Identifier: Apache-2.0

package route

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxChannel bounds a channel's name in bytes: no platform's handle or id is near it.
const maxChannel = 128

// Target is a channel of a configured connection.
type Target struct {
	// Connection is the connection's name, Channel the channel as its platform
	// takes it: a handle or an id, case as written.
	Connection, Channel string
}

// String returns "connection/channel", the form in which deliveries and
// configuration name a target.
func (t Target) String() string { return t.Connection + "/" + t.Channel }

// ParseTarget reads "connection/channel". The channel may contain further "/"
// (Mattermost's team/channel). The error says what is wrong and what is right;
// whether the connection exists is the caller's to know.
func ParseTarget(s string) (Target, error) {
	conn, channel, ok := strings.Cut(s, "/")
	switch {
	case s == "":
		return Target{}, errors.New("a channel is empty; write connection/channel, as in room/alerts")
	case !ok:
		return Target{}, fmt.Errorf("channel %q has no connection; write connection/%s, as in room/alerts", clip(s), clip(s))
	case !ValidName(conn):
		return Target{}, fmt.Errorf("channel %q: %q is not the name of a connection; write connection/channel, as in room/alerts", clip(s), clip(conn))
	case channel == "":
		return Target{}, fmt.Errorf("channel %q names no channel after the /", clip(s))
	case len(channel) > maxChannel:
		return Target{}, fmt.Errorf("channel %q is longer than %d bytes", clip(s), maxChannel)
	case !utf8.ValidString(channel) || strings.ContainsFunc(channel, notInChannel):
		return Target{}, fmt.Errorf("channel %q has white space or unprintable characters", clip(s))
	}
	return Target{Connection: conn, Channel: channel}, nil
}

func notInChannel(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// maxName bounds the name of a resource in bytes.
const maxName = 31

// ValidName says whether s can name a connection or a source: 1 to 31
// characters a–z, 0–9 and "-", the first not "-". Names stand in URLs, labels
// and file names as they are.
func ValidName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// clip shortens s for an error message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
