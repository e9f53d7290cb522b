// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

// answered counts what Belfry said in the channel: everything but what this
// test had others write.
func (k *kitchen) answered() (n int) {
	k.m.HookCalls()
	for _, p := range k.m.Posts("ops") {
		if p.UserID == k.m.User("belfry").ID {
			n++
		}
	}
	return n
}

func TestOurOwnAnswersCallNothing(t *testing.T) {
	k := newKitchen(t, "")
	root := k.m.Say("alice", "ops", "", "good morning")
	for name, thread := range map[string]string{"below a message, by the webhook": "", "in a thread, by the bot": root} {
		before := k.asked.Load()
		k.m.Say("alice", "ops", thread, "loud") // the answer begins with the word "fridge"
		k.answered()
		if n := k.asked.Load() - before; n != 1 {
			t.Errorf("%s: the endpoint was asked %d times", name, n)
		}
	}
	if n := k.answered(); n != 2 {
		t.Errorf("%d answers", n)
	}
	// What the bot itself posts does call the webhook, and is left alone.
	calls := k.m.HookCalls()
	own := slices.DeleteFunc(slices.Clone(calls), func(c mattermosttest.HookCall) bool { return c.Word != "fridge" })
	if len(calls) != 3 || len(own) != 1 || own[0].Status != http.StatusOK || own[0].Body != "{}" {
		t.Errorf("%+v", calls)
	}
}

func TestAnAnswerInAThreadStaysThere(t *testing.T) {
	k := newKitchen(t, "")
	root := k.m.Say("alice", "ops", "", "good morning")
	k.m.Say("bob", "ops", root, "loud")
	k.answered()
	if got := k.under(root); len(got) != 2 || !got[1].Shows("fridge says milk") {
		t.Errorf("%q", texts(got))
	}
	k.m.Leave("belfry", "ops")
	k.m.Say("bob", "ops", root, "loud")
	k.answered()
	cards := k.m.Room("ops").Cards()
	if last := cards[len(cards)-1]; !last.Shows("fridge says milk") {
		t.Errorf("where the bot may not post, nothing is said: %q", last.Text())
	}
}

// parrot answers whatever is said to it.
type parrot struct {
	mu    sync.Mutex
	rests func()
	name  string
	said  int
}

func (k *kitchen) keep(p *parrot) {
	me := k.m.User(p.name).ID
	ours := k.m.User("belfry").ID
	k.m.OnPost(func(_ time.Time, post *mattermosttest.Post) {
		if post.UserID != ours || post.UserID == me {
			return
		}
		p.mu.Lock()
		p.said++
		tired := p.said > 1000
		p.mu.Unlock()
		if tired {
			return
		}
		if p.rests != nil {
			p.rests()
		}
		k.m.Say(p.name, "ops", "", "loud")
	})
}

func TestTwoProgramsDoNotTalkThroughUs(t *testing.T) {
	t.Run("a bot is never answered", func(t *testing.T) {
		k := newKitchen(t, "")
		k.m.AddBot("parrot")
		k.keep(&parrot{name: "parrot"})
		k.m.Say("parrot", "ops", "", "loud")
		k.m.Say("alice", "ops", "", "loud")
		if n := k.answered(); n != 1 {
			t.Errorf("%d answers", n)
		}
	})
	t.Run("a program with a person's account is soon not answered any more", func(t *testing.T) {
		k := newKitchen(t, "")
		k.m.AddUser("parrot")
		k.keep(&parrot{name: "parrot"})
		k.m.Say("parrot", "ops", "", "loud")
		n := k.answered()
		cards := k.m.Room("ops").Cards()
		all := ""
		for _, c := range cards {
			all += strings.Join(texts(c.Thread()), "\n")
		}
		if n > 9 || strings.Count(all, "two programs that answer each other") != 1 {
			t.Errorf("%d answers:\n%s", n, all)
		}
		if _, got := k.ask("alice", "loud"); len(got) != 1 {
			t.Error("others are not answered any more")
		}
		k.clock.Advance(time.Hour)
		if k.m.Say("parrot", "ops", "", "loud"); k.answered() <= n {
			t.Error("it is never answered again")
		}
	})
	t.Run("nor does bad news keep one talking", func(t *testing.T) {
		for name, breaks := range map[string]func(k *kitchen){
			"a wrong token": func(k *kitchen) {
				k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.Token = strings.Repeat("z", 26) })
			},
			"a server in need": func(k *kitchen) { k.m.FailUserLookups(1 << 20) },
			"another form": func(k *kitchen) {
				k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) {
					h.CallbackURLs = append([]string{"http://127.0.0.1:1/"}, h.CallbackURLs...)
				})
			},
		} {
			k := newKitchen(t, "")
			k.m.AddUser("parrot")
			k.keep(&parrot{name: "parrot"})
			breaks(k)
			k.m.Say("parrot", "ops", "", "loud")
			if n := k.answered(); n != 10 {
				t.Errorf("%s: %d answers", name, n)
			}
		}
	})
	t.Run("however slow it is", func(t *testing.T) {
		k := newKitchen(t, "")
		k.m.AddUser("parrot")
		k.keep(&parrot{name: "parrot", rests: func() { k.clock.Advance(3 * time.Minute) }})

		k.m.Say("parrot", "ops", "", "loud")
		// 200 a day and a notice; some more say that we ask the server too fast,
		// because its clock goes as it is and ours runs.
		if n := k.answered(); n > 201+50 || n < 50 || k.asked.Load() > 200 {
			t.Errorf("%d answers, asked %d times", n, k.asked.Load())
		}
	})
}

