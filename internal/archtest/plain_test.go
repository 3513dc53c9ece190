package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPlainTests checks that the Makefile lists the tests that -short or the race detector skips, with their packages:
// "make test RACE=1" runs those and no others without the detector, so that each test runs once.
func TestPlainTests(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	listed := func(name string) []string {
		match := regexp.MustCompile(`(?m)^` + name + ` = (.*)$`).FindSubmatch(makefile)
		if match == nil {
			t.Fatalf("the Makefile has no line of %s", name)
		}
		words := strings.Fields(string(match[1]))
		slices.Sort(words)
		return words
	}
	tests, packages := map[string]bool{}, map[string]bool{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
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
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, name := range plainTests(t, path, code) {
			tests[name], packages["./"+filepath.ToSlash(filepath.Dir(relative))] = true, true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want, got := slices.Sorted(maps.Keys(tests)), listed("PLAIN"); !slices.Equal(got, want) {
		t.Errorf("PLAIN in the Makefile has %v, and these tests skip -short or the race detector: %v", got, want)
	}
	if want, got := slices.Sorted(maps.Keys(packages)), listed("PLAIN_PACKAGES"); !slices.Equal(got, want) {
		t.Errorf("PLAIN_PACKAGES in the Makefile has %v, want %v", got, want)
	}
}

// plainTests returns the tests of a file that call testing.Short, or all of them when the race detector excludes the file.
func plainTests(t *testing.T, path string, code []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, code, 0)
	if err != nil {
		t.Fatal(err)
	}
	excluded := bytes.HasPrefix(code, []byte("//go:build !race\n"))
	var names []string
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(function.Name.Name, "Test") || function.Name.Name == "TestMain" {
			continue
		}
		plain := excluded
		ast.Inspect(function, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && isCallOf(file, call, "testing", "Short") {
				plain = true
			}
			return true
		})
		if plain {
			names = append(names, function.Name.Name)
		}
	}
	return names
}

func TestPlainTestsOfFile(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`func TestA(t *testing.T) { if testing.Short() { t.Skip() } }; func TestB(t *testing.T) {}`: "TestA",
		`func BenchmarkA(b *testing.B) { testing.Short() }`:                                         "",
	} {
		source := "package sample\nimport \"testing\"\n" + code
		if got := strings.Join(plainTests(t, "sample_test.go", []byte(source)), " "); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
		if got := plainTests(t, "sample_test.go", []byte("//go:build !race\n\n"+source)); want != "" && len(got) != 2 {
			t.Errorf("a file without the race detector: %q", got)
		}
	}
}
