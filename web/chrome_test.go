// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chrome is one running Chromium.
type chrome struct{ ctx context.Context }

// startChrome starts Debian's Chromium, or skips the test where there is none;
// in CI that is a failure.
func startChrome(t testing.TB) *chrome {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs a browser: install the Debian package chromium")
		}
		t.Skip("no browser here: install the Debian package chromium")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", true), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("no-default-browser-check", true), chromedp.Flag("hide-scrollbars", true),
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
	return &chrome{ctx}
}

// tab is a window of its own, with cookies of its own.
type tab struct {
	t   testing.TB
	ctx context.Context
}

func (c *chrome) tab(t testing.TB) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("no new tab: %v", err)
	}
	return &tab{t, ctx}
}

// patience only ends tests that hang.
const patience = 30 * time.Second

func (b *tab) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

// do carries actions out on the page.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.context()
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page reads:\n%s", err, b.reads())
	}
}

// reads is what stands on the page, for the messages of tests.
func (b *tab) reads() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return "(nothing: " + err.Error() + ")"
	}
	return text
}

func (b *tab) open(path string, site *site) {
	b.t.Helper()
	b.do(chromedp.Navigate(site.url + path))
}

// as gives the tab the session of another browser.
func (b *tab) as(other *browser) {
	b.t.Helper()
	at, err := url.Parse(other.site.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range other.http.Jar.Cookies(at) {
		b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: other.site.url, HTTPOnly: new(true)})
			return chromedp.Void{}, err
		})
	}
}

// until waits until a JavaScript expression holds. (chromedp.Poll would need
// eval, which the pages' policy forbids.)
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := b.context()
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("never came true: %s (%v); the page reads:\n%s", expression, err, b.reads())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// eval returns a JavaScript expression's value as text.
func (b *tab) eval(expression string) string {
	b.t.Helper()
	ctx, cancel := b.context()
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatalf("can't evaluate %s: %v", expression, err)
	}
	return got
}

// click presses the first element that a selector and a text name.
func (b *tab) click(selector, text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll(%q)].find((e) => e.textContent.trim().startsWith(%q))", selector, text)
	b.until(find)
	b.eval(find + ".click()")
}
