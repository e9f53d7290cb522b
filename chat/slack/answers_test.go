// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/fault"

	"github.com/google/go-cmp/cmp"
)

// fromTheReference opens a connection to a server that answers each method as
// Slack's reference shows it; asked notes what it was asked.
func fromTheReference(t *testing.T, instead map[string]string) (p *slack.Platform, asked map[string]string) {
	t.Helper()
	asked = map[string]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := path.Base(r.URL.Path)
		_ = r.ParseForm()
		asked[method] = r.PostForm.Encode()
		name := method
		if instead[method] != "" {
			name = instead[method]
		}
		body, err := os.ReadFile(filepath.Join("testdata", "api", name+".json")) //nolint:gosec // our own testdata
		if err != nil {
			t.Errorf("nothing is known of %s", method)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	c := &slack.Config{URL: srv.URL, Token: "xoxb-reference", SigningSecret: "reference"}
	p, err := c.Open(slack.Options{Name: "main"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	return p, asked
}

// TestAnswersOfTheReference: what Slack's documentation shows is understood.
func TestAnswersOfTheReference(t *testing.T) {
	p, asked := fromTheReference(t, nil)
	m := golden["card"]
	m.Mentions = []string{"spengler", "admins", "marketing-team"}
	ref, err := p.Post(t.Context(), chat.Post{Channel: "random", Key: "k1", Message: m})
	if err != nil || ref != (chat.Ref{Channel: "C061EG9T2", Post: "1503435956.000247"}) {
		t.Errorf("posted at %+v, %v", ref, err)
	}
	for _, want := range []string{"W012A3CDE", "S0614TZR7", "%40marketing-team"} {
		if !strings.Contains(asked["chat.postMessage"], want) {
			t.Errorf("%s is not rung in %s", want, asked["chat.postMessage"])
		}
	}
	if err := p.Update(t.Context(), ref, "k1", golden["recovered"]); err != nil {
		t.Error(err)
	}
	found, ok, err := p.Find(t.Context(), "random", "abcdefghijklmnopqrstuvwxyz", time.Unix(1512085000, 0))
	if want := (chat.Ref{Channel: "C061EG9T2", Post: "1512104434.000490"}); err != nil || !ok || found != want {
		t.Errorf("found %+v, %v, %v", found, ok, err)
	}
	if report, err := p.SelfCheck(t.Context()); err != nil || !strings.Contains(report, "Subarachnoid Workspace") {
		t.Errorf("%q, %v", report, err)
	}
	refused, err := p.Invite(t.Context(), "C061EG9T2", []string{"U012ABCDEF", "W23456789", "U061F7AUR"})
	if diff := cmp.Diff([]chat.Refusal{{Person: "U012ABCDEF", Why: "is not known in this workspace"}}, refused); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	if err := p.Bookmark(t.Context(), "C061EG9T2", nil); err != nil {
		t.Errorf("a person's bookmark was to be taken away: %v", err)
	}
}

// TestWhatIsWrongWithBlocksIsTold: Slack's list of what it does not take is kept.
func TestWhatIsWrongWithBlocksIsTold(t *testing.T) {
	p, _ := fromTheReference(t, map[string]string{"chat.postMessage": "invalid_blocks"})
	_, err := p.Post(t.Context(), chat.Post{Channel: "C061EG9T2", Key: "k1", Message: golden["recovered"]})
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]") {
		t.Errorf("%v: %v", d, err)
	}
}
