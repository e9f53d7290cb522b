// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"fmt"

	"belfry/config"
)

// holdsToken says whether the bot's token is there already.
func (s *Setup) holdsToken() bool {
	return s.known.bot.ID != "" && s.known.bot.DeleteAt == 0 && s.known.holds.ID == s.known.bot.ID
}

// botSteps are the bot, its token and its place in the team.
func (s *Setup) botSteps() []Step {
	k, name := &s.known, "@"+s.wish.Bot
	account := Step{Verb: Found, Text: "bot " + name, do: s.adopt(kindBot, s.wish.Bot, k.bot.ID)}
	switch {
	case k.bot.ID == "" && s.off(keyBots):
		return []Step{waits("bot "+name+", its token and its membership in the team "+s.wish.Team, keyBots)}
	case k.bot.ID == "":
		account = Step{Verb: Make, Text: "bot " + name, Who: systemAdmin, do: s.makeBot}
	case !k.bot.IsBot:
		return []Step{{Verb: Blocked, Text: name + " is a person's account, not a bot's", Who: "who can: you, by another name: --bot NAME"}}
	case k.bot.DeleteAt != 0:
		account = Step{Verb: Change, Text: "bot " + name + " was deactivated and is activated again", Who: systemAdmin, do: s.enableBot}
	}
	token := Step{Verb: Make, Text: "access token of " + name + ", kept in " + s.wish.TokenFile(), Who: systemAdmin, do: s.makeToken}
	switch {
	case s.holdsToken():
		token = Step{Verb: Found, Text: "access token of " + name + " in " + s.wish.TokenFile(), do: s.finishToken()}
	case s.off(keyTokens):
		token = waits("access token of "+name, keyTokens)
	case k.holds.ID != "" && k.bot.ID != "" && k.holds.ID != k.bot.ID:
		token = Step{Verb: Blocked, Text: s.wish.TokenFile() + " holds the token of another account, @" + k.holds.Username, Who: "who can: you: move that file away, or say --bot " + k.holds.Username}
	}
	member := "membership of " + name + " in the team " + s.wish.Team
	team := Step{Verb: Found, Text: member, do: s.adopt(kindTeamMember, member, k.teamID)}
	if !k.inTeam {
		team = Step{Verb: Make, Text: member, Who: systemAdmin + "; or whoever may invite to the team", do: func(ctx context.Context) error {
			return s.join(ctx, kindTeamMember, member, k.teamID, "/teams/"+k.teamID+"/members", map[string]string{"team_id": k.teamID, "user_id": k.bot.ID})
		}}
	}
	return []Step{account, token, team}
}

func (s *Setup) makeBot(ctx context.Context) error {
	return s.make(receipt{Kind: kindBot, Name: s.wish.Bot}, func() (string, error) {
		var made struct {
			UserID string `json:"user_id"`
		}
		err := s.api.post(ctx, "/bots", map[string]string{"username": s.wish.Bot, "display_name": "Belfry",
			"description": "Brings alerts from monitoring and carries back what people decide"}, &made)
		s.known.bot = user{ID: made.UserID, Username: s.wish.Bot, IsBot: true}
		return made.UserID, err
	})
}

func (s *Setup) enableBot(ctx context.Context) error {
	return s.make(receipt{Kind: kindBot, Name: s.wish.Bot}, func() (string, error) {
		return s.known.bot.ID, s.api.post(ctx, "/bots/"+s.known.bot.ID+"/enable", nil, nil)
	})
}

// makeToken makes a token. Its value is shown once, so one that an earlier run
// made and could not keep is revoked first.
func (s *Setup) makeToken(ctx context.Context) error {
	if s.known.bot.ID == "" {
		return errNeeds
	}
	if err := s.revokeLost(ctx); err != nil {
		return err
	}
	description := "Belfry, connection " + s.wish.Connection + ", set-up " + s.opt.Random()
	var made accessToken
	return s.make(receipt{Kind: kindToken, Name: description, Of: s.known.bot.ID}, func() (string, error) {
		err := s.api.post(ctx, "/users/"+s.known.bot.ID+"/tokens", map[string]string{"description": description}, &made)
		if err != nil {
			return "", err
		}
		return made.ID, s.keep(s.wish.TokenFile(), config.Secret(made.Token))
	})
}

// keep writes a secret to a file of its own, unless it holds it already.
func (s *Setup) keep(path string, secret config.Secret) error {
	if secret == "" { // a secret that is there would be lost
		return fmt.Errorf("the server doesn't show the secret for %s to this administrator: use a token of a system administrator, or remove what was made (belfry mattermost remove) and set it up anew", path)
	}
	if old, err := config.ReadSecret("", path); err == nil && old == secret {
		return nil
	}
	if err := WriteFile(path, []byte(secret.Reveal()+"\n"), 0o600); err != nil {
		return fmt.Errorf("can't keep a secret of the server: %w", err)
	}
	return s.receipts.wrote(path)
}

