// SPDX-License-Identifier: Apache-2.0

package openitcockpittest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// object is a host or service as the core and the database have it.
type object struct {
	uuid, host, hostName, service string
	state                         int
	acked                         bool
	author, comment               string
	downtime                      int
	silent                        bool
	hidden, disabled, unexported  bool
}

// Notification is one that the core sends: the values of its macros.
type Notification struct {
	Type, Host, Service, Author, Comment string
	State                                int
}

// core is the queue, the core and its tables.
type core struct {
	delay time.Duration
	work  chan string
	over  chan struct{}
	ended chan struct{}

	mu      sync.Mutex
	objects map[string]*object
	order   []string
	lines   []string
	notify  func(Notification)
}

func newCore(delay time.Duration) *core {
	c := &core{delay: delay, work: make(chan string, 10000), over: make(chan struct{}), ended: make(chan struct{}), objects: map[string]*object{}}
	go func() {
		defer close(c.ended)
		for {
			select {
			case line := <-c.work:
				select {
				case <-time.After(c.delay):
					c.carryOut(line)
				case <-c.over:
					return
				}
			case <-c.over:
				return
			}
		}
	}()
	return c
}

func (c *core) stop() { close(c.over); <-c.ended }

// defaults are the commands and their parameters in order, as CmdController
// has them; those that Belfry could ever mean.
var defaults = map[string][][2]string{
	"ACKNOWLEDGE_HOST_PROBLEM":    {{"hostUuid", ""}, {"sticky", "0"}, {"notify", "1"}, {"persistent", "1"}, {"author", ""}, {"comment", ""}},
	"ACKNOWLEDGE_SVC_PROBLEM":     {{"hostUuid", ""}, {"serviceUuid", ""}, {"sticky", "0"}, {"notify", "1"}, {"persistent", "1"}, {"author", ""}, {"comment", ""}},
	"REMOVE_HOST_ACKNOWLEDGEMENT": {{"hostUuid", ""}},
	"REMOVE_SVC_ACKNOWLEDGEMENT":  {{"hostUuid", ""}, {"serviceUuid", ""}},
	"SCHEDULE_HOST_DOWNTIME": {{"hostUuid", ""}, {"start_time", ""}, {"end_time", ""}, {"fixed", "1"}, {"trigger_id", "0"},
		{"duration", ""}, {"author", ""}, {"comment", ""}},
	"SCHEDULE_SVC_DOWNTIME": {{"hostUuid", ""}, {"serviceUuid", ""}, {"start_time", ""}, {"end_time", ""}, {"fixed", "1"},
		{"trigger_id", "0"}, {"duration", ""}, {"author", ""}, {"comment", ""}},
	"SCHEDULE_FORCED_HOST_CHECK": {{"hostUuid", ""}, {"check_time", ""}},
	"SCHEDULE_FORCED_SVC_CHECK":  {{"hostUuid", ""}, {"serviceUuid", ""}, {"check_time", ""}},
	"DISABLE_HOST_NOTIFICATIONS": {{"hostUuid", ""}},
	"DISABLE_SVC_NOTIFICATIONS":  {{"hostUuid", ""}, {"serviceUuid", ""}},
	"ENABLE_HOST_NOTIFICATIONS":  {{"hostUuid", ""}},
	"ENABLE_SVC_NOTIFICATIONS":   {{"hostUuid", ""}, {"serviceUuid", ""}},
}

// queue takes a command. ok is false for one that is not in the table. Keys
// that the table does not know are appended, as Hash::merge does.
func (c *core) queue(body map[string]any) (args map[string]any, ok bool) {
	command, _ := body["command"].(string)
	table, ok := defaults[command]
	if !ok {
		return nil, false
	}
	args = map[string]any{}
	fields := []string{command}
	for _, p := range table {
		v, given := body[p[0]]
		if !given {
			v = p[1]
		}
		args[p[0]] = v
		fields = append(fields, text(v))
	}
	var more []string
	for k := range body {
		if _, known := args[k]; !known && k != "command" && k != "apikey" {
			more = append(more, k)
		}
	}
	slices.Sort(more)
	for _, k := range more {
		args[k] = body[k]
		fields = append(fields, text(body[k]))
	}
	// implode(';', …), and a line end is whatever it is to the core's pipe.
	c.work <- strings.Join(fields, ";")
	return args, true
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// carryOut does what each line says, as the core would.
func (c *core) carryOut(lines string) {
	for line := range strings.SplitSeq(lines, "\n") {
		if line == "" {
			continue
		}
		c.mu.Lock()
		c.lines = append(c.lines, line)
		n := c.one(strings.Split(line, ";"))
		tell := c.notify
		c.mu.Unlock()
		if n != nil && tell != nil {
			tell(*n)
		}
	}
}

// one carries out a line by its fields' places. Unknown objects are ignored.
func (c *core) one(f []string) *Notification {
	service := strings.Contains(f[0], "_SVC_")
	at := 2
	if service {
		at = 3
	}
	if len(f) < at {
		return nil
	}
	o := c.objects[f[at-1]]
	if o == nil || o.disabled || o.unexported || service != (o.service != "") {
		return nil
	}
	field := func(i int) string {
		if at+i < len(f) {
			return f[at+i]
		}
		return ""
	}
	switch name := strings.NewReplacer("_HOST_", "_", "_SVC_", "_").Replace(f[0]); name {
	case "ACKNOWLEDGE_PROBLEM":
		if o.state == 0 {
			return nil // the core ignores it
		}
		// The comment is the last field: what follows a ; belongs to it.
		o.acked, o.author, o.comment = true, field(3), strings.Join(f[min(at+4, len(f)):], ";")
		if field(1) == "1" {
			return &Notification{"ACKNOWLEDGEMENT", o.host, c.serviceOf(o), o.author, o.comment, o.state}
		}
	case "REMOVE_ACKNOWLEDGEMENT":
		o.acked, o.author, o.comment = false, "", ""
	case "SCHEDULE_DOWNTIME":
		if start, err := strconv.ParseInt(field(0), 10, 64); err == nil && time.Unix(start, 0).Before(time.Now().Add(time.Second)) {
			o.downtime++
		}
	case "DISABLE_NOTIFICATIONS":
		o.silent = true
	case "ENABLE_NOTIFICATIONS":
		o.silent = false
	}
	return nil
}

func (c *core) serviceOf(o *object) string {
	if o.service == "" {
		return ""
	}
	return o.uuid
}

func (c *core) add(host, hostName, service string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &object{uuid: fmt.Sprintf("%08x-93ce-4385-ac19-ab5c90574b77", len(c.order)+0x10), hostName: hostName, service: service}
	if o.host = o.uuid; host != "" {
		o.host, o.hostName = host, c.objects[host].hostName
	}
	c.objects[o.uuid] = o
	c.order = append(c.order, o.uuid)
	return o.uuid
}

func (c *core) change(uuid string, f func(*object)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.objects[uuid])
}

// look returns what stands; nothing for what is unknown.
func (c *core) look(uuid string) object {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.objects[uuid]; o != nil {
		return *o
	}
	return object{}
}

func (c *core) all() []object {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]object, len(c.order))
	for i, id := range c.order {
		out[i] = *c.objects[id]
	}
	return out
}

func (c *core) commands() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

func (c *core) onNotify(f func(Notification)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notify = f
}
