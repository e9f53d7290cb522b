// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"belfry/alert"
	"belfry/chat"
	"belfry/desk"
	"belfry/message"
	"belfry/route"
	"belfry/typed"
)

// maxDowntime is how long a downtime may be.
const maxDowntime = 31 * 24 * time.Hour

// subject is how an answer names an alert: "#42 🔴 CRITICAL Disk /var on web01".
func (c *call) subject(a *alert.Alert) chat.Line {
	o := c.Say()
	row := message.List([]*alert.Alert{a}, 0, o).Rows[0]
	return chat.Line{row[0][0], {Text: " " + row[1].Plain() + " "}, {Text: message.Short(a.Name(), maxName), Bold: true}}
}

// wished is the answer to an act that the monitoring system has to confirm.
func (c *call) wished(lead string, a *alert.Alert, tail string) chat.Message {
	l := append(chat.Line{{Text: lead}}, c.subject(a)...)
	return chat.Message{Lines: []chat.Line{append(l, chat.Span{Text: tail + c.where(a)})}}
}

// where says what will tell what came of it.
func (c *call) where(a *alert.Alert) string {
	if len(a.Cards) == 0 {
		return " It has no card; “status " + strconv.FormatInt(a.Number, 10) + "” will tell."
	}
	return " Its card will tell."
}

// comment takes the rest of the line.
func (c *call) comment() (string, error) {
	text := c.words.Tail()
	if n := utf8.RuneCountInString(text); n > message.MaxAckComment {
		return "", sayf("The comment has %d characters; at most %d fit. Nothing was done.", n, message.MaxAckComment)
	}
	return text, nil
}

func (c *call) ack() (chat.Message, error) {
	a, err := c.alert("ack")
	if err != nil {
		return chat.Message{}, err
	}
	comment, err := c.comment()
	if err != nil {
		return chat.Message{}, err
	}
	if err := c.Desk.Acknowledge(c, a.ID, desk.AnyGeneration, c.who.Name, comment); err != nil {
		return chat.Message{}, err
	}
	if !c.Can(a.Source, desk.CanAcknowledge) {
		return c.wished("Acknowledged: ", a, " – noted in Belfry, since "+a.Source+" can't be told."), nil
	}
	return c.wished("Acknowledging ", a, " … waiting for "+a.Source+" to confirm it."), nil
}

func (c *call) unack() (chat.Message, error) {
	a, err := c.alert("unack")
	if err != nil {
		return chat.Message{}, err
	}
	if err := c.Desk.Unacknowledge(c, a.ID, desk.AnyGeneration, c.who.Name); err != nil {
		return chat.Message{}, err
	}
	if a.Ack.Local {
		return c.wished("No longer acknowledged: ", a, "."), nil
	}
	return c.wished("Removing the acknowledgement of ", a, " … waiting for "+a.Source+" to confirm it."), nil
}

func (c *call) downtime() (chat.Message, error) {
	a, err := c.alert("downtime")
	if err != nil {
		return chat.Message{}, err
	}
	lasts, err := c.lasts("downtime", maxDowntime)
	if err != nil {
		return chat.Message{}, err
	}
	comment, err := c.comment()
	if err != nil {
		return chat.Message{}, err
	}
	if comment == "" {
		comment = "planned work"
	}
	now := c.Clock.Now()
	end := now.Add(lasts)
	if err := c.instruct(a, "a downtime", comment, alert.Instruction{Do: string(desk.CanDowntime), Start: now, End: end}); err != nil {
		return chat.Message{}, err
	}
	return c.wished("Asking "+a.Source+" for a downtime until "+message.Moment(end, c.Say()).Text+" of ", a, "."), nil
}

// lasts takes a span of time within its limits.
func (c *call) lasts(name string, most time.Duration) (time.Duration, error) {
	w, _ := lookUp(name)
	lasts, ok := c.words.Span()
	switch {
	case !ok && c.words.Rest() == "":
		return 0, sayf("For how long? Type “%s %s”, such as “%s”.", w.name, w.usage, w.example)
	case !ok:
		bad, _ := c.words.Next()
		return 0, sayf("“%s” is no span of time; write it like 90m, 2h, 1d or 1w. Nothing was done.", message.Short(bad, maxName))
	case lasts < time.Minute || lasts > most:
		return 0, sayf("That is too short or too long: a %s lasts at least 1m and at most %dd. Nothing was done.", name, int(most.Hours())/24)
	}
	return lasts, nil
}

func (c *call) check() (chat.Message, error) {
	a, err := c.alert("check")
	if err != nil {
		return chat.Message{}, err
	}
	if err := c.instruct(a, "a check", "", alert.Instruction{Do: string(desk.CanCheck)}); err != nil {
		return chat.Message{}, err
	}
	return c.wished("Asking "+a.Source+" to check now: ", a, "."), nil
}

// notifications switches those of the monitoring system itself. What it does
// not notify of Belfry learns from its status alone.
func (c *call) notifications() (chat.Message, error) {
	a, err := c.alert("notifications")
	if err != nil {
		return chat.Message{}, err
	}
	var off bool
	switch word, _ := c.words.Next(); strings.ToLower(word) {
	case "off", "stop", "no":
		off = true
	case "on", "again", "yes":
	default:
		return chat.Message{}, say("Off or on? Type it like “notifications 42 off”. Nothing was done.")
	}
	if err := c.instruct(a, "that", "", alert.Instruction{Do: string(desk.CanNotifications), Off: off}); err != nil {
		return chat.Message{}, err
	}
	if off {
		return c.wished("Asking "+a.Source+" to notify nobody any more of ", a, ": “notifications "+strconv.FormatInt(a.Number, 10)+" on” takes it back."), nil
	}
	return c.wished("Asking "+a.Source+" to notify again of ", a, "."), nil
}

