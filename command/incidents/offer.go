// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/typed"
)

const (
	// purposeOffer keeps the seals of offers apart from all others.
	purposeOffer = "incidentOffer"
	// offerLife is how long the buttons of an offer work.
	offerLife = 24 * time.Hour
	// offered is how many alerts an offer names.
	offered = 10

	actionAckAll = "ackAll"
	actionLeave  = "leaveAll"
)

// What people read when they press a button of an offer.
const (
	sayLeft     = "I left them as they are."
	sayOldOffer = "That button had grown too old, so I did nothing. Type “ack” with the incident's number instead."
	sayNotAsked = "Somebody else was asked that, so I did nothing."
)

// offerClaim is what a button of an offer carries.
type offerClaim struct {
	Incident   int64  `json:"i"`
	Connection string `json:"c"`
	Actor      string `json:"u"`
	Action     string `json:"a"`
	// Expires in Unix seconds.
	Expires int64 `json:"x"`
}

// resolve resolves, and says what still fires: whoever resolved it knows best
// whether that may be left alone.
func (c *call) resolve() (chat.Message, error) {
	var done response.Done
	m, err := c.act(func(n int64) (response.Done, error) {
		var err error
		done, err = c.Response.Move(c, n, incident.Resolve, c.me, c.line.Tail())
		return done, err
	})
	if err != nil {
		return m, err
	}
	list, err := c.Response.Unattended(c, done.Incident)
	if err != nil || len(list) == 0 {
		return m, nil // it is resolved, and that is what was asked for
	}
	return c.offerAll(m, done.Incident, list), nil
}

// offerAll adds to an answer which alerts nobody has acknowledged, and what can
// be done about it.
func (c *call) offerAll(m chat.Message, i *incident.Incident, list []*alert.Alert) chat.Message {
	m.Lines = append(m.Lines, chat.Line{{Text: typed.Count(len(list), "attached alert") + " still firing, and not acknowledged:"}})
	for _, a := range list[:min(len(list), offered)] {
		m.Lines = append(m.Lines, alertLine(a))
	}
	if more := len(list) - offered; more > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: fmt.Sprintf("and %d more", more)}})
	}
	m.Lines = append(m.Lines, chat.Line{{Text: "“ack " + i.Ref() + "” acknowledges all of them. An alert ends when monitoring says so."}})
	if c.Sealer == nil {
		return m
	}
	for _, b := range []chat.Button{{Action: actionAckAll, Label: "Acknowledge all", Style: chat.StylePrimary}, {Action: actionLeave, Label: "Leave them"}} {
		token, err := c.Sealer.Seal(purposeOffer, offerClaim{Incident: i.Number, Connection: c.who.Connection, Actor: c.who.ID, Action: b.Action,
			Expires: c.Clock.Now().Add(offerLife).Unix()})
		if err != nil {
			return m // the line says how to type it
		}
		b.Token = token
		m.Buttons = append(m.Buttons, b)
	}
	return m
}

func alertLine(a *alert.Alert) chat.Line {
	return chat.Line{{Text: "#" + itoa(a.Number) + " "}, {Text: message.Short(a.State, maxName), Bold: true}, {Text: " " + message.Short(a.Name(), maxName)}}
}

// acknowledge is "ack": all attached alerts that nobody has acknowledged.
func (c *call) acknowledge() (chat.Message, error) {
	i, err := c.incident()
	if err != nil {
		return chat.Message{}, err
	}
	asked, err := c.Response.AcknowledgeAll(c, i.Number, c.me, c.line.Tail())
	if err != nil {
		return chat.Message{}, askedSome(asked, err)
	}
	m := chat.Message{Lines: []chat.Line{{{Text: askedFor(asked)}}}}
	for _, a := range asked[:min(len(asked), offered)] {
		m.Lines = append(m.Lines, alertLine(a))
	}
	return m, nil
}

// askedFor says what was noted, and no more than that.
func askedFor(asked []*alert.Alert) string {
	if len(asked) == 0 {
		return "Somebody was faster: there is nothing left to acknowledge."
	}
	return "Acknowledging " + typed.Count(len(asked), "alert") + ". Their cards say so when monitoring has confirmed it."
}

// askedSome is the error when not all could be noted.
func askedSome(asked []*alert.Alert, err error) error {
	if len(asked) == 0 {
		return err
	}
	return sayf("%s The rest I could not note just now; please try again in a moment.", askedFor(asked))
}

// Press takes the presses of an offer's buttons; ok is false for all others.
func (c *Commands) Press(ctx context.Context, p chat.Press) (answer chat.Answer, ok bool) {
	var o offerClaim
	if c.Sealer == nil || c.Sealer.Open(purposeOffer, p.Token, &o) != nil {
		return chat.Answer{}, false
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(o.Connection+"\n"+o.Actor), []byte(p.Actor.Connection+"\n"+p.Actor.ID)) != 1:
		return chat.Answer{Whisper: sayNotAsked}, true
	case c.Clock.Now().Unix() > o.Expires:
		return chat.Answer{Whisper: sayOldOffer}, true
	case o.Action == actionLeave:
		return chat.Answer{Whisper: sayLeft}, true
	}
	if c.Gate != nil {
		if no := c.Gate.May(ctx, p.Actor); no != nil {
			return *no, true
		}
	}
	asked, err := c.Response.AcknowledgeAll(ctx, o.Incident, personOf(p.Actor), "")
	if err != nil {
		return chat.Answer{Whisper: trouble(askedSome(asked, err))}, true
	}
	return chat.Answer{Whisper: askedFor(asked)}, true
}
