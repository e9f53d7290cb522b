// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/answer"
	"belfry/chat/console"
	"belfry/chat/mattermost"
	"belfry/chat/slack"
	"belfry/config"
	"belfry/monitor/alertmanager"
	"belfry/monitor/chathook"
	"belfry/monitor/nagios"
	"belfry/monitor/openitcockpit"
	"belfry/monitor/webhook"
	"belfry/route"
)

func realKinds() config.Kinds {
	return config.Kinds{
		Connections: map[string]func() config.Spec{
			"mattermost": func() config.Spec { return new(mattermost.Config) },
			"slack":      func() config.Spec { return new(slack.Config) },
			"console":    func() config.Spec { return new(console.Config) },
		},
		Sources: map[string]func() config.Spec{
			"nagios":        func() config.Spec { return new(nagios.Config) },
			"alertmanager":  func() config.Spec { return new(alertmanager.Config) },
			"openitcockpit": func() config.Spec { return new(openitcockpit.Config) },
			"webhook":       func() config.Spec { return new(webhook.Config) },
			"chathook":      func() config.Spec { return new(chathook.Config) },
		},
		Answers: answer.Kinds(),
	}
}

const example = "../docs/belfry.example.yaml"

// TestTheExampleHolds loads the example that people start from, and routes by it.
func TestTheExampleHolds(t *testing.T) {
	f, problems := config.LoadFile(example, realKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	table, err := route.New(f.Routes, f.Default)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		labels alert.Labels
		want   string
	}{
		{alert.Labels{"severity": "critical", "topic": "problem", "team": "dba", "source": "nagios"}, "chat/ops chat/oncall chat/databases room/alerts"},
		{alert.Labels{"severity": "warning", "topic": "problem", "source": "nagios"}, "room/alerts"},
	} {
		var got []string
		for _, target := range table.Match(c.labels).Targets {
			got = append(got, target.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v went to %v, want %s", c.labels, got, c.want)
		}
	}
}

// TestTheExampleNamesOnlyWhatExists turns the commented keys of the example on,
// one by one: none may be unknown.
func TestTheExampleNamesOnlyWhatExists(t *testing.T) {
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	commented := regexp.MustCompile(`^( +)# ([a-z_]+: [^ ]+)(  .*)?$`)
	turned := 0
	for i, line := range lines {
		m := commented.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		turned++
		one := append(append(append([]string{}, lines[:i]...), m[1]+m[2]), lines[i+1:]...)
		_, problems := config.Load("example", []byte(strings.Join(one, "\n")), realKinds())
		for _, p := range problems {
			if strings.Contains(p.Text, "unknown key") || strings.Contains(p.Text, "wanted") || strings.Contains(p.Text, "YAML") {
				t.Errorf("%s: %v", m[2], p)
			}
		}
	}
	if turned < 10 {
		t.Errorf("only %d commented keys were found", turned)
	}
}
