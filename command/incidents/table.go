// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"strings"

	"belfry/chat"
	"belfry/incident"
	"belfry/typed"
)

// word is one entry of the table.
type word struct {
	typed.Word
	// acts is true when it changes something.
	acts bool
	do   func(c *call) (chat.Message, error)
}

// The headings of the help.
const (
	groupDeclare = "declare"
	groupLife    = "along its life"
	groupTell    = "tell"
	groupPeople  = "people and tasks"
	groupLinks   = "what belongs to it"
	groupLook    = "look"
)

// table is everything that can be typed, in the order of the help.
func table() []word {
	move := func(act incident.Act) func(*call) (chat.Message, error) {
		return func(c *call) (chat.Message, error) { return c.move(act) }
	}
	return []word{
		{typed.Word{Name: "new", Also: []string{"declare", "create", "open"}, Usage: "[severity] [field=value …] <title>", About: "declare an incident", Example: "new SEV1 service=shop the shop is slow", Group: groupDeclare}, true, (*call).declare},
		{typed.Word{Name: "test", Usage: "[severity] [field=value …] <title>", About: "declare an exercise, marked as such", Example: "test fire drill", Group: groupDeclare}, true, (*call).exercise},
		{typed.Word{Name: "sub", Usage: "[severity] [field=value …] <title>", About: "declare a part of this incident", Example: "sub #42 the mail queue", Group: groupDeclare}, true, (*call).sub},
		{typed.Word{Name: "start", Also: []string{"started", "accept"}, Usage: "[why]", About: "out of triage: it is one", Example: "start #42", Group: groupLife}, true, move(incident.Start)},
		{typed.Word{Name: "mitigate", Also: []string{"mitigated"}, Usage: "[how]", About: "people can work again", Example: "mitigate #42 rolled back", Group: groupLife}, true, move(incident.Mitigate)},
		{typed.Word{Name: "resolve", Also: []string{"resolved"}, Usage: "[how]", About: "the cause is gone", Example: "resolve #42 new disk", Group: groupLife}, true, (*call).resolve},
		{typed.Word{Name: "close", Also: []string{"closed"}, Usage: "[text]", About: "nothing is left to do", Example: "close #42", Group: groupLife}, true, move(incident.Close)},
		{typed.Word{Name: "cancel", Also: []string{"cancelled", "canceled"}, Usage: "[why]", About: "it was none", Example: "cancel #42 false alarm", Group: groupLife}, true, move(incident.Cancel)},
		{typed.Word{Name: "reopen", Also: []string{"reopened"}, Usage: "[why]", About: "it is back", Example: "reopen #42 slow again", Group: groupLife}, true, move(incident.Reopen)},
		{typed.Word{Name: "duplicate", Also: []string{"dup"}, Usage: "#other", About: "this one repeats another, and is cancelled", Example: "duplicate #42 #41", Group: groupLife}, true, (*call).duplicate},
		{typed.Word{Name: "update", Usage: "<text>", About: "tell everybody how it stands", Example: "update #42 the replica is rebuilt", Group: groupTell}, true, (*call).update},
		{typed.Word{Name: "summary", Usage: "[text]", About: "read the summary, or write it", Example: "summary #42 orders wait for the database", Group: groupTell}, false, (*call).summary},
		{typed.Word{Name: "severity", Also: []string{"sev"}, Usage: "[severity] [why]", About: "give it another severity; without one: what there is", Example: "severity #42 SEV1", Group: groupTell}, false, (*call).severity},
		{typed.Word{Name: "rename", Also: []string{"title"}, Usage: "<title>", About: "give it another title", Example: "rename #42 orders are stuck", Group: groupTell}, true, (*call).rename},
		{typed.Word{Name: "set", Usage: "<field> <value>", About: "change type, service, environment or a field of yours", Example: "set #42 service shop, mail", Group: groupTell}, true, (*call).set},
		{typed.Word{Name: "timeline", Also: []string{"event", "log"}, Usage: "[[10m ago] what happened]", About: "read the timeline, or add what happened", Example: "timeline #42 10m ago the disk was full", Group: groupTell}, false, (*call).timeline},
		{typed.Word{Name: "note", Usage: "<text>", About: "keep a note in the timeline", Example: "note #42 ask the provider", Group: groupTell}, true, (*call).note},
		{typed.Word{Name: "assign", Also: []string{"role"}, Usage: "<role> @person", About: "give somebody a role", Example: "assign #42 commander @anna", Group: groupPeople}, true, (*call).assign},
		{typed.Word{Name: "join", About: "say that you take part", Example: "join #42", Group: groupPeople}, true, (*call).join},
		{typed.Word{Name: "invite", Usage: "@person …", About: "ask others to come", Example: "invite #42 @bert", Group: groupPeople}, true, (*call).invite},
		{typed.Word{Name: "task", Also: []string{"todo"}, Usage: "[@person] [in 2h] <what>", About: "add something to do now", Example: "task #42 @bert in 2h call the provider", Group: groupPeople}, true, (*call).task},
		{typed.Word{Name: "followup", Also: []string{"follow-up"}, Usage: "[@person] [in 7d] <what>", About: "add something to do afterwards", Example: "followup #42 watch the disks", Group: groupPeople}, true, (*call).followUp},
		{typed.Word{Name: "done", Also: []string{"finish"}, Usage: "<number of the task>", About: "a task or follow-up is done", Example: "done #42 1", Group: groupPeople}, true, (*call).done},
		{typed.Word{Name: "tasks", Also: []string{"todos"}, About: "all tasks and follow-ups", Example: "tasks #42", Group: groupPeople}, false, (*call).tasks},
		{typed.Word{Name: "attach", Usage: "<number of the alert>", About: "an alert belongs to it", Example: "attach #42 1", Group: groupLinks}, true, (*call).attach},
		{typed.Word{Name: "ack", Also: []string{"acknowledge"}, Usage: "[comment]", About: "acknowledge the attached alerts that nobody has", Example: "ack #42 the disk is being replaced", Group: groupLinks}, true, (*call).acknowledge},
		{typed.Word{Name: "convert", About: "this channel becomes the incident's", Example: "convert #42", Group: groupLinks}, true, (*call).convert},
		{typed.Word{Name: "status", Also: []string{"show"}, About: "how it stands", Example: "status #42", Group: groupLook}, false, (*call).status},
		{typed.Word{Name: "catchup", Also: []string{"catch-up"}, About: "what happened so far, for you alone", Example: "catchup #42", Group: groupLook}, false, (*call).catchUp},
		{typed.Word{Name: "list", Also: []string{"ls", "problems"}, Usage: "[all] [words]", About: "open incidents, or all", Example: "list all shop", Group: groupLook}, false, (*call).list},
		{typed.Word{Name: "overview", About: "all that is open, by severity", Group: groupLook}, false, (*call).overview},
		{typed.Word{Name: "export", About: "the whole of it as Markdown", Example: "export #42", Group: groupLook}, false, (*call).export},
		{typed.Word{Name: "connect", Also: []string{"link"}, About: "link your chat account to your account in Belfry", Group: groupLook}, false, nil},
		{typed.Word{Name: "help", Also: []string{"?", "-h", "--help", "commands"}, Usage: "[command]", About: "this list", Group: groupLook}, false, nil},
	}
}

// words are the table without what is done.
func words() []typed.Word {
	var list []typed.Word
	for _, w := range table() {
		list = append(list, w.Word)
	}
	return list
}

// Words returns the names of all commands, in the order of the help.
func Words() []string {
	var names []string
	for _, w := range table() {
		names = append(names, w.Name)
	}
	return names
}

// Hint is what people are shown behind the command's word while they type it.
func Hint() string { return "[" + strings.Join(Words(), " | ") + "]" }
