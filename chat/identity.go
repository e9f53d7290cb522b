// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Link is an address that an Answer offers; trusted.
type Link struct {
	// Text is what people read: "Connect".
	Text string
	// URL is an http or https address.
	URL string
}

// Gate says who may act. Whoever turns presses, forms or typed words into acts
// asks it before each one; asking changes nothing.
type Gate interface {
	// May returns nil when who may act at this moment, or what they are told
	// instead: why not, and how they can change that.
	May(ctx context.Context, who Actor) *Answer
}

// Identifier is a platform that can tell a browser's owner by OAuth 2.0. The
// token that is had on the way is used once and given back.
type Identifier interface {
	// AuthorizeURL is where the browser is sent. The platform sends it back to
	// redirect, with state and a code. verifier is random, at least 43 of
	// a–z A–Z 0–9 - . _ ~ (RFC 7636), and the same in Identify.
	AuthorizeURL(ctx context.Context, redirect, state, verifier string) (string, error)
	// Identify trades the code for who allowed it. It is Permanent when the
	// platform refuses; the error's text may be shown.
	Identify(ctx context.Context, redirect, code, verifier string) (Actor, error)
	// Site is where people are sent, scheme and host; for content security policies.
	Site() string
}

// Mailer is a platform that knows people's mail addresses, and is allowed to
// say whose account it is by them.
type Mailer interface {
	// MailDomain is the domain whose addresses count, "example.org"; empty: none do.
	MailDomain() string
	// MailAddress is the address of an account as the platform confirmed it, or "".
	MailAddress(ctx context.Context, who Actor) (string, error)
}
