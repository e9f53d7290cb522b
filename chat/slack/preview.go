// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"strings"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
)

// Preview returns a message as Slack would get it, as text: the line above the
// bar, the bar's colour and what stands beside it, the labels of the buttons.
// Whoever is rung stands there by the word that the configuration uses: no
// workspace is asked. Tables are left out: cards of alerts have none.
func Preview(m chat.Message) (string, error) {
	who := make([]mention, len(m.Mentions))
	for i, w := range m.Mentions {
		who[i] = mention{word: w}
	}
	made, err := render(m, who)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	previewBlocks(&b, made.Blocks)
	for _, a := range made.Attachments {
		if a.Color != "" {
			b.WriteString(a.Color + "\n")
		}
		previewBlocks(&b, a.Blocks)
	}
	return b.String(), nil
}

func previewBlocks(b *strings.Builder, blocks []slackgo.Block) {
	for _, block := range blocks {
		switch block := block.(type) {
		case *slackgo.RichTextBlock:
			for _, part := range block.Elements {
				previewPart(b, part)
			}
		case *slackgo.ActionBlock:
			var labels []string
			for _, e := range block.Elements.ElementSet {
				if button, ok := e.(*slackgo.ButtonBlockElement); ok {
					labels = append(labels, "[ "+button.Text.Text+" ]")
				}
			}
			b.WriteString(strings.Join(labels, " ") + "\n")
		}
	}
}

func previewPart(b *strings.Builder, part slackgo.RichTextElement) {
	switch part := part.(type) {
	case *slackgo.RichTextSection:
		for _, e := range part.Elements {
			previewElement(b, e)
		}
		b.WriteString("\n")
	case *slackgo.RichTextPreformatted:
		b.WriteString("```\n")
		for _, e := range part.Elements {
			previewElement(b, e)
		}
		b.WriteString("\n```\n")
	}
}

func previewElement(b *strings.Builder, e slackgo.RichTextSectionElement) {
	switch e := e.(type) {
	case *slackgo.RichTextSectionTextElement:
		mark := ""
		if e.Style != nil && e.Style.Bold {
			mark = "*"
		}
		b.WriteString(mark + e.Text + mark)
	case *slackgo.RichTextSectionLinkElement:
		b.WriteString(e.Text + " (" + e.URL + ")")
	case *slackgo.RichTextSectionDateElement:
		if e.Fallback != nil {
			b.WriteString(*e.Fallback)
		}
	}
}
