// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"belfry/chat/mattermost"
)

// outcome is what came of having Mattermost call us.
type outcome int

const (
	untried outcome = iota
	came
	failed
)

// How long a press may take from Mattermost to us and back: a trigger id, and
// with it a dialog, lives for 3 s.
const (
	slowTrip = 1500 * time.Millisecond
	tooLong  = 3 * time.Second
)

// callback has Mattermost call us as it does for a press: a message with a
// button in the channel that the bot has with itself, pressed by the bot. It
// rings nobody, nobody sees it, and it is deleted at once.
func (v *visit) callback(ctx context.Context) {
	const check = "callback"
	base := v.platform.CallbackURL()
	u, err := url.Parse(base)
	switch {
	case v.platform.Buttonless():
		v.good(check, "not needed: people are heard over the websocket")
		return
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		v.bad(check, "set public_url under server, or callback_url of connection "+v.opt.Name+", to the address at which Mattermost reaches Belfry", "buttons can't work: %q is no address", base)
		return
	case loopback(u.Hostname()) && !loopback(v.site().Hostname()):
		v.bad(check, "set public_url under server, or callback_url of connection "+v.opt.Name+", to an address at which Mattermost's host reaches this one",
			"Mattermost is told to call %s, which is itself: buttons can't work", base)
		return
	case v.Probes == nil:
		v.doubt(check, "start the server (systemctl start belfry, or belfry serve), then run belfry doctor again", "not seen: without a running server nothing can be called at %s", base)
		return
	}
	v.press(ctx, check, base)
	v.judgeTLS(ctx, u)
}

// press posts the probe, presses it, and deletes it.
func (v *visit) press(ctx context.Context, check, base string) {
	api := v.platform.API()
	unseen := func(err error) {
		v.doubt(check, "have a person press a button instead: belfry test --channel "+v.someChannel(), "not seen: @%s can't press a button of its own: %v", plain(v.me.Username), err)
	}
	var direct, post struct {
		ID string `json:"id"`
	}
	if _, err := api.Call(ctx, http.MethodPost, "/channels/direct", []string{v.me.ID, v.me.ID}, &direct); err != nil {
		unseen(err)
		return
	}
	probe := v.Probes.Send()
	defer probe.End()
	if _, err := api.Call(ctx, http.MethodPost, "/posts", probePost(direct.ID, base+"/action", probe.Text), &post); err != nil {
		unseen(err)
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		_, _ = api.Call(ctx, http.MethodDelete, "/posts/"+post.ID, nil, nil) // where it may not be deleted, nobody but the bot sees it
	}()
	began := v.opt.Clock.Now()
	_, err := api.Call(ctx, http.MethodPost, "/posts/"+post.ID+"/actions/doctor", struct{}{}, nil)
	took := v.opt.Clock.Now().Sub(began)
	arrived := probe.Came(ctx, 0) // it is noted before it is answered
	switch {
	case err == nil && arrived:
		v.called = came
		v.good(check, "Mattermost called %s through its own network and got our answer", base)
		v.trip(took)
	case arrived:
		v.called = failed
		v.bad(check, "look for a proxy between Mattermost and Belfry that changes or delays answers; Belfry answers 200 with JSON: curl -v -X POST "+base+"/action",
			"Mattermost reached Belfry, but could not use its answer: %v", err)
	case err == nil:
		v.called = failed
		v.bad(check, "have "+base+" lead to this Belfry alone; if several share one database, run belfry doctor on each",
			"something else than this Belfry answers at %s", base)
	default:
		v.called = failed
		v.bad(check, v.unreachedRemedy(ctx, base), "Mattermost could not call %s: %v", base, err)
	}
}

// probePost is a message with one button. Its id has letters only: others make
// a click fail.
func probePost(channel, address, probe string) any {
	return map[string]any{
		"channel_id": channel,
		"message":    "",
		"props": map[string]any{"attachments": []any{map[string]any{
			"text": "Belfry looks whether Mattermost reaches it.",
			"actions": []any{map[string]any{"id": "doctor", "type": "button", "name": "Probe",
				"integration": map[string]any{"url": address, "context": mattermost.ButtonContext(probe)}}},
		}}},
	}
}

