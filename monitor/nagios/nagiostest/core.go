// SPDX-License-Identifier: Apache-2.0

package nagiostest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Core is a small core that knows objects and carries out external commands as
// Naemon 1.5.2 does: it checks the number of arguments and the names, answers
// in its words, and ignores an acknowledgement of what is fine.
type Core struct {
	mu       sync.Mutex
	objects  map[object]*Standing
	commands []string
	next     int
	comments []coreComment
	// quiet notifies nobody, deaf takes no commands; plain is Nagios Core, whose
	// query socket knows no command handler.
	quiet, deaf, plain bool
}

type object struct{ host, service string }

type coreComment struct {
	object
	id, entryType int
	author, text  string
}

// NewCore returns a core without objects.
func NewCore() *Core { return &Core{objects: map[object]*Standing{}} }

// SetSwitches says whether the core notifies anybody, and takes commands.
func (c *Core) SetSwitches(notifies, takes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet, c.deaf = !notifies, !takes
}

// BeNagios makes the core a Nagios Core, whose query socket takes no commands.
func (c *Core) BeNagios() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plain = true
}

func (c *Core) nagios() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plain
}

// Set adds an object, or changes its state as a check would: 0 is fine and ends
// an acknowledgement. service is empty for a host.
func (c *Core) Set(host, service string, state int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := object{host, service}
	s, ok := c.objects[o]
	if !ok {
		s = &Standing{}
		c.objects[o] = s
	}
	if s.State = state; state == 0 {
		c.unacknowledge(o)
	}
}

// Standing returns how an object stands.
func (c *Core) Standing(host, service string) Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := object{host, service}
	s, ok := c.objects[o]
	if !ok {
		return Standing{}
	}
	out := *s
	for _, m := range c.comments {
		if m.object != o {
			continue
		}
		out.Comments = append(out.Comments, m.author+": "+m.text)
		if m.entryType == 4 && s.Acknowledged {
			out.Author, out.Comment = m.author, m.text
		}
	}
	return out
}

// Commands returns what was carried out, without time.
func (c *Core) Commands() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.commands...)
}

// grammar says how many arguments a command has; h and s at the start are the
// names that are checked, and the last one takes the rest of the line.
var grammar = map[string]string{
	"ACKNOWLEDGE_HOST_PROBLEM":    "h-----",
	"ACKNOWLEDGE_SVC_PROBLEM":     "hs-----",
	"REMOVE_HOST_ACKNOWLEDGEMENT": "h",
	"REMOVE_SVC_ACKNOWLEDGEMENT":  "hs",
	"ADD_HOST_COMMENT":            "h---",
	"ADD_SVC_COMMENT":             "hs---",
	"SCHEDULE_HOST_DOWNTIME":      "h-------",
	"SCHEDULE_SVC_DOWNTIME":       "hs-------",
	"SCHEDULE_FORCED_HOST_CHECK":  "h-",
	"SCHEDULE_FORCED_SVC_CHECK":   "hs-",
	"DISABLE_HOST_NOTIFICATIONS":  "h",
	"DISABLE_SVC_NOTIFICATIONS":   "hs",
	"ENABLE_HOST_NOTIFICATIONS":   "h",
	"ENABLE_SVC_NOTIFICATIONS":    "hs",
}

// run carries out "[time] COMMAND;arguments" and answers as the query socket.
func (c *Core) run(line string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp, rest, ok := strings.Cut(line, "] ")
	if _, err := strconv.ParseInt(strings.TrimPrefix(stamp, "["), 10, 64); !ok || !strings.HasPrefix(stamp, "[") || err != nil {
		return "400: Malformed command\n"
	}
	name, raw, _ := strings.Cut(rest, ";")
	shape, ok := grammar[name]
	if !ok {
		return fmt.Sprintf("400: Unknown command '%s'\n", name)
	}
	args := strings.SplitN(raw, ";", len(shape))
	// A service is one argument there: the core counts host;service as two
	// fields of argument 0.
	if len(args) < len(shape) {
		lost := strings.Count(shape, "s")
		return fmt.Sprintf("400: Missing argument: expected %d arguments, found %d\n", len(shape)-lost, max(len(args)-lost, 0))
	}
	o, kind := object{host: args[0]}, "host"
	if args = args[1:]; strings.HasPrefix(shape, "hs") {
		o.service, kind, args = args[0], "service", args[1:]
	}
	if _, ok := c.objects[o]; !ok {
		return fmt.Sprintf("400: Failed validation of %s as type %s (argument 0)\n", kind, kind)
	}
	c.commands = append(c.commands, rest)
	c.carryOut(name, o, args)
	return "200: OK\n"
}

func (c *Core) carryOut(name string, o object, args []string) {
	s := c.objects[o]
	switch {
	case strings.HasPrefix(name, "ACKNOWLEDGE_"):
		if s.State != 0 {
			s.Acknowledged = true
			c.addComment(o, 4, args[3], args[4])
		}
	case strings.HasPrefix(name, "REMOVE_"):
		c.unacknowledge(o)
	case strings.HasPrefix(name, "ADD_"):
		c.addComment(o, 1, args[1], args[2])
	case strings.HasSuffix(name, "_DOWNTIME"):
		s.InDowntime = true
		c.addComment(o, 2, args[5], args[6])
	}
}

func (c *Core) addComment(o object, entryType int, author, text string) {
	c.next++
	c.comments = append(c.comments, coreComment{o, c.next, entryType, author, text})
}

func (c *Core) unacknowledge(o object) {
	c.objects[o].Acknowledged = false
	kept := c.comments[:0]
	for _, m := range c.comments {
		if m.object != o || m.entryType != 4 {
			kept = append(kept, m)
		}
	}
	c.comments = kept
}
