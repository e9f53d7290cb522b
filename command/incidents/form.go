// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"context"
	"crypto/subtle"
	"slices"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/seal"
)

const (
	// maxQuestions is how many fields a form has: Mattermost before 9 takes no more.
	maxQuestions = 5
	// formLife is how long a form may stay open.
	formLife = time.Hour
	// purposeForm keeps the forms' seals apart from all others.
	purposeForm = "incidentForm"
)

// What people read when their form is not accepted.
const (
	sayOldForm = "This form was open for too long, and nothing was declared. Please type the command again."
	sayNotYou  = "Somebody else opened this form, so nothing was declared."
	sayTwice   = "This form was sent before. “list” shows what it declared."
	sayNowhere = "Incidents are announced nowhere, so none is declared from a card or a message. An administrator can change that: incidents, announce in the configuration."
	sayTrouble = "I could not declare that just now. Please try again in a moment."
)

// formClaim is what a form carries, sealed, from its opening to its end.
type formClaim struct {
	// ID is random: a form works once.
	ID string `json:"i"`
	// Connection and Actor opened it.
	Connection string        `json:"c"`
	Actor      string        `json:"u"`
	Kind       incident.Kind `json:"k"`
	Parent     int64         `json:"p,omitempty"`
	// Seen says that Parent was private already when it was shown to whom the
	// form is for, perhaps in its own channel.
	Seen bool `json:"s,omitempty"`
	// Alert is the number of the alert that it is about; 0: none.
	Alert int64 `json:"a,omitempty"`
	// Quoted: it is about a message, to which Link leads where that is known.
	Quoted bool   `json:"q,omitempty"`
	Link   string `json:"l,omitempty"`
	// Expires in Unix seconds.
	Expires int64 `json:"x"`
}

// canOpen says whether a form can be shown and what it leads to can be seen: an
// answer to a form is shown nowhere, so the incident's card has to tell.
func (c *call) canOpen() bool { return c.Sealer != nil && c.typed != "" && c.Response.Announces() }

// form is the form by which an incident is declared.
func (c *Commands) form(who chat.Actor, about formClaim) (chat.Dialog, error) {
	about.ID, about.Connection, about.Actor, about.Expires = seal.Random(), who.Connection, who.ID, c.Clock.Now().Add(formLife).Unix()
	state, err := c.Sealer.Seal(purposeForm, about)
	if err != nil {
		return chat.Dialog{}, err
	}
	d := chat.Dialog{Title: "Declare an incident", SubmitLabel: "Declare", State: state}
	if about.Kind == incident.Test {
		d.Title = "Declare an exercise"
	}
	settings := c.Response.Settings()
	for _, q := range shownQuestions(settings.Questions()) {
		f := chat.Field{Name: q.Name, Label: q.Label, Help: q.Help, Value: q.Default, Multiline: q.Long, Optional: !q.Required, MaxLength: q.Max}
		if len(q.Options) > 0 {
			f.Options, f.Several, f.Placeholder = q.Options, q.Several, "Choose"
		}
		d.Fields = append(d.Fields, f)
	}
	return d, nil
}

// Declare opens the form for an incident about an alert.
func (c *Commands) Declare(ctx context.Context, who chat.Actor, a *alert.Alert) chat.Answer {
	if c.Sealer == nil || !c.Response.Announces() {
		return chat.Answer{Whisper: sayNowhere}
	}
	d, err := c.form(who, formClaim{Kind: incident.Normal, Alert: a.Number})
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	known, err := c.Store.IncidentsOf(ctx, a.ID)
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	faces, err := c.facesOf(ctx, who)
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	d.Intro = "Alert #" + itoa(a.Number) + ", " + message.Short(a.Name(), maxName) + ", is attached."
	for _, i := range known {
		if i.Status.Open() && slices.ContainsFunc(faces, func(p incident.Person) bool { return i.Visible(p, false) }) {
			d.Intro += " It belongs to " + i.Ref() + " already."
		}
	}
	for n := range d.Fields {
		if d.Fields[n].Name == incident.FieldTitle && d.Fields[n].Value == "" {
			d.Fields[n].Value = message.Short(a.Name(), maxName)
		}
	}
	return chat.Answer{Dialog: &d}
}

// shownQuestions are those that fit into a form: what is required, and of the
// rest the first.
func shownQuestions(all []incident.Question) []incident.Question {
	more := len(all) - maxQuestions
	for i := len(all) - 1; i >= 0 && more > 0; i-- {
		if !all[i].Required {
			all = slices.Delete(all, i, i+1)
			more--
		}
	}
	return all[:min(len(all), maxQuestions)]
}

// Genuine says whether a form's state, or a button's token, was made here.
func (c *Commands) Genuine(sealed string) bool {
	var f formClaim
	var o offerClaim
	return c.Sealer != nil && (c.Sealer.Open(purposeForm, sealed, &f) == nil || c.Sealer.Open(purposeOffer, sealed, &o) == nil)
}

// Submit takes a filled-in form; ok is false when it is none of these.
// Success is told by the incident's card.
func (c *Commands) Submit(ctx context.Context, s chat.Submit) (answer chat.Answer, ok bool) {
	var f formClaim
	if c.Sealer == nil || c.Sealer.Open(purposeForm, s.State, &f) != nil {
		return chat.Answer{}, false
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(f.Connection+"\n"+f.Actor), []byte(s.Actor.Connection+"\n"+s.Actor.ID)) != 1:
		return chat.Answer{Whisper: sayNotYou}, true
	case c.Clock.Now().Unix() > f.Expires:
		return chat.Answer{Whisper: sayOldForm}, true
	}
	if c.Gate != nil {
		if no := c.Gate.May(ctx, s.Actor); no != nil {
			return chat.Answer{Whisper: no.Whisper}, true // a form can't show a link
		}
	}
	if f.Parent != 0 && !f.Seen { // it may be private by now
		parent, err := c.call(ctx, s.Actor, "").byNumber(f.Parent, nil)
		if err != nil {
			return chat.Answer{Whisper: sayTrouble}, true
		}
		if parent == nil {
			return chat.Answer{Whisper: trouble(hidden(f.Parent))}, true
		}
	}
	settings := c.Response.Settings()
	values := map[string]string{}
	for _, q := range shownQuestions(settings.Questions()) {
		values[q.Name] = s.Values[q.Name] // what was emptied is empty, whatever its default
	}
	if f.Quoted {
		values[incident.FieldSummary] = s.Values[incident.FieldSummary] // it was asked for, whatever is configured
	}
	d, wrong := settings.Fill(values, personOf(s.Actor))
	if len(wrong) > 0 {
		return chat.Answer{FieldErrors: wrong}, true
	}
	if d.Link = f.Link; f.Kind == incident.Test {
		d.Kind = incident.Test
	}
	switch first, err := c.Once(ctx, f.ID, time.Unix(f.Expires, 0)); {
	case err != nil:
		return chat.Answer{Whisper: sayTrouble}, true
	case !first:
		return chat.Answer{Whisper: sayTwice}, true
	}
	if _, err := c.Response.Declare(ctx, d, f.Alert, f.Parent); err != nil {
		return chat.Answer{Whisper: trouble(err)}, true
	}
	return chat.Answer{}, true
}
