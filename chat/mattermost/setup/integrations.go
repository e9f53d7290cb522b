// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"slices"
	"strings"

	"belfry/config"
)

// Paths below the connection's callback URL.
const (
	commandPath  = "/command"
	outgoingPath = "/outgoing"
)

// slash is a slash command that is wished for.
type slash struct {
	word, hint, about string
	// option is the flag by which another word is taken.
	option string
}

// slashes are the slash commands that are wished for.
func (w Wish) slashes() []slash {
	var list []slash
	if w.Command != "" {
		list = append(list, slash{w.Command, w.CommandHint, "See and acknowledge problems", "--command"})
	}
	if w.IncidentCommand != "" {
		list = append(list, slash{w.IncidentCommand, w.IncidentHint, "Declare and run incidents", "--incident-command"})
	}
	return list
}

// wanted is the slash command as it is to be.
func (s *Setup) wanted(c slash) command {
	return command{TeamID: s.known.teamID, Trigger: c.word, Method: "P", Username: s.wish.Bot, AutoComplete: true,
		AutoCompleteHint: c.hint,
		AutoCompleteDesc: c.about, DisplayName: "Belfry",
		Description: "Made by Belfry for its connection " + s.wish.Connection, URL: s.wish.CallbackURL + commandPath}
}

// commandSteps are the slash commands.
func (s *Setup) commandSteps() []Step {
	var steps []Step
	for _, c := range s.wish.slashes() {
		steps = append(steps, s.commandStep(c))
	}
	return steps
}

func (s *Setup) commandStep(c slash) Step {
	want := s.wanted(c)
	text := "slash command /" + want.Trigger + " → " + want.URL
	at := slices.IndexFunc(s.known.commands, func(c command) bool { return c.Trigger == want.Trigger && c.TeamID == want.TeamID })
	if at < 0 {
		return Step{Verb: Make, Text: text, Who: "who can: an administrator of the team or the system; or you, with another " + c.option + ", if the word is taken",
			do: func(ctx context.Context) error { return s.makeCommand(ctx, c) }}
	}
	have := s.known.commands[at]
	keep := func(ctx context.Context) error {
		if finish := s.adopt(kindCommand, want.Trigger, have.ID); finish != nil {
			if err := finish(ctx); err != nil {
				return err
			}
		}
		return s.keepCommand(c, have.Token)
	}
	ours := s.receipts.find(kindCommand, want.Trigger) != nil
	if have.URL != want.URL && !ours {
		return Step{Verb: Blocked, Text: "the word /" + want.Trigger + " is another integration's in this team",
			Who: "who can: you, with another word: " + c.option + " WORD; or an administrator of the team, who removes the other one"}
	}
	want.ID, want.Token = have.ID, have.Token
	same := have
	same.Username, same.Description = want.Username, want.Description
	if same == want {
		return Step{Verb: Found, Text: text, do: keep}
	}
	return Step{Verb: Change, Text: text, Who: "who can: an administrator of the team or the system", do: func(ctx context.Context) error {
		if err := s.api.put(ctx, "/commands/"+have.ID, want, nil); err != nil {
			return err
		}
		return keep(ctx)
	}}
}

func (s *Setup) makeCommand(ctx context.Context, c slash) error {
	return s.make(receipt{Kind: kindCommand, Name: c.word}, func() (string, error) {
		var made command
		if err := s.api.post(ctx, "/commands", s.wanted(c), &made); err != nil {
			return "", err
		}
		return made.ID, s.keepCommand(c, made.Token)
	})
}

// keepCommand keeps a command's token, and those of the other commands that are
// known by now: they share a file.
func (s *Setup) keepCommand(c slash, token string) error {
	if s.commandTokens == nil {
		s.commandTokens = map[string]string{}
		for _, have := range s.known.commands {
			if have.TeamID == s.known.teamID && have.URL == s.wish.CallbackURL+commandPath {
				s.commandTokens[have.Trigger] = have.Token
			}
		}
	}
	s.commandTokens[c.word] = token
	var tokens []string
	for _, other := range s.wish.slashes() {
		if t := s.commandTokens[other.word]; t != "" {
			tokens = append(tokens, t)
		}
	}
	return s.keep(s.wish.CommandFile(), config.Secret(strings.Join(tokens, "\n")))
}

// outgoingName tells our outgoing webhook from others.
func (s *Setup) outgoingName() string { return "Belfry " + s.wish.Connection }

