// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
)

// maxDue is how far away a task's date may be.
const maxDue = 366 * 24 * time.Hour

// told is the answer to an act: what was done, and to which incident.
func (c *call) told(d response.Done) chat.Message {
	e := d.Entry
	did := "You " + message.EntryWords(&e) + "."
	switch e.Kind {
	case incident.EntryUpdate:
		did = "Noted how it stands: " + message.Short(e.Text, maxName)
	case incident.EntryNote:
		did = "Kept: " + message.Short(e.Text, maxName)
	}
	return chat.Message{Lines: []chat.Line{
		{{Text: did}},
		{{Text: message.IncidentLine(d.Incident), Bold: true}},
	}}
}

// act carries an act on the line's incident out.
func (c *call) act(do func(number int64) (response.Done, error)) (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	d, err := do(i.Number)
	if err != nil {
		return chat.Message{}, err
	}
	return c.told(d), nil
}

// text takes the rest of the line, which must not be empty.
func (c *call) text(missing string) (string, error) {
	text := c.line.Tail()
	if text == "" {
		return "", c.usage(missing)
	}
	return text, nil
}

func (c *call) move(act incident.Act) (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		return c.Response.Move(c, n, act, c.me, c.line.Tail())
	})
}

func (c *call) declare() (chat.Message, error)  { return c.declareAs(incident.Normal, nil) }
func (c *call) exercise() (chat.Message, error) { return c.declareAs(incident.Test, nil) }

func (c *call) sub() (chat.Message, error) {
	parent, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	return c.declareAs(incident.Sub, parent)
}

// declareAs declares what the line says: perhaps a severity, perhaps fields,
// the rest is the title. parent is nil where it is no part of another.
func (c *call) declareAs(kind incident.Kind, parent *incident.Incident) (chat.Message, error) {
	claim := formClaim{Kind: kind}
	if parent != nil {
		claim.Parent, claim.Seen = parent.Number, parent.Private
	}
	settings := c.Response.Settings()
	values := map[string]string{}
	ahead := c.line.Copy()
	if word, _ := ahead.Next(); slices.ContainsFunc(settings.SeverityNames(), func(s string) bool { return strings.EqualFold(s, word) }) {
		values[incident.FieldSeverity], c.line = word, ahead
	}
	for name, value := range c.assignments() {
		values[name] = value
	}
	if title := c.line.Tail(); title != "" {
		values[incident.FieldTitle] = title
	}
	if len(values) == 0 && c.canOpen() {
		form, err := c.form(c.who, claim)
		if err != nil {
			return chat.Message{}, err
		}
		return chat.Message{}, opened{form}
	}
	if len(values) == 0 {
		return chat.Message{}, c.usage("What is wrong?")
	}
	d, wrong := settings.Fill(values, c.me)
	if len(wrong) > 0 {
		var parts []string
		for name, text := range wrong {
			parts = append(parts, name+": "+text)
		}
		slices.Sort(parts)
		return chat.Message{}, sayf("Nothing was declared. %s. Write fields before the title, like “%s severity=SEV1 …”.", sentenceOf(parts), c.word.Name)
	}
	if kind == incident.Test {
		d.Kind = kind
	}
	done, err := c.Response.Declare(c, d, 0, claim.Parent)
	if err != nil {
		return chat.Message{}, err
	}
	m := c.told(done)
	m.Lines = append(m.Lines, chat.Line{{Text: fmt.Sprintf("“status %s” shows it, “help” what you can do with it.", done.Incident.Ref())}})
	return m, nil
}

func sentenceOf(parts []string) string {
	return strings.TrimSuffix(sentence(strings.Join(parts, "; ")), ".")
}

func (c *call) duplicate() (chat.Message, error) {
	// In the incident's own channel one number is enough: the other's.
	mine := c.number
	ahead := c.line.Copy()
	word, _ := ahead.Next()
	other := numberOf(word)
	if other == 0 {
		other, mine = mine, 0
	}
	if other == 0 {
		return chat.Message{}, c.usage("Which one does it repeat?")
	}
	c.number = other
	if target, err := c.byNumber(other, nil); err != nil || target == nil {
		if err == nil {
			err = hidden(other)
		}
		return chat.Message{}, err
	}
	c.number = mine
	return c.act(func(n int64) (response.Done, error) { return c.Response.Duplicate(c, n, c.me, other) })
}

