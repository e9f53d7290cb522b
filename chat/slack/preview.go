// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"strconv"
	"strings"

	"belfry/chat"

	slackgo "github.com/slack-go/slack"
)

// Preview returns a message as Slack would get it, as text: the line above the
// bar, the bar's colour and what stands beside it, the labels of the buttons.
// Whoever is rung stands there by the word that the configuration uses: no
// workspace is asked. Cells of a table stand between |.
func Preview(m chat.Message) (string, error) {
	who := make([]mention, len(m.Mentions))
	for i, w := range m.Mentions {
		who[i] = mention{word: w}
	}
	made, err := render(m, who)
	if err != nil {
		return "", err
	}
	return made.preview(), nil
}

// PreviewReply returns an answer as Slack would get it, in the same way.
func PreviewReply(r chat.Reply) (string, error) {
	made, err := renderReply(r)
	if err != nil {
		return "", err
	}
	return made.preview(), nil
}

func (p *payload) preview() string {
	var b strings.Builder
	previewBlocks(&b, p.Blocks)
	for _, a := range p.Attachments {
		if a.Color != "" {
			b.WriteString(a.Color + "\n")
		}
		previewBlocks(&b, a.Blocks)
	}
	return b.String()
}

func previewBlocks(b *strings.Builder, blocks []slackgo.Block) {
	for _, block := range blocks {
		switch block := block.(type) {
		case *slackgo.RichTextBlock:
			for _, part := range block.Elements {
				previewPart(b, part)
			}
		case *slackgo.TableBlock:
			previewTable(b, block)
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

func previewTable(b *strings.Builder, t *slackgo.TableBlock) {
	for _, row := range t.Rows {
		for _, cell := range row {
			b.WriteString("| ")
			if rich, ok := cell.(*slackgo.TableRichTextCell); ok {
				for _, part := range rich.Elements {
					if section, ok := part.(*slackgo.RichTextSection); ok {
						previewElements(b, section.Elements)
					}
				}
			}
			b.WriteString(" ")
		}
		b.WriteString("|\n")
	}
}

func previewPart(b *strings.Builder, part slackgo.RichTextElement) {
	switch part := part.(type) {
	case *slackgo.RichTextSection:
		previewElements(b, part.Elements)
		b.WriteString("\n")
	case *slackgo.RichTextQuote:
		b.WriteString("> ")
		previewElements(b, part.Elements)
		b.WriteString("\n")
	case *slackgo.RichTextList:
		for i, item := range part.Elements {
			lead := "• "
			if part.Style == slackgo.RTEListOrdered {
				lead = strconv.Itoa(part.Offset+i+1) + ". "
			}
			b.WriteString(strings.Repeat("  ", part.Indent) + lead)
			previewPart(b, item)
		}
	case *slackgo.RichTextPreformatted:
		b.WriteString("```\n")
		previewElements(b, part.Elements)
		b.WriteString("\n```\n")
	}
}

func previewElements(b *strings.Builder, list []slackgo.RichTextSectionElement) {
	for i := 0; i < len(list); i++ {
		text, ok := list[i].(*slackgo.RichTextSectionTextElement)
		if !ok {
			previewElement(b, list[i])
			continue
		}
		// What looks the same is marked as one, whatever pieces it came in.
		whole := text.Text
		for ; i+1 < len(list); i++ {
			next, ok := list[i+1].(*slackgo.RichTextSectionTextElement)
			if !ok || look(next) != look(text) {
				break
			}
			whole += next.Text
		}
		b.WriteString(marked(whole, look(text)))
	}
}

func previewElement(b *strings.Builder, e slackgo.RichTextSectionElement) {
	switch e := e.(type) {
	case *slackgo.RichTextSectionLinkElement:
		b.WriteString(e.Text + " (" + e.URL + ")")
	case *slackgo.RichTextSectionEmojiElement:
		b.WriteString(":" + e.Name + ":")
	case *slackgo.RichTextSectionDateElement:
		if e.Fallback != nil {
			b.WriteString(*e.Fallback)
		}
	}
}

// marked shows a look by the marks that people type in Slack for it.
func marked(text string, s slackgo.RichTextSectionTextStyle) string {
	if strings.TrimSpace(text) == "" {
		return text
	}
	for _, m := range []struct {
		has  bool
		mark string
	}{{s.Code, "`"}, {s.Strike, "~"}, {s.Italic, "_"}, {s.Bold, "*"}} {
		if m.has {
			text = m.mark + text + m.mark
		}
	}
	return text
}

func look(e *slackgo.RichTextSectionTextElement) slackgo.RichTextSectionTextStyle {
	if e.Style == nil {
		return slackgo.RichTextSectionTextStyle{}
	}
	return *e.Style
}