// outgoingSteps are the outgoing webhook. The bot is its owner, because Mattermost
// posts the answers as that. It has one callback URL: of several
// only the first gets a body from servers before 9.8.
func (s *Setup) outgoingSteps() []Step {
	if len(s.wish.Triggers) == 0 {
		return nil
	}
	name, url := s.outgoingName(), s.wish.CallbackURL+outgoingPath
	text := "outgoing webhook for " + strings.Join(s.wish.Triggers, ", ") + " in public channels → " + url
	at := slices.IndexFunc(s.known.hooks, func(h outgoing) bool { return slices.Contains(h.CallbackURLs, url) })
	if n := s.receipts.find(kindOutgoing, name); at < 0 && n != nil && n.ID != "" {
		at = slices.IndexFunc(s.known.hooks, func(h outgoing) bool { return h.ID == n.ID }) // ours, from where Belfry was before
	}
	if at < 0 {
		return []Step{{Verb: Make, Text: text, Who: "who can: an administrator of the team or the system", do: func(ctx context.Context) error {
			return s.make(receipt{Kind: kindOutgoing, Name: name}, func() (string, error) {
				var made outgoing
				err := s.api.post(ctx, "/hooks/outgoing", outgoing{TeamID: s.known.teamID, CreatorID: s.known.bot.ID, TriggerWords: s.wish.Triggers, CallbackURLs: []string{url},
					DisplayName: name, Description: "Made by Belfry", ContentType: "application/json"}, &made)
				if err != nil {
					return "", err
				}
				return made.ID, s.keep(s.wish.OutgoingFile(), config.Secret(made.Token))
			})
		}}}
	}
	have := s.known.hooks[at]
	keep := func(ctx context.Context) error {
		if finish := s.adopt(kindOutgoing, name, have.ID); finish != nil {
			if err := finish(ctx); err != nil {
				return err
			}
		}
		return s.keep(s.wish.OutgoingFile(), config.Secret(have.Token))
	}
	want := have
	want.TriggerWords, want.CallbackURLs = s.wish.Triggers, []string{url}
	if slices.Equal(have.TriggerWords, want.TriggerWords) && slices.Equal(have.CallbackURLs, want.CallbackURLs) {
		return []Step{{Verb: Found, Text: text, do: keep}}
	}
	return []Step{{Verb: Change, Text: text, Who: "who can: an administrator of the team or the system", do: func(ctx context.Context) error {
		if err := s.api.put(ctx, "/hooks/outgoing/"+have.ID, want, nil); err != nil {
			return err
		}
		return keep(ctx)
	}}}
}

// oauthSteps are the application by which people connect their accounts.
func (s *Setup) oauthSteps() []Step {
	if !s.wish.OAuth {
		return nil
	}
	want := application{Name: "Belfry " + s.wish.Connection, Description: "People connect their accounts to Belfry and sign in", CallbackURLs: s.wish.redirects(), Homepage: s.wish.PublicURL, IsTrusted: false}
	text := "OAuth application " + want.Name + " → " + strings.Join(want.CallbackURLs, ", ")
	at := slices.IndexFunc(s.known.apps, func(a application) bool { return a.Name == want.Name })
	if at < 0 {
		return []Step{{Verb: Make, Text: text, Who: systemAdmin, do: func(ctx context.Context) error {
			return s.make(receipt{Kind: kindOAuth, Name: want.Name}, func() (string, error) {
				var made application
				if err := s.api.post(ctx, "/oauth/apps", want, &made); err != nil {
					return "", err
				}
				s.known.apps = append(s.known.apps, made)
				return made.ID, s.keep(s.wish.OAuthFile(), config.Secret(made.ClientSecret))
			})
		}}}
	}
	have := s.known.apps[at]
	keep := func(ctx context.Context) error {
		if finish := s.adopt(kindOAuth, want.Name, have.ID); finish != nil {
			if err := finish(ctx); err != nil {
				return err
			}
		}
		return s.keep(s.wish.OAuthFile(), config.Secret(have.ClientSecret))
	}
	if slices.Equal(have.CallbackURLs, want.CallbackURLs) {
		return []Step{{Verb: Found, Text: text, do: keep}}
	}
	if s.receipts.find(kindOAuth, want.Name) == nil {
		return []Step{{Verb: Blocked, Text: "an OAuth application named " + want.Name + " leads elsewhere",
			Who: "who can: you, with another --name; or a system administrator, who removes it (Integrations → OAuth 2.0 Applications)"}}
	}
	changed := have
	changed.CallbackURLs = want.CallbackURLs
	return []Step{{Verb: Change, Text: text, Who: systemAdmin, do: func(ctx context.Context) error {
		if err := s.api.put(ctx, "/oauth/apps/"+have.ID, changed, nil); err != nil {
			return err
		}
		return keep(ctx)
	}}}
}

// ClientID is the OAuth application's id once it is there; else empty.
func (s *Setup) ClientID() string {
	for _, a := range s.known.apps {
		if a.Name == "Belfry "+s.wish.Connection {
			return a.ID
		}
	}
	return ""
}
