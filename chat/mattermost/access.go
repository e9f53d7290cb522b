// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/chat"
	"belfry/config"
)

// Listening says how Belfry hears people where Mattermost can't reach it.
type Listening struct {
	// Websocket has Belfry fetch what people type and react with over a
	// connection that it opens itself.
	Websocket bool `yaml:"websocket"`
	// Buttons keeps the buttons on cards although there is the websocket; they
	// work only where Mattermost reaches Belfry.
	Buttons bool `yaml:"buttons"`
	// Word begins a message that is a command; "!" when it is not set.
	Word string `yaml:"command_word"`
	// Reactions says what an emoji on a card does: ack or unack. Not set: ✅
	// acknowledges and ❌ takes that back; {}: nothing does anything.
	Reactions map[string]string `yaml:"reactions"`
}

const (
	defaultWord = "!"
	maxWord     = 32
)

func defaultReactions() map[string]string {
	return map[string]string{"white_check_mark": chat.ReactAck, "x": chat.ReactUnack}
}

// pictures are the emoji that people are told of as they look.
var pictures = map[string]string{"white_check_mark": "✅", "x": "❌", "eyes": "👀"}

func (l *Listening) validate(add func(field, format string, args ...any)) {
	if !l.Websocket {
		for field, set := range map[string]bool{"buttons": l.Buttons, "command_word": l.Word != "", "reactions": l.Reactions != nil} {
			if set {
				add(field, "has no effect without websocket: true")
			}
		}
		return
	}
	if strings.ContainsFunc(l.Word, unicode.IsSpace) || utf8.RuneCountInString(l.Word) > maxWord {
		add("command_word", "%q is no word of at most %d characters without spaces, such as ! or belfry", l.Word, maxWord)
	}
	if strings.HasPrefix(l.Word, "/") || strings.HasPrefix(l.Word, "@") {
		add("command_word", "%q begins with / or @, which Mattermost keeps for itself", l.Word)
	}
	for _, emoji := range slices.Sorted(maps.Keys(l.Reactions)) {
		if emoji == "" || len(emoji) > 64 || strings.ContainsFunc(emoji, notEmojiName) {
			add("reactions", "%q is no emoji's name; write it as between the colons, such as white_check_mark", emoji)
		}
		if act := l.Reactions[emoji]; act != chat.ReactAck && act != chat.ReactUnack {
			add("reactions", "%s: %q is neither ack nor unack", emoji, act)
		}
	}
}

func notEmojiName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '+'
}

// open puts it into a platform.
func (l *Listening) open(p *Platform) {
	p.listens, p.buttonless = l.Websocket, l.Websocket && !l.Buttons
	p.word, p.reactions = l.Word, l.Reactions
	if p.word == "" {
		p.word = defaultWord
	}
	if p.reactions == nil {
		p.reactions = defaultReactions()
	}
}

// withHint takes the buttons off a card that nobody could press, and says what
// people can do instead.
func (p *Platform) withHint(m chat.Message) chat.Message {
	if !p.buttonless || len(m.Buttons) == 0 {
		return m
	}
	hint := ""
	for _, b := range m.Buttons {
		switch b.Action {
		case chat.ReactAck:
			hint = p.ways(true, numberIn(m))
		case chat.ReactUnack:
			hint = p.ways(false, numberIn(m))
		}
	}
	m.Buttons = nil
	if hint == "" {
		hint = "have buttons here: set buttons: true, where Mattermost reaches Belfry (this connection has websocket: true)"
	}
	m.Lines = append(slices.Clone(m.Lines), chat.Line{{Text: "to " + hint}})
	return m
}

// numberIn returns " 42" where a card says "#42", as what a command is about.
func numberIn(m chat.Message) string {
	for _, l := range m.Lines {
		for _, s := range l {
			number, ok := strings.CutPrefix(s.Text, "#")
			if _, err := strconv.ParseUint(number, 10, 63); ok && err == nil {
				return " " + number
			}
		}
	}
	return ""
}

