// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"belfry/config"

	"go.yaml.in/yaml/v4"
)

func wish() Wish {
	return Wish{Name: "Belfry", Connection: "team", URL: "https://belfry.example.org", Command: "/belfry", Hint: "[status | ack]"}
}

func TestTheManifestSendsSlackWhereWeListen(t *testing.T) {
	m, err := NewManifest(wish())
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		m.Settings.Events.URL:        "https://belfry.example.org/chat/team/events",
		m.Settings.Interactivity.URL: "https://belfry.example.org/chat/team/interactive",
		m.Features.Commands[0].URL:   "https://belfry.example.org/chat/team/command",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !slices.Contains(m.OAuth.Redirects, "https://belfry.example.org/oauth/team/personal") || m.Settings.Socket {
		t.Errorf("%+v", m)
	}
}

func TestTheManifestForSocketModeNamesNoAddressToCall(t *testing.T) {
	w := wish()
	w.Socket, w.URL = true, "http://belfry.internal:8080"
	m, err := NewManifest(w)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.YAML()
	if err != nil || strings.Contains(text, "request_url") || strings.Contains(text, "/chat/") || !strings.Contains(text, "socket_mode_enabled: true") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestTheLinkCarriesTheManifest(t *testing.T) {
	m, err := NewManifest(wish())
	if err != nil {
		t.Fatal(err)
	}
	link, err := m.Link()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("new_app") != "1" {
		t.Fatalf("%v %s", err, link)
	}
	var back Manifest
	if err := yaml.Unmarshal([]byte(u.Query().Get("manifest_yaml")), &back); err != nil || back.Display.Name != "Belfry" || back.Metadata.Major != 2 {
		t.Errorf("%v %+v", err, back)
	}
}

func TestOnlyWhatIsNeededIsAskedFor(t *testing.T) {
	has := func(w Wish, name string) bool { return slices.Contains(namesOf(Scopes(w)), name) }
	w := wish()
	if has(w, "users:read.email") || has(w, "chat:write.customize") || !has(w, "chat:write") {
		t.Errorf("%q", namesOf(Scopes(w)))
	}
	w.Emails, w.Looks, w.Messages = true, true, true
	if !has(w, "users:read.email") || !has(w, "chat:write.customize") {
		t.Errorf("%q", namesOf(Scopes(w)))
	}
	m, err := NewManifest(w)
	if err != nil || !slices.Contains(m.Settings.Events.Bot, "message.channels") {
		t.Errorf("%v %q", err, m.Settings.Events.Bot)
	}
	for _, s := range Scopes(w) {
		if s.For == "" {
			t.Errorf("nobody knows what %s is for", s.Name)
		}
	}
	if got := missing(Scopes(wish()), []string{"chat:write", "commands"}); len(got) != len(Scopes(wish()))-2 {
		t.Errorf("%q", namesOf(got))
	}
}

func TestWhatSlackWouldRefuseIsTold(t *testing.T) {
	for name, alter := range map[string]func(*Wish){
		"no name":            func(w *Wish) { w.Name = "" },
		"a long name":        func(w *Wish) { w.Name = strings.Repeat("x", maxAppName+1) },
		"no command":         func(w *Wish) { w.Command = "" },
		"a command's spaces": func(w *Wish) { w.Command = "/a b" },
		"capitals":           func(w *Wish) { w.Command = "/Belfry" },
		"a long command":     func(w *Wish) { w.Command = "/" + strings.Repeat("x", maxCommandWord) },
		"punctuation":        func(w *Wish) { w.Command = "/a!b" },
		"no address":         func(w *Wish) { w.URL = "" },
		"plain http":         func(w *Wish) { w.URL = "http://belfry.example.org" },
		"half an address":    func(w *Wish) { w.URL = "belfry.example.org" },
	} {
		w := wish()
		alter(&w)
		if _, err := NewManifest(w); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAnswersAskForWhatTheyNeed(t *testing.T) {
	w := wish().Answering([]config.Answer{{Name: "status"}})
	if m, err := NewManifest(w); err != nil || !slices.Contains(m.Settings.Events.Bot, "message.channels") || !slices.Contains(m.Settings.Events.Bot, "message.groups") ||
		slices.Contains(m.OAuth.Scopes.Bot, "chat:write.customize") {
		t.Errorf("%v %+v", err, m)
	}
	if !slices.Contains(namesOf(Scopes(w.Answering([]config.Answer{{Name: "fridge", Username: "The fridge"}}))), "chat:write.customize") {
		t.Error("an answer can't have a name of its own")
	}
	if m, err := NewManifest(wish().Answering(nil)); err != nil || slices.Contains(m.Settings.Events.Bot, "message.channels") {
		t.Errorf("%v: what people write is asked for without need", err)
	}
}
