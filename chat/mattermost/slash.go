// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"

	"belfry/chat"
	"belfry/config"
)

// Limits of slash commands. A line has 16383 runes at most; encoded in a form
// each of their bytes takes three.
const (
	maxCommand   = 256 << 10
	maxTokens    = 50
	maxTokenFile = 64 << 10
)

// What people read when their command could not be taken.
const (
	sayNoForm = "This command arrived in a form that I can't read; nothing was done. " +
		"Please tell your administrator: the slash command's request method must be POST, and its URL must lead to Belfry directly."
	sayNoTokens = "Belfry doesn't know this team's slash command yet; nothing was done. " +
		"Please tell your administrator: the command's token belongs into the connection's command_token_file."
	sayWrongToken = "This command doesn't carry the token that Belfry knows; nothing was done. " +
		"Please tell your administrator: the command's token in Mattermost and the connection's command_token_file must be the same."
	sayBigCommand = "This line is too long for me; nothing was done."
	sayNoCommands = "This Belfry takes no commands."
	saySlowLine   = "This takes longer than usual, and I don't know what came of it. Please look at the card, or ask again."
	sayDone       = "Done."
	sayProbed     = "This command reaches Belfry."
)

// defaultName is how the bot signs as long as its handle is not known.
const defaultName = "belfry"

// commandAnswer is our answer to a slash command. An answer without username
// would be signed with the person's own name.
type commandAnswer struct {
	Type        string       `json:"response_type"`
	Username    string       `json:"username"`
	Text        string       `json:"text"`
	Attachments []attachment `json:"attachments,omitempty"`
	// Literal keeps the server from reading Slack's markup in the text.
	Literal bool `json:"skip_slack_parsing"`
}

// tokens are those of the slash commands or outgoing webhooks that lead here,
// one for each team, as hashes: equally long, so that comparing tells nothing.
type tokens [][sha256.Size]byte

// known says in constant time whether token is one of them.
func (t tokens) known(token string) bool {
	sum, found := sha256.Sum256([]byte(token)), 0
	for i := range t {
		found |= subtle.ConstantTimeCompare(sum[:], t[i][:])
	}
	return found == 1 && token != ""
}

// readTokens reads the tokens of the configuration and of a file with one on
// each line; "#" begins a remark. key is what the configuration calls the file.
func readTokens(key string, inline []config.Secret, file string) (tokens, error) {
	var all tokens
	add := func(token string) { all = append(all, sha256.Sum256([]byte(token))) }
	for _, s := range inline {
		add(s.Reveal())
	}
	if file == "" {
		return all, nil
	}
	f, err := os.Open(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("can't read %s: %w", key, err)
	}
	defer func() { _ = f.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil || len(raw) > maxTokenFile {
		return nil, fmt.Errorf("can't read %s %s, or it is longer than %d bytes", key, file, maxTokenFile)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		token := strings.TrimSpace(lines.Text())
		if token == "" || strings.HasPrefix(token, "#") {
			continue
		}
		if text := wrongToken(token); text != "" {
			return nil, fmt.Errorf("a line of %s %s %s", key, file, text)
		}
		add(token)
	}
	if err := lines.Err(); err != nil || len(all) == len(inline) || len(all) > maxTokens {
		return nil, fmt.Errorf("%s %s holds no tokens, or more than %d: write each on a line of its own", key, file, maxTokens)
	}
	return all, nil
}

// wrongToken says what keeps a text from being a slash command's token.
func wrongToken(token string) string {
	if len(token) < config.MinToken || strings.ContainsAny(token, " \t\r\n\"") {
		return fmt.Sprintf("is no token: at least %d characters, without white space and quotes", config.MinToken)
	}
	return ""
}

// slash is what Mattermost sends for a slash command. Who has the token can
// invent all of it.
type slash struct {
	token, word, userID, channelID, text, trigger, root string
	mentions                                            map[string]string
}

// readSlash decodes the form of a slash command; say tells what to tell people
// when it can't. user_mentions and user_mentions_ids come in pairs, and only
// when somebody is mentioned; fields that are not needed (response_url, …) are
// passed over.
func readSlash(contentType string, body []byte) (s slash, say string) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return slash{}, sayNoForm
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return slash{}, sayNoForm
	}
	s = slash{token: form.Get("token"), word: strings.ToLower(strings.TrimPrefix(form.Get("command"), "/")), userID: form.Get("user_id"), channelID: form.Get("channel_id"), text: form.Get("text"),
		trigger: form.Get("trigger_id"), root: form.Get("root_id"), mentions: map[string]string{}}
	ids := form["user_mentions_ids"]
	for i, name := range form["user_mentions"] {
		if i < len(ids) && i < chat.MaxFind && isID(ids[i]) && isUserName(name) {
			s.mentions[name] = ids[i]
		}
	}
	if !isID(s.userID) || !isID(s.channelID) || len(s.token) > maxToken || s.root != "" && !isID(s.root) {
		return slash{}, sayNoForm
	}
	return s, ""
}

