// SPDX-License-Identifier: Apache-2.0

package mattermosttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a server with a channel ops and somebody who talks to its API.
type site struct {
	*mattermosttest.Server
	t     *testing.T
	clock *clock.Manual
	http  *http.Client
	token string
	ops   string
}

func start(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)), http: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(s.http.CloseIdleConnections)
	s.Server = mattermosttest.Start(t, mattermosttest.Options{Clock: s.clock, WriteTime: 5 * time.Millisecond})
	s.ops, s.token = s.AddChannel("ops").ID, s.Token()
	return s
}

type answer struct {
	Status int    `json:"-"`
	ID     string `json:"id"`
	Order  []string
	Posts  map[string]struct {
		DeleteAt int64 `json:"delete_at"`
		Message  string
	}
	Message  string
	Props    map[string]any
	DeleteAt int64 `json:"delete_at"`
	Username string
	header   http.Header
	raw      string
}

// call talks to the API as the site's token.
func (s *site) call(method, path, body string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+"/api/v4"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{Status: res.StatusCode, header: res.Header, raw: string(raw)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a); err != nil {
			s.t.Fatalf("%s: %v", raw, err)
		}
		a.Status = res.StatusCode
	}
	return a
}

// wants checks a status and an error id.
func (s *site) wants(a answer, status int, id string) {
	s.t.Helper()
	if a.Status != status || a.ID != id {
		s.t.Errorf("the answer is %d %s, not %d %s", a.Status, a.ID, status, id)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(a.raw), &body); err != nil || body["detailed_error"] != "" || body["request_id"] != a.header.Get("X-Request-Id") ||
		body["status_code"] != float64(status) {
		s.t.Errorf("the error body is %s", a.raw)
	}
}

func (s *site) post(message, more string) answer {
	s.t.Helper()
	return s.call("POST", "/posts", fmt.Sprintf(`{"channel_id":%q,"message":%q%s}`, s.ops, message, more))
}

func TestErrors(t *testing.T) {
	s := start(t)
	unknown := strings.Repeat("a", 26)
	first := s.post("first", "")
	if first.Status != 201 || !strings.HasPrefix(first.header.Get("X-Version-Id"), "5.37.0.") {
		t.Fatalf("%+v", first)
	}
	s.wants(s.call("POST", "/posts", `{"channel_id":"`+unknown+`","message":"x"}`), 403, "api.context.permissions.app_error")
	s.wants(s.call("POST", "/posts", `{"channel_id":"x","message":"x"}`), 403, "api.context.permissions.app_error")
	s.wants(s.post(strings.Repeat("ü", 16384), ""), 400, "model.post.is_valid.msg.app_error")
	if a := s.post(strings.Repeat("ü", 16383), ""); a.Status != 201 {
		t.Errorf("16383 runes: %d", a.Status)
	}
	s.wants(s.post("x", `,"props":{"a":"`+strings.Repeat("ü", 8000)+`"}`), 400, "model.post.is_valid.props.app_error")
	s.wants(s.post("x", `,"props":{"a":"`+strings.Repeat("<", 1340)+`"}`), 400, "model.post.is_valid.props.app_error")
	if a := s.post("x", `,"props":{"a":"`+strings.Repeat("ü", 7900)+`"}`); a.Status != 201 {
		t.Errorf("7900 runes of props: %d", a.Status)
	}
	s.wants(s.post("x", `,"root_id":"`+unknown+`"`), 400, "api.post.create_post.root_id.app_error")
	s.wants(s.call("POST", "/posts/ephemeral", `{}`), 403, "api.context.permissions.app_error")
	s.wants(s.call("GET", "/teams/name/"+mattermosttest.Team+"/channels/name/Ops", ""), 404, "app.channel.get_by_name.missing.app_error")
	s.wants(s.call("GET", "/users/"+unknown, ""), 404, "app.user.missing_account.const")
	s.wants(s.call("GET", "/nothing", ""), 404, "api.context.404.app_error")
	if a := s.call("GET", "/users/me", ""); a.Username != mattermosttest.Bot {
		t.Errorf("we are %q", a.Username)
	}

	s.DeletePost(first.ID)
	s.wants(s.call("GET", "/posts/"+first.ID, ""), 404, "app.post.get.app_error")
	s.wants(s.call("PUT", "/posts/"+first.ID+"/patch", `{"message":"x"}`), 403, "api.context.permissions.app_error")
	s.wants(s.post("x", `,"root_id":"`+first.ID+`"`), 400, "api.post.create_post.root_id.app_error")

	second := s.post("second", "")
	s.ArchiveChannel("ops")
	s.wants(s.post("x", ""), 400, "api.post.create_post.can_not_post_to_deleted.error")
	s.wants(s.call("PUT", "/posts/"+second.ID+"/patch", `{"message":"x"}`), 400, "api.post.patch_post.can_not_update_post_in_deleted.error")
	if a := s.call("GET", "/teams/name/"+mattermosttest.Team+"/channels/name/ops", ""); a.Status != 200 || a.DeleteAt == 0 {
		t.Errorf("an archived channel by name: %+v", a)
	}
	s.Leave(mattermosttest.Bot, "ops")
	s.wants(s.post("x", ""), 403, "api.context.permissions.app_error")
	s.wants(s.call("GET", "/channels/"+s.ops+"/posts", ""), 403, "api.context.permissions.app_error")
	s.RevokeToken()
	s.wants(s.call("GET", "/users/me", ""), 401, "api.context.session_expired.app_error")
	s.token = ""
	s.wants(s.call("GET", "/users/me", ""), 401, "api.context.session_expired.app_error")
}

