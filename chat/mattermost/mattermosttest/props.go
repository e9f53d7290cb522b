// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"bytes"
	"encoding/json"
)

// withProp adds one prop to encoded props.
func withProp(props json.RawMessage, name, value string) json.RawMessage {
	prop := `"` + name + `":"` + value + `"`
	props = bytes.TrimSpace(props)
	if len(props) <= 2 || props[0] != '{' {
		return json.RawMessage("{" + prop + "}")
	}
	out := make([]byte, 0, len(props)+len(prop)+1)
	out = append(append(append(out, '{'), prop...), ',')
	return append(out, props[1:]...)
}

// shown is the post as every client gets it, its author included: what the
// buttons' integrations are stays on the server.
func (p *Post) shown() Post {
	c := *p
	if bytes.Contains(p.Props, []byte(`"integration"`)) {
		c.Props = stripIntegrations(p.Props)
	}
	if len(c.Props) == 0 {
		c.Props = json.RawMessage("{}")
	}
	return c
}

// actionDepth is how deep the keys of a button stand in the props:
// {"attachments":[{"actions":[{
const actionDepth = 5

// stripIntegrations removes the integrations of buttons. It goes over the
// bytes once, since every answer with a post needs it.
func stripIntegrations(props json.RawMessage) json.RawMessage {
	out := make([]byte, 0, len(props))
	depth, from := 0, 0
	for i := 0; i < len(props); i++ {
		switch props[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(props, i)
			if depth != actionDepth || string(props[i:end]) != `"integration"` {
				i = end - 1
				continue
			}
			out = append(out, props[from:i]...)
			i = valueEnd(props, end)
			if i < len(props) && props[i] == ',' {
				i++
			} else {
				out = bytes.TrimRight(out, ", \n\t")
			}
			from = i
			i--
		}
	}
	return append(out, props[from:]...)
}

// stringEnd returns where the string ends that begins at i.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// valueEnd returns the first "," or closing bracket behind the value that begins at i.
func valueEnd(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
