package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// checkHabits is what holds for every package: one package doc, a name that says something, nothing that runs or changes
// behind the caller's back.
func checkHabits(p *pkg) []string {
	var findings []string
	if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base"}, p.name) {
		findings = append(findings, p.finding(p.files[0].Name, "%q says nothing: name the package after its job", p.name))
	}
	docs := 0
	for _, file := range p.files {
		if file.Doc != nil && !ast.IsGenerated(file) {
			docs++
		}
	}
	if docs != 1 {
		findings = append(findings, p.finding(p.files[0].Name, "package %s has %d package comments: exactly one says what it is for", p.path, docs))
	}
	variables := p.packageVariables()
	for _, file := range p.files {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					findings = append(findings, p.finding(d, "no init(): let a constructor do it, where the caller sees it"))
				}
			case *ast.GenDecl:
				findings = append(findings, p.checkVariables(file, d)...)
			}
		}
		findings = append(findings, p.checkAssignments(file, variables)...)
		findings = append(findings, p.checkStandardVerify(file)...)
		findings = append(findings, p.checkTextInput(file)...)
	}
	return findings
}

// checkVariables: a package level variable is a constant that Go can't write as one: an error, a table, a pattern.
func (p *pkg) checkVariables(file *ast.File, declaration *ast.GenDecl) []string {
	var findings []string
	if declaration.Tok != token.VAR || ast.IsGenerated(file) {
		return nil
	}
	for _, spec := range declaration.Specs {
		values := spec.(*ast.ValueSpec)
		if values.Names[0].Name == "_" || isEmbedded(declaration, values) {
			continue
		}
		if len(values.Values) == 0 {
			findings = append(findings, p.finding(spec, "variable %s is made to be changed: no package level mutable state", values.Names[0].Name))
		}
		for _, value := range values.Values {
			if isContainer(value) {
				findings = append(findings, p.finding(value, "variable %s is made to be filled: no package level mutable state", values.Names[0].Name))
			}
		}
	}
	return findings
}

func isEmbedded(declaration *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, group := range []*ast.CommentGroup{declaration.Doc, spec.Doc} {
		if group != nil && slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// isContainer reports a value that is only of use when somebody changes it: &T{}, new, make, an empty map or list.
func isContainer(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.UnaryExpr:
		_, composite := v.X.(*ast.CompositeLit)
		return v.Op == token.AND && composite
	case *ast.CallExpr:
		name, ok := v.Fun.(*ast.Ident)
		return ok && (name.Name == "new" || name.Name == "make")
	case *ast.CompositeLit:
		switch v.Type.(type) {
		case *ast.MapType, *ast.ArrayType:
			return len(v.Elts) == 0
		}
	}
	return false
}

// packageVariables are the names of the package's variables, each with its declaration.
func (p *pkg) packageVariables() map[string]*ast.ValueSpec {
	variables := map[string]*ast.ValueSpec{}
	for _, file := range p.files {
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok || general.Tok != token.VAR {
				continue
			}
			for _, spec := range general.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					variables[name.Name] = spec.(*ast.ValueSpec)
				}
			}
		}
	}
	return variables
}

// checkAssignments finds what changes a package level variable, or takes its address so that somebody else can.
func (p *pkg) checkAssignments(file *ast.File, variables map[string]*ast.ValueSpec) []string {
	var findings []string
	changed := func(target ast.Expr) {
		name := rootOf(target)
		if name == nil || variables[name.Name] == nil {
			return
		}
		if name.Obj == nil || name.Obj.Decl == variables[name.Name] { // not a local variable of the same name
			findings = append(findings, p.finding(target, "package level variable %s is changed: no package level mutable state", name.Name))
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.AssignStmt:
			for _, target := range n.Lhs {
				if n.Tok != token.DEFINE {
					changed(target)
				}
			}
		case *ast.IncDecStmt:
			changed(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				changed(n.X)
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "delete" || name.Name == "clear") && name.Obj == nil && len(n.Args) > 0 {
				changed(n.Args[0])
			}
		}
		return true
	})
	return findings
}

// rootOf is the variable that an expression such as table["x"].field is a part of.
func rootOf(expression ast.Expr) *ast.Ident {
	switch e := expression.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return rootOf(e.X)
	case *ast.SelectorExpr:
		return rootOf(e.X)
	case *ast.StarExpr:
		return rootOf(e.X)
	case *ast.ParenExpr:
		return rootOf(e.X)
	}
	return nil
}

// checkStandardVerify: the standard library refuses signatures that the ledger's rule (ZIP-215) accepts, so two nodes
// could disagree on one.
func (p *pkg) checkStandardVerify(file *ast.File) []string {
	var findings []string
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && isCallOf(file, call, "crypto/ed25519", "Verify", "VerifyWithOptions") {
			findings = append(findings, p.finding(call, "crypto/ed25519 follows another rule than the ledger: use types.VerifyEd25519"))
		}
		return true
	})
	return findings
}

// checkTextInput: where people hand in files, one reader takes byte order marks, encodings and sizes alike.
func (p *pkg) checkTextInput(file *ast.File) []string {
	if !slices.Contains([]string{"cmd/lockstep", "internal/node", "internal/sim"}, p.path) {
		return nil
	}
	var findings []string
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && (isCallOf(file, call, "os", "ReadFile") || isCallOf(file, call, "io", "ReadAll")) {
			findings = append(findings, p.finding(call, "a text that people hand in is read by internal/plaintext"))
		}
		return true
	})
	return findings
}