// trip judges how long a press takes.
func (v *visit) trip(took time.Duration) {
	const check = "round trip"
	const remedy = "look at what stands between Mattermost and Belfry (proxy, DNS, distance); to see it, on Mattermost's host: curl -w '%%{time_namelookup} %%{time_connect} %%{time_total}\\n' -o /dev/null -s %s"
	at := fmt.Sprintf(remedy, v.platform.CallbackURL())
	shown := took.Round(time.Millisecond)
	switch {
	case took >= tooLong:
		v.bad(check, at, "a press takes %v to Belfry and back: dialogs can't be opened after %v", shown, tooLong)
	case took >= slowTrip:
		v.doubt(check, at, "a press takes %v to Belfry and back; at %v dialogs can't be opened any more", shown, tooLong)
	default:
		v.good(check, "a press takes less than %v to Belfry and back", slowTrip)
	}
}

// unreachedRemedy lists what keeps Mattermost from calling us, the likely first.
func (v *visit) unreachedRemedy(ctx context.Context, base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "correct callback_url"
	}
	var out []string
	if _, err := v.resolve(ctx, u.Hostname()); err != nil {
		out = append(out, "make "+u.Hostname()+" known to Mattermost's host: getent hosts "+u.Hostname())
	}
	out = append(out, "look first at what this report says of internal connections and of the certificate for Mattermost: both keep it from calling",
		"on Mattermost's host: curl -v "+base+"/action must reach Belfry without a sign-in page, a redirect or a firewall before it",
		"Mattermost's log says why: System Console → Reporting → Server Logs, \"Action integration error\"")
	return strings.Join(out, "\n")
}

// judgeTLS looks at the certificate that Mattermost sees, from here.
func (v *visit) judgeTLS(ctx context.Context, u *url.URL) {
	const check = "certificate for Mattermost"
	if u.Scheme != "https" {
		if !loopback(u.Hostname()) {
			v.doubt(check, "give Belfry a certificate (docs/tls.md) and set public_url to https://"+u.Host, "Mattermost calls %s without TLS: what people press can be read on the way", u.Host)
		}
		return
	}
	transport := &http.Transport{DisableKeepAlives: true}
	state, err := handshake(ctx, transport, u.String())
	switch {
	case err == nil && state != nil:
		v.ends(check, "the certificate of "+u.Host, state.PeerCertificates, "renew it: belfry cert says where it is; a proxy has its own")
	case v.called == came:
		v.good(check, "Mattermost accepts the certificate of %s", u.Host)
	case err != nil && strings.Contains(err.Error(), "x509"):
		v.bad(check, "have Mattermost's host trust it: belfry cert --out belfry.crt, copy that to /usr/local/share/ca-certificates/ there, run update-ca-certificates, restart Mattermost\n"+
			"or, for a public authority: have the whole chain sent (certbot: fullchain.pem)", "the certificate of %s is not trusted: %v", u.Host, err)
	default:
		v.doubt(check, netRemedy(err, u.String(), "public_url or callback_url"), "the certificate of %s could not be looked at from here: %v", u.Host, err)
	}
}

func (v *visit) someChannel() string {
	if len(v.Channels) > 0 {
		return v.opt.Name + "/" + v.Channels[0]
	}
	return v.opt.Name + "/CHANNEL"
}

// registered is a slash command as the server lists it.
type registered struct {
	Trigger string `json:"trigger"`
	Method  string `json:"method"`
	URL     string `json:"url"`
}

// usualWord is the slash command's unless somebody chose another.
const usualWord = "belfry"

// command has Mattermost run our slash command, as the bot, with a probe for
// its text. The answer is shown to the bot alone.
func (v *visit) command(ctx context.Context) {
	const check = "slash command"
	if !v.platform.TakesCommands() || v.platform.Buttonless() || v.teamID == "" {
		return
	}
	for _, word := range v.commandWords(ctx, check) {
		name := check
		if word != usualWord {
			name += " /" + word
		}
		v.run(ctx, name, word)
	}
}

// run has Mattermost run one slash command.
func (v *visit) run(ctx context.Context, check, word string) {
	if v.Probes == nil {
		v.doubt(check, "start the server (systemctl start belfry, or belfry serve), then run belfry doctor again", "not seen: without a running server /%s can't be answered", word)
		return
	}
	var direct struct {
		ID string `json:"id"`
	}
	api := v.platform.API()
	if _, err := api.Call(ctx, http.MethodPost, "/channels/direct", []string{v.me.ID, v.me.ID}, &direct); err != nil {
		v.doubt(check, "type /"+word+" help in a channel", "not seen: @%s can't run it: %v", plain(v.me.Username), err)
		return
	}
	probe := v.Probes.Send()
	defer probe.End()
	var answer struct {
		Text string `json:"text"`
	}
	_, err := api.Call(ctx, http.MethodPost, "/commands/execute", map[string]string{"channel_id": direct.ID, "team_id": v.teamID, "command": "/" + word + " " + probe.Text}, &answer)
	v.judgeCommand(check, word, err, probe.Came(ctx, 0), answer.Text)
}

