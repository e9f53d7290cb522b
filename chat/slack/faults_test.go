// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/fault"
	"belfry/seal"
)

// documented are the error codes that Slack's reference lists for the two
// methods that matter most, as of docs.slack.dev/reference/methods/chat.postMessage
// and /chat.update (also kept by slack-ruby/slack-api-ref, methods/chat/*.json,
// and, for the newer ones, in hex.pm's slack_kit 1.0.0-alpha.0,
// priv/docs/methods/chat.postMessage.json). What is left out can only come from
// arguments that are never sent (as_user, file_ids, markdown_text, reply_broadcast,
// streaming) or says nothing but "malformed call".
var documented = map[string]fault.Decision{
	"channel_not_found": fault.Permanent, "not_in_channel": fault.Permanent, "is_archived": fault.Permanent, "is_inactive": fault.Permanent,
	"msg_too_long": fault.Permanent, "msg_blocks_too_long": fault.Permanent, "no_text": fault.Permanent,
	"restricted_action": fault.Permanent, "restricted_action_read_only_channel": fault.Permanent,
	"restricted_action_thread_only_channel": fault.Permanent, "restricted_action_non_threadable_channel": fault.Permanent,
	"too_many_attachments": fault.Permanent, "invalid_blocks": fault.Permanent, "invalid_blocks_format": fault.Permanent,
	"invalid_attachments": fault.Permanent, "block_mismatch": fault.Permanent, "cant_update_message": fault.Permanent,
	"edit_window_closed": fault.Permanent, "metadata_too_large": fault.Permanent, "invalid_metadata_format": fault.Permanent,
	"invalid_metadata_schema": fault.Permanent, "no_permission": fault.Permanent, "access_denied": fault.Permanent,
	"team_access_not_granted": fault.Permanent, "enterprise_is_restricted": fault.Permanent, "messages_tab_disabled": fault.Permanent,
	"message_limit_exceeded": fault.Permanent,
	"ekm_access_denied":      fault.Retry, "not_authed": fault.Retry, "invalid_auth": fault.Retry, "account_inactive": fault.Retry,
	"token_revoked": fault.Retry, "token_expired": fault.Retry, "missing_scope": fault.Retry, "not_allowed_token_type": fault.Retry,
	"two_factor_setup_required": fault.Retry, "org_login_required": fault.Retry, "team_added_to_org": fault.Retry,
	"request_timeout": fault.Retry, "service_unavailable": fault.Retry, "accesslimited": fault.Retry, "external_channel_migrating": fault.Retry,
	"ratelimited": fault.RetryAfter, "rate_limited": fault.RetryAfter,
	"message_not_found": fault.Gone, "thread_not_found": fault.Gone, "cannot_reply_to_message": fault.Gone,
	"fatal_error": fault.Unknown, "internal_error": fault.Unknown, "update_failed": fault.Unknown,
}

// TestEveryDocumentedCodeIsDecided has Slack answer a post with each code.
func TestEveryDocumentedCodeIsDecided(t *testing.T) {
	known := slack.Decisions()
	c := connect(t)
	for code, want := range documented {
		if got, ok := known[code]; !ok || got != want {
			t.Errorf("%s is %v in the table (%v), want %v", code, got, ok, want)
		}
		c.clock.Advance(2 * time.Second)
		c.fake.FailBefore(1, code)
		_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]})
		if got, _ := fault.Of(err); got != want {
			t.Errorf("%s is %v, want %v: %v", code, got, want, err)
		}
		if err == nil || !strings.Contains(err.Error(), code) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s is told as %v", code, err)
		}
	}
	for code := range known {
		if _, ok := documented[code]; !ok {
			t.Errorf("%s is decided and not documented", code)
		}
	}
	if n := len(c.fake.Room("ops").Cards()); n != 0 {
		t.Errorf("%d messages stand in the channel", n)
	}
}

// TestAnUnknownCodeIsShownToTheAdministrator: what Slack may say tomorrow.
func TestAnUnknownCodeIsShownToTheAdministrator(t *testing.T) {
	c := connect(t)
	c.fake.FailBefore(1, "brand_new_refusal")
	_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]})
	if got, _ := fault.Of(err); got != fault.Permanent || !strings.Contains(err.Error(), "brand_new_refusal") {
		t.Errorf("%v: %v", got, err)
	}
}

// TestMissingScopeNamesIt: what is missing and what is there stand in the error.
func TestMissingScopeNamesIt(t *testing.T) {
	c := connect(t)
	c.fake.Grant("channels:read", "groups:read")
	_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]})
	if got, _ := fault.Of(err); got != fault.Retry || !strings.Contains(err.Error(), "needs the scope chat:write") ||
		!strings.Contains(err.Error(), "channels:read,groups:read") {
		t.Errorf("%v: %v", got, err)
	}
}

