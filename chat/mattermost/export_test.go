// SPDX-License-Identifier: Apache-2.0

package mattermost

import "belfry/chat"

// What the tests outside of the package look into.
var (
	Literal = literal
	SafeURL = safeURL
)

// Render renders a message for a connection whose callbacks go to callback.
func Render(callback, key string, m chat.Message) (message string, p any, err error) {
	return (&Platform{name: "main", callback: callback}).render(key, m)
}

// ReadPress and ReadSubmit decode callbacks.
func ReadPress(body []byte) (user, channel, post, token string, err error) {
	b, err := readPress(body)
	return b.UserID, b.ChannelID, b.PostID, b.Context.Token, err
}

// ReadSubmit decodes a dialog's callback.
func ReadSubmit(body []byte) (user, state string, values map[string]string, cancelled bool, err error) {
	b, values, err := readSubmit(body)
	return b.UserID, b.State, values, b.Cancelled, err
}
