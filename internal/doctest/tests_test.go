package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedTest is how the threat model names a test: `package.TestName`.
var namedTest = regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")

// TestNamedTests: each line of the table of attacks on a network names tests, and they exist.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	_, section, found := strings.Cut(read(t, "docs/explanation/security.md"), "## Attacks on a network, and their tests")
	section, _, _ = strings.Cut(section, "\n## ")
	lines := 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| attack") {
			continue
		}
		lines++
		names := namedTest.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("no test is named: %s", line)
		}
		for _, name := range names {
			if !hasTest(t, name[1], name[2]) {
				t.Errorf("package %s has no %s", name[1], name[2])
			}
		}
	}
	if !found || lines < 20 {
		t.Errorf("the table has %d lines", lines)
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