func (c *call) update() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		text, err := c.text("How does it stand?")
		if err != nil {
			return response.Done{}, err
		}
		return c.Response.Update(c, n, c.me, text)
	})
}

// summary reads it, or writes it.
func (c *call) summary() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	if c.line.Rest() == "" {
		m := chat.Message{Lines: []chat.Line{{{Text: message.IncidentLine(i), Bold: true}}}, Output: i.Summary}
		if i.Summary == "" {
			m.Lines = append(m.Lines, chat.Line{{Text: "It has no summary yet; “summary <text>” writes one."}})
		}
		return m, nil
	}
	if refusal := c.may(); refusal != nil {
		return chat.Message{}, refused(*refusal)
	}
	text := c.line.Rest() // its lines stay
	d, err := c.Response.SetSummary(c, i.Number, c.me, text)
	if err != nil {
		return chat.Message{}, err
	}
	return c.told(d), nil
}

// severity changes it, or says what there is.
func (c *call) severity() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	if c.line.Rest() == "" {
		s := c.Response.Settings()
		t := &chat.Table{Head: []string{"Severity", "means"}}
		for _, v := range s.Severities {
			t.Rows = append(t.Rows, []chat.Line{{{Text: v.Name, Bold: v.Name == i.Severity}}, {{Text: v.About}}})
		}
		lead := "It has no severity yet."
		if i.Severity != "" {
			lead = i.Ref() + " has severity " + i.Severity + "."
		}
		return chat.Message{Lines: []chat.Line{{{Text: lead + " “severity <severity>” changes it."}}}, Table: t}, nil
	}
	if refusal := c.may(); refusal != nil {
		return chat.Message{}, refused(*refusal)
	}
	word, _ := c.line.Next()
	d, err := c.Response.SetSeverity(c, i.Number, c.me, word, c.line.Tail())
	if err != nil {
		return chat.Message{}, err
	}
	return c.told(d), nil
}

func (c *call) rename() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		title, err := c.text("What is it to be called?")
		if err != nil {
			return response.Done{}, err
		}
		return c.Response.Rename(c, n, c.me, title)
	})
}

func (c *call) set() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		field, _ := c.line.Next()
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			name, value = field, c.line.Tail()
		}
		if name == "" {
			return response.Done{}, c.usage("Which field?")
		}
		return c.Response.Set(c, n, c.me, name, value)
	})
}

func (c *call) note() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		text, err := c.text("What is to be kept?")
		if err != nil {
			return response.Done{}, err
		}
		return c.Response.Note(c, n, c.me, text)
	})
}

func (c *call) assign() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		role, _ := c.line.Next()
		who, ok := c.person()
		if role == "" || !ok {
			s := c.Response.Settings()
			return response.Done{}, c.usage("Which role (" + strings.Join(s.RoleNames(), ", ") + "), and for whom?")
		}
		who, err := c.surely(who)
		if err != nil {
			return response.Done{}, err
		}
		return c.Response.Assign(c, n, c.me, role, who)
	})
}

func (c *call) join() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) { return c.Response.Join(c, n, c.me) })
}

// invite asks several to come, one after the other.
func (c *call) invite() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	var people []incident.Person
	for len(people) < 20 {
		p, ok := c.person()
		if !ok {
			break
		}
		people = append(people, p)
	}
	if len(people) == 0 || c.line.Rest() != "" {
		return chat.Message{}, c.usage("Whom? Write people like @anna.")
	}
	missing, err := c.known(people)
	if err != nil {
		return chat.Message{}, err
	}
	m := chat.Message{}
	for _, u := range missing {
		people = slices.DeleteFunc(people, func(p incident.Person) bool { return p.Name == u.name })
		m.Lines = append(m.Lines, chat.Line{{Text: u.sentence()}})
	}
	for _, p := range people {
		d, err := c.Response.Invite(c, i.Number, c.me, p)
		text := ""
		if err != nil {
			text = trouble(err)
		} else {
			text = "You " + message.EntryWords(&d.Entry) + "."
		}
		m.Lines = append(m.Lines, chat.Line{{Text: text}})
	}
	return m, nil
}

