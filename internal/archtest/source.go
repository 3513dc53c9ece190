package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const modulePath = "lockstep"

// pkg is a package's own source, without its tests.
type pkg struct {
	path  string // relative to the module, such as "api/wire"
	name  string
	fset  *token.FileSet
	files []*ast.File
}

// finding is a rule broken at a place.
func (p *pkg) finding(at ast.Node, format string, args ...any) string {
	position := p.fset.Position(at.Pos())
	return fmt.Sprintf("%s:%d: %s", filepath.ToSlash(position.Filename), position.Line, fmt.Sprintf(format, args...))
}

// load parses every package below root, file by file: no build, no module graph. Nested modules, testdata and hidden
// folders are no part of it.
func load(root string) ([]*pkg, error) {
	byFolder := map[string]*pkg{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(relative, path)
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(relative))
		if byFolder[folder] == nil {
			byFolder[folder] = &pkg{path: folder, fset: token.NewFileSet()}
		}
		return byFolder[folder].add(relative, source)
	})
	var packages []*pkg
	for _, folder := range slices.Sorted(maps.Keys(byFolder)) {
		packages = append(packages, byFolder[folder])
	}
	return packages, err
}

func enter(relative, path string) error {
	name := filepath.Base(relative)
	if relative != "." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && relative != "." {
		return fs.SkipDir
	}
	return nil
}

func (p *pkg) add(name string, source []byte) error {
	file, err := parser.ParseFile(p.fset, name, source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	p.name, p.files = file.Name.Name, append(p.files, file)
	return nil
}

// imports calls see with each import of the package.
func (p *pkg) imports(see func(spec *ast.ImportSpec, path string)) {
	for _, file := range p.files {
		for _, spec := range file.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				see(spec, path)
			}
		}
	}
}

// within reports whether path is folder or lies below it.
func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// importedName is the package that an identifier stands for in a file, "" when it is none.
func importedName(file *ast.File, ident *ast.Ident) string {
	if ident.Obj != nil { // a variable of the same name
		return ""
	}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := strings.TrimSuffix(path[strings.LastIndex(path, "/")+1:], "/v2")
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == ident.Name {
			return path
		}
	}
	return ""
}
