// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"

	"belfry/route"
)

// IncidentProgram is a program that may use the API of incidents.
type IncidentProgram struct {
	// Name is what the timelines call it.
	Name string `yaml:"name,word"`
	// TokenFile holds its token; empty: one is made in the data directory.
	TokenFile string `yaml:"token_file"`
	// Limit is how many incidents it may declare in an hour; 0: DefaultProgramLimit.
	Limit int `yaml:"limit"`
}

// DefaultProgramLimit is how many incidents a program may declare in an hour.
const DefaultProgramLimit = 20

const maxProgramLimit = 1000

func checkPrograms(w *wrongs, list []IncidentProgram) {
	for n, p := range list {
		at := fmt.Sprintf("api[%d]", n)
		if !route.ValidName(p.Name) {
			w.add(at, "name %s won't do: it is 1 to 31 characters a-z, 0-9 and -, and begins with a letter or digit", quote(p.Name))
		}
		if p.Limit < 0 || p.Limit > maxProgramLimit {
			w.add(at, "limit: %d is out of bounds; a program declares up to %d incidents an hour", p.Limit, maxProgramLimit)
		}
	}
	w.unique("api", len(list), func(n int) string { return list[n].Name })
}
