// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// configFile is where Mattermost looks for its settings unless told.
	configFile = "config/config.json"
	// maxConfig bounds it in bytes.
	maxConfig = 16 << 20
)

// settings are what an upgrade must know of Mattermost's configuration.
type settings struct {
	// where it is; editable when it is a file inside the installation.
	where    string
	editable bool
	// inside are paths in the installation that settings name, with the
	// setting; outside are told.
	inside  []place
	outside []string
	// listen is ServiceSettings.ListenAddress; empty when not known.
	listen string
	// database says which one it is, without password.
	database string
}

// place is a directory that a setting names.
type place struct{ path, setting string }

// directories are the settings that name directories, and what holds without
// them, from Mattermost's model/config.go.
func directories() []struct{ section, key, fallback string } {
	return []struct{ section, key, fallback string }{
		{"FileSettings", "Directory", "./data/"},
		{"LogSettings", "FileLocation", "./logs/"},
		{"NotificationLogSettings", "FileLocation", "./logs/"},
		{"PluginSettings", "Directory", "./plugins"},
		{"PluginSettings", "ClientDirectory", "./client/plugins"},
		{"ComplianceSettings", "Directory", "./data/"},
		{"ExportSettings", "Directory", "./export"},
		{"ImportSettings", "Directory", "./import"},
		{"BleveSettings", "IndexDir", ""},
	}
}

// readSettings reads the configuration of the Mattermost in dir. configured is
// where it is said to be; empty: MM_CONFIG, or the usual place.
func readSettings(dir, configured string, getenv func(string) string) (settings, error) {
	s := settings{where: configured}
	if s.where == "" {
		s.where = getenv("MM_CONFIG")
	}
	if s.where == "" {
		s.where = filepath.Base(configFile)
	}
	doc := map[string]map[string]any{}
	if scheme, _, ok := strings.Cut(s.where, "://"); ok || strings.Contains(s.where, "@tcp(") {
		if !ok {
			scheme = "mysql"
		}
		s.where = "in a database (" + scheme + ")"
	} else {
		var err error
		if doc, err = s.readFile(dir); err != nil {
			return s, err
		}
	}
	// Mattermost takes MM_SECTION_KEY before what the configuration says.
	value := func(section, key string) string {
		if v := getenv("MM_" + strings.ToUpper(section+"_"+key)); v != "" {
			return v
		}
		text, _ := doc[strings.ToLower(section)][strings.ToLower(key)].(string)
		return text
	}
	for _, d := range directories() {
		at := value(d.section, d.key)
		if at == "" {
			at = d.fallback
		}
		if at == "" {
			continue
		}
		if err := s.add(dir, at, d.section+"."+d.key); err != nil {
			return s, err
		}
	}
	if driver := value("FileSettings", "DriverName"); driver != "" && driver != "local" {
		s.outside = append(s.outside, "files in "+driver+" (FileSettings.DriverName)")
	}
	s.listen = value("ServiceSettings", "ListenAddress")
	s.database = database(value("SqlSettings", "DriverName"), value("SqlSettings", "DataSource"))
	return s, nil
}

// readFile reads the settings from a file; keys are in lower case, as
// Mattermost does not look at their case either.
func (s *settings) readFile(dir string) (map[string]map[string]any, error) {
	file := s.where
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
		if _, err := os.Lstat(file); err != nil { // Mattermost looks in config as well
			file = filepath.Join(dir, "config", s.where)
		}
	}
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: --config says where the configuration is (the option -c or MM_CONFIG of Mattermost's service), or the database's URL if it is in there", file)
	}
	if err != nil {
		return nil, fmt.Errorf("can't read Mattermost's configuration: %w", err)
	}
	s.where = file
	s.editable = info.Mode().IsRegular() && file == filepath.Join(dir, configFile)
	b, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", file, err)
	}
	doc := map[string]map[string]any{}
	for section, text := range raw {
		var keys map[string]any
		if json.Unmarshal(text, &keys) != nil {
			continue // not a section; Mattermost judges it
		}
		low := map[string]any{}
		for k, v := range keys {
			low[strings.ToLower(k)] = v
		}
		doc[strings.ToLower(section)] = low
	}
	return doc, nil
}

func readConfig(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // the operator's own
	if err != nil {
		return nil, fmt.Errorf("can't read Mattermost's configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(b) > maxConfig {
		err = fmt.Errorf("%s has more than %s", file, size(maxConfig))
	}
	if err != nil {
		return nil, fmt.Errorf("can't read Mattermost's configuration: %w", err)
	}
	return b, nil
}

// add notes a directory that a setting names, seen from dir.
func (s *settings) add(dir, at, setting string) error {
	if !filepath.IsAbs(at) {
		at = filepath.Join(dir, at)
	}
	rel, err := filepath.Rel(dir, at)
	if err != nil {
		return fmt.Errorf("%s is %s, which can't be found: %w", setting, at, err)
	}
	rel = filepath.ToSlash(rel)
	switch {
	case rel == ".":
		return fmt.Errorf("%s is Mattermost's own directory, so its files can't be told from the program's; move it into one of its own first", setting)
	case filepath.IsLocal(rel):
		if !slices.ContainsFunc(s.inside, func(p place) bool { return p.path == rel }) {
			s.inside = append(s.inside, place{rel, setting})
		}
	default:
		if text := at + " (" + setting + ")"; !slices.Contains(s.outside, text) {
			s.outside = append(s.outside, text)
		}
	}
	return nil
}

// database names a database without the password that its source holds.
func database(driver, source string) string {
	const other = "what SqlSettings.DataSource names"
	switch {
	case driver == "" && source == "":
		return other
	case strings.HasPrefix(source, "postgres://"), strings.HasPrefix(source, "postgresql://"):
		u, err := url.Parse(source)
		if err != nil || u.Host == "" {
			return other
		}
		return fmt.Sprintf("%s at %s (PostgreSQL: pg_dump)", path.Base(u.Path), u.Host)
	case driver == "mysql":
		// user:password@tcp(host:3306)/name?… ; the last @ ends the password.
		rest := source[strings.LastIndex(source, "@")+1:]
		host, name, ok := strings.Cut(rest, ")/")
		_, host, in := strings.Cut(host, "(")
		if !ok || !in {
			return other
		}
		name, _, _ = strings.Cut(name, "?")
		return fmt.Sprintf("%s at %s (MySQL: mysqldump)", name, host)
	}
	return other
}
