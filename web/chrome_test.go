// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"time"

	"belfry/web/webtest"
)

// patience only ends tests that hang.
const patience = 30 * time.Second

// as gives a tab the session of another browser.
func as(tab *webtest.Tab, other *browser) { tab.TakeCookies(other.site.url, other.http.Jar) }
