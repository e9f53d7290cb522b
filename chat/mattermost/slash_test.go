// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"

	"github.com/google/go-cmp/cmp"
)

const slashToken = "slash-token-of-team-one"

// clerk is a Responder that takes commands, too.
type clerk struct {
	*chattest.Recorder
	answer func(chat.Command) chat.Answer

	mu  sync.Mutex
	got []chat.Command
}

func (c *clerk) Command(_ context.Context, in chat.Command) chat.Answer {
	c.mu.Lock()
	c.got = append(c.got, in)
	c.mu.Unlock()
	return c.answer(in)
}

func newClerk(a chat.Answer) *clerk {
	return &clerk{Recorder: &chattest.Recorder{}, answer: func(chat.Command) chat.Answer { return a }}
}

// slashed is a connection whose server has the command /bell.
func slashed(t *testing.T, r chat.Responder) *connection {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens")
	c := connect(t, r, func(cfg *mattermost.Config) {
		cfg.CommandTokens = []config.Secret{slashToken}
		cfg.CommandTokenFile = file
		if err := os.WriteFile(file, []byte("# of team two\nsome-other-teams-token\n\n"+fakeToken+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	c.fake.AddCommand("bell", c.callback.URL+"/chat/main/command")
	c.fake.SetCommandToken("bell", fakeToken)
	return c
}

const fakeToken = "abcdefghijklmnopqrstuvwxyz"

func TestCommandsArriveAsTyped(t *testing.T) {
	k := newClerk(chat.Answer{Whisper: "Heard *you*, @alice."})
	c := slashed(t, k)
	long := strings.Repeat("4 KB of “text”, ", 300)
	for _, text := range []string{"", "ack 1", "  two  spaces\nand a line", `ack "web 01" @bob don't`, long} {
		k.got = nil
		seen := c.fake.Type("alice", "ops", "/bell "+text)
		if seen.Whisper != "Heard *you*, @\u200balice." || seen.By == "alice" || len(seen.Reading.Looks) != 0 {
			t.Errorf("%.40q: alice sees %+v", text, seen)
		}
		if len(k.got) != 1 || k.got[0].Word != "bell" || k.got[0].Text != text || k.got[0].Actor != (chat.Actor{Connection: "main", ID: c.fake.User("alice").ID, Name: "alice"}) ||
			k.got[0].Channel == "" || k.got[0].Thread != nil {
			t.Errorf("%.40q arrived as %+v", text, k.got)
		}
	}
}

// TestWhoIsMentioned: the server's own ids of those who are mentioned go with the line.
func TestWhoIsMentioned(t *testing.T) {
	k := newClerk(chat.Answer{})
	c := slashed(t, k)
	for _, text := range []string{"invite @bob and @Alice, but not @nobody", "list"} {
		c.fake.Type("alice", "ops", "/bell "+text)
	}
	want := map[string]string{"bob": c.fake.User("bob").ID, "alice": c.fake.User("alice").ID}
	if diff := cmp.Diff(want, k.got[0].Mentions); diff != "" || len(k.got[1].Mentions) != 0 {
		t.Errorf("%s %v", diff, k.got[1].Mentions)
	}
}

func TestAnswersToCommands(t *testing.T) {
	button := chat.Button{Action: "go", Label: "Go", Token: "t"}
	for name, x := range map[string]struct {
		answer chat.Answer
		want   []string
	}{
		"nothing":   {chat.Answer{}, []string{"Done."}},
		"a link":    {chat.Answer{Whisper: "Connect.", Link: &chat.Link{Text: "Connect", URL: "https://belfry.example/x"}}, []string{"Connect.", "https://belfry.example/x"}},
		"a table":   {chat.Answer{Reply: &chat.Message{Lines: []chat.Line{{{Text: "two"}}}, Table: &chat.Table{Head: []string{"#", "What"}, Rows: [][]chat.Line{{{{Text: "1"}}, {{Text: "a|b @all"}}}}}}}, []string{"two", "a|b @all"}},
		"a card":    {chat.Answer{Reply: &chat.Message{Title: "Disk", State: "CRITICAL", Color: "#cc0000", Mentions: []string{"channel"}, Buttons: []chat.Button{button}}}, []string{"CRITICAL · Disk"}},
		"both":      {chat.Answer{Whisper: "First.", Reply: &chat.Message{Lines: []chat.Line{{{Text: "second"}}}}}, []string{"First.", "second"}},
		"unfit":     {chat.Answer{Reply: &chat.Message{Title: "x", Summary: "in short", Buttons: []chat.Button{{Action: "no-good"}}}}, []string{"in short"}},
		"a dialog":  {chat.Answer{Dialog: commentForm()}, []string{"Done."}},
		"a monster": {chat.Answer{Reply: &chat.Message{Lines: []chat.Line{{{Text: strings.Repeat("x", 50_000)}}}}}, []string{"xxx"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := slashed(t, newClerk(x.answer))
			seen := c.fake.Type("alice", "ops", "/bell x")
			if seen.Failed != "" || seen.By == "alice" || strings.Contains(seen.Whisper, "@channel") {
				t.Errorf("alice sees %+v", seen)
			}
			all := mattermosttest.Visible(seen.Whisper + " " + strings.Join(seen.Reading.Links, " "))
			for _, w := range x.want {
				if !strings.Contains(all, w) {
					t.Errorf("alice reads %q, without %q", all, w)
				}
			}
			if (x.answer.Dialog != nil) != (seen.Dialog != nil) {
				t.Errorf("the dialog: %+v", seen.Dialog)
			}
		})
	}
}

func commentForm() *chat.Dialog {
	return &chat.Dialog{Title: "Comment", SubmitLabel: "Send", State: "s", Fields: []chat.Field{{Name: "comment", Label: "Comment"}}}
}

func TestACommandThatBreaksDownIsTold(t *testing.T) {
	k := newClerk(chat.Answer{})
	k.answer = func(chat.Command) chat.Answer { panic("broken") }
	c := slashed(t, k)
	if seen := c.fake.Type("alice", "ops", "/bell x"); !strings.Contains(seen.Whisper, "longer than usual") {
		t.Errorf("alice sees %+v", seen)
	}
	c.fake.Deactivate("bob")
	if seen := c.fake.Type("bob", "ops", "/bell x"); !strings.Contains(seen.Whisper, "no active account") || len(k.got) != 1 {
		t.Errorf("bob sees %+v", seen)
	}
	c = slashed(t, &chattest.Recorder{})
	if seen := c.fake.Type("alice", "ops", "/bell x"); !strings.Contains(seen.Whisper, "takes no commands") {
		t.Errorf("alice sees %+v", seen)
	}
}

func TestTokensOfCommands(t *testing.T) {
	k := newClerk(chat.Answer{Whisper: "ok"})
	c := slashed(t, k)
	for token, taken := range map[string]bool{fakeToken: true, slashToken: true, "some-other-teams-token": true,
		"": false, "# of team two": false, fakeToken + "x": false, strings.ToUpper(fakeToken): false, strings.Repeat("x", 5000): false} {
		k.got = nil
		c.fake.SetCommandToken("bell", token)
		seen := c.fake.Type("alice", "ops", "/bell x")
		if taken != (len(k.got) == 1) || taken != (seen.Whisper == "ok") || !taken && !strings.Contains(seen.Whisper, "nothing was done") {
			t.Errorf("%.30q: %+v", token, seen)
		}
	}
	c = connect(t, k)
	c.fake.AddCommand("bell", c.callback.URL+"/chat/main/command")
	k.got = nil
	if seen := c.fake.Type("alice", "ops", "/bell x"); !strings.Contains(seen.Whisper, "command_token_file") || len(k.got) != 0 {
		t.Errorf("without tokens: %+v", seen)
	}
}

func TestTokenFilesAtFault(t *testing.T) {
	dir := t.TempDir()
	for name, x := range map[string]struct{ text, want string }{
		"empty":  {"\n# nothing\n", "holds no tokens"},
		"short":  {"abc\n", "at least 16 characters"},
		"spaced": {"not a token at all, this\n", "without white space"},
		"huge":   {strings.Repeat("x", 70<<10), "longer than"},
		"many":   {strings.Repeat("abcdefghijklmnopqrstuvwxyz\n", 60), "more than 50"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := &mattermost.Config{URL: "http://x.example", Token: "t", Team: "t", CommandTokenFile: file}
		if _, err := cfg.Open(mattermost.Options{Name: "main"}); err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "abcdef") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := &mattermost.Config{URL: "http://x.example", Token: "t", Team: "t", CommandTokens: []config.Secret{"secret"}}
	if wrong := cfg.Validate(); len(wrong) != 1 || strings.Contains(wrong[0].Error(), "secret") {
		t.Errorf("a short token: %v", wrong)
	}
	cfg.CommandTokens, cfg.CommandTokenFile = nil, filepath.Join(dir, "nosuch")
	if _, err := cfg.Open(mattermost.Options{Name: "main"}); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzSlash: whatever is sent to the command's address is answered in the one
// form that people get to see, and does nothing without the token.
func FuzzSlash(f *testing.F) {
	id := strings.Repeat("a", 26)
	form := url.Values{"token": {slashToken}, "user_id": {id}, "channel_id": {id}, "text": {"ack 1"}, "root_id": {id}}
	f.Add("application/x-www-form-urlencoded", form.Encode())
	f.Add("application/x-www-form-urlencoded", "token=x&user_id="+id+"&channel_id="+id)
	f.Add("application/json", `{"token":"x"}`)
	f.Add("text/html", "<html>")
	f.Add("application/x-www-form-urlencoded; charset=\"", "%zz&;=")
	cfg := &mattermost.Config{URL: "http://127.0.0.1:1", Token: "t", Team: "t", CommandTokens: []config.Secret{slashToken}}
	p, err := cfg.Open(mattermost.Options{Name: "main"})
	if err != nil {
		f.Fatal(err)
	}
	k := newClerk(chat.Answer{Whisper: "ok"})
	h := p.Handler(k)
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/chat/main/command", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var got struct {
			Type     string `json:"response_type"`
			Username string `json:"username"`
			Text     string `json:"text"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" ||
			got.Type != "ephemeral" || got.Username == "" || got.Text == "" {
			t.Errorf("answered %d %q", w.Code, w.Body)
		}
		if len(k.got) != 0 { // nobody can be named: no server is there
			t.Errorf("%q was taken", body)
		}
	})
}