// ways says how people acknowledge, or take that back, without a button.
func (p *Platform) ways(ack bool, number string) string {
	act, word, text := chat.ReactAck, "ack", "acknowledge: "
	if !ack {
		act, word, text = chat.ReactUnack, "unack", "take that back: "
	}
	text += "reply “" + p.typed(word) + number + "”"
	for _, emoji := range slices.Sorted(maps.Keys(p.reactions)) {
		if p.reactions[emoji] != act {
			continue
		}
		picture := pictures[emoji]
		if picture == "" {
			picture = "with the emoji " + emoji
		}
		return text + " or react " + picture
	}
	return text
}

// typed is a command as people type it.
func (p *Platform) typed(word string) string {
	if last, _ := utf8.DecodeLastRuneInString(p.word); unicode.IsLetter(last) || unicode.IsDigit(last) {
		return p.word + " " + word
	}
	return p.word + word
}

// hooked holds where all there is to post with is an incoming webhook.
func (c *Config) hooked() bool { return c.WebhookURL != "" || c.WebhookURLFile != "" }

// validateAccess checks where the server is and by what we may speak to it:
// exactly one of a token, an account and a webhook.
func (c *Config) validateAccess(add func(field, format string, args ...any)) {
	if c.hooked() {
		c.validateHook(add)
		return
	}
	if c.URL == "" {
		add("url", "is missing: the address of the Mattermost site, such as https://chat.example.org")
	} else if text := config.WrongAddress(c.URL, "http", "https"); text != "" {
		add("url", "%s; write the site's address, such as https://chat.example.org", text)
	}
	hasToken, hasAccount := c.Token != "" || c.TokenFile != "", c.LoginID != "" || c.Password != "" || c.PasswordFile != ""
	switch {
	case hasAccount && hasToken:
		add("login_id", "is given beside a token; keep one of them, the token if it is a bot's")
	case hasAccount:
		c.validateAccount(add)
	case !hasToken:
		add("token_file", "is missing: a file with the bot's access token (or token with the token itself)")
	case c.Token != "" && c.TokenFile != "":
		add("token", "is given beside token_file; keep one of them")
	case strings.ContainsAny(c.Token.Reveal(), " \t\r\n\""):
		add("token", "has white space or quotes in it; write the token alone")
	}
	switch {
	case c.Team == "":
		add("team", "is missing: the team's handle, the first word after the site's address in the browser")
	case !isHandle(c.Team):
		add("team", "%q is no team's handle: small letters, digits and -, as in the address in the browser, not the display name", c.Team)
	}
	c.validateLooks(add)
	c.Listening.validate(add)
}

func (c *Config) validateAccount(add func(field, format string, args ...any)) {
	switch {
	case c.LoginID == "":
		add("login_id", "is missing: the account's name or mail address")
	case c.Password == "" && c.PasswordFile == "":
		add("password_file", "is missing: a file with the account's password (or password with the password itself)")
	case c.Password != "" && c.PasswordFile != "":
		add("password", "is given beside password_file; keep one of them")
	}
}

func (c *Config) validateLooks(add func(field, format string, args ...any)) {
	if utf8.RuneCountInString(c.Username) > 64 || strings.ContainsFunc(c.Username, unicode.IsControl) {
		add("username", "is no name of at most 64 characters")
	}
	if c.IconURL != "" && safeURL(c.IconURL) == "" {
		add("icon_url", "is no http or https address")
	}
}

// credentials reads what the server knows us by: a token, or an account.
func (c *Config) credentials() (token config.Secret, who *account, err error) {
	if c.LoginID == "" {
		token, err = config.ReadSecret(c.Token, c.TokenFile)
		if err == nil && token == "" {
			err = errors.New("there is no token; set token_file")
		}
		return token, nil, err
	}
	password, err := config.ReadSecret(c.Password, c.PasswordFile)
	if err == nil && password == "" {
		err = errors.New("there is no password; set password_file")
	}
	return "", &account{login: c.LoginID, password: password}, err
}
