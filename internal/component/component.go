// Package component finds programs that a test needs on the machine. In CI a missing one fails the test; elsewhere it skips the
// test, so that "make test" installs nothing. For tests only.
package component

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Find returns the path of a program, the first of the names that the machine has.
func Find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing := strings.Join(names, " or ") + " is not installed"
	if os.Getenv("CI") != "" {
		t.Fatal(missing + ": let .ci/run install it")
	}
	t.Skip(missing + ": install it to run this test")
	return ""
}
