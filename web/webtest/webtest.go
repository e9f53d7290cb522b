// SPDX-License-Identifier: Apache-2.0

// Package webtest shows pages to tests the way a person sees them: in Debian's
// Chromium, driven by chromedp. Start starts one; each Tab of it is a window
// with cookies of its own.
package webtest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Chrome is one running Chromium. It ends with the test that started it.
type Chrome struct{ ctx context.Context }

// Start starts Chromium, or skips the test where there is none; in CI that is
// a failure. Switches are further ones of its command line, by name.
func Start(t testing.TB, switches ...string) *Chrome {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs a browser: install the Debian package chromium")
		}
		t.Skip("no browser here: install the Debian package chromium")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir())}
	for _, name := range append([]string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
		"no-default-browser-check", "hide-scrollbars"}, switches...) {
		options = append(options, chromedp.Flag(name, true))
	}
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("the browser did not close: %v", err)
		}
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &Chrome{ctx}
}

// Tab is a window of its own, with cookies of its own. Its methods end the test
// when something does not work, and say what stands on the page.
type Tab struct {
	t   testing.TB
	ctx context.Context
}

// Tab opens a window.
func (c *Chrome) Tab(t testing.TB) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("no new tab: %v", err)
	}
	return &Tab{t, ctx}
}

// patience only ends tests that hang.
const patience = 30 * time.Second

// Do carries actions out on the page.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page reads:\n%s", err, b.Reads())
	}
}

// Open goes to an address.
func (b *Tab) Open(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address))
}

// Reads is the text of the page, as far as it can be read.
func (b *Tab) Reads() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return "(nothing: " + err.Error() + ")"
	}
	return text
}

// TakeCookies gives the tab the cookies that jar holds for a site.
func (b *Tab) TakeCookies(site string, jar http.CookieJar) {
	b.t.Helper()
	at, err := url.Parse(site)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range jar.Cookies(at) {
		b.Do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: site, HTTPOnly: new(true)})
			return chromedp.Void{}, err
		})
	}
}

// Prefer sets what the person's system prefers, such as "prefers-color-scheme"
// to "dark".
func (b *Tab) Prefer(feature, value string) {
	b.t.Helper()
	b.Do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
		return chromedp.Void{}, err
	})
}

// Until waits until a JavaScript expression holds. (chromedp.Poll would need
// eval, which the pages' policy forbids.)
func (b *Tab) Until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("never came true: %s (%v); the page reads:\n%s", expression, err, b.Reads())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Eval returns a JavaScript expression's value as text.
func (b *Tab) Eval(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatalf("can't evaluate %s: %v", expression, err)
	}
	return got
}

// Click presses the first element that a selector and the beginning of its
// text name, once it is there.
func (b *Tab) Click(selector, text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll(%q)].find((e) => e.textContent.trim().startsWith(%q))", selector, text)
	b.Until(find)
	b.Eval(find + ".click()")
}

// Picture returns the whole page as a PNG.
func (b *Tab) Picture() []byte {
	b.t.Helper()
	return b.picture(chromedp.FullScreenshot(100))
}

// PictureOf returns what a selector names as a PNG.
func (b *Tab) PictureOf(selector string) []byte {
	b.t.Helper()
	return b.picture(chromedp.Screenshot(selector))
}

func (b *Tab) picture(how chromedp.Action[[]byte]) []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, how)
	if err != nil {
		b.t.Fatalf("no picture: %v", err)
	}
	return png
}
