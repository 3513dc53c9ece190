// Package doctest keeps the documentation true: it runs every command that the README, the tutorial and the how-to guides
// show and compares the output, generates the references that are lists, and follows every link.
//
// After a change that is meant, "go test ./internal/doctest -update" writes the outputs that differ, and the lists, into the
// documents; with -slow it writes all outputs anew, from one run (six minutes). They must then still be read: a document
// that is up to date can be wrong.
package doctest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	update = flag.Bool("update", false, "write outputs and lists into the documents")
	slow   = flag.Bool("slow", false, "keep to the times that the documents name; with -update, write all outputs anew")
)

// root is the repository, seen from this folder.
const root = "../.."

// program is where TestMain builds lockstep. Tests read it only.
var program = filepath.Join(os.TempDir(), fmt.Sprintf("lockstep-doctest-%d", os.Getpid()), "lockstep")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer os.RemoveAll(filepath.Dir(program))
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w -X=main.quickWork=yes", "-o", program, "./cmd/lockstep")
	build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program that the documents are about:", err)
		return 1
	}
	return m.Run()
}

// read returns a document, by its path in the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// current compares a generated document with the wanted text, or writes it.
func current(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		write(t, path, want)
		return
	}
	if got := read(t, path); got != want {
		t.Errorf("%s is not up to date: run go test ./internal/doctest -update", path)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
