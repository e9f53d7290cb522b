// SPDX-License-Identifier: Apache-2.0

package outward_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"belfry/outward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers over HTTPS with a certificate that nobody trusts; it returns
// the address and a file with the certificate.
func server(t *testing.T) (url, caFile string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// get calls url by a way and returns what was answered.
func get(t *testing.T, w outward.Way, url string) (string, error) {
	t.Helper()
	transport, err := w.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b), res.Body.Close()
}

func TestWhoIsTrusted(t *testing.T) {
	url, ca := server(t)
	for name, c := range map[string]struct {
		way  outward.Way
		want string
		says string
	}{
		"the system's":    {outward.Way{}, "", "certificate"},
		"the file's too":  {outward.Way{CAFile: ca}, "hello", ""},
		"anybody, if so":  {outward.Way{Insecure: true}, "hello", ""},
		"and kept open 4": {outward.Way{CAFile: ca, Connections: 4}, "hello", ""},
	} {
		got, err := get(t, c.way, url)
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTheProxyIsTaken(t *testing.T) {
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		_, _ = io.WriteString(w, "from the proxy")
	}))
	t.Cleanup(proxy.Close)
	got, err := get(t, outward.Way{Proxy: proxy.URL}, "http://chat.example.org/x")
	if err != nil || got != "from the proxy" || asked != "http://chat.example.org/x" {
		t.Errorf("%q, %v, asked for %q", got, err, asked)
	}
}

func TestFaultsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		way  outward.Way
		says string
	}{
		"no file":         {outward.Way{CAFile: filepath.Join(t.TempDir(), "none")}, "can't read ca_file"},
		"no certificates": {outward.Way{CAFile: file(t, "hello")}, "holds no certificate in PEM"},
		"endless":         {outward.Way{CAFile: file(t, strings.Repeat("x", 1<<20+1))}, "longer than 1 MB"},
		"no proxy":        {outward.Way{Proxy: "http://user:s3cret@[::1"}, "the proxy is not an address"},
	} {
		_, err := c.way.Transport()
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
