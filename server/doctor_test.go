// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/server"
)

// examiner tells what it was lent.
type examiner struct{ lent doctor.Lent }

func (e *examiner) Examine(_ context.Context, lent doctor.Lent) doctor.Report {
	e.lent = lent
	return doctor.NewReport(time.Now(), "1", []doctor.Finding{doctor.Good("pulse", "60")})
}

func TestAnExaminationIsOrderedOverTheSocket(t *testing.T) {
	const token = "a-token-of-an-administrator"
	var log bytes.Buffer
	e := &examiner{}
	s := server.New(server.Options{Doctor: e, Log: slog.New(slog.NewTextHandler(&log, nil)), Ready: func(context.Context) error { return nil }})
	ask := func(h http.Handler, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/doctor", strings.NewReader(body)))
		return w
	}
	w := ask(s.SocketHandler(), `{"admin_token":"`+token+`","connection":"chat"}`)
	var r doctor.Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Level != doctor.OK || len(r.Findings) != 1 {
		t.Errorf("%v: %s", err, w.Body)
	}
	if e.lent.Connection != "chat" || e.lent.Token == nil || e.lent.Token.Reveal() != token {
		t.Error("what was lent did not arrive")
	}
	secrettest.Check(t, token, log.String(), w.Body.String(), e.lent.Token)
	if ask(s.SocketHandler(), `{}`); e.lent.Token != nil {
		t.Error("nothing was lent, and something arrived")
	}
	for _, body := range []string{"", "no", strings.Repeat(" ", 8<<10)} {
		if w := ask(s.SocketHandler(), body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "belfry doctor --help") {
			t.Errorf("%.10q: %d %s", body, w.Code, w.Body)
		}
	}
	if w := ask(s.Handler(), `{}`); w.Code == http.StatusOK {
		t.Error("an examination can be ordered over the network")
	}
}
