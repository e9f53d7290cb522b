// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Vault keeps secrets that a platform was given while it runs, over a restart
// and for every node: encrypted, so that a copy of the database tells nobody.
type Vault interface {
	// Keep stores a secret under a name, in place of the one before.
	Keep(ctx context.Context, name, secret string) error
	// Kept returns it; ok is false when there is none.
	Kept(ctx context.Context, name string) (secret string, ok bool, err error)
}

// Installer is a platform whose app an administrator installs in a browser, by
// OAuth 2.0: what it may do then is kept by the platform itself.
type Installer interface {
	// Installs says whether it is configured so.
	Installs() bool
	// InstallURL is where the browser is sent, see Identifier.AuthorizeURL.
	InstallURL(ctx context.Context, redirect, state, verifier string) (string, error)
	// Install trades the code for what the app may do, and keeps it. The text
	// says in one plain line what is installed where. It is Permanent when the
	// platform refuses; the error's text may be shown.
	Install(ctx context.Context, redirect, code, verifier string) (text string, err error)
}
