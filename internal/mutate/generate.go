package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// edit replaces the bytes of a source file from one offset up to another.
type edit struct {
	from, to int
	text     string
}

// mutant is a source file with one rule changed.
type mutant struct {
	file  string // from the module's root, with slashes
	line  int
	name  string // file, function, the original and the changed source text: the mutant's name in equivalent.txt
	edit  edit
	tests []string // packages whose tests must notice it
}

// apply returns the source of the mutant.
func (m *mutant) apply(source []byte) []byte {
	return slices.Concat(source[:m.edit.from], []byte(m.edit.text), source[m.edit.to:])
}

// generator collects the mutants of one file.
type generator struct {
	file    string
	source  []byte
	set     *token.FileSet
	scope   string // the current function or variable
	mutants []mutant
	names   map[string]int
}

// generate returns the mutants of a source file in the order of its text. Only, unless it is empty, names the top-level functions
// and variables to change.
func generate(file string, source []byte, only []string) ([]mutant, error) {
	g := &generator{file: file, source: source, set: token.NewFileSet(), names: map[string]int{}}
	parsed, err := parser.ParseFile(g.set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, declaration := range parsed.Decls {
		g.scope = scopeOf(declaration)
		if len(only) > 0 && !slices.Contains(only, g.scope) {
			continue
		}
		found[g.scope] = true
		ast.Inspect(declaration, g.visit)
	}
	for _, name := range only {
		if !found[name] {
			return nil, fmt.Errorf("%s declares no %s: correct the targets of internal/mutate", file, name)
		}
	}
	return g.mutants, nil
}

// scopeOf returns the name of a top-level declaration, such as "Trade.Owner".
func scopeOf(declaration ast.Decl) string {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || len(d.Recv.List) == 0 {
			return d.Name.Name
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if name, ok := receiver.(*ast.Ident); ok {
			return name.Name + "." + d.Name.Name
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok {
				return value.Names[0].Name
			}
		}
	}
	return "?"
}

func (g *generator) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		g.binary(n)
	case *ast.IfStmt:
		if _, comparison := comparisonOf(n.Cond); !comparison { // its negation is a mutant of the comparison
			g.negate(n.Cond)
		}
	case *ast.SwitchStmt:
		g.cases(n)
	case *ast.TypeSwitchStmt:
		g.typeCases(n)
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "min" || name.Name == "max") {
			g.add(n, name, map[string]string{"min": "max", "max": "min"}[name.Name])
		}
	case *ast.CompositeLit:
		g.fields(n)
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			g.add(n, n, map[string]string{"true": "false", "false": "true"}[n.Name])
		}
	}
	return true
}

// comparisonOf returns an expression as a comparison, if it is one.
func comparisonOf(e ast.Expr) (*ast.BinaryExpr, bool) {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	if !ok {
		return nil, false
	}
	switch b.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ:
		return b, true
	default:
		return nil, false
	}
}

// binary flips a comparison, moves its bound by one each way, or drops an operand of &&, || and |. A dropped operand is still
// evaluated, so that no variable goes unused.
func (g *generator) binary(b *ast.BinaryExpr) {
	var operators []string
	var neutral string
	bound := "" // the text that moves the bound in the direction that no operator does
	switch b.Op {
	case token.LSS:
		operators, bound = []string{"<=", ">="}, "-1"
	case token.LEQ:
		operators, bound = []string{"<", ">"}, "+1"
	case token.GTR:
		operators, bound = []string{">=", "<="}, "+1"
	case token.GEQ:
		operators, bound = []string{">", "<"}, "-1"
	case token.EQL:
		operators = []string{"!="}
	case token.NEQ:
		operators = []string{"=="}
	case token.OR: // a set of flags
		g.replace(b, g.offset(b.Pos()), g.offset(b.End()), g.text(b.X))
		g.replace(b, g.offset(b.Pos()), g.offset(b.End()), g.text(b.Y))
	case token.LAND:
		neutral = " || true)"
	case token.LOR:
		neutral = " && false)"
	default:
		return
	}
	for _, operator := range operators {
		g.replace(b, g.offset(b.OpPos), g.offset(b.OpPos)+len(b.Op.String()), operator)
	}
	if bound != "" {
		g.replace(b, g.offset(b.Y.Pos()), g.offset(b.Y.End()), "("+g.text(b.Y)+")"+bound)
	}
	if neutral != "" {
		for _, operand := range []ast.Expr{b.X, b.Y} {
			g.add(b, operand, "(("+g.text(operand)+")"+neutral)
		}
	}
}

