package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const fixture = `package fixture

func Late(now, by int, hold bool) bool {
	if !hold && now > by {
		return true
	}
	return false
}

func Share(kind string, all, part int) int {
	switch kind {
	case "all", "whole":
		return all
	case "part":
		return min(part, all)
	}
	return 0
}

var window = struct{ from, to int }{from: 1 | 2, to: 3}
`

func TestGenerate(t *testing.T) {
	t.Parallel()
	mutants, err := generate("fixture.go", []byte(fixture), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		got = append(got, strings.TrimPrefix(m.name, "fixture.go "))
		if bytes.Equal(m.apply([]byte(fixture)), []byte(fixture)) {
			t.Errorf("%s changes nothing", m.name)
		}
		if line := strings.Split(fixture, "\n")[m.line-1]; strings.TrimSpace(line) == "" {
			t.Errorf("%s is on the empty line %d", m.name, m.line)
		}
	}
	want := []string{
		"Late: !hold && now > by => !(!hold && now > by)",
		"Late: !hold && now > by => ((!hold) || true) && now > by",
		"Late: !hold && now > by => !hold && ((now > by) || true)",
		"Late: now > by => now >= by",
		"Late: now > by => now <= by",
		"Late: now > by => now > (by)+1",
		"Late: true => false",
		"Late: false => true",
		`Share: case "all" => no such case`,
		`Share: case "whole" => no such case`,
		`Share: case "part" => no such case`,
		"Share: min(part, all) => max(part, all)",
		"window: from: 1 | 2 => no such field",
		"window: to: 3 => no such field",
		"window: 1 | 2 => 1",
		"window: 1 | 2 => 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if some, err := generate("fixture.go", []byte(fixture), []string{"Late"}); err != nil || len(some) != 8 {
		t.Errorf("%d mutants of one function, %v", len(some), err)
	}
	if _, err := generate("fixture.go", []byte(fixture), []string{"Gone"}); err == nil {
		t.Error("a target that names no function is accepted")
	}
}

// TestSurvivor runs the mutants of a module whose test misses one bound: the run fails and names the mutant of the bound.
func TestSurvivor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a test for each mutant: make test runs it, without the race detector")
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module fixture\n\ngo 1.26\n",
		"late.go": "package fixture\n\nfunc Late(now, by int) bool { return now > by }\n",
		"late_test.go": "package fixture\n\nimport \"testing\"\n\nfunc TestLate(t *testing.T) {\n" +
			"\tif Late(3, 4) || !Late(5, 4) {\n\t\tt.Error(\"late\")\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mutants, err := mutantsOf(root, []target{{file: "late.go", tests: []string{"."}}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := &runner{root: root, workers: runtime.NumCPU(), timeout: time.Minute}
	outcomes := r.all(t.Context(), mutants)
	err = judge(&out, outcomes)
	if err == nil || !strings.Contains(out.String(), "2 killed, 0 do not compile, 1 survive, 0 not run") {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, o := range outcomes {
		if missed := strings.HasSuffix(o.mutant.name, "=> now >= by"); missed != (o.verdict == survived) {
			t.Errorf("%s: verdict %d", o.mutant.name, o.verdict)
		}
	}
	if source, err := os.ReadFile(filepath.Join(root, "late.go")); err != nil || !strings.Contains(string(source), "now > by }") {
		t.Errorf("the source was changed: %s, %v", source, err)
	}
}

func TestEquivalentList(t *testing.T) {
	t.Parallel()
	mutants := []mutant{{name: "a.go F: x < y => x <= y"}}
	for text, good := range map[string]bool{
		"# comment\n\na.go F: x < y => x <= y | y is never x\n": true,
		"a.go F: x < y => x <= y\n":                             false,
		"a.go F: x < y => x <= y | \n":                          false,
		"a.go F: x < z => x <= z | renamed\n":                   false,
	} {
		path := filepath.Join(t.TempDir(), "equivalent.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if reasons, err := readEquivalent(path, mutants); (err == nil) != good || good && len(reasons) != 1 {
			t.Errorf("%q: %v, %v", text, reasons, err)
		}
	}
}

// TestNamed chooses the survivors of an earlier run, and tells which of them are gone.
func TestNamed(t *testing.T) {
	t.Parallel()
	mutants := []mutant{{name: "a"}, {name: "b => c"}, {name: "d"}}
	path := filepath.Join(t.TempDir(), "survivors")
	if err := os.WriteFile(path, []byte("d\n\n  b => c\nmended\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	chosen, err := named(&out, path, mutants)
	if err != nil || !slices.Equal(names(chosen), []string{"d", "b => c"}) || out.String() != "no mutant any more, or listed as equivalent: mended\n" {
		t.Errorf("%v, %v, %q", names(chosen), err, out.String())
	}
	if _, err := named(&out, path+".absent", mutants); err == nil {
		t.Error("a file that does not exist names nothing")
	}
}

// TestTargets finds the source of every target, and a mutant for every equivalent one.
func TestTargets(t *testing.T) {
	t.Parallel()
	mutants, err := mutantsOf(filepath.Join("..", ".."), targets())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readEquivalent("equivalent.txt", mutants); err != nil {
		t.Error(err)
	}
	if drawn := draw(mutants, 20, 1); len(drawn) != 20 || !slices.Equal(names(drawn), names(draw(mutants, 20, 1))) {
		t.Error("a seed draws another sample the second time")
	}
	sample := names(draw(mutants, 20, 1))
	rest := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool {
		return m.name == sample[0] || !slices.Contains(sample, m.name) && len(m.name)%2 == 0
	})
	for _, name := range names(draw(rest, 19, 1)) {
		if !slices.Contains(sample, name) {
			t.Errorf("%s is drawn because other mutants are gone", name)
		}
	}
	if slices.Equal(sample, names(draw(mutants, 20, 2))) {
		t.Error("another seed draws the same sample")
	}
}

func names(mutants []mutant) (all []string) {
	for _, m := range mutants {
		all = append(all, m.name)
	}
	return all
}
