// Package component finds programs that a test needs on the machine. In CI a missing one fails the test; elsewhere it skips the
// test, so that "make test" installs nothing. For tests only.
package component

import (
	"os"
	"os/exec"
	"path/filepath"
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
	return miss(t, strings.Join(names, " or "))
}

// FindPython returns the path of a Python 3 that has a module: the one of the user's path, or the system's, to which packages of the
// distribution belong.
func FindPython(t testing.TB, module string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	return miss(t, "a python3 with "+module)
}

// nodeModules names the folder into which .ci/run installs packages of npm. Where it can't, it says so by noPackages, and the tests
// that need them are skipped in CI too.
const (
	nodeModules = "LOCKSTEP_NODE_MODULES"
	noPackages  = "LOCKSTEP_NO_PACKAGES"
)

// FindPackage returns the path of a file of a package of npm, such as axe-core/axe.min.js.
func FindPackage(t testing.TB, file string) string {
	t.Helper()
	if folder := os.Getenv(nodeModules); folder != "" {
		path := filepath.Join(folder, file)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if reason := os.Getenv(noPackages); reason != "" {
		t.Skip(file + " is not here: " + reason)
	}
	return miss(t, file+", below the folder that "+nodeModules+" names,")
}

// miss fails or skips the test of a component that is missing.
func miss(t testing.TB, name string) string {
	t.Helper()
	missing := name + " is not installed"
	if os.Getenv("CI") != "" {
		t.Fatal(missing + ": let .ci/run install it")
		return ""
	}
	t.Skip(missing + ": install it to run this test")
	return ""
}
