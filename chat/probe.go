// SPDX-License-Identifier: Apache-2.0

package chat

// Prober is a Responder that sends probes out and waits for them to come back.
// A Receiver that gets one as the token of a button, or as the text of a
// command, has proven what was to be proven: it answers as to a press or a
// command that went well, and nothing more is done. Nobody needs to be named
// for that, because a probe changes nothing.
type Prober interface {
	// Probed says whether text is a probe that somebody waits for; if so, they
	// know now that it came.
	Probed(text string) bool
}
