package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// pure are the packages in which the same input has to give the same output on every machine, for ever: nodes that
// disagree on one bit fork the ledger.
func pure() []string {
	return []string{"types", "types/canon", "trade", "market", "meter", "meter/evidence", "internal/ledger"}
}

// impureImports bring in the world: randomness, files, network, environment, logs.
func impureImports() []string {
	return []string{
		"math/rand", "crypto/rand", "os", "net", "syscall", "runtime", "unsafe", "log", "io/fs", "path/filepath", "database/sql", "context", "plugin",
	}
}

// clocks are the functions of package time that ask or wait for the machine's clock, or know its place.
func clocks() []string {
	return []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"}
}

// anyOrder in a comment on the line of a loop over a map, or on the one above, says why the order can't matter.
const anyOrder = "any order:"

// checkPurity is for the packages of [pure]: no clock, randomness, I/O, concurrency, floats or map order.
func checkPurity(p *pkg) []string {
	var findings []string
	p.imports(func(spec *ast.ImportSpec, path string) {
		for _, impure := range impureImports() {
			if within(path, impure) {
				findings = append(findings, p.finding(spec, "%s is pure and can't import %s", p.path, path))
			}
		}
	})
	info := p.typesInfo()
	for _, file := range p.files {
		excused := linesSaying(p.fset, file, anyOrder)
		sorted := map[ast.Node]bool{}
		ast.Inspect(file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && isSorting(file, call) {
				sorted[call.Args[0]] = true
			}
			if why := impurity(file, node, info, sorted[node]); why != "" {
				line := p.fset.Position(node.Pos()).Line
				if !isOrder(why) || !excused[line] && !excused[line-1] {
					findings = append(findings, p.finding(node, "%s is pure: %s", p.path, why))
				}
			}
			return true
		})
	}
	return findings
}

const unordered = "a map has no order: range over its sorted keys, or say in a comment why \"" + anyOrder + "\" will do"

func isOrder(why string) bool { return why == unordered }

// impurity describes the impurity of one node of syntax, "" when it is pure.
func impurity(file *ast.File, node ast.Node, info *types.Info, sorted bool) string {
	switch n := node.(type) {
	case *ast.GoStmt:
		return "no goroutines"
	case *ast.SelectStmt, *ast.ChanType, *ast.SendStmt:
		return "no channels"
	case *ast.Ident:
		if slices.Contains([]string{"float32", "float64", "complex64", "complex128"}, n.Name) && n.Obj == nil {
			return "no floats, they round differently elsewhere"
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT {
			return "no floats, they round differently elsewhere"
		}
	case *ast.SelectorExpr:
		if name, ok := n.X.(*ast.Ident); ok && importedName(file, name) == "time" && slices.Contains(clocks(), n.Sel.Name) {
			return "no clock: time." + n.Sel.Name + " asks the machine, the ledger has its own time"
		}
	case *ast.RangeStmt:
		if of := info.TypeOf(n.X); of != nil {
			if _, isMap := of.Underlying().(*types.Map); isMap {
				return unordered
			}
		}
	case *ast.CallExpr:
		if !sorted && isCallOf(file, n, "maps", "Keys", "Values", "All") {
			return unordered
		}
	}
	return ""
}

// isSorting: slices.Sorted(maps.Keys(m)) and its like give a map an order.
func isSorting(file *ast.File, call *ast.CallExpr) bool {
	return len(call.Args) > 0 && isCallOf(file, call, "slices", "Sorted", "SortedFunc", "SortedStableFunc")
}

func isCallOf(file *ast.File, call *ast.CallExpr, path string, names ...string) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	return ok && importedName(file, of) == path && slices.Contains(names, selector.Sel.Name)
}

func linesSaying(fset *token.FileSet, file *ast.File, words string) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.Contains(comment.Text, words) {
				lines[fset.Position(comment.Pos()).Line] = true
			}
		}
	}
	return lines
}

// typesInfo holds the types known from the package alone. A map from an import is not noticed: with
// imports this would compile half the module.
func (p *pkg) typesInfo() *types.Info {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: nothing{}, Error: func(error) {}}
	_, _ = config.Check(p.path, p.fset, p.files, info) // its errors are about the imports that it does not see
	return info
}

// nothing imports every package as an empty one.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	empty := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	empty.MarkComplete()
	return empty, nil
}
