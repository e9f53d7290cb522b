// SPDX-License-Identifier: Apache-2.0

package checkup_test

import (
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

// talkative is a well scene in which "status" and "fridge" have answers, and
// one outgoing webhook brings them.
func talkative(t *testing.T) (*scene, string) {
	t.Helper()
	s := well(t)
	token := s.mm.AddOutgoing(mattermosttest.Bot, "", "application/json", 0, []string{"status", "fridge"}, s.visit.CallbackURL+"/outgoing")
	s.config.OutgoingTokens = []config.Secret{config.Secret(token)}
	s.opt.Answers = []config.Answer{{Name: "status", Words: []string{"status"}}, {Name: "fridge", Words: []string{"fridge"}}}
	s.lend()
	return s, token
}

func (s *scene) changeHook(change func(*mattermosttest.OutgoingHook)) { s.mm.ChangeOutgoing(change) }

func TestWordsThatReachBelfry(t *testing.T) {
	s, token := talkative(t)
	// What others have is no matter of ours.
	s.mm.AddOutgoing("alice", "", "application/json", 0, []string{"deploy"}, "https://ci.example.org/hook")
	found := s.examine()
	doctortest.Only(t, found)
	doctortest.Expect(t, found, "words", doctor.OK, "outgoing webhooks bring status, fridge")
	secrettest.Check(t, token, found)
}

// TestOneThingWrongWithWords: what is wrong is found, with its remedy, and
// nothing else.
func TestOneThingWrongWithWords(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		level  doctor.Level
		texts  []string
	}{
		"switched off": {func(s *scene) { s.mm.SetSetting("EnableOutgoingWebhooks", false) }, doctor.Fail,
			[]string{"switched off in Mattermost", "Enable Outgoing Webhooks: true", "mmctl config set ServiceSettings.EnableOutgoingWebhooks true"}},
		"no token is configured": {func(s *scene) { s.config.OutgoingTokens = nil }, doctor.Fail,
			[]string{"no outgoing webhook's token is configured", "outgoing_token_file of connection chat", "--trigger 'status' --trigger 'fridge', then: systemctl reload belfry"}},
		"another token": {func(s *scene) {
			s.changeHook(func(h *mattermosttest.OutgoingHook) { h.Token = strings.Repeat("n", 26) })
		}, doctor.Fail, []string{"a token that it doesn't know", "Integrations → Outgoing Webhooks → words", "the setting outgoing_tokens of connection chat"}},
		"it leads elsewhere": {func(s *scene) {
			s.changeHook(func(h *mattermosttest.OutgoingHook) { h.CallbackURLs = []string{"http://127.0.0.1:9/x"} })
		}, doctor.Fail, []string{"leads to http://127.0.0.1:9/x", "Edit → Callback URLs: http://127.0.0.1:"}},
		"it leads elsewhere, too": {func(s *scene) {
			s.changeHook(func(h *mattermosttest.OutgoingHook) { h.CallbackURLs = append(h.CallbackURLs, "http://127.0.0.1:9/x") })
		}, doctor.Warn, []string{"leads to 2 addresses", " alone"}},
		"it is an administrator's": {func(s *scene) {
			admin := s.mm.User("admin").ID
			s.changeHook(func(h *mattermosttest.OutgoingHook) { h.CreatorID = admin })
		}, doctor.Warn, []string{"belongs to somebody else than @belfry", "delete it (Integrations → Outgoing Webhooks → words)", "belfry mattermost setup --name chat"}},
		"a word without an answer": {func(s *scene) {
			s.changeHook(func(h *mattermosttest.OutgoingHook) { h.TriggerWords = append(h.TriggerWords, "oven") })
		}, doctor.Warn, []string{"words that have no answer: oven", "Edit → Trigger Words"}},
		"an answer without a webhook": {func(s *scene) {
			s.opt.Answers = append(s.opt.Answers, config.Answer{Name: "oven", Words: []string{"oven", "Fridge"}})
		}, doctor.Fail, []string{"no outgoing webhook of the team " + mattermosttest.Team + " brings them: oven, Fridge", "add oven, Fridge (capitals count)", "--trigger 'oven'"}},
		"no answer any more": {func(s *scene) { s.opt.Answers = nil }, doctor.Warn, []string{"words that have no answer: status, fridge"}},
		"there is none": {func(s *scene) {
			s.changeHook(func(h *mattermosttest.OutgoingHook) {
				h.TriggerWords, h.CallbackURLs, h.Token = []string{"deploy"}, []string{"https://ci.example.org/hook"}, strings.Repeat("n", 26)
			})
		}, doctor.Fail, []string{"brings them: status, fridge", "belfry mattermost setup --name chat --url http://127.0.0.1:"}},
		"no administrator": {func(s *scene) { s.visit.Admin = nil }, doctor.Warn, []string{"not seen", "--admin-token-file FILE", "type one of the words"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := talkative(t)
			c.change(s)
			found := s.examine()
			doctortest.Expect(t, found, "words", c.level, c.texts...)
			doctortest.Only(t, found, "words", "hidden settings")
		})
	}
}

func TestSeveralThingsWrongWithWordsAreAllTold(t *testing.T) {
	s, _ := talkative(t)
	s.changeHook(func(h *mattermosttest.OutgoingHook) {
		h.Token, h.TriggerWords = strings.Repeat("n", 26), []string{"status", "oven"}
	})
	found := s.examine()
	doctortest.Expect(t, found, "words", doctor.Fail, "a token that it doesn't know")
	doctortest.Expect(t, found, "words (2)", doctor.Warn, "have no answer: oven")
	doctortest.Expect(t, found, "words (3)", doctor.Fail, "brings them: fridge")
}

func TestALongerWordCallsAWebhookThatTakesBeginnings(t *testing.T) {
	s, _ := talkative(t)
	s.changeHook(func(h *mattermosttest.OutgoingHook) { h.TriggerWhen, h.TriggerWords = 1, []string{"stat", "fri"} })
	doctortest.Only(t, s.examine())
}

func TestOverTheWebsocketNoWebhookIsNeeded(t *testing.T) {
	s, _ := talkative(t)
	s.config.Websocket, s.config.OutgoingTokens = true, nil
	found := s.examine()
	doctortest.Only(t, found)
	doctortest.Expect(t, found, "words", doctor.OK, "heard over the websocket")
}

func TestWhereNothingIsAnsweredWordsAreNotLookedAt(t *testing.T) {
	s := well(t)
	s.lend()
	for _, f := range s.examine() {
		if f.Check == "words" {
			t.Errorf("%s", f.Seen)
		}
	}
}
