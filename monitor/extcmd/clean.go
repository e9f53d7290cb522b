// SPDX-License-Identifier: Apache-2.0

// Package extcmd is what holds for every external command of a core of Nagios'
// family, whichever way it goes there: fields joined by ; in one line, which
// shells of notification commands may read later. Here stands what people's
// words are made harmless by, and which objects a command can name at all.
package extcmd

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

// Limits of what people's words may take in a command, in bytes.
const (
	maxAuthor  = 100
	maxComment = 1500
)

// Author returns who a command is by as a core may read it, at most 100 bytes;
// empty where nothing of the name is left.
func Author(name string) string { return clean(name, maxAuthor) }

// Comment returns what a person wrote as a core may read it, at most 1500
// bytes; empty where nothing of it is left.
func Comment(text string) string { return clean(text, maxComment) }

// clean makes what a person wrote safe for a core: Naemon hands author and
// comment of an acknowledgement to a shell uncleaned, a new line in the command
// pipe is a second command, and ; divides the fields. What could do harm is
// replaced by what looks alike, so that people can still read it. The result
// has at most most bytes, one line, and no control character.
func clean(s string, most int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "?") {
		b.WriteString(harmless(r))
	}
	words := strings.Fields(b.String())
	// A new line at the edge or twice in a row says nothing.
	for len(words) > 0 && words[0] == "/" {
		words = words[1:]
	}
	for len(words) > 0 && words[len(words)-1] == "/" {
		words = words[:len(words)-1]
	}
	text := strings.ReplaceAll(strings.Join(words, " "), "/ / ", "/ ")
	// A leading dash would be read as an option by a notification command.
	if rest := strings.TrimLeft(text, "-"); rest != text {
		text = "–" + rest
	}
	return Cut(text, most)
}

// harmless returns what stands for r on a command line.
func harmless(r rune) string {
	switch r {
	case '\n', '\u2028', '\u2029', '\u0085':
		return " / "
	case '\r':
		return " "
	case '`', '\'':
		return "’"
	case '"':
		return "”"
	case '$':
		return "＄"
	case '\\', '|':
		return "/"
	case ';':
		return ","
	case '&':
		return "+"
	case '<':
		return "‹"
	case '>':
		return "›"
	}
	switch {
	case unicode.IsSpace(r):
		return " "
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return ""
	}
	return string(r)
}

// Cut shortens text to most bytes, at a rune's edge and visibly.
func Cut(text string, most int) string {
	const mark = "…"
	if len(text) <= most {
		return text
	}
	if most < len(mark) {
		return ""
	}
	text = text[:most-len(mark)]
	for len(text) > 0 && !lastRuneWhole(text) {
		text = text[:len(text)-1]
	}
	return text + mark
}

func lastRuneWhole(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return r != utf8.RuneError || size > 1
}

// CheckObject refuses objects that can't be named on a command line: a name is
// never changed on the way, it would name another object.
func CheckObject(o alert.Object) error {
	switch o.Kind {
	case alert.KindHost:
		return checkName("host", o.Host)
	case alert.KindService:
		if err := checkName("host", o.Host); err != nil {
			return err
		}
		return checkName("service", o.Service)
	}
	return fault.NewPermanent(fmt.Errorf("%s is neither a host nor a service: nagios has no command for it", monitor.Quote(o.Name())))
}

func checkName(what, name string) error {
	if name == "" {
		return fault.NewPermanent(errors.New("the " + what + " has no name: nagios can't be told of it"))
	}
	if strings.ContainsRune(name, ';') || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
		return fault.NewPermanent(fmt.Errorf("the %s's name %s has a semicolon or a control character: nagios can't be told of it", what, monitor.Quote(name)))
	}
	return nil
}