// tokens lists the bot's tokens, without what they are.
func (s *Setup) tokens(ctx context.Context) ([]accessToken, error) {
	var list []accessToken
	err := s.api.get(ctx, fmt.Sprintf("/users/%s/tokens?per_page=%d", s.known.bot.ID, page), &list)
	return list, err
}

// revokeLost revokes the tokens that earlier runs made and that are not in the
// token file.
func (s *Setup) revokeLost(ctx context.Context) error {
	var lost []string
	for _, n := range s.receipts.Made {
		if n.Kind == kindToken {
			lost = append(lost, n.Name)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	list, err := s.tokens(ctx)
	if err != nil {
		return err
	}
	for _, name := range lost {
		for _, t := range list {
			if t.Description != name {
				continue
			}
			if err := s.api.post(ctx, "/users/tokens/revoke", map[string]string{"token_id": t.ID}, nil); err != nil {
				return err
			}
		}
		if err := s.receipts.drop(kindToken, name); err != nil {
			return err
		}
	}
	return nil
}

// finishToken completes the note of a token that was kept but not noted as
// such; nil where there is none.
func (s *Setup) finishToken() func(context.Context) error {
	for _, n := range s.receipts.Made {
		if n.Kind == kindToken && n.Done.IsZero() {
			return func(ctx context.Context) error {
				list, err := s.tokens(ctx)
				if err != nil {
					return err
				}
				for _, t := range list {
					if t.Description == n.Name {
						return s.receipts.done(kindToken, n.Name, t.ID, s.opt.Clock.Now())
					}
				}
				return s.receipts.drop(kindToken, n.Name)
			}
		}
	}
	return nil
}

// join puts the bot into a team or a channel.
func (s *Setup) join(ctx context.Context, k kind, name, id, path string, body map[string]string) error {
	if s.known.bot.ID == "" {
		return errNeeds
	}
	body["user_id"] = s.known.bot.ID
	return s.make(receipt{Kind: k, Name: name, ID: id, Of: s.known.bot.ID}, func() (string, error) {
		return id, s.api.post(ctx, path, body, nil)
	})
}

// channelSteps are the channels and the bot's place in them.
func (s *Setup) channelSteps() []Step {
	var out []Step
	for _, name := range s.wish.Channels {
		out = append(out, s.channelStep(name)...)
	}
	return out
}

func (s *Setup) channelStep(name string) []Step {
	k := &s.known
	c := k.channels[name]
	there := Step{Verb: Found, Text: "channel " + name, do: s.adopt(kindChannel, name, c.ID)}
	switch {
	case c.ID == "" && s.wish.CreateChannels:
		there = Step{Verb: Make, Text: "public channel " + name, Who: systemAdmin + "; or whoever may create channels", do: func(ctx context.Context) error { return s.makeChannel(ctx, name) }}
	case c.ID == "":
		return []Step{{Verb: Blocked, Text: "there is no channel " + name + " in the team " + s.wish.Team + ", or it is private and @" + k.me.Username + " is not in it",
			Who: "who can: you: write its handle, or make it with --create-channels; or one of its members, who invites you"}}
	case c.DeleteAt != 0:
		return []Step{{Verb: Blocked, Text: "the channel " + name + " is archived", Who: "who can: an administrator of the team, who un-archives it; or you, with another --channel"}}
	}
	member := "membership of @" + s.wish.Bot + " in the channel " + name
	in := Step{Verb: Found, Text: member, do: s.adopt(kindChannelMember, member, c.ID)}
	switch {
	case k.bot.ID == "" && s.off(keyBots):
		in = waits(member, keyBots)
	case !k.inside[name]:
		in = Step{Verb: Make, Text: member, Who: "who can: any member of the channel: /invite @" + s.wish.Bot, do: func(ctx context.Context) error {
			id := k.channels[name].ID
			if id == "" {
				return errNeeds
			}
			return s.join(ctx, kindChannelMember, member, id, "/channels/"+id+"/members", map[string]string{})
		}}
	}
	return []Step{there, in}
}

func (s *Setup) makeChannel(ctx context.Context, name string) error {
	return s.make(receipt{Kind: kindChannel, Name: name}, func() (string, error) {
		var made channel
		err := s.api.post(ctx, "/channels", map[string]string{"team_id": s.known.teamID, "name": name, "display_name": name, "type": "O",
			"purpose": "Alerts from Belfry"}, &made)
		s.known.channels[name] = made
		return made.ID, err
	})
}
