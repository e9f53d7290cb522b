// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// mention is a handle as the server takes it from text: an "@" that does not
// follow a letter or digit (then it is an address), and what may be a handle.
var mention = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^\p{L}\d@])@([A-Za-z0-9][A-Za-z0-9._-]*)`)
})

// ringing returns whom the post rang when it was posted: "channel", "all",
// "here" and handles of people. Message, pretext and text ring, outside of
// code; escapes and character references are resolved first, so they don't
// help; a zero width character after the "@" does. Edits never ring. s.mu must
// be held.
func (s *Server) ringing(p *Post) []string {
	sources := []string{p.born.message}
	for _, a := range attachmentsOf(p.born.props) {
		sources = append(sources, a.Pretext, a.Text)
	}
	var rung []string
	for _, source := range sources {
		for _, found := range mention().FindAllStringSubmatch(outsideCode(source), -1) {
			handle := strings.ToLower(found[1])
			for handle != "" && !s.rings(handle) {
				// "@alice." and "@alice-s" ring alice.
				cut := strings.LastIndexAny(handle, "._-")
				if cut < 0 {
					handle = ""
					break
				}
				handle = handle[:cut]
			}
			if handle != "" && !slices.Contains(rung, handle) {
				rung = append(rung, handle)
			}
		}
	}
	return rung
}

func (s *Server) rings(handle string) bool {
	return handle == "channel" || handle == "all" || handle == "here" || s.names[handle] != nil
}
