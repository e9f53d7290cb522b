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

// wantedCommand is the slash command as it is to be.
func (s *Setup) wantedCommand() command {
	return command{TeamID: s.known.teamID, Trigger: s.wish.Command, Method: "P", Username: s.wish.Bot, AutoComplete: true,
		AutoCompleteHint: s.wish.CommandHint,
		AutoCompleteDesc: "See and acknowledge problems", DisplayName: "Belfry",
		Description: "Made by Belfry for its connection " + s.wish.Connection, URL: s.wish.CallbackURL + commandPath}
}

// commandSteps are the slash command.
func (s *Setup) commandSteps() []Step {
	if s.wish.Command == "" {
		return nil
	}
	want := s.wantedCommand()
	text := "slash command /" + want.Trigger + " → " + want.URL
	at := slices.IndexFunc(s.known.commands, func(c command) bool { return c.Trigger == want.Trigger && c.TeamID == want.TeamID })
	if at < 0 {
		return []Step{{Verb: Make, Text: text, Who: "who can: an administrator of the team or the system; or you, with another --command, if the word is taken", do: s.makeCommand}}
	}
	have := s.known.commands[at]
	keep := func(ctx context.Context) error {
		if finish := s.adopt(kindCommand, want.Trigger, have.ID); finish != nil {
			if err := finish(ctx); err != nil {
				return err
			}
		}
		return s.keep(s.wish.CommandFile(), config.Secret(have.Token))
	}
	ours := s.receipts.find(kindCommand, want.Trigger) != nil
	if have.URL != want.URL && !ours {
		return []Step{{Verb: Blocked, Text: "the word /" + want.Trigger + " is another integration's in this team",
			Who: "who can: you, with another word: --command WORD; or an administrator of the team, who removes the other one"}}
	}
	want.ID, want.Token = have.ID, have.Token
	same := have
	same.Username, same.Description = want.Username, want.Description
	if same == want {
		return []Step{{Verb: Found, Text: text, do: keep}}
	}
	return []Step{{Verb: Change, Text: text, Who: "who can: an administrator of the team or the system", do: func(ctx context.Context) error {
		if err := s.api.put(ctx, "/commands/"+have.ID, want, nil); err != nil {
			return err
		}
		return keep(ctx)
	}}}
}

func (s *Setup) makeCommand(ctx context.Context) error {
	return s.make(receipt{Kind: kindCommand, Name: s.wish.Command}, func() (string, error) {
		var made command
		if err := s.api.post(ctx, "/commands", s.wantedCommand(), &made); err != nil {
			return "", err
		}
		return made.ID, s.keep(s.wish.CommandFile(), config.Secret(made.Token))
	})
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
	if slices.Equal(have.TriggerWords, s.wish.Triggers) {
		return []Step{{Verb: Found, Text: text, do: keep}}
	}
	want := have
	want.TriggerWords = s.wish.Triggers
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
