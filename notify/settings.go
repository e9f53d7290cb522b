// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// settings say where notifications go.
type settings struct {
	server server
	spool  string
}

// settingKey is one setting: an option, a variable and a key of the file.
type settingKey struct{ name, env, arg, usage string }

func settingKeys() []settingKey {
	return []settingKey{
		{"url", "BELFRY_URL", "URL", "where belfry serve answers, like http://127.0.0.1:8080"},
		{"socket", "BELFRY_SOCKET", "PATH", "its unix socket, on the same host"},
		{"token-file", "BELFRY_TOKEN_FILE", "FILE", "holds the source's token"},
		{"ca-file", "BELFRY_CA_FILE", "FILE", "certificates to trust for https, besides the system's"},
		{"source", "BELFRY_SOURCE", "NAME", "the source's name in Belfry's configuration, else \"nagios\""},
		{"spool", "BELFRY_SPOOL", "DIR", "keeps what the server did not take, else " + defaultSpool},
	}
}

const (
	defaultSpool  = "/var/spool/belfry"
	defaultSource = "nagios"
	maxConfigFile = 64 << 10
)

// ranked is a setting's value and how near to the command line it was said.
type ranked struct {
	value string
	rank  int
}

const (
	fromFile = iota + 1
	fromEnv
	fromOption
)

// settings finds out where to hand over: options win over the environment,
// the environment over the file. Faults in the file are warnings as long as
// it is still clear where to hand over: a slip there must not lose an alert.
func (a *arguments) settings(getenv func(string) string, file string) (settings, []string, error) {
	named := a.config != ""
	if named {
		file = a.config
	}
	said := make(map[string]ranked)
	fromConfig, warnings := readConfig(file, named)
	for k, v := range fromConfig {
		said[k] = ranked{v, fromFile}
	}
	for _, k := range settingKeys() {
		if v := getenv(k.env); v != "" {
			said[k.name] = ranked{v, fromEnv}
		}
		if v := *a.where[k.name]; v != "" {
			said[k.name] = ranked{v, fromOption}
		}
	}
	s, err := resolve(said)
	if err != nil && len(warnings) > 0 {
		err = fmt.Errorf("%w (%s)", err, strings.Join(warnings, "; "))
	}
	return s, warnings, err
}

func resolve(said map[string]ranked) (settings, error) {
	s := settings{spool: defaultSpool, server: server{tokenFile: said["token-file"].value, caFile: said["ca-file"].value}}
	at, socket := said["url"], said["socket"]
	var inURL string
	at.value, inURL = intakeAddress(at.value)
	s.server.source = cmp.Or(said["source"].value, inURL, defaultSource)
	if v := said["spool"].value; v != "" {
		s.spool = filepath.Clean(v)
	}
	if !filepath.IsAbs(s.spool) {
		return s, fmt.Errorf("the spool %s is not an absolute path; cores run commands anywhere, so say it from / on", show(s.spool))
	}
	if src := s.server.source; url.PathEscape(src) != src || strings.Trim(src, ".") == "" {
		return s, fmt.Errorf("the source %s can't be used; it is a name like nagios, with letters, digits, - and _", show(src))
	}
	switch {
	case at.value == "" && socket.value == "":
		return s, errors.New("nowhere to hand over; say --url http://127.0.0.1:8080, set BELFRY_URL, or write url = http://127.0.0.1:8080 into " + DefaultConfig)
	case socket.rank >= at.rank:
		s.server.socket = socket.value
		s.server.base = &url.URL{Scheme: "http", Host: "belfry"}
		return s, nil
	}
	u, err := url.Parse(at.value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return s, fmt.Errorf("the url %s can't be used; it is like http://127.0.0.1:8080 or https://belfry.example.com", showURL(at.value))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return s, fmt.Errorf("the url %s can't be used; leave out user, password, ? and #: the token belongs into --token-file", showURL(at.value))
	}
	s.server.base = u
	return s, nil
}

// intakeAddress takes apart what belfry serve prints for a source, like
// http://127.0.0.1:8080/intake/nagios: who copies that means this server and
// this source. The source is empty where the address names none.
func intakeAddress(address string) (base, source string) {
	base, source, ok := strings.Cut(strings.TrimSuffix(address, "/"), "/intake/")
	if !ok || source == "" || strings.ContainsAny(source, "/?#") {
		return address, ""
	}
	return base, source
}

// showURL shows an address without what may be a secret.
func showURL(s string) string {
	if u, err := url.Parse(s); err == nil {
		u.RawQuery, u.Fragment = "", ""
		return show(u.Redacted())
	}
	return "given"
}

// readConfig reads the settings' file. A missing one is told only when it was
// named.
func readConfig(file string, named bool) (map[string]string, []string) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) && !named {
			return nil, nil
		}
		return nil, []string{fmt.Sprintf("can't read the settings: %v", err)}
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, []string{fmt.Sprintf("can't read the settings: %v", err)}
	}
	if len(b) > maxConfigFile {
		return nil, []string{fmt.Sprintf("%s has more than %d bytes: is it the right file?", file, maxConfigFile)}
	}
	values, faults := parseConfig(b)
	for i := range faults {
		faults[i] = file + " " + faults[i]
	}
	return values, faults
}

// maxFaults bounds how many faults of one file are told.
const maxFaults = 10

// parseConfig reads lines of "key = value"; # starts a comment line, quotes
// around a value are dropped. The faults name their lines.
func parseConfig(b []byte) (values map[string]string, faults []string) {
	keys := settingKeys()
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	values = make(map[string]string)
	number := 0
	for line := range bytes.Lines(b) {
		number++
		fault := parseLine(string(bytes.TrimSpace(line)), names, values)
		if fault != "" && len(faults) < maxFaults {
			faults = append(faults, fmt.Sprintf("line %d: %s", number, fault))
		}
	}
	return values, faults
}

func parseLine(line string, names []string, values map[string]string) (fault string) {
	if line == "" || line[0] == '#' {
		return ""
	}
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		return "no \"=\" in it; a line is like url = http://127.0.0.1:8080"
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		value = value[1 : len(value)-1]
	}
	known := false
	for _, name := range names {
		known = known || name == key
	}
	if !known {
		if near := nearest(key, names); near != "" {
			return fmt.Sprintf("unknown key %s; did you mean %s?", show(key), near)
		}
		return fmt.Sprintf("unknown key %s; there are %s", show(key), strings.Join(names, ", "))
	}
	if _, twice := values[key]; twice {
		return key + " is said twice; the first one counts"
	}
	values[key] = value
	return ""
}
