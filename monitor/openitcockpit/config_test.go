// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"belfry/alert"
	"belfry/config"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

func TestValidate(t *testing.T) {
	for name, x := range map[string]struct{ yaml, field, says string }{
		"nothing":               {`{}`, "", ""},
		"all of it":             {`{url: "https://o.example/", api_key: k, link_url: "https://o.example:8443", pages: "/#!", ca_file: "", proxy: "http://p.example:3128", timeout: 3s, sticky: 0, notify: false, persistent: false}`, "", ""},
		"pages alone":           {`{link_url: "https://o.example"}`, "", ""},
		"no scheme":             {`{url: o.example}`, "url", "does not begin with http"},
		"a key in the address":  {`{url: "https://o.example/?apikey=k", api_key: k}`, "url", "has ? or #"},
		"a user in the address": {`{url: "https://u:p@o.example"}`, "url", "user name or password"},
		"a key for nobody":      {`{api_key: k}`, "url", "is missing"},
		"two keys":              {`{url: "https://o.example", api_key: k, api_key_file: /k}`, "api_key_file", "keep one of the two"},
		"a key of two lines":    {`{url: "https://o.example", api_key: "a\nb"}`, "api_key", "that no key has"},
		"a script as a link":    {`{link_url: "javascript:x"}`, "link_url", "does not begin with http"},
		"pages":                 {`{pages: "#"}`, "pages", "is not known"},
		"insecure and ca_file":  {`{url: "https://o.example", ca_file: /ca, insecure_skip_verify: true}`, "insecure_skip_verify", "ca_file is set too"},
		"insecure without TLS":  {`{url: "http://o.example", insecure_skip_verify: true}`, "insecure_skip_verify", "no effect"},
		"a proxy":               {`{proxy: "p.example:3128"}`, "proxy", "write it like"},
		"sticky":                {`{sticky: 1}`, "sticky", "1 is not known"},
		"timeout":               {`{timeout: 2h}`, "timeout", "is not between"},
	} {
		t.Run(name, func(t *testing.T) {
			var c Config
			if err := yaml.Unmarshal([]byte(x.yaml), &c); err != nil {
				t.Fatal(err)
			}
			wrong := c.Validate()
			if x.field == "" {
				if len(wrong) > 0 {
					t.Errorf("faults %v", wrong)
				}
				return
			}
			if _, err := c.Open(Options{}); err == nil {
				t.Error("it was opened all the same")
			}
			if len(wrong) != 1 {
				t.Fatalf("faults %v, want one", wrong)
			}
			f, ok := errors.AsType[*config.FieldError](wrong[0])
			if !ok || f.Field != x.field || !strings.Contains(f.Text, x.says) {
				t.Errorf("fault %v, want %s: …%s…", wrong[0], x.field, x.says)
			}
		})
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, x := range map[string]struct {
		c    Config
		says string
	}{
		"no key file":      {Config{URL: "https://o.example", APIKeyFile: filepath.Join(dir, "nosuch")}, "the api key"},
		"an odd key":       {Config{URL: "https://o.example", APIKeyFile: write("key", "a b")}, "that no key has"},
		"no certificates":  {Config{URL: "https://o.example", APIKey: "k", CAFile: filepath.Join(dir, "nosuch")}, "can't read ca_file"},
		"no PEM in a file": {Config{URL: "https://o.example", APIKey: "k", CAFile: write("ca", "x")}, "holds no certificate"},
	} {
		if _, err := x.c.Open(Options{Name: "oitc"}); err == nil || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), "source oitc") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A certificate of one's own authority is trusted by ca_file, and none is taken
// unseen unless that is written down. A proxy is gone through.
func TestCertificatesAndProxy(t *testing.T) {
	s := openitcockpittest.New(t, 0)
	web := s.Host("web01")
	safe := httptest.NewTLSServer(s)
	defer safe.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: safe.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	look := func(c Config) error {
		_, err := opened(t, c, Options{}).(monitor.StatusReader).Status(t.Context(), []alert.Object{hostObject(web)})
		return err
	}
	base := Config{URL: safe.URL, APIKey: openitcockpittest.Key}
	said(t, look(base), fault.Retry, "is not trusted", "ca_file")
	trusting, blind := base, base
	trusting.CAFile, blind.Insecure = ca, true
	if err := look(trusting); err != nil {
		t.Errorf("with ca_file: %v", err)
	}
	if err := look(blind); err != nil {
		t.Errorf("with insecure_skip_verify: %v", err)
	}
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host
		s.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	if err := look(Config{URL: "http://oitc.example", APIKey: openitcockpittest.Key, Proxy: proxy.URL}); err != nil || asked != "oitc.example" {
		t.Errorf("through a proxy: %v, asked for %q", err, asked)
	}
}