func TestRateLimit(t *testing.T) {
	s := start(t)
	s.RateLimit(10, 2)
	for range 2 {
		if a := s.post("x", ""); a.Status != 201 || a.header.Get("X-Ratelimit-Limit") == "" {
			t.Fatalf("within the burst: %+v", a)
		}
	}
	a := s.post("x", "")
	if a.Status != 429 || a.header.Get("Retry-After") != "1" || strings.TrimSpace(a.raw) != "limit exceeded" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") || a.header.Get("X-Ratelimit-Remaining") != "0" {
		t.Errorf("beyond the burst: %+v", a)
	}
	if a := s.call("GET", "/system/ping", ""); a.Status != 429 {
		t.Errorf("the ping has a bucket of its own: %d", a.Status)
	}
	s.clock.Advance(time.Second)
	if a := s.post("x", ""); a.Status != 201 {
		t.Errorf("a second later: %d", a.Status)
	}
}

func TestPendingPostID(t *testing.T) {
	s := start(t)
	const key = `,"pending_post_id":"k1"`
	var mu sync.Mutex
	ids, refused := map[string]int{}, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a := s.post("x", key)
			mu.Lock()
			defer mu.Unlock()
			if a.Status == 500 && a.ID == "api.post.deduplicate_create_post.pending" {
				refused++
				return
			}
			ids[a.ID]++
		})
	}
	wg.Wait()
	if len(ids) != 1 || s.PostsIn("ops") != 1 || refused == 0 {
		t.Errorf("8 at once: %v, %d refused as pending, %d posts", ids, refused, s.PostsIn("ops"))
	}
	s.clock.Advance(26 * time.Second)
	s.token = s.UserToken("bob") // the key is global
	if a := s.post("y", key); ids[a.ID] == 0 {
		t.Errorf("after 26 s bob gets %+v", a)
	}
	s.clock.Advance(5 * time.Second)
	if a := s.post("y", key); a.Status != 201 || ids[a.ID] != 0 {
		t.Errorf("after 31 s: %+v", a)
	}
	// A failed create frees the key.
	s.post(strings.Repeat("x", 20_000), `,"pending_post_id":"k2"`)
	if a := s.post("fits", `,"pending_post_id":"k2"`); a.Status != 201 {
		t.Errorf("after a failed create: %+v", a)
	}
}

