// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// The functions that guard puts into templates. Their names can't be written
// in one.
const (
	showWord = "show_value"
	stepWord = "count_step"
)

// guard goes through all of a template: it refuses functions that are not
// ours, has every value shown as one, and every loop counted.
func guard(t *template.Template) error {
	for _, one := range t.Templates() {
		if one.Tree == nil || one.Root == nil {
			continue
		}
		g := &guarding{tree: one.Tree}
		g.list(one.Root)
		if g.fault != nil {
			return g.fault
		}
		one.Root.Nodes = slices.Insert(one.Root.Nodes, 0, parse.Node(g.call(stepWord, one.Root.Position())))
	}
	return nil
}

type guarding struct {
	tree  *parse.Tree
	fault error
	// line is the administrator's text on the line that is being written,
	// fenced is true within a block of code.
	line   string
	fenced bool
}

// call is the action {{word}}.
func (g *guarding) call(word string, pos parse.Pos) *parse.ActionNode {
	id := parse.NewIdentifier(word).SetPos(pos).SetTree(g.tree)
	command := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{id}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos,
		Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{command}}}
}

// wrong notes the first fault, with its line.
func (g *guarding) wrong(n parse.Node, format string, args ...any) {
	if g.fault == nil {
		where, _ := g.tree.ErrorContext(n)
		line := ""
		if parts := strings.Split(where, ":"); len(parts) >= 3 {
			line = "line " + parts[len(parts)-2] + ": "
		}
		g.fault = fmt.Errorf("%s%s", line, fmt.Sprintf(format, args...))
	}
}

func (g *guarding) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		g.node(n)
	}
}

func (g *guarding) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.TextNode:
		g.text(string(n.Text))
	case *parse.ActionNode:
		g.pipe(n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			g.place(n)
			show := parse.NewIdentifier(showWord).SetPos(n.Pos).SetTree(g.tree)
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{show}})
			g.line += "x"
		}
	case *parse.IfNode:
		g.branch(&n.BranchNode)
	case *parse.WithNode:
		g.branch(&n.BranchNode)
	case *parse.RangeNode:
		g.branch(&n.BranchNode)
		n.List.Nodes = slices.Insert(n.List.Nodes, 0, parse.Node(g.call(stepWord, n.List.Position())))
	case *parse.TemplateNode:
		g.pipe(n.Pipe)
	case *parse.BreakNode, *parse.ContinueNode, *parse.CommentNode:
	default:
		g.wrong(n, "%s is nothing that is known here", n)
	}
}

func (g *guarding) branch(b *parse.BranchNode) {
	g.pipe(b.Pipe)
	line, fenced := g.line, g.fenced
	g.list(b.List)
	if b.ElseList != nil {
		g.line, g.fenced = line, fenced
		g.list(b.ElseList)
	}
}

// pipe looks for functions that are not ours.
func (g *guarding) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		for _, arg := range c.Args {
			g.argument(arg)
		}
	}
}

func (g *guarding) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		if !slices.Contains(Functions(), n.Ident) {
			g.wrong(n, "there is no function %s; known are %s", n.Ident, strings.Join(Functions(), ", "))
		}
	case *parse.PipeNode:
		g.pipe(n)
	case *parse.ChainNode:
		g.argument(n.Node)
	}
}

// text follows the administrator's own text.
func (g *guarding) text(s string) {
	for i, part := range strings.Split(s, "\n") {
		if i > 0 {
			if strings.HasPrefix(strings.TrimLeft(g.line, " "), "```") {
				g.fenced = !g.fenced
			}
			g.line = ""
		}
		g.line += part
	}
}

// place refuses values where they would not be shown as they are. The platform
// is safe from them all the same; this says what to write instead.
func (g *guarding) place(n *parse.ActionNode) {
	line := g.line
	switch {
	case g.fenced:
		g.wrong(n, "%s stands in a block of code, where values can't be shown: write {{pre …}} without the ``` around it", n)
	case strings.Count(line, "`")%2 == 1:
		g.wrong(n, "%s stands between backticks, where values can't be shown: write {{code …}} without them", n)
	case strings.HasSuffix(line, "@"):
		g.wrong(n, "%s stands right behind @ and would ring whom it names: put something between them", n)
	case strings.LastIndex(line, "](") > strings.LastIndex(line, ")"):
		g.wrong(n, "%s stands in the address of a link: write {{link text address}}", n)
	case strings.Contains(line[strings.LastIndexAny(line, " \t")+1:], "://"):
		g.wrong(n, "%s stands in an address, which would lead where a value says: write {{link text address}}", n)
	case strings.HasSuffix(line, "<") || strings.HasSuffix(line, "<!"):
		g.wrong(n, "%s stands right behind <: put a space between them", n)
	}
}
