// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"belfry/chat/mattermost"
	"belfry/config"
)

// hooked is an outgoing webhook as the server lists it.
type hooked struct {
	Token   string   `json:"token"`
	Creator string   `json:"creator_id"`
	Channel string   `json:"channel_id"`
	Words   []string `json:"trigger_words"`
	When    int      `json:"trigger_when"`
	URLs    []string `json:"callback_urls"`
	Name    string   `json:"display_name"`
}

// startsWith is a webhook's trigger_when that takes longer words, too.
const startsWith = 1

// calledBy says whether a message that begins with word calls the webhook.
func (h hooked) calledBy(word string) bool {
	if len(h.Words) == 0 {
		return h.Channel != ""
	}
	return slices.ContainsFunc(h.Words, func(w string) bool {
		return w == word || h.When == startsWith && strings.HasPrefix(word, w)
	})
}

// place is where people find the webhook.
func (h hooked) place() string { return "Integrations → Outgoing Webhooks → " + plain(h.title()) }

func (h hooked) title() string {
	if h.Name != "" {
		return h.Name
	}
	return strings.Join(h.Words, ", ")
}

// hooksAtOnce is the page of a list; no team has more webhooks to Belfry.
const hooksAtOnce = 200

// words looks whether the words that have an answer reach us: by outgoing
// webhooks, unless they are heard over the websocket.
func (v *visit) words(ctx context.Context) {
	const check = "words"
	words := v.answered()
	switch {
	case v.teamID == "" || len(words) == 0 && !v.platform.TakesOutgoing():
		return
	case v.platform.Buttonless():
		v.good(check, "no outgoing webhook is needed: words are heard over the websocket")
		return
	case v.off("EnableOutgoingWebhooks"):
		v.bad(check, v.set(integrations+"Enable Outgoing Webhooks", "EnableOutgoingWebhooks", "true"), "words have answers, and outgoing webhooks are switched off in Mattermost")
		return
	case !v.platform.TakesOutgoing():
		v.bad(check, v.setupTriggers(words)+"\nor put the token of the outgoing webhook into a file that outgoing_token_file of connection "+v.opt.Name+" names, then: systemctl reload belfry",
			"words have answers (%s), and no outgoing webhook's token is configured", plain(strings.Join(words, ", ")))
		return
	}
	api, ok := v.borrowed()
	if !ok || v.admin == nil {
		v.doubt(check, "to see them: belfry doctor --admin-token-file FILE\nor type one of the words in a public channel: "+plain(strings.Join(words, ", ")),
			"not seen: outgoing webhooks are shown to administrators alone")
		return
	}
	var all []hooked
	if _, err := api.Call(ctx, http.MethodGet, fmt.Sprintf("/hooks/outgoing?per_page=%d&team_id=%s", hooksAtOnce, v.teamID), nil, &all); err != nil {
		v.doubt(check, "run belfry doctor again when Mattermost is well", "not seen: outgoing webhooks can't be listed: %v", err)
		return
	}
	before := len(v.found)
	ours, astray := v.judgeHooks(check, words, all)
	v.judgeWords(check, words, ours, astray)
	for i := range v.found[before:] {
		if i > 0 { // each check has a name of its own
			v.found[before+i].Check = fmt.Sprintf("%s (%d)", check, i+1)
		}
	}
	if len(v.found) == before {
		v.good(check, "outgoing webhooks bring %s", plain(strings.Join(words, ", ")))
	}
}

