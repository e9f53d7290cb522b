// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"embed"
	"fmt"
	"strings"
)

// programs are the ready ones, one file each; the comment at a file's head
// says whose format it reads and how the tool is set up.
//
//go:embed programs/*.jq
var programs embed.FS

// Names lists the ready programs.
func Names() []string { return []string{"gitlab", "grafana", "jenkins", "uptime-kuma", "zabbix"} }

// Source returns a ready program's text, to start one's own from.
func Source(name string) (string, error) {
	text, err := programs.ReadFile("programs/" + name + ".jq")
	if err != nil {
		return "", fmt.Errorf("there is no ready program %.40q; there are %s", name, strings.Join(Names(), ", "))
	}
	return string(text), nil
}

// Ready compiles a ready program.
func Ready(name string) (*Program, error) {
	source, err := Source(name)
	if err != nil {
		return nil, err
	}
	return Compile(source)
}
