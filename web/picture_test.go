// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/message"
	"belfry/seal"
	"belfry/web/webtest"
)

// picture writes card.png, which README.md shows: two cards as package message
// says them, one taken care of and one open. To make it anew:
//
//	BELFRY_SHOTS=docs go test ./web -run TestScreens/card
func picture(t *testing.T, chrome *webtest.Chrome, dir string) {
	now := clock.NewManual(time.Now().Add(-14 * time.Minute))
	s := openAt(t, now, nil)
	post := func(m chat.Message, thread *chat.Ref) chat.Ref {
		ref, err := s.room.Post(t.Context(), chat.Post{Channel: "operations", Thread: thread, Key: seal.Random(), Message: m})
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	said := func() message.Options {
		return message.Options{BaseURL: s.url, Now: now.Now(), SourceName: "nagios", CanAcknowledge: true,
			Token: func(string) string { return "a picture's" }}
	}
	service := func(host, address, name string) alert.Object {
		return alert.Object{Kind: alert.KindService, Host: host, Service: name, Address: address}
	}
	problem := func(id alert.ID, o alert.Object, state string, severity alert.Severity, output string, contacts ...string) *alert.Alert {
		return &alert.Alert{ID: id, Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, StartsAt: now.Now(), Object: o,
			State: state, Severity: severity, Output: output, Contacts: contacts, Link: "https://monitoring.example.org/"}
	}

	disk := problem(1, service("shop-db1", "192.0.2.21", "Disk /var/lib/postgresql"), "CRITICAL", alert.SeverityCritical,
		"DISK CRITICAL - /var/lib/postgresql 97% used, 2.4 GB free", "dba")
	ref := post(message.Card(disk, said()), nil)
	now.Advance(3 * time.Minute)
	if _, err := disk.RequestAck("alice", "old WAL is being moved away", false, now.Now()); err != nil {
		t.Fatal(err)
	}
	confirmed, _ := disk.ConfirmAck("", "", now.Now())
	if err := s.room.Update(t.Context(), ref, "", message.Card(disk, said())); err != nil {
		t.Fatal(err)
	}
	post(message.Note(disk, confirmed, said()), &ref)
	now.Advance(7 * time.Minute)
	https := problem(2, service("web01", "192.0.2.11", "HTTPS"), "CRITICAL", alert.SeverityCritical,
		"HTTP CRITICAL: HTTP/1.1 503 Service Unavailable - 312 bytes in 0.009 s", "web")
	post(message.Card(https, said()), nil)
	now.Advance(4 * time.Minute)

	tab := chrome.Tab(t)
	as(tab, s.setUp("alice"))
	tab.Prefer("prefers-color-scheme", "light")
	tab.Do(chromedp.EmulateViewport(700, 700, chromedp.EmulateScale(2)))
	tab.Open(s.url + "/?channel=operations")
	tab.Until(`document.querySelectorAll("#open .card").length === 2`)
	tab.Eval(`document.querySelector("#open h2").remove(), document.querySelector(".thread").open = true`)
	if err := os.WriteFile(filepath.Join(dir, "card.png"), tab.PictureOf("#open"), 0o644); err != nil {
		t.Fatal(err)
	}
}