func TestAPostIsAnsweredOnce(t *testing.T) {
	k := newKitchen(t, ", websocket: true")
	k.listens(t)
	// Another webhook with the same words, and the websocket beside both.
	token := k.m.OutgoingHooks()[0].Token
	k.m.AddOutgoing("belfry", "ops", "application/json", 1, []string{"lou"}, k.address())
	k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.Token = token })
	post, _ := k.ask("alice", "loud")
	k.m.Room("ops").Card("loud").WaitNote("fridge says milk")
	if n := k.answered(); n != 1 {
		t.Errorf("%d answers", n)
	}
	k.m.EditAs("alice", post, "loud again")
	for range 3 { // replays of the webhook's call
		k.replay(t, token, post)
	}
	if n := k.answered(); n != 1 || k.asked.Load() != 1 {
		t.Errorf("%d answers, asked %d times", n, k.asked.Load())
	}
}

// call sends what Mattermost would for a post, changed by alter.
func (k *kitchen) call(t *testing.T, token, post string, alter func(map[string]any)) (status int, said string) {
	t.Helper()
	var p mattermosttest.Post
	for _, one := range k.m.Posts("ops") {
		if one.ID == post {
			p = one
		}
	}
	body := map[string]any{"token": token, "user_id": p.UserID, "channel_id": p.ChannelID, "post_id": post, "text": p.Message, "timestamp": p.CreateAt, "trigger_word": "loud"}
	if alter != nil {
		alter(body)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return k.send(t, http.MethodPost, "application/json", string(raw))
}

func (k *kitchen) replay(t *testing.T, token, post string) {
	t.Helper()
	if status, said := k.call(t, token, post, nil); status != http.StatusOK || said != "{}" {
		t.Errorf("a replay is answered %d %s", status, said)
	}
}

func (k *kitchen) send(t *testing.T, method, kind, body string) (status int, said string) {
	t.Helper()
	req, err := http.NewRequest(method, k.address(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func TestCallsThatAreNotGenuineAreAnsweredClearlyAndChangeNothing(t *testing.T) {
	k := newKitchen(t, "")
	token := k.m.OutgoingHooks()[0].Token
	k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.TriggerWords = []string{"other"} })
	post := k.m.Say("alice", "ops", "", "loud")
	byHook := k.m.SayByHook("bob", "ops", "loud")
	form := url.Values{"token": {token}, "user_id": {k.m.User("alice").ID}, "text": {"loud"}}
	for name, c := range map[string]struct {
		send func() (int, string)
		want string
	}{
		"forged token": {func() (int, string) { return k.call(t, strings.Repeat("z", 26), post, nil) }, "doesn't carry the token"},
		"no token":     {func() (int, string) { return k.call(t, "", post, nil) }, "doesn't carry the token"},
		"another person": {func() (int, string) {
			return k.call(t, token, post, func(b map[string]any) { b["user_id"] = k.m.User("bob").ID })
		}, "{}"},
		"another time": {func() (int, string) {
			return k.call(t, token, post+"", func(b map[string]any) { b["timestamp"] = 1000 })
		}, "{}"},
		"seconds in JSON": {func() (int, string) {
			return k.call(t, token, post, func(b map[string]any) { b["timestamp"] = time.Now().Unix() })
		}, "{}"},
		"a webhook's post": {func() (int, string) { return k.call(t, token, byHook, nil) }, "{}"},
		"a post that never was": {func() (int, string) {
			return k.call(t, token, post, func(b map[string]any) { b["post_id"] = strings.Repeat("z", 26) })
		}, "{}"},
		"no post": {func() (int, string) {
			return k.call(t, token, post, func(b map[string]any) { b["post_id"] = "../users/me" })
		}, "in a form that I can't read"},
		"a form without its ids": {func() (int, string) {
			return k.send(t, http.MethodPost, "application/x-www-form-urlencoded", form.Encode())
		}, "in a form that I can't read"},
		"a form said to be JSON": {func() (int, string) { return k.send(t, http.MethodPost, "application/json", form.Encode()) }, "in a form that I can't read"},
		"HTML from a proxy":      {func() (int, string) { return k.send(t, http.MethodPost, "text/html", "<html>sign in</html>") }, "in a form that I can't read"},
		"no body":                {func() (int, string) { return k.send(t, http.MethodPost, "application/json", "") }, "in a form that I can't read"},
		"GET":                    {func() (int, string) { return k.send(t, http.MethodGet, "", "") }, "in a form that I can't read"},
		"oversized": {func() (int, string) {
			return k.send(t, http.MethodPost, "application/json", strings.Repeat("x", 1<<20))
		}, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, said := c.send(); status != http.StatusOK || !strings.Contains(said, c.want) || strings.Contains(said, token) || said == `{"text":""}` {
				t.Errorf("the answer is %d %s", status, said)
			}
		})
	}
	if n := k.asked.Load(); n != 0 || k.answered() != 0 {
		t.Errorf("the endpoint was asked %d times", n)
	}
}

func TestWhatCanNotBeLookedAtIsSaid(t *testing.T) {
	k := newKitchen(t, "")
	k.ask("alice", "loud") // they are known now
	k.m.FailProxy(1, http.StatusBadGateway)
	post := k.m.Say("alice", "ops", "", "loud")
	if k.m.HookCalls(); len(k.under(post)) != 1 || !k.under(post)[0].Shows("I could not look at what you wrote just now") {
		t.Errorf("%q", texts(k.under(post)))
	}
	if n := k.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// The settings of the server decide whether a name of its own is shown.
	k.m.SetSetting("EnablePostUsernameOverride", false)
	k.m.SetSetting("EnablePostIconOverride", false)
	_, got := k.ask("alice", "fridge top")
	if props := fmt.Sprint(string(got[0].Post().Props)); strings.Contains(props, "override") || got[0].Post().UserID != k.m.User("belfry").ID {
		t.Errorf("%s", props)
	}
}

func TestWhereMattermostCanNotReachUsWordsAreHeardToo(t *testing.T) {
	k := newKitchen(t, ", websocket: true, callback_url: \"http://127.0.0.1:1\"")
	k.m.ChangeOutgoing(func(h *mattermosttest.OutgoingHook) { h.CallbackURLs = []string{"http://127.0.0.1:1/"} })
	k.m.AddChannelIn(mattermosttest.Team, "secret", "P")
	k.m.Join("belfry", "secret")
	k.listens(t)
	for _, channel := range []string{"ops", "secret"} {
		post := k.m.Say("alice", channel, "", "Fridge top")
		note := k.m.Room(channel).Card("Fridge top").WaitNote("temperature 4.5 °C")
		if props := string(note.Post().Props); !strings.Contains(props, `"override_username":"The fridge"`) || note.Post().RootID != post {
			t.Errorf("it is signed %s", props)
		}
	}
	root := k.m.Room("ops").Cards()[0].ID()
	k.m.Say("bob", "ops", root, "loud")
	k.m.Room("ops").Card("Fridge top").WaitNote("fridge says milk")
	k.m.Say("bob", "ops", "", "broken")
	k.m.Room("ops").WaitCard("0 broken, asks bob:")
	// What programs write and what is edited is not heard.
	before := k.asked.Load()
	k.m.AddBot("parrot")
	k.m.Say("parrot", "ops", "", "loud")
	k.m.SayByHook("alice", "ops", "loud")
	k.m.EditAs("alice", root, "loud")
	k.m.Say("bob", "ops", "", "status")
	k.m.Room("ops").Card("status").WaitNote("Nothing is wrong at this moment.")
	if n := k.asked.Load() - before; n != 0 {
		t.Errorf("the endpoint was asked %d times", n)
	}
}

func (k *kitchen) listens(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); k.m.Listening() != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody listens")
		}
	}
}
