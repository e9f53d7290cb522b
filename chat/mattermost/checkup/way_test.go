// SPDX-License-Identifier: Apache-2.0

package checkup_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"belfry/chat/mattermost"
	"belfry/chat/mattermost/checkup"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

func TestACertificateThatMattermostDoesNotTrust(t *testing.T) {
	s := well(t)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	secure.StartTLS()
	defer secure.Close()
	s.visit.CallbackURL = secure.URL + "/chat/chat"
	s.lend()
	found := s.examine()
	doctortest.Expect(t, found, "certificate for Mattermost", doctor.Fail, "is not trusted", "belfry cert --out belfry.crt", "update-ca-certificates", "fullchain.pem")
	doctortest.Expect(t, found, "callback", doctor.Fail, "could not call")
}

func TestWhereMattermostCantReachUsNothingIsCalled(t *testing.T) {
	s := well(t)
	s.config.Websocket = true
	s.lend()
	found := s.examine()
	doctortest.Only(t, found)
	doctortest.Expect(t, found, "callback", doctor.OK, "not needed")
	for _, f := range found {
		if strings.HasPrefix(f.Check, "slash command") || f.Check == "internal connections" {
			t.Errorf("%s was looked at: %s", f.Check, f.Seen)
		}
	}
}

func TestAnAddressThatLeadsNowhere(t *testing.T) {
	s := well(t)
	s.config.CallbackURL = "http://belfry.nowhere.example/chat/chat"
	found := s.examine()
	doctortest.Expect(t, found, "callback", doctor.Fail, "make belfry.nowhere.example known to Mattermost's host")
	doctortest.Expect(t, found, "internal connections", doctor.Warn, "can't be looked up from here")
	s.config = &mattermost.Config{URL: s.mm.URL(), Token: s.config.Token, Team: "nosuch", CommandTokens: s.config.CommandTokens}
	doctortest.Expect(t, s.examine(), "team", doctor.Fail, `there is no team "nosuch"`)
}

func TestAFileThatCantBeRead(t *testing.T) {
	s := well(t)
	s.config.Token, s.config.TokenFile = "", "/nowhere/chat.token"
	found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Check(t, found)
	doctortest.Expect(t, found, "configuration", doctor.Fail, "/nowhere/chat.token", "systemctl reload belfry")
}
