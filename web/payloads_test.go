// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/store"
)

// replay understands what says "mended".
func (s *site) replay(ctx context.Context, id alert.ID) (string, bool, error) {
	p, err := s.store.Payload(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", false, errors.New("it is gone")
	case err != nil:
		return "", true, err
	case !strings.Contains(string(p.Body), "mended"):
		return "", false, errors.New("still not understood: b is missing")
	}
	return "It made 1 alert.", false, s.store.DropPayload(ctx, id)
}

func (s *site) payload(body string) string {
	s.t.Helper()
	p, _, err := s.store.KeepPayload(s.t.Context(), store.Payload{Source: "kuma", ContentType: "application/json", Fault: "a is <b>null</b>", Body: []byte(body)})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(p.ID)
}

func TestPayloadsAreShownLiterallyAndReplayed(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	b.get("/payloads").want(t, 200, "None. What a tool sends")
	hostile := s.payload(`{"a":"</pre><script>alert(1)</script>` + "\x1b[31m" + `"}`)
	mended := s.payload(`{"mended":true}`)
	p := b.get("/payloads").want(t, 200, "kuma", "a is <b>null</b>", "application/json", "Replay")
	shown := b.get("/payloads/"+hostile).want(t, 200, "</pre><script>alert(1)</script>␛[31m", "a is <b>null</b>")
	if strings.Contains(p.body+shown.body, "<script>alert") || strings.Contains(p.body+shown.body, "<b>null") {
		t.Error("what was sent is not shown literally")
	}
	b.get("/payloads/"+s.payload("\xff\xfe")).want(t, 200, "not text in UTF-8")

	b.post("/payloads/replay", "id", hostile).leadsTo(t, "/payloads")
	b.get("/payloads").want(t, 200, "still not understood: b is missing")
	b.post("/payloads/replay", "id", mended).leadsTo(t, "/payloads")
	b.get("/payloads").want(t, 200, "It made 1 alert.")
	b.get("/payloads/"+mended).want(t, 404, "no longer kept")
	b.post("/payloads/remove", "id", hostile).leadsTo(t, "/payloads")
	b.post("/payloads/remove", "id", hostile).leadsTo(t, "/payloads")
	b.get("/payloads/"+hostile).want(t, 404)
	for _, id := range []string{"", "x", "-1"} {
		b.post("/payloads/replay", "id", id).want(t, 400)
		b.post("/payloads/remove", "id", id).want(t, 400)
	}
	b.get("/payloads/x").want(t, 404)
}

func TestPayloadsAreForAdministrators(t *testing.T) {
	s := open(t, nil)
	member := s.letIn(s.setUp("alice"), "bob")
	id := s.payload("{}")
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/payloads", "/payloads/" + id} {
		if p := member.get(path); p.status == 200 || strings.Contains(p.body, "null") {
			t.Errorf("%s: %d", path, p.status)
		}
		if p := s.browser().get(path); p.status == 200 {
			t.Errorf("%s for a stranger: %d", path, p.status)
		}
	}
	member.post("/payloads/remove", "id", id)
	if _, err := s.store.Payload(t.Context(), alert.ID(number)); err != nil {
		t.Errorf("a member removed one: %v", err)
	}
}