func (c *call) task() (chat.Message, error)     { return c.addTask(incident.ToDo) }
func (c *call) followUp() (chat.Message, error) { return c.addTask(incident.FollowUp) }

func (c *call) addTask(kind incident.TaskKind) (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		owner, _ := c.person()
		due, err := c.due()
		if err != nil {
			return response.Done{}, err
		}
		if owner.Name == "" {
			owner, _ = c.person()
		}
		text, err := c.text("What is to be done?")
		if err != nil {
			return response.Done{}, err
		}
		if owner, err = c.surely(owner); err != nil {
			return response.Done{}, err
		}
		return c.Response.AddTask(c, n, kind, c.me, owner, text, due)
	})
}

// due takes "in 2h"; zero when it does not come next.
func (c *call) due() (time.Time, error) {
	ahead := c.line.Copy()
	word, _ := ahead.Next()
	if !strings.EqualFold(word, "in") {
		return time.Time{}, nil
	}
	span, ok := ahead.Span()
	if !ok {
		return time.Time{}, nil // "in the cellar"
	}
	if span > maxDue {
		return time.Time{}, sayf("A date lies at most a year ahead. Nothing was changed.")
	}
	c.line = ahead
	return c.Clock.Now().Add(span).UTC().Truncate(time.Second), nil
}

func (c *call) done() (chat.Message, error) {
	return c.act(func(n int64) (response.Done, error) {
		word, _ := c.line.Next()
		task, err := strconv.Atoi(word)
		if err != nil {
			return response.Done{}, c.usage("Which task? “tasks” shows their numbers.")
		}
		return c.Response.FinishTask(c, n, c.me, task)
	})
}

func (c *call) attach() (chat.Message, error) {
	// In the incident's own channel one number is enough: the alert's.
	word, _ := c.line.Copy().Next()
	number := numberOf("#" + strings.TrimPrefix(word, "#"))
	if number == 0 {
		number, c.number = c.number, 0
	}
	if number == 0 {
		return chat.Message{}, c.usage("Which alert? Its number stands on its card.")
	}
	return c.act(func(n int64) (response.Done, error) { return c.Response.Attach(c, n, c.me, number) })
}

// convert makes the channel in which the line is typed an incident's; without a
// number a new incident's.
func (c *call) convert() (chat.Message, error) {
	if c.channel == "" {
		return chat.Message{}, say("I can't tell which channel this is. Nothing was changed.")
	}
	if here, err := c.Store.IncidentIn(c, c.who.Connection, c.channel); err == nil && here.Status.Open() && !here.Exposed(c.who.Connection, c.channel) {
		return chat.Message{}, sayf("This is the channel of %s already. Nothing was changed.", here.Ref())
	}
	return c.act(func(n int64) (response.Done, error) {
		return c.Response.Run(c, n, c.me, incident.Channel{Connection: c.who.Connection, ID: c.channel})
	})
}

// timeline reads it, or adds what happened.
func (c *call) timeline() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	if c.line.Rest() == "" {
		entries, err := c.entries(i, 30)
		if err != nil {
			return chat.Message{}, err
		}
		t := message.Timeline(entries, c.Say())
		t.More = i.Entries - len(entries)
		return chat.Message{Lines: []chat.Line{{{Text: message.IncidentLine(i), Bold: true}}}, Table: t}, nil
	}
	if refusal := c.may(); refusal != nil {
		return chat.Message{}, refused(*refusal)
	}
	ago := time.Duration(0)
	ahead := c.line.Copy()
	if span, ok := ahead.Span(); ok {
		if word, _ := ahead.Next(); strings.EqualFold(word, "ago") {
			ago, c.line = span, ahead
		}
	}
	text, err := c.text("What happened?")
	if err != nil {
		return chat.Message{}, err
	}
	d, err := c.Response.Happened(c, i.Number, c.me, text, ago)
	if err != nil {
		return chat.Message{}, err
	}
	return chat.Message{Lines: []chat.Line{{{Text: "Noted for "}, message.Moment(d.Entry.At, c.Say()), {Text: ": " + message.Short(d.Entry.Text, maxName)}},
		{{Text: message.IncidentLine(d.Incident), Bold: true}}}}, nil
}