func (g *generator) negate(condition ast.Expr) {
	g.add(condition, condition, "!("+g.text(condition)+")")
}

// cases negates the conditions of a switch without a tag, and removes each value from a switch with a tag.
func (g *generator) cases(s *ast.SwitchStmt) {
	for _, statement := range s.Body.List {
		clause := statement.(*ast.CaseClause)
		if s.Tag == nil {
			for _, condition := range clause.List {
				if _, comparison := comparisonOf(condition); !comparison {
					g.negate(condition)
				}
			}
			continue
		}
		g.dropValues(clause)
	}
}

func (g *generator) typeCases(s *ast.TypeSwitchStmt) {
	for _, statement := range s.Body.List {
		if clause := statement.(*ast.CaseClause); len(clause.List) > 1 { // with one type the clause's variable would go unused
			g.dropValues(clause)
		}
	}
}

// dropValues removes each value of a clause in turn, or the clause when it has only one value.
func (g *generator) dropValues(clause *ast.CaseClause) {
	switch len(clause.List) {
	case 0: // default
	case 1:
		label := &ast.CaseClause{Case: clause.Case, Colon: clause.Colon}
		g.replaceAs(clause.Case, "case "+g.text(clause.List[0]), "no such case", g.offset(label.Case), g.offset(clause.End()), "")
	default:
		for i, value := range clause.List {
			var rest []string
			for j, other := range clause.List {
				if j != i {
					rest = append(rest, g.text(other))
				}
			}
			from, to := g.offset(clause.List[0].Pos()), g.offset(clause.List[len(clause.List)-1].End())
			g.replaceAs(value.Pos(), "case "+g.text(value), "no such case", from, to, strings.Join(rest, ", "))
		}
	}
}

// fields removes each named field of a literal in turn: the entries of a table or an effect.
func (g *generator) fields(literal *ast.CompositeLit) {
	for i, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		to := g.offset(pair.End())
		if i+1 < len(literal.Elts) {
			to = g.offset(literal.Elts[i+1].Pos())
		}
		g.replaceAs(pair.Pos(), g.text(pair), "no such field", g.offset(pair.Pos()), to, "")
	}
}

func (g *generator) offset(pos token.Pos) int { return g.set.Position(pos).Offset }

func (g *generator) text(node ast.Node) string {
	return string(g.source[g.offset(node.Pos()):g.offset(node.End())])
}

// add adds a mutant in which a part of a larger node is replaced.
func (g *generator) add(whole, part ast.Node, text string) {
	g.replace(whole, g.offset(part.Pos()), g.offset(part.End()), text)
}

func (g *generator) replace(whole ast.Node, from, to int, text string) {
	before := g.text(whole)
	begin := g.offset(whole.Pos())
	after := before[:from-begin] + text + before[to-begin:]
	g.replaceAs(whole.Pos(), before, after, from, to, text)
}

func (g *generator) replaceAs(pos token.Pos, before, after string, from, to int, text string) {
	name := fmt.Sprintf("%s %s: %s => %s", g.file, g.scope, oneLine(before), oneLine(after))
	g.names[name]++
	if n := g.names[name]; n > 1 {
		name = fmt.Sprintf("%s #%d", name, n)
	}
	if bytes.Equal(g.source[from:to], []byte(text)) {
		return
	}
	g.mutants = append(g.mutants, mutant{file: g.file, line: g.set.Position(pos).Line, name: name, edit: edit{from, to, text}})
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
