// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"

	"belfry/chat"
)

// choiceDialog has fields to choose in.
func choiceDialog() *chat.Dialog {
	return &chat.Dialog{Title: "Declare", SubmitLabel: "Declare", State: "sealed.state-of-8", Fields: []chat.Field{
		{Name: "severity", Label: "Severity", Help: "How bad it is.", Value: "SEV2", Options: []string{"SEV1", "SEV2"}, MaxLength: 500},
		{Name: "site", Label: "Site", Optional: true, Options: []string{"north <!channel>", "*south* & `west`"}},
		{Name: "service", Label: "Service", Optional: true, Several: true, Options: []string{"shop", "mail relay", "ftp"}},
		{Name: "summary", Label: "Summary", Optional: true, Multiline: true},
	}}
}

// checkDialogChoices: what can be chosen is offered as it is called, what is
// chosen arrives, and stays when something else is wrong.
func checkDialogChoices(r *room) {
	r.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: choiceDialog()} }
	r.rec.OnSubmit = func(s chat.Submit) chat.Answer {
		if s.Values["summary"] == "" {
			return chat.Answer{FieldErrors: map[string]string{"summary": "Please say what is known."}}
		}
		return chat.Answer{}
	}
	ref, _ := r.post(fullCard())
	effect := r.Room.Press(Alice, ref, "Acknowledge with comment…")
	if effect.Form == nil {
		r.Fatalf("no dialog opened: %+v", effect)
	}
	several := false
	for n, f := range effect.Form.Fields {
		want := choiceDialog().Fields[n]
		var options []string
		for _, o := range f.Options {
			options = append(options, visible(o))
		}
		if diff := cmp.Diff(want.Options, options); diff != "" || f.Value != want.Value || f.Optional != want.Optional {
			r.Errorf("the field %s shows %+v", want.Name, f)
		}
		several = several || f.Several
	}
	services := "mail relay"
	if several {
		services = "shop,mail relay"
	}
	again := effect.Form.Submit(map[string]string{"severity": "SEV1", "site": "*south* & `west`", "service": services})
	if again.Form == nil || again.FieldErrors["summary"] == "" {
		r.Fatalf("a submit with a fault shows %+v", again)
	}
	if last := again.Form.Submit(map[string]string{"severity": "SEV1", "site": "*south* & `west`", "service": services, "summary": "slow"}); last.Form != nil || last.Failed != "" {
		r.Errorf("then %+v", last)
	}
	want := map[string]string{"severity": "SEV1", "site": "*south* & `west`", "service": services}
	submits := r.rec.Submits()
	if len(submits) != 2 {
		r.Fatalf("%d submits arrived", len(submits))
	}
	if diff := cmp.Diff(want, submits[0].Values); diff != "" {
		r.Errorf("values: %s", diff)
	}
	// What nobody touches is as it was at first.
	effect = r.Room.Press(Alice, ref, "Acknowledge with comment…")
	effect.Form.Submit(map[string]string{"summary": "fine"})
	if diff := cmp.Diff(map[string]string{"severity": "SEV2", "summary": "fine"}, r.rec.Submits()[2].Values); diff != "" {
		r.Errorf("untouched: %s", diff)
	}
}

// checkDialogManyChoices: what can't be shown as a choice is still asked for,
// and what stands in it at first arrives whole.
func checkDialogManyChoices(r *room) {
	hosts := make([]string, chat.MaxOptions+1)
	for n := range hosts {
		hosts[n] = fmt.Sprintf("web%03d", n)
	}
	r.rec.OnPress = func(chat.Press) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Declare", SubmitLabel: "Declare", State: "sealed.state-of-8", Fields: []chat.Field{
			{Name: "host", Label: "Host", Options: hosts},
			{Name: "service", Label: "Service", Several: true, Options: []string{"shop", "mail relay", "ftp"}, Value: "shop,ftp"},
		}}}
	}
	ref, _ := r.post(fullCard())
	effect := r.Room.Press(Alice, ref, "Acknowledge with comment…")
	if effect.Form == nil || len(effect.Form.Fields) != 2 {
		r.Fatalf("no dialog opened: %+v", effect)
	}
	if out := effect.Form.Submit(map[string]string{"host": hosts[chat.MaxOptions]}); out.Form != nil || out.Failed != "" {
		r.Errorf("then %+v", out)
	}
	submits := r.rec.Submits()
	if len(submits) != 1 {
		r.Fatalf("%d submits arrived", len(submits))
	}
	if diff := cmp.Diff(map[string]string{"host": hosts[chat.MaxOptions], "service": "shop,ftp"}, submits[0].Values); diff != "" {
		r.Errorf("values: %s", diff)
	}
}