// answered are the words that have an answer on this connection.
func (v *visit) answered() []string {
	var out []string
	for _, a := range v.opt.Answers {
		for _, w := range a.Words {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

func (v *visit) setupTriggers(words []string) string {
	line := fmt.Sprintf("belfry mattermost setup --name %s --url %s --team %s", v.opt.Name, v.config.URL, v.config.Team)
	for _, w := range words {
		line += " --trigger '" + strings.ReplaceAll(plain(w), "'", `'\''`) + "'"
	}
	return line + ", then: systemctl reload belfry"
}

// judgeHooks returns the webhooks that lead here and those that should, and says
// what is wrong with them.
func (v *visit) judgeHooks(check string, words []string, all []hooked) (ours, astray []hooked) {
	want := v.platform.CallbackURL() + mattermost.PathOutgoing
	for _, h := range all {
		if slices.Contains(h.URLs, want) {
			ours = append(ours, h)
		}
	}
	for _, h := range all {
		if slices.Contains(h.URLs, want) || !v.meant(h, words, ours) {
			continue
		}
		astray = append(astray, h)
		v.bad(check, h.place()+" → Edit → Callback URLs: "+want, "the outgoing webhook %q leads to %s, not to %s", plain(h.title()), plain(strings.Join(h.URLs, " ")), want)
	}
	for _, h := range ours {
		v.judgeHook(check, h, want, words)
	}
	return ours, astray
}

// meant says whether a webhook that leads elsewhere should lead here: it has
// our token or a word of ours that nothing brings.
func (v *visit) meant(h hooked, words []string, ours []hooked) bool {
	return v.platform.KnowsOutgoing(config.Secret(h.Token)) || len(h.Words) > 0 && slices.ContainsFunc(words, func(w string) bool {
		return h.calledBy(w) && !slices.ContainsFunc(ours, func(o hooked) bool { return o.calledBy(w) })
	})
}

func (v *visit) judgeHook(check string, h hooked, want string, words []string) {
	name, triggers := plain(h.title()), words
	if len(triggers) == 0 {
		triggers = h.Words
	}
	if h.Token != "" && !v.platform.KnowsOutgoing(config.Secret(h.Token)) {
		place := v.config.OutgoingTokenFile
		if place == "" {
			place = "the setting outgoing_tokens of connection " + v.opt.Name
		}
		v.bad(check, "put its token ("+h.place()+") into "+place+", then: systemctl reload belfry\nor: "+v.setupTriggers(triggers),
			"the outgoing webhook %q reaches Belfry with a token that it doesn't know", name)
	}
	if len(h.URLs) > 1 {
		v.doubt(check, h.place()+" → Edit → Callback URLs: "+want+" alone", "the outgoing webhook %q leads to %d addresses: what one of them answers, all its callers read", name, len(h.URLs))
	}
	if h.Creator != v.me.ID {
		v.doubt(check, "delete it ("+h.place()+") and: "+v.setupTriggers(triggers), "the outgoing webhook %q belongs to somebody else than @%s: answers are signed by them, and end with their account", name, plain(v.me.Username))
	}
	var idle []string
	for _, w := range h.Words {
		if !slices.ContainsFunc(words, func(a string) bool {
			return strings.EqualFold(a, w) || h.When == startsWith && len(a) >= len(w) && strings.EqualFold(a[:len(w)], w)
		}) {
			idle = append(idle, plain(w))
		}
	}
	if len(idle) > 0 {
		v.doubt(check, "give them an answer in the configuration (docs/answers.md), or take them away: "+h.place()+" → Edit → Trigger Words", "the outgoing webhook %q brings words that have no answer: %s", name, strings.Join(idle, ", "))
	}
}

// judgeWords names the words that nothing brings.
func (v *visit) judgeWords(check string, words []string, ours, astray []hooked) {
	var lost []string
	for _, w := range words {
		if !slices.ContainsFunc(slices.Concat(ours, astray), func(h hooked) bool { return h.calledBy(w) }) {
			lost = append(lost, plain(w))
		}
	}
	if len(lost) == 0 {
		return
	}
	remedy := v.setupTriggers(words)
	if len(ours) > 0 {
		remedy = ours[0].place() + " → Edit → Trigger Words: add " + strings.Join(lost, ", ") + " (capitals count)\nor: " + remedy
	}
	v.bad(check, remedy, "words that have an answer, and no outgoing webhook of the team %s brings them: %s", v.config.Team, strings.Join(lost, ", "))
}
