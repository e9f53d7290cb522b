// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strconv"
	"strings"

	"belfry/chat/mattermost/mattermosttest"

	"github.com/rogpeppe/go-internal/testscript"
)

type mattermostKey struct{}

// mattermost plays a server that was just installed:
//
//	mattermost start          start it: $MATTERMOST is its address, the file admin its administrator's token
//	mattermost channel NAME   make a public channel
//	mattermost fails N        the call after N that change something fails
//	mattermost sets KEY VALUE an administrator changes a setting: true, false or a text
//	mattermost https          put HTTPS before it, with the certificate in the file ca: $MATTERMOST_HTTPS is its address
//	mattermost leaves NAME    the bot is taken out of a channel
//	mattermost locks KEY      that setting is set by the server's environment
//	mattermost has THING…     wants bot, command, and settings that are on; ! the opposite
func mattermost(ts *testscript.TestScript, neg bool, args []string) {
	s, ok := ts.Value(mattermostKey{}).(**mattermosttest.Server)
	if !ok || len(args) == 0 {
		ts.Fatalf("usage: mattermost start|https|channel|fails|sets|leaves|locks|has")
	}
	switch args[0] {
	case "start":
		started, err := mattermosttest.New(mattermosttest.Options{Fresh: true})
		ts.Check(err)
		ts.Defer(started.Close)
		*s = started
		ts.Setenv("MATTERMOST", started.URL())
		ts.Check(os.WriteFile(ts.MkAbs("admin"), []byte(started.UserToken("admin")+"\n"), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("alice"), []byte(started.UserToken("alice")+"\n"), 0o600))
	case "https":
		h, err := (*s).HTTPS()
		ts.Check(err)
		ts.Defer(h.Close)
		ts.Setenv("MATTERMOST_HTTPS", h.URL)
		ts.Check(os.WriteFile(ts.MkAbs("ca"), h.Certificate, 0o600))
	case "channel":
		(*s).AddChannel(args[1])
	case "fails": // as many as there are x
		(*s).FailCall(strings.Count(args[1], "x"), false)
	case "sets":
		value := any(strings.Join(args[2:], " "))
		if on, err := strconv.ParseBool(args[2]); err == nil {
			value = on
		}
		(*s).SetSetting(args[1], value)
	case "leaves":
		(*s).Leave("belfry", args[1])
	case "locks":
		(*s).LockSetting(args[1], false)
	case "has":
		for _, thing := range args[1:] {
			has := false
			switch thing {
			case "bot":
				has = (*s).Knows("belfry")
			case "command":
				has = len((*s).Commands()) > 0
			default:
				has = (*s).Setting(thing) == true
			}
			if has == neg {
				ts.Fatalf("%s: %v", thing, has)
			}
		}
	default:
		ts.Fatalf("mattermost %s: unknown", args[0])
	}
}
