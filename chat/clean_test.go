// SPDX-License-Identifier: Apache-2.0

package chat_test

import (
	"testing"

	"belfry/chat"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"plain\ttext\nhere":       "plain\ttext\nhere",
		"a\r\nb\rc":               "a\nb\nc",
		"\x1b[31mred\x00\x07\x7f": "␛[31mred␀␇␡",
		"ok\u202egnp.exe\u2066":   "ok\ufffdgnp.exe\ufffd",
		"one\u2028two\u0085three": "one\ntwo\nthree",
		"c1 \u009b0m":             "c1 \ufffd0m",
		"bad \xff byte":           "bad \ufffd byte",
		"größe 日本 👩\u200d🚒 می\u200cخواهم": "größe 日本 👩\u200d🚒 می\u200cخواهم",
	} {
		if got := chat.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
		if again := chat.Clean(want); again != want {
			t.Errorf("cleaning twice changes %q to %q", want, again)
		}
	}
	if got := chat.CleanLine("a\r\nb\tc"); got != "a b c" {
		t.Errorf("CleanLine = %q", got)
	}
}
