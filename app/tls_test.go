// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"belfry/app"
	"belfry/config"
	"belfry/store/opentest"
	"belfry/tlscert"
)

func TestItSpeaksHTTPSItself(t *testing.T) {
	dir := opentest.Dir(t)
	f := file(t, "server: {tls: {self_signed: true}}\n")
	a := start(t, f, dir)
	defer stop(t, a)
	if !strings.HasPrefix(a.URL(), "https://127.0.0.1:") || a.Local() != a.URL() {
		t.Errorf("people are led to %s and hosts to %s", a.URL(), a.Local())
	}
	found, err := tlscert.Look(tlscert.Options{TLS: config.TLS{SelfSigned: true}, Data: dir})
	if err != nil || found[0].Authority == nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(found[0].Authority)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer tr.CloseIdleConnections()
	page, err := (&http.Client{Transport: tr}).Get(a.SetupLink())
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if page.StatusCode != http.StatusOK || page.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s, headers %v", page.Status, page.Header)
	}
	for _, c := range page.Cookies() {
		if !c.Secure {
			t.Errorf("cookie %s travels in clear, too", c.Name)
		}
	}
	if err := a.Reload(f); err != nil {
		t.Error(err)
	}
	if plain, err := http.Get("http://" + a.Address() + "/livez"); err != nil || plain.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v %v", plain, err)
	} else {
		_ = plain.Body.Close()
	}
}

func TestATLSFaultEndsTheStart(t *testing.T) {
	f := file(t, "server: {tls: {cert_file: /nowhere/c.pem, key_file: /nowhere/k.pem}}\n")
	if _, err := app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t)}); err == nil || !strings.Contains(err.Error(), "/nowhere/c.pem") {
		t.Errorf("got %v", err)
	}
}