// instruct has the source told, or says that it can't be.
func (c *call) instruct(a *alert.Alert, what, text string, do alert.Instruction) error {
	err := c.Desk.Instruct(c, a.ID, c.who.Name, text, do)
	if errors.Is(err, desk.ErrCannot) {
		return sayf("%s can't be asked for %s. Nothing was done.", message.Short(a.Source, maxName), what)
	}
	return err
}

// mute mutes, or lists what is muted.
func (c *call) mute() (chat.Message, error) {
	if rest := strings.ToLower(c.words.Rest()); rest == "" || rest == "list" || rest == "ls" || rest == "show" {
		return c.muted()
	}
	if refusal := c.may(); refusal != nil {
		return chat.Message{}, refused(*refusal)
	}
	text, lasts, ok := c.words.MatchersAndSpan()
	if !ok {
		return chat.Message{}, say("For how long? Type it like “mute host=\"web01\" 2h moving it”. Nothing was muted.")
	}
	matchers := typed.Straight(text)
	if !typed.AnyOf(matchers, "=", "~") {
		// Somebody named an alert: its object is meant, until then.
		ref, _ := typed.New(text).Next()
		a, err := c.find(ref)
		if err != nil {
			return chat.Message{}, err
		}
		matchers = matchersOf(a)
	} else if _, err := route.ParseMatchers(matchers); err != nil {
		return chat.Message{}, sayf("%s Nothing was muted.", sentence(err.Error()))
	}
	why, err := c.comment()
	if err != nil {
		return chat.Message{}, err
	}
	m, err := c.Desk.Mute(c, c.who.Name, matchers, lasts, why)
	if err != nil {
		return chat.Message{}, err
	}
	until := message.Moment(m.Until, c.Say())
	return chat.Message{Lines: []chat.Line{
		{{Text: "Muted until "}, until, {Text: ": "}, {Text: message.Short(m.Matchers, 300), Bold: true}},
		{{Text: "New alerts that fit are recorded and stay out of chat; those still there at its end get their cards then. “unmute " +
			strconv.FormatInt(m.Number, 10) + "” ends it."}},
	}}, nil
}

// matchersOf returns what fits the object of an alert and nothing else.
func matchersOf(a *alert.Alert) string {
	l := a.MatchLabels()
	var parts []string
	for _, name := range []string{"source", "host", "service", "rule"} {
		if l[name] != "" {
			parts = append(parts, name+"="+strconv.Quote(l[name]))
		}
	}
	if a.Object.Kind == alert.KindHost {
		parts = append(parts, `kind="host"`)
	}
	return strings.Join(parts, ",")
}

// muted lists the mutes.
func (c *call) muted() (chat.Message, error) {
	list, err := c.Desk.Mutes(c)
	if err != nil {
		return chat.Message{}, err
	}
	if len(list) == 0 {
		return chat.Message{Lines: []chat.Line{{{Text: "Nothing is muted."}}}}, nil
	}
	t := &chat.Table{Head: []string{"Mute", "Until", "What", "By"}}
	for _, m := range list[:min(len(list), shown)] {
		by := chat.Line{{Text: message.Short(m.By, maxName)}}
		if m.Reason != "" {
			by = append(by, chat.Span{Text: ": " + message.Short(m.Reason, maxName)})
		}
		t.Rows = append(t.Rows, []chat.Line{{{Text: strconv.FormatInt(m.Number, 10)}}, {message.Moment(m.Until, c.Say())},
			{{Text: message.Short(m.Matchers, maxName)}}, by})
	}
	t.More = len(list) - len(t.Rows)
	return chat.Message{Lines: []chat.Line{{{Text: typed.Count(len(list), "mute") + " in force. “unmute <number>” ends one."}}}, Table: t}, nil
}

func (c *call) unmute() (chat.Message, error) {
	ref, _ := c.words.Next()
	number, ok := numberOf(ref)
	if !ok {
		return chat.Message{}, say("Which one? Type “unmute” and the number of the mute; “mute list” shows them.")
	}
	m, err := c.Desk.Unmute(c, c.who.Name, number)
	if err != nil {
		return chat.Message{}, err
	}
	return chat.Message{Lines: []chat.Line{{{Text: "No longer muted: "}, {Text: message.Short(m.Matchers, 300), Bold: true},
		{Text: ". Alerts that it kept back get their cards now."}}}}, nil
}

func (c *call) whoami() (chat.Message, error) {
	m := chat.Message{Lines: []chat.Line{{{Text: "You are "}, {Text: message.Short(c.who.Name, maxName), Bold: true},
		{Text: " on connection " + message.Short(c.who.Connection, maxName) + " (id " + message.Short(c.who.ID, maxName) + ")."}}}}
	if c.Who != nil {
		for _, line := range c.Who(c, c.who) {
			m.Lines = append(m.Lines, chat.Line{{Text: line}})
		}
	}
	if c.may() == nil {
		m.Lines = append(m.Lines, chat.Line{{Text: "You may acknowledge, mute and ask for downtimes and checks here."}})
	} else {
		m.Lines = append(m.Lines, chat.Line{{Text: "You may look, but not act, here."}})
	}
	return m, nil
}