// TestWhatSlackCarriesOutLateIsPostedOnce: the caller is gone, and the call is not.
func TestWhatSlackCarriesOutLateIsPostedOnce(t *testing.T) {
	late := make(chan []byte, 1)
	var target string
	before := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.HasSuffix(r.URL.Path, "chat.postMessage") && len(late) == 0 && target != "" {
			late <- body
			panic(http.ErrAbortHandler)
		}
		u, err := url.Parse(target)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		httputil.NewSingleHostReverseProxy(u).ServeHTTP(w, r)
	}))
	t.Cleanup(before.Close)
	c := connectTo(t, slacktest.Options{}, func(c *slack.Config) {
		target = strings.TrimSuffix(c.URL, "/api")
		c.URL = before.URL + "/api"
	})
	p := chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]}
	if _, err := c.Post(t.Context(), p); !is(err, fault.Unknown) {
		t.Fatal(err)
	}
	c.clock.Advance(time.Second)
	if _, err := c.Post(t.Context(), p); !is(err, fault.RetryAfter) {
		t.Fatalf("a second later: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target+"/api/chat.postMessage", bytes.NewReader(<-late))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+c.fake.Token())
	done, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := done.Body.Close(); err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(time.Minute)
	if ref, err := c.Post(t.Context(), p); err != nil || ref.Post == "" {
		t.Errorf("%+v, %v", ref, err)
	}
	if n := len(c.fake.Room("ops").Cards()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func is(err error, want fault.Decision) bool {
	got, _ := fault.Of(err)
	return got == want
}

// TestAfterInternalErrorTheChannelIsAsked: one message, whether it arrived or not.
func TestAfterInternalErrorTheChannelIsAsked(t *testing.T) {
	for _, code := range []string{"internal_error", "fatal_error"} {
		for name, fail := range map[string]func(*connection){
			"arrived":     func(c *connection) { c.fake.FailAfter(1, code) },
			"not arrived": func(c *connection) { c.fake.FailBefore(1, code) },
		} {
			c := connect(t)
			p := chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]}
			fail(c)
			_, err := c.Post(t.Context(), p)
			if got, _ := fault.Of(err); got != fault.Unknown {
				t.Errorf("%s, %s: %v", code, name, err)
			}
			before := len(c.fake.Calls("conversations.history"))
			c.clock.Advance(time.Minute) // nothing comes that late
			ref, err := c.Post(t.Context(), p)
			if err != nil || ref.Post == "" {
				t.Errorf("%s, %s: the repetition: %+v, %v", code, name, ref, err)
			}
			if len(c.fake.Calls("conversations.history")) == before {
				t.Errorf("%s, %s: it was repeated without asking", code, name)
			}
			if n := len(c.fake.Room("ops").Cards()); n != 1 {
				t.Errorf("%s, %s: %d messages", code, name, n)
			}
		}
	}
}

// scoped posts and says how far the wait that comes back reaches.
func scoped(t *testing.T, c *connection, channel string) (fault.Scope, time.Duration) {
	t.Helper()
	_, err := c.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: golden["recovered"]})
	got, after := fault.Of(err)
	if got != fault.RetryAfter {
		t.Fatalf("%v: %v", got, err)
	}
	return fault.ScopeOf(err), after
}

// TestAWaitReachesAsFarAsSlackMeantIt: one channel, and when a second is
// refused meanwhile, the workspace.
func TestAWaitReachesAsFarAsSlackMeantIt(t *testing.T) {
	c := connect(t)
	for _, name := range []string{"dev", "net"} {
		c.fake.AddChannel(name)
	}
	c.fake.RateLimit(7 * time.Second)
	if scope, after := scoped(t, c, "C0AAAAAAAA1"); scope != fault.Destination || after != 7*time.Second {
		t.Errorf("the first: %v, %v", scope, after)
	}
	n := len(c.fake.Calls("chat.postMessage"))
	if scope, _ := scoped(t, c, "C0AAAAAAAA1"); scope != fault.Destination || len(c.fake.Calls("chat.postMessage")) != n {
		t.Errorf("the channel was tried again within its wait (%v)", scope)
	}
	if scope, _ := scoped(t, c, "C0AAAAAAAA2"); scope != fault.Connection {
		t.Errorf("the second channel: %v", scope)
	}
	n = len(c.fake.Calls("chat.postMessage"))
	if scope, _ := scoped(t, c, "C0AAAAAAAA3"); scope != fault.Connection || len(c.fake.Calls("chat.postMessage")) != n {
		t.Errorf("the workspace was tried within its wait (%v)", scope)
	}
	c.fake.Unlimited()
	c.clock.Advance(8 * time.Second)
	if _, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]}); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// TestEditsThatMustWaitHoldUpNoNewCards: chat.update has a limit of its own.
func TestEditsThatMustWaitHoldUpNoNewCards(t *testing.T) {
	c := connect(t)
	ref, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: "k1", Message: golden["recovered"]})
	if err != nil {
		t.Fatal(err)
	}
	c.fake.RateLimit(9 * time.Second)
	err = c.Update(t.Context(), ref, "k1", golden["card"])
	if got, after := fault.Of(err); got != fault.RetryAfter || after != 9*time.Second || fault.ScopeOf(err) != fault.This {
		t.Errorf("%v, %v, scope %v: %v", got, after, fault.ScopeOf(err), err)
	}
	c.fake.Unlimited()
	if err = c.Update(t.Context(), ref, "k1", golden["card"]); fault.ScopeOf(err) != fault.This || len(c.fake.Calls("chat.update")) != 1 {
		t.Errorf("chat.update was called within its wait: %v", err)
	}
	if _, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: "k2", Message: golden["recovered"]}); err != nil {
		t.Errorf("a new card had to wait for edits: %v", err)
	}
	c.clock.Advance(10 * time.Second)
	if err := c.Update(t.Context(), ref, "k1", golden["card"]); err != nil {
		t.Error(err)
	}
}
