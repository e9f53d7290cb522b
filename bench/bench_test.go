// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

// channel returns the posts of a channel whose first alert has this number.
func channel(first int) []mattermosttest.Post {
	var posts []mattermosttest.Post
	for i := range cardsEach {
		posts = append(posts, mattermosttest.Post{Props: fmt.Appendf(nil, `{"attachments":[{"title":"disk-%08d on web-003"}]}`, first+i)})
	}
	return posts
}

func TestOrderAndNumberOfCards(t *testing.T) {
	if err := inOrder(channel(360), 360); err != nil {
		t.Errorf("all is well, but: %v", err)
	}
	swapped := channel(360)
	swapped[7], swapped[8] = swapped[8], swapped[7]
	foreign := channel(360)
	foreign[3].Props = []byte(`{}`)
	twice := channel(360)
	twice[5] = twice[4]
	for name, posts := range map[string][]mattermosttest.Post{
		"the last one is lost": channel(360)[:cardsEach-1], "a lost one": append(channel(360)[:4], channel(360)[5:]...),
		"one too many": append(channel(360), channel(360 + cardsEach)[0]), "another channel's": channel(480),
		"out of order": swapped, "not ours": foreign, "one twice": twice, "none": nil,
	} {
		if inOrder(posts, 360) == nil {
			t.Errorf("%s: nothing was found wrong", name)
		}
	}
}

func TestNumbersInRequests(t *testing.T) {
	_, r, err := newRequest("http://127.0.0.1:1/intake/nagios", "a-token", `{"a":"disk-########","b":"web-@@@","c":"########"}`)
	if err != nil {
		t.Fatal(err)
	}
	r.fill(1234, 56)
	r.fill(99, 7)
	text := string(r.raw)
	if !strings.HasSuffix(text, "\r\n\r\n"+`{"a":"disk-00000099","b":"web-007","c":"00000099"}`) {
		t.Errorf("the body is not as it should be:\n%s", text)
	}
	if !strings.HasPrefix(text, "POST /intake/nagios HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer a-token\r\n") ||
		!strings.Contains(text, "\r\nContent-Length: 50\r\n") {
		t.Errorf("the head is not as it should be:\n%s", text)
	}
}

func TestQuantiles(t *testing.T) {
	var values []time.Duration
	for i := range 100 {
		values = append(values, time.Duration(100-i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := median([]int{9}); got != 9 {
		t.Errorf("the median of one value is %d", got)
	}
}

func TestTable(t *testing.T) {
	got := table([]row{
		{figure: "fast", measured: "3 ms", floor: "2 ms", ratio: "1.50", reach: "≤ 5 ms", ok: true, notes: []string{"how", "and how much"}},
		{figure: "large", measured: "40 MB", reach: "≤ 30 MB"},
	})
	want := `figure    measured  floor  ratio  reach    
fast [1]  3 ms      2 ms   1.50   ≤ 5 ms   ok
large     40 MB     –      –      ≤ 30 MB  BELOW

[1] how
    and how much
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestChoosing(t *testing.T) {
	names := []string{"intake", "start"}
	if got, err := choose("", names); err != nil || len(got) != 2 {
		t.Errorf("nothing chosen gives %v, %v", got, err)
	}
	if got, err := choose("start", names); err != nil || len(got) != 1 || got[0] != "start" {
		t.Errorf("one chosen gives %v, %v", got, err)
	}
	if _, err := choose("start,intakes", names); err == nil {
		t.Error("a figure that there is not can be chosen")
	}
}

func TestTimeWithinCalls(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(1000 + ms)) }
	calls := []called{{"b", at(30), at(50)}, {"a", at(-5), at(10)}, {"inside", at(35), at(40)}, {"over", at(45), at(60)}, {"after", at(90), at(120)}}
	if got := busy(calls, at(0), at(100)); got != 50*time.Millisecond {
		t.Errorf("busy for %v", got)
	}
}