func TestFaults(t *testing.T) {
	s := start(t)
	s.Fail5xxBefore(1)
	if a := s.post("x", ""); a.Status != 500 || s.PostsIn("ops") != 0 {
		t.Errorf("before: %d, %d posts", a.Status, s.PostsIn("ops"))
	}
	s.Fail5xxAfter(1)
	if a := s.post("x", ""); a.Status != 500 || s.PostsIn("ops") != 1 {
		t.Errorf("after: %d, %d posts", a.Status, s.PostsIn("ops"))
	}
	s.TimeoutAfterAccepting(1)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/api/v4/posts", strings.NewReader(`{"channel_id":"`+s.ops+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if res, err := s.http.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("the lost answer arrived")
	}
	if s.PostsIn("ops") != 2 {
		t.Errorf("%d posts", s.PostsIn("ops"))
	}
	addr := s.Addr()
	s.Stop()
	s.http.CloseIdleConnections()
	if res, err := s.http.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("a stopped server answers")
	}
	s.Restart()
	if s.Addr() != addr || s.post("x", "").Status != 201 {
		t.Error("the server did not come back as it was")
	}
}

// TestRings holds the fake to what rang people on the real server.
func TestRings(t *testing.T) {
	s := start(t)
	for text, want := range map[string]string{
		"@alice": "alice", "hi @ALICE.": "alice", `\@alice`: "alice", "&#64;alice": "alice", "[@alice](http://x)": "alice", "`@alice": "alice",
		"**@channel** @here": "channel here", "x @all's": "all", "~~@bob~~": "bob", "a**@bob**": "bob", "@alice-x": "alice",
		"`@alice`": "", "```\n@alice\n```": "", "@\u200balice": "", "@\u2060alice": "", "root@alice": "", "@nobody-we-know": "",
		"    @alice": "",
	} {
		for name, more := range map[string]string{"message": "", "text": "text", "pretext": "pretext", "title": "title", "footer": "footer", "fallback": "fallback"} {
			message, props := text, ""
			if more != "" {
				encoded, err := json.Marshal(text)
				if err != nil {
					t.Fatal(err)
				}
				message, props = "", `,"props":{"attachments":[{"`+more+`":`+string(encoded)+`}]}`
			}
			expect := want
			if name == "title" || name == "footer" || name == "fallback" {
				expect = ""
			}
			s.post(message, props)
			cards := s.Room("ops").Cards()
			if got := strings.Join(cards[len(cards)-1].Rings(), " "); got != expect {
				t.Errorf("%q as %s rings %q, not %q", text, name, got, expect)
			}
		}
	}
	quiet := s.post("quiet", "")
	s.call("PUT", "/posts/"+quiet.ID+"/patch", `{"message":"@channel edited"}`)
	if got := s.Room("ops").Card("edited").Rings(); len(got) != 0 {
		t.Errorf("an edit rings %q", got)
	}
}

func TestRead(t *testing.T) {
	for source, want := range map[string]mattermosttest.Reading{
		"plain\ntwo lines":            {Text: "plain\ntwo lines"},
		"**b** *i* ~~s~~":             {Text: "b i s", Looks: []string{"bold: ", "italic: ", "strike: "}},
		`\*x\* \_y`:                   {Text: "*x* _y"},
		`\<x \\y`:                     {Text: `\<x \\y`}, // as the web app shows it
		"[t](https://e.example)":      {Text: "t", Links: []string{"https://e.example"}},
		"see www.e.example":           {Text: "see www.e.example", Links: []string{"www.e.example"}},
		"host.org/x":                  {Text: "host.org/x", Links: []string{"host.org/x"}},
		":tada: 10:00:05":             {Text: ":tada: 10:00:05", Looks: []string{"emoji: :tada:"}},
		"#tag ~town #1":               {Text: "#tag ~town #1", Looks: []string{"hashtag: #tag", "channel:  ~town"}},
		"$x$ &#36;y$":                 {Text: "$x$ $y$", Looks: []string{"latex: $x$"}},
		"# h":                         {Text: "h", Looks: []string{"heading: h"}},
		"````\n```\n@x\n````":         {Text: "```\n@x", Looks: []string{"code: ```\n@x"}},
		"<b>x</b>":                    {Text: "<b>x</b>"},
		"| a |\n|---|\n| b |":         {Text: "a\nb", Looks: []string{"table: "}},
		"&lt;b&gt; &amp;copy; &copy;": {Text: "<b> &copy; ©"},
	} {
		if diff := cmp.Diff(want, mattermosttest.Read(source)); diff != "" {
			t.Errorf("%q: %s", source, diff)
		}
	}
}

func TestListings(t *testing.T) {
	s := start(t)
	var ids []string
	for i := range 5 {
		s.clock.Advance(time.Second)
		ids = append(ids, s.post(fmt.Sprint(i), "").ID)
	}
	s.clock.Advance(time.Second)
	now := s.clock.Now().UnixMilli()
	s.DeletePost(ids[1])
	a := s.call("GET", fmt.Sprintf("/channels/%s/posts?since=%d", s.ops, now-1500), "")
	if diff := cmp.Diff([]string{ids[4], ids[1]}, a.Order); diff != "" || a.Posts[ids[1]].DeleteAt == 0 || a.Posts[ids[1]].Message != "" {
		t.Errorf("since: %s %+v", diff, a)
	}
	a = s.call("GET", "/channels/"+s.ops+"/posts?per_page=2", "")
	if diff := cmp.Diff([]string{ids[4], ids[3]}, a.Order); diff != "" {
		t.Errorf("the first page: %s", diff)
	}
	a = s.call("GET", "/channels/"+s.ops+"/posts?per_page=2&before="+ids[3], "")
	if diff := cmp.Diff([]string{ids[2], ids[0]}, a.Order); diff != "" {
		t.Errorf("before: %s", diff)
	}
	a = s.call("GET", "/channels/"+s.ops+"/posts?per_page=2&page=1", "")
	if diff := cmp.Diff([]string{ids[2], ids[0]}, a.Order); diff != "" {
		t.Errorf("the second page: %s", diff)
	}
}
