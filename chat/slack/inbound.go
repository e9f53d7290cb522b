// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
	"belfry/config"
)

// Receiving says how Belfry hears people in Slack, beside the app-level token
// and the signing secret.
type Receiving struct {
	// Command is the slash command in the app's manifest; "/belfry" when it is
	// not set. What is typed is taken whatever the command is called.
	Command string `yaml:"command"`
	// Word begins a message that is a command, "!" for one; not set: messages
	// are left alone, unless they begin with the bot's name.
	Word string `yaml:"command_word"`
	// Reactions says what an emoji on a card does: ack or unack. Not set: ✅
	// acknowledges and ❌ takes that back; {}: nothing does anything.
	Reactions map[string]string `yaml:"reactions"`
	// Sockets is how many Socket Mode connections there are side by side; 2
	// when it is not set.
	Sockets int `yaml:"socket_connections"`
	// OAuth lets people connect their accounts and sign in, and administrators
	// install the app; nil: they can't.
	OAuth *OAuth `yaml:"oauth"`
	// ByEmail is a mail domain: the account whose address is NAME@DOMAIN is
	// connected with the person called NAME in Belfry when they ask for it,
	// without a browser. Empty: it isn't.
	ByEmail string `yaml:"connect_by_email"`
}

const (
	defaultCommand = "/belfry"
	// commandHint is shown behind the slash command while somebody types it.
	commandHint    = "[help | problems | status | ack | unack | downtime | mute]"
	defaultSockets = 2
	maxWord        = 32
)

func defaultReactions() map[string]string {
	return map[string]string{"white_check_mark": chat.ReactAck, "x": chat.ReactUnack}
}

func (r *Receiving) validate(add func(field, format string, args ...any)) {
	if r.Command != "" {
		if text := wrongCommandWord(r.Command); text != "" {
			add("command", "%q %s", r.Command, text)
		}
	}
	if strings.ContainsFunc(r.Word, unicode.IsSpace) || utf8.RuneCountInString(r.Word) > maxWord {
		add("command_word", "%q is no word of at most %d characters without spaces, such as ! or belfry", r.Word, maxWord)
	}
	if r.Word != "" && strings.ContainsAny(r.Word[:1], "/@<&") {
		add("command_word", "%q begins with a character that Slack keeps for itself", r.Word)
	}
	for _, emoji := range slices.Sorted(maps.Keys(r.Reactions)) {
		if !isEmoji(":"+emoji+":") || strings.Contains(emoji, ":") {
			add("reactions", "%q is no emoji's name; write it as between the colons, such as white_check_mark", emoji)
		}
		if act := r.Reactions[emoji]; act != chat.ReactAck && act != chat.ReactUnack {
			add("reactions", "%s: %q is neither ack nor unack", emoji, act)
		}
	}
	if r.Sockets < 0 || r.Sockets > maxSockets {
		add("socket_connections", "%d is not between 1 and %d", r.Sockets, maxSockets)
	}
	if d := r.ByEmail; d != "" && (strings.ContainsAny(d, "@ \t\r\n/") || !strings.Contains(strings.Trim(d, "."), ".")) {
		add("connect_by_email", "%q is no mail domain; write it like example.org", d)
	}
	if r.OAuth != nil {
		r.OAuth.validate(add)
	}
}

var _ config.Linker = (*Config)(nil)

// Links implements config.Linker.
func (c *Config) Links() bool { return c.OAuth != nil || c.ByEmail != "" }

// inbound is what a Platform needs to take what people do.
type inbound struct {
	word      string
	reactions map[string]string
	sockets   int
	byEmail   string
	// wish is what the app is asked for, to compare with what was granted.
	wish   Wish
	people *peopleCache
	work   *works
	ears   ears
	tempo  tempo
	// patience is how long an answer is waited for: Slack waits 3 s.
	patience time.Duration
	oauth    *oauth  // nil: none is configured
	tokens   *tokens // nil: the token is configured
}

// open makes it.
func (r *Receiving) open(c *client) (inbound, error) {
	in := inbound{word: r.Word, reactions: r.Reactions, sockets: r.Sockets, byEmail: r.ByEmail, people: newPeopleCache(), work: newWorks(), ears: newEars(),
		tempo: usualTempo(), patience: answerWithin}
	if in.reactions == nil {
		in.reactions = defaultReactions()
	}
	if in.sockets == 0 {
		in.sockets = defaultSockets
	}
	var err error
	in.oauth, err = r.OAuth.open(c)
	return in, err
}

// Wish returns what the connection called name needs of an app. publicURL is
// where browsers, and without Socket Mode Slack, reach Belfry.
func (c *Config) Wish(name, publicURL string) Wish {
	w := Wish{Name: "Belfry", Connection: name, URL: publicURL, Socket: c.socketed(), Command: c.Command, Hint: commandHint,
		Messages: c.Word != "", Emails: c.ByEmail != "", Looks: c.Username != "" || c.IconURL != "" || c.IconEmoji != "", Rotation: c.OAuth != nil && c.OAuth.Install}
	if w.Command == "" {
		w.Command = defaultCommand
	}
	return w
}
