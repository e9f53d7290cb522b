// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/fault"
	"belfry/notify/notifytest"
)

func TestWhatAnswersMean(t *testing.T) {
	s := server{base: &url.URL{Scheme: "http", Host: "b"}, source: "nagios"}
	for status, want := range map[int]fault.Decision{
		200: fault.None, 201: fault.None, 202: fault.None, 204: fault.None,
		301: fault.Retry, 302: fault.Retry, 307: fault.Retry,
		400: fault.Permanent, 413: fault.Permanent, 415: fault.Permanent, 422: fault.Permanent,
		401: fault.Retry, 403: fault.Retry, 404: fault.Retry, 405: fault.Retry, 408: fault.Retry,
		429: fault.RetryAfter, 500: fault.Unknown, 502: fault.Unknown, 503: fault.Unknown, 504: fault.Unknown,
	} {
		if got, _ := fault.Of(s.judge(status, http.Header{}, "")); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
}

func TestWhatAnAnswerSaysForPeople(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"no such\nsource"}`: "no such source",
		"<!doctype html>\n<html><head><title>502 Bad&amp;\nGateway</title></head><body>nginx</body></html>": "502 Bad& Gateway",
		"<html><body>no title</body></html>": "",
		"plain\ttext":                        "plain text",
		"":                                   "",
	} {
		if got := reason([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestASlowServerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.server.Fail(notifytest.Hang)
	code, said := e.problem("x")
	if code != ExitDone || !strings.Contains(said, "no answer from "+e.server.URL+" in time") {
		t.Errorf("exit %d, said %q", code, said)
	}
	if e.waiting() != 1 {
		t.Error("not kept")
	}
}

func TestOverHTTPSWithACertificateOfOnesOwn(t *testing.T) {
	var paths []string
	https := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Host+r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer https.Close()
	e := newEstate(t)
	e.env["BELFRY_URL"], e.env["BELFRY_SOURCE"] = https.URL+"/belfry/", "core2"
	if code, said := e.problem("untrusted"); code != ExitDone || !strings.Contains(said, "certificate") {
		t.Errorf("exit %d, said %q", code, said)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: https.Certificate().Raw}), 0o600))
	e.env["BELFRY_CA_FILE"] = ca
	if code, said := e.problem("trusted"); code != ExitDone || said != "" {
		t.Errorf("exit %d, said %q", code, said)
	}
	want := strings.TrimPrefix(https.URL, "https://") + "/belfry/intake/core2"
	if len(paths) != 1 || paths[0] != want {
		t.Errorf("posted to %v, want once to %s", paths, want)
	}
}

func TestOverAUnixSocketNoTokenIsNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	server, err := notifytest.Start("unix", path, "")
	must(t, err)
	defer server.Stop()
	e := newEstate(t)
	delete(e.env, "BELFRY_TOKEN_FILE")
	e.env["BELFRY_SOCKET"] = path
	if code, said := e.problem("by socket"); code != ExitDone || said != "" {
		t.Errorf("exit %d, said %q", code, said)
	}
	if n := len(server.Taken()); n != 1 {
		t.Errorf("%d taken over the socket, want 1", n)
	}
}

// TestAnswersThatAreNoHTTP lets a listener answer with other things.
func TestAnswersThatAreNoHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":     "",
		"ssh":         "SSH-2.0-OpenSSH_9.2\r\n",
		"half":        "HTTP/1.1 200",
		"long header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxAnswer),
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer func() { _ = ln.Close() }()
			go func() {
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = conn.Write([]byte(answer))
					_ = conn.Close()
				}
			}()
			e := newEstate(t)
			e.env["BELFRY_URL"] = "http://" + ln.Addr().String()
			if code, said := e.problem("x"); code != ExitDone || !strings.Contains(said, "no answer from") || strings.Count(said, "\n") != 1 {
				t.Errorf("exit %d, said %q", code, said)
			}
			if e.waiting() != 1 {
				t.Error("not kept")
			}
		})
	}
}

func TestInterimAnswersAreNotTheAnswer(t *testing.T) {
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		time.Sleep(time.Millisecond)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer early.Close()
	e := newEstate(t)
	e.env["BELFRY_URL"] = early.URL
	if code, said := e.problem("x"); code != ExitDone || !strings.Contains(said, "answered 503") {
		t.Errorf("exit %d, said %q", code, said)
	}
}
