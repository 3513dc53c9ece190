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

// listed returns the words of a variable of the Makefile, sorted.
func listed(t *testing.T, name string) []string {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^` + name + ` = (.*)$`).FindSubmatch(makefile)
	if match == nil {
		t.Fatalf("the Makefile has no line of %s", name)
	}
	words := strings.Fields(string(match[1]))
	slices.Sort(words)
	return words
}

// TestPlainTests checks that the Makefile lists the tests that -short or the race detector skips, with their packages, but for those packages whose
// tests all run without the detector: "make test RACE=1" runs those and no others without it, so that each test runs once.
func TestPlainTests(t *testing.T) {
	t.Parallel()
	root, sequential := filepath.Join("..", ".."), listed(t, "SEQUENTIAL")
	tests, packages := map[string]bool{}, map[string]bool{}
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
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder := "./" + filepath.ToSlash(filepath.Dir(relative))
		if slices.Contains(sequential, folder) {
			return nil
		}
		for _, name := range plainTests(t, path, code) {
			tests[name], packages[folder] = true, true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want, got := slices.Sorted(maps.Keys(tests)), listed(t, "PLAIN"); !slices.Equal(got, want) {
		t.Errorf("PLAIN in the Makefile has %v, and these tests skip -short or the race detector: %v", got, want)
	}
	if want, got := slices.Sorted(maps.Keys(packages)), listed(t, "PLAIN_PACKAGES"); !slices.Equal(got, want) {
		t.Errorf("PLAIN_PACKAGES in the Makefile has %v, want %v", got, want)
	}
}

// TestSequentialPackages checks that the packages whose tests never run under the race detector start no goroutine and guard nothing against one, and
// neither do these tests.
func TestSequentialPackages(t *testing.T) {
	t.Parallel()
	for _, folder := range listed(t, "SEQUENTIAL") {
		files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no files: %v", folder, err)
		}
		for _, path := range files {
			code, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range concurrency(t, path, code) {
				t.Errorf("%s: %s: take %s out of SEQUENTIAL in the Makefile", path, found, folder)
			}
		}
	}
}

// concurrency returns the places where a file starts goroutines, or guards against them. Values that are made once need no guard of their own.
func concurrency(t *testing.T, path string, code []byte) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, code, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, imported := range file.Imports {
		if name := strings.Trim(imported.Path.Value, `"`); strings.HasPrefix(name, "sync/") || strings.HasPrefix(name, "golang.org/x/sync/") {
			found = append(found, "it imports "+name)
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			found = append(found, "it starts a goroutine")
		case *ast.SelectorExpr:
			name := node.Sel.Name
			of, _ := node.X.(*ast.Ident)
			if name == "Go" || name == "AfterFunc" || of != nil && of.Name == "sync" && !strings.HasPrefix(name, "OnceValue") {
				found = append(found, "it uses "+name)
			}
		}
		return true
	})
	return found
}

func TestConcurrencyOfFile(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		`func f() {}`:         0,
		`func f() { go f() }`: 1,
		`import "sync/atomic"; var n atomic.Int64`:              1,
		`import "sync"; var m sync.Mutex`:                       1,
		`import "sync"; var v = sync.OnceValue(f)`:              0,
		`import "sync"; func f() { new(sync.WaitGroup).Go(f) }`: 2,
		`import "time"; func f() { time.AfterFunc(1, f) }`:      1,
	} {
		if got := concurrency(t, "sample.go", []byte("package sample\n"+code)); len(got) != want {
			t.Errorf("%s: %q", code, got)
		}
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
