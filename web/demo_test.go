// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"belfry/web"
	"belfry/web/webtest"
)

// fixed are connections that can't be changed on the pages.
type fixed struct{ *plant }

func (fixed) CanSetUp() bool { return false }

func TestTheDemoSaysWhyNothingIsConnectedThere(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Connections, o.DemoKey, o.DemoName = fixed{&plant{}}, "open-sesame", "you" })
	b := s.browser()
	b.get("/demo?key=open-sesame")
	b.get("/connections").want(t, 200, "Other servers can be connected where")
	b.get("/connections/mattermost").want(t, 404, "This is the demo", "Run belfry serve")
	b.post("/connections/mattermost", form()...).want(t, 404, "This is the demo")
	b.get("/connections/slack").want(t, 404, "This is the demo", "Run belfry serve")
	b.post("/connections/slack", "name", "team").want(t, 404, "This is the demo")
}

// TestOnAPhoneTheWholeMenuIsThere: what is cut off without a sign isn't found.
func TestOnAPhoneTheWholeMenuIsThere(t *testing.T) {
	chrome := webtest.Start(t)
	s := open(t, nil)
	tab := chrome.Tab(t)
	as(tab, s.setUp("root"))
	tab.Do(chromedp.EmulateViewport(390, 844))
	tab.Open(s.url + "/alerts")
	tab.Until(`document.querySelectorAll("header nav a").length > 5`)
	tab.Until(`[...document.querySelectorAll("header nav a")].every(a => { const r = a.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; })`)
	tab.Until(`document.documentElement.scrollWidth <= innerWidth`)
}
