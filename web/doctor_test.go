// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"belfry/doctor"
	"belfry/web"
)

// examiner makes a report when it is told to.
type examiner struct {
	lent chan string
	end  chan doctor.Report
}

func (e *examiner) Examine(ctx context.Context, lent doctor.Lent) doctor.Report {
	text := ""
	if lent.Token != nil {
		text = lent.Connection + ":" + lent.Token.Reveal()
	}
	e.lent <- text
	select {
	case r := <-e.end:
		return r
	case <-ctx.Done():
		return doctor.Report{}
	}
}

func withDoctor(t *testing.T) (*site, *examiner) {
	e := &examiner{lent: make(chan string, 1), end: make(chan doctor.Report)}
	return open(t, func(o *web.Options) { o.Doctor = e }), e
}

func TestAnAdministratorHasEverythingLookedInto(t *testing.T) {
	s, e := withDoctor(t)
	root := s.setUp("root")
	root.get("/doctor").want(t, 200, "Nothing was looked into", "Look now")
	root.post("/doctor", "token", " lent-for-a-moment ", "connection", "chat").leadsTo(t, "/doctor")
	if got := <-e.lent; got != "chat:lent-for-a-moment" {
		t.Errorf("the token that was lent became %q", got)
	}
	root.get("/doctor").want(t, 200, "root is having everything looked into")
	root.post("/doctor").leadsTo(t, "/doctor") // one at a time
	e.end <- doctor.NewReport(time.Now(), "1", []doctor.Finding{
		{Subject: "connection chat", Check: "team", Level: doctor.Fail, Seen: "not in <b>ops</b>", Remedy: "mmctl team users add ops belfry\nor: ask"},
		{Subject: "connection chat", Check: "token", Level: doctor.OK, Seen: "a bot's"},
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := root.get("/doctor")
		if strings.Contains(p.text(), "1 failure") {
			p.want(t, 200, "connection chat", "not in <b>ops</b>", "→ mmctl team users add ops belfry", "→ or: ask", "a bot's")
			if strings.Contains(p.text(), "lent-for-a-moment") {
				t.Error("the token stands on the page")
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no report:\n%s", p.text())
		}
	}
}

func TestOthersHaveNothingLookedInto(t *testing.T) {
	s, _ := withDoctor(t)
	root := s.setUp("root")
	root.post("/doctor", "token", strings.Repeat("x", 2000)).want(t, 400, "too long")
	none := open(t, nil)
	admin := none.setUp("root")
	admin.post("/doctor").want(t, 404)
}

func TestAnExaminationEndsWithThePages(t *testing.T) {
	s, e := withDoctor(t)
	root := s.setUp("root")
	root.post("/doctor").leadsTo(t, "/doctor")
	<-e.lent // and the site's end must not wait for it, nor leave it behind (goleak)
}

// TestATokenIsAskedForWhereThereIsWhatItShows: without Mattermost nobody could
// lend one.
func TestATokenIsAskedForWhereThereIsWhatItShows(t *testing.T) {
	for name, c := range map[string]struct {
		list       []web.Connection
		want, none []string
	}{
		"none":    {[]web.Connection{{Name: "room", Kind: "console"}, {Name: "team", Kind: "slack"}}, nil, []string{`name="token"`, `name="connection"`}},
		"one":     {[]web.Connection{{Name: "room", Kind: "console"}, {Name: "chat", Kind: "mattermost"}}, []string{`name="token"`, `type="hidden" name="connection" value="chat"`}, []string{"<select"}},
		"several": {[]web.Connection{{Name: "chat", Kind: "mattermost"}, {Name: "two", Kind: "mattermost"}}, []string{`name="token"`, "<option>chat</option><option>two</option>"}, nil},
	} {
		s := open(t, func(o *web.Options) {
			o.Doctor, o.Connections = &examiner{}, &plant{list: c.list}
		})
		page := s.setUp("root").get("/doctor").want(t, 200, "Look now")
		for _, text := range c.want {
			if !strings.Contains(page.body, text) {
				t.Errorf("%s: %s is missing", name, text)
			}
		}
		for _, text := range c.none {
			if strings.Contains(page.body, text) {
				t.Errorf("%s: %s is there", name, text)
			}
		}
	}
}
