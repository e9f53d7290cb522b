// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"fmt"
	"strings"

	"belfry/chat/mattermost/reach"
)

// setting is a key of ServiceSettings that has to have a value.
type setting struct {
	key  string
	want any
	// why it is needed, and where the System Console has it.
	why, where string
	// entry is what is added, where the value is a list.
	entry string
}

// The settings of bots, which other steps ask for.
const (
	keyBots   = "EnableBotAccountCreation"
	keyTokens = "EnableUserAccessTokens"
	keyHosts  = reach.Setting
)

// needed are the settings that the wish depends on.
func (s *Setup) needed() []setting {
	var out []setting
	on := func(ok bool, key, why, where string) {
		if ok {
			out = append(out, setting{key: key, want: true, why: why, where: where})
		}
	}
	const accounts, integrations = "Integrations → Bot Accounts", "Integrations → Integration Management"
	k := &s.known
	if k.settings["SiteURL"] == "" {
		out = append(out, setting{key: "SiteURL", want: s.wish.URL, why: "answers to commands and sign-in are addressed by it", where: "Environment → Web Server"})
	}
	on(k.bot.ID == "", keyBots, "the bot can't be made without it", accounts)
	on(!s.holdsToken(), keyTokens, "the bot's token can't be made without it", integrations)
	on(len(s.wish.slashes()) > 0, "EnableCommands", "the slash command needs it", integrations)
	on(len(s.wish.Triggers) > 0, "EnableOutgoingWebhooks", "the outgoing webhook needs it", integrations)
	on(len(s.wish.Triggers) > 0, "EnablePostUsernameOverride", "its answers carry a name of their own", integrations)
	on(len(s.wish.Triggers) > 0, "EnablePostIconOverride", "its answers carry an icon of their own", integrations)
	on(s.wish.OAuth, "EnableOAuthServiceProvider", "people connect their accounts by it", integrations)
	list, _ := k.settings[keyHosts].(string)
	if host := s.wish.callbackHost(); !reach.Calls(list, host, k.addresses, k.own) {
		out = append(out, setting{key: keyHosts, want: reach.Allow(list, host), entry: host,
			why: "Mattermost calls no private address that is not listed, and " + host + " is one", where: "Environment → Developer"})
	}
	return out
}

// settingSteps says what has to change in the server's settings.
func (s *Setup) settingSteps() []Step {
	if s.known.settings == nil {
		return []Step{{Verb: Blocked, Text: "settings: @" + s.known.me.Username + " may not read them, so nobody knows whether they are right", Who: systemAdmin}}
	}
	var out []Step
	fine := 0
	for _, want := range s.needed() {
		now := s.known.settings[want.key]
		if now == want.want {
			fine++
			if finish := s.adopt(kindSetting, want.key, want.key); finish != nil {
				out = append(out, Step{Verb: Found, Text: "setting " + want.key + " was changed by an earlier run", do: finish})
			}
			continue
		}
		out = append(out, s.settingStep(want, now))
	}
	if s.known.unresolved {
		out = append(out, Step{Verb: Note, Text: s.wish.callbackHost() + " can't be looked up from here, so whether Mattermost may call it is not known",
			Who: "if it leads to a private address there, add it to " + keyHosts + " (System Console → Environment → Developer)"})
	}
	if len(out) == 0 {
		return []Step{{Verb: Found, Text: fmt.Sprintf("settings: nothing is in the way (%d were looked at)", fine+1)}}
	}
	return out
}

func (s *Setup) settingStep(want setting, now any) Step {
	text := fmt.Sprintf("setting %s: %s → %s; %s", want.key, shown(now), shown(want.want), want.why)
	_, known := s.known.settings[want.key]
	locked, _ := s.known.locked[want.key].(bool)
	console := "System Console → " + want.where
	switch {
	case !known:
		return Step{Verb: Blocked, Text: text, Who: "this server does not show it; who can: a system administrator, in " + console}
	case locked:
		return Step{Verb: Blocked, Text: text, Who: fmt.Sprintf("who can: whoever starts the server, because its environment sets it: MM_SERVICESETTINGS_%s=%q", strings.ToUpper(want.key), fmt.Sprint(want.want))}
	case !s.wish.ChangeSettings:
		return Step{Verb: Blocked, Text: text, Who: "who can: a system administrator, in " + console + "; or this command with --change-settings"}
	}
	return Step{Verb: Change, Text: text, Who: "who can: whoever starts the server, in its environment or config.json", do: func(ctx context.Context) error { return s.changeSetting(ctx, want, now) }}
}

func shown(v any) string {
	if text, ok := v.(string); ok {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(v)
}

// off says whether a setting is off and stays so: what needs it can't be made.
func (s *Setup) off(key string) bool {
	locked, _ := s.known.locked[key].(bool)
	return s.known.settings != nil && s.known.settings[key] != true && (locked || !s.wish.ChangeSettings)
}

// waits is a step that needs a setting which is off and stays so.
func waits(text, key string) Step {
	return Step{Verb: Blocked, Text: text, Who: "waits for the setting " + key + ", see above"}
}

// changeSetting changes one key and looks whether it stuck.
func (s *Setup) changeSetting(ctx context.Context, want setting, now any) error {
	n := receipt{Kind: kindSetting, Name: want.key, Of: want.entry, Old: now, New: want.want}
	return s.make(n, func() (string, error) {
		if err := s.patch(ctx, want.key, want.want); err != nil {
			return "", err
		}
		got, err := s.setting(ctx, want.key)
		if err != nil {
			return "", err
		}
		if got != want.want {
			if err := s.receipts.drop(kindSetting, want.key); err != nil {
				return "", err
			}
			return "", errKept
		}
		s.known.settings[want.key] = got
		return want.key, nil
	})
}

func (s *Setup) patch(ctx context.Context, key string, value any) error {
	return s.api.put(ctx, "/config/patch", map[string]any{"ServiceSettings": map[string]any{key: value}}, nil)
}

func (s *Setup) setting(ctx context.Context, key string) (any, error) {
	var cfg struct {
		ServiceSettings map[string]any
	}
	if err := s.api.get(ctx, "/config", &cfg); err != nil {
		return nil, err
	}
	return cfg.ServiceSettings[key], nil
}