func (v *visit) setupCommand(word string) string {
	line := fmt.Sprintf("belfry mattermost setup --name %s --url %s --team %s --command %s", v.opt.Name, v.config.URL, v.config.Team, word)
	return line + ", then: systemctl reload belfry"
}

func (v *visit) judgeCommand(check, word string, err error, arrived bool, text string) {
	where := v.platform.CallbackURL() + "/command"
	r, refused := mattermost.Refused(err)
	switch {
	case err == nil && arrived:
		v.good(check, "Mattermost sends /%s to Belfry, with the right token", word)
	case refused && r.Status == http.StatusNotFound && v.off("EnableCommands"):
		v.bad(check, v.set(integrations+"Enable Custom Slash Commands", "EnableCommands", "true"), "/%s is not answered: slash commands are switched off", word)
	case refused && r.Status == http.StatusNotFound:
		v.bad(check, v.setupCommand(word)+"\nif it has another word: belfry doctor --admin-token-file FILE finds it by its address", "the team %s has no command /%s", v.config.Team, word)
	case refused && r.Status == http.StatusForbidden:
		v.doubt(check, "type /"+word+" help in a channel", "not seen: @%s may not run it: %v", plain(v.me.Username), err)
	case err != nil && v.called == failed:
		v.bad(check, "mend the callback first (see there): what keeps it from working keeps the command, too", "/%s fails in Mattermost: %v", word, err)
	case err != nil:
		v.bad(check, "the command's request URL must be "+where+" and its method POST (Integrations → Slash Commands), or: "+v.setupCommand(word)+
			"\nif they are: Mattermost's log says why: System Console → Reporting → Server Logs", "/%s fails in Mattermost: %v", word, err)
	case strings.Contains(text, "the token that Belfry knows"):
		v.bad(check, "put the command's token (Integrations → Slash Commands → /"+word+" → Edit) into "+v.commandTokenPlace()+", then: systemctl reload belfry\nor: "+v.setupCommand(word),
			"/%s reaches Belfry with a token that it doesn't know", word)
	default:
		v.bad(check, "the command's request URL must be "+where+": Integrations → Slash Commands, or: "+v.setupCommand(word), "/%s is answered by something else than this Belfry", word)
	}
}

func (v *visit) commandTokenPlace() string {
	if v.config.CommandTokenFile != "" {
		return v.config.CommandTokenFile
	}
	return "the setting command_tokens of connection " + v.opt.Name
}

// commandWords finds our commands' words: by their address where an
// administrator shows it, else there is the usual one. None: a finding says
// what is wrong.
func (v *visit) commandWords(ctx context.Context, check string) []string {
	api, ok := v.borrowed()
	if !ok || v.admin == nil { // others are shown an empty list
		return []string{usualWord}
	}
	var list []registered
	if _, err := api.Call(ctx, http.MethodGet, "/commands?custom_only=true&team_id="+v.teamID, nil, &list); err != nil {
		return []string{usualWord} // running it tells as well
	}
	want := v.platform.CallbackURL() + "/command"
	var words []string
	var usual *registered
	for i, c := range list {
		if c.URL == want && c.Method == "P" {
			words = append(words, plain(c.Trigger))
		} else if c.Trigger == usualWord || c.URL == want {
			usual = &list[i]
		}
	}
	if len(words) > 0 {
		return words
	}
	switch {
	case usual == nil:
		v.bad(check, v.setupCommand(usualWord), "no slash command of the team %s leads to %s", v.config.Team, want)
	case usual.URL == want:
		v.bad(check, "Integrations → Slash Commands → /"+plain(usual.Trigger)+" → Request Method: POST", "/%s is sent with GET, so that its text would stand in logs; Belfry takes POST alone", plain(usual.Trigger))
	default:
		v.bad(check, "Integrations → Slash Commands → /"+plain(usual.Trigger)+" → Request URL: "+want+"\nor: "+v.setupCommand(usualWord), "/%s leads to %s, not to %s", plain(usual.Trigger), plain(usual.URL), want)
	}
	return nil
}