// command answers a slash command.
func (p *Platform) command(ctx context.Context, r chat.Responder, w http.ResponseWriter, req *http.Request) commandAnswer {
	commander, ok := r.(chat.Commander)
	if !ok {
		return p.tell(sayNoCommands)
	}
	if req.Method != http.MethodPost {
		p.log.Warn("a slash command came without its form: its request method is not POST, or a redirect stands between Mattermost and Belfry", "method", req.Method)
		return p.tell(sayNoForm)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCommand))
	if err != nil {
		return p.tell(sayBigCommand)
	}
	s, say := readSlash(req.Header.Get("Content-Type"), body)
	if say != "" {
		return p.tell(say)
	}
	if say := p.authentic(req, s); say != "" {
		return p.tell(say)
	}
	if probed(r, s.text) {
		return p.tell(sayProbed)
	}
	actor, say := p.actor(ctx, s.userID)
	if say != "" {
		return p.tell(say)
	}
	in := chat.Command{Actor: actor, Channel: s.channelID, Word: s.word, Text: s.text, Mentions: s.mentions}
	if s.root != "" {
		in.Thread = &chat.Ref{Channel: s.channelID, Post: s.root}
	}
	answer, ok := p.ask(ctx, func(ctx context.Context) chat.Answer { return commander.Command(ctx, in) })
	if !ok {
		return p.tell(saySlowLine)
	}
	return p.commandAnswer(ctx, s, answer)
}

// authentic says what is wrong with a command's token. Mattermost sends it in
// the form and, since 5.0, in a header too: whichever is there must be right.
func (p *Platform) authentic(req *http.Request, s slash) (say string) {
	if len(p.slash) == 0 {
		p.log.Warn("a slash command came, and no token of one is configured: set command_token_file")
		return sayNoTokens
	}
	header, there := strings.CutPrefix(req.Header.Get("Authorization"), "Token ")
	if !p.slash.known(s.token) || there && !p.slash.known(header) {
		p.log.Warn("a slash command without the right token was refused")
		return sayWrongToken
	}
	return ""
}

// commandAnswer puts a Responder's answer into Mattermost's format.
func (p *Platform) commandAnswer(ctx context.Context, s slash, a chat.Answer) commandAnswer {
	if a.Dialog != nil {
		if err := p.openDialog(ctx, s.trigger, a.Dialog); err != nil {
			p.log.Warn("can't open a dialog", "error", err)
			return p.tell(sayNoDialog)
		}
	}
	out := p.tell(a.Whisper)
	if a.Link != nil && a.Whisper != "" {
		out.Text += "\n\n[" + literal(a.Link.Text) + "](" + a.Link.URL + ")"
	}
	if a.Reply != nil {
		m := *a.Reply
		m.Mentions = nil // nobody is rung by what only one person sees
		text, props, err := p.render("", m)
		if err != nil {
			p.log.Warn("can't show the answer to a command", "error", err)
			text = literal(m.Summary)
		}
		out.Text, out.Attachments = strings.TrimSpace(out.Text+"\n"+text), props.Attachments
	}
	if out.Text == "" && len(out.Attachments) == 0 {
		out.Text = sayDone // an empty answer counts as a failure
	}
	return out
}

// signature is how the bot signs.
func (p *Platform) signature() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cmp.Or(p.me.Username, defaultName)
}

// tell is an answer of plain text.
func (p *Platform) tell(text string) commandAnswer {
	return commandAnswer{Type: "ephemeral", Username: p.signature(), Text: literal(cut(text, maxMessage/8)), Literal: true}
}
