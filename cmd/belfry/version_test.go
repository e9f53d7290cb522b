// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestAVersionSaysOnlyWhatIsKnown(t *testing.T) {
	built := "(" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}
	for _, c := range []struct {
		version string
		info    *debug.BuildInfo
		want    string
	}{
		{"", nil, "belfry development build " + built},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "belfry development build " + built},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "belfry v1.2.3 " + built},
		{"v1.2.3", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: commit}, "belfry v1.2.3 (commit 0123456789ab, " + built[1:]},
		{"v1.2.3", &debug.BuildInfo{Settings: append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})}, "belfry v1.2.3 (commit 0123456789ab with changes, " + built[1:]},
	} {
		if got := describe(c.version, c.info); got != c.want {
			t.Errorf("%q: got %s, want %s", c.version, got, c.want)
		}
	}
}
